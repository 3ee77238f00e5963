"""What a SIP webhook of Sayna says: rest.md 15.4."""

from functools import cached_property

from pydantic import BaseModel


class WebhookSIPParticipant(BaseModel):
    """The caller's participant in the LiveKit room."""

    name: str | None = None
    identity: str
    sid: str


class WebhookSIPRoom(BaseModel):
    """The LiveKit room that the caller waits in."""

    name: str
    sid: str


class WebhookSIPOutput(BaseModel):
    """One incoming phone call, as told by a verified webhook.

    Phone numbers are as the trunk sent them, most often E.164. `sip_headers` holds the call's SIP
    headers by lower-case name, without the `sip.h.` that LiveKit puts before them.
    """

    participant: WebhookSIPParticipant
    room: WebhookSIPRoom
    from_phone_number: str
    to_phone_number: str
    room_prefix: str
    sip_host: str
    sip_headers: dict[str, str] | None = None

    # Both travel in headers, so they are no fields: the body cannot set them and dumps do not hold
    # them. A receiver writes them into the instance, as `cached_property` itself would.

    @cached_property
    def event_id(self) -> str:
        """The id of the delivery, the same in a repeat; empty if no receiver made this object."""
        return ""

    @cached_property
    def timestamp(self) -> int:
        """When Sayna signed the delivery, in Unix seconds; 0 if no receiver made this object."""
        return 0
