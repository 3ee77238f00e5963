"""The signer behind the `sayna_webhook` fixture."""

from collections.abc import Mapping
from typing import Any

from faker import Faker
from faker.generator import Generator

from sayna_testing.faker_provider import SaynaProvider
from sayna_testing.webhooks.moment import Moment, unix_seconds
from sayna_testing.webhooks.request import SignedWebhook
from sayna_testing.webhooks.signing import compact, sign

__all__ = ["WebhookSigner"]


class WebhookSigner:
    """Makes webhook requests that are signed exactly as Sayna signs them (rest.md 15.4).

    `secret` is by default `SAYNA_WEBHOOK_SECRET` of the environment, else `WEBHOOK_SECRET`. What a
    call is not given comes from `faker`, so it is stable by that one's seed. Requests are signed
    at the present moment, frozen or not, unless `at()` names another.
    """

    def __init__(
        self,
        secret: str | None = None,
        *,
        faker: Faker | Generator | None = None,
        moment: Moment | None = None,
    ) -> None:
        generator = faker.factories[0] if isinstance(faker, Faker) else faker or Generator()
        self._provider = SaynaProvider(generator)
        self._generator = generator
        self._secret = secret
        self._moment = None if moment is None else unix_seconds(moment)

    def __repr__(self) -> str:
        return f"WebhookSigner(moment={self._moment})"

    def at(self, moment: Moment) -> "WebhookSigner":
        """A signer like this one whose requests are all signed at `moment`.

        An int or float of Unix seconds, or an aware datetime; a naive one is a `ValueError`.
        """
        return WebhookSigner(self._secret, faker=self._generator, moment=moment)

    def with_secret(self, secret: str) -> "WebhookSigner":
        """A signer like this one with another secret."""
        return WebhookSigner(secret, faker=self._generator, moment=self._moment)

    def __call__(self, body: bytes | str, *, event_id: str | None = None) -> SignedWebhook:
        """Sign a body of any kind, as it is."""
        return sign(
            body,
            event_id=self._provider.sayna_event_id() if event_id is None else event_id,
            secret=self._secret,
            at=self._moment,
        )

    def sip_call(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        participant_name: str | None = None,
        participant_identity: str | None = None,
        participant_sid: str | None = None,
        room_name: str | None = None,
        room_sid: str | None = None,
        room_prefix: str = "sip-",
        sip_host: str | None = None,
        sip_headers: Mapping[str, str] | None = None,
        event_id: str | None = None,
    ) -> SignedWebhook:
        """Sign the webhook of an incoming call; `from_` and `to` are phone numbers, E.164.

        Raises `TypeError` for a field that is no text.
        """
        payload = self._provider.sayna_webhook_payload(
            from_number=from_, to_number=to, room_prefix=room_prefix, sip_host=sip_host
        )
        given: tuple[tuple[dict[str, Any], str, str | None], ...] = (
            (payload, "from_phone_number", from_),
            (payload, "to_phone_number", to),
            (payload, "room_prefix", room_prefix),
            (payload, "sip_host", sip_host),
            (payload["participant"], "name", participant_name),
            (payload["participant"], "identity", participant_identity),
            (payload["participant"], "sid", participant_sid),
            (payload["room"], "name", room_name),
            (payload["room"], "sid", room_sid),
        )
        for place, key, value in given:
            if value is not None:
                place[key] = _text(key, value)
        if sip_headers is not None:
            payload["sip_headers"] = {
                _text("SIP header name", name): _text(f"SIP header {name}", value)
                for name, value in sip_headers.items()
            }
        return self(compact(payload), event_id=event_id)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {type(value).__name__}")
    return value
