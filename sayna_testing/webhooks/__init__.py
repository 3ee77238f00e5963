"""Webhooks as Sayna sends them, and as it never would: sign, forge, deliver, explain."""

from importlib import import_module
from typing import TYPE_CHECKING

from sayna_testing.webhooks.explanation import Explanation, explain
from sayna_testing.webhooks.forgeries import Forgery, forgeries
from sayna_testing.webhooks.moment import Moment, unix_seconds, wall_clock
from sayna_testing.webhooks.request import SignedWebhook
from sayna_testing.webhooks.signing import WEBHOOK_SECRET, sign, signature

if TYPE_CHECKING:
    from sayna_testing.delivery import deliver
    from sayna_testing.webhooks.signer import WebhookSigner

__all__ = [
    "WEBHOOK_SECRET",
    "Explanation",
    "Forgery",
    "Moment",
    "SignedWebhook",
    "WebhookSigner",
    "deliver",
    "explain",
    "forgeries",
    "sign",
    "signature",
    "unix_seconds",
    "wall_clock",
]


# What loads Faker or aiohttp, which takes long, is loaded when it is used.
_LAZY = {"WebhookSigner": "sayna_testing.webhooks.signer", "deliver": "sayna_testing.delivery"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
