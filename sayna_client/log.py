"""The one logger: no payload above DEBUG, no secret at any level, silent unless configured."""

import logging

logging.getLogger("sayna_client").addHandler(logging.NullHandler())
logger = logging.getLogger("sayna_client.client")
