"""Webhooks as Sayna sends them, and as it never would: signer, forgeries, explanations."""

from importlib import import_module
from typing import TYPE_CHECKING

from sayna_testing.webhooks.explanation import Explanation, explain
from sayna_testing.webhooks.forgeries import Forgery, forgeries
from sayna_testing.webhooks.moment import Moment, unix_seconds, wall_clock
from sayna_testing.webhooks.request import SignedWebhook
from sayna_testing.webhooks.signing import WEBHOOK_SECRET, sign, signature

if TYPE_CHECKING:
    from sayna_testing.webhooks.signer import WebhookSigner

__all__ = [
    "WEBHOOK_SECRET",
    "Explanation",
    "Forgery",
    "Moment",
    "SignedWebhook",
    "WebhookSigner",
    "explain",
    "forgeries",
    "sign",
    "signature",
    "unix_seconds",
    "wall_clock",
]


def __getattr__(name: str) -> object:
    if name != "WebhookSigner":  # the only one that needs Faker, which takes long to load
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("sayna_testing.webhooks.signer").WebhookSigner
