"""The routes of SIP hooks (rest.md 13); the rules are in `server.hooks`."""

from collections.abc import Sequence

from sayna_testing.server.hooks import HooksError
from sayna_testing.server.rest.bodies import read_json_body
from sayna_testing.server.rest.context import Context
from sayna_testing.server.rest.messages import Response, json_response, prose
from sayna_testing.server.rest.structs import DELETE_SIP_HOOKS, SIP_HOOKS
from sayna_testing.server.settings import SipHook


def _shown(hooks: Sequence[SipHook]) -> Response:
    entries = [{"host": h.host, "url": h.url, "auth_id": h.auth_id} for h in hooks]
    return json_response({"hooks": entries})


async def list_hooks(context: Context) -> Response:
    """GET `/sip/hooks`."""
    return _shown(context.state.hooks.listed())


async def add_hooks(context: Context) -> Response:
    """POST `/sip/hooks`."""
    asked = read_json_body(context, SIP_HOOKS)
    try:
        return _shown(context.state.hooks.add([SipHook(**entry) for entry in asked["hooks"]]))
    except HooksError as error:
        return prose(error.status, str(error))


async def remove_hooks(context: Context) -> Response:
    """DELETE `/sip/hooks`."""
    asked = read_json_body(context, DELETE_SIP_HOOKS)
    try:
        return _shown(context.state.hooks.remove(asked["hosts"]))
    except HooksError as error:
        return prose(error.status, str(error))
