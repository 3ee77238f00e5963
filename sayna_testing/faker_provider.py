"""Made-up callers, calls and rooms for tests, from Faker's generator and stable by its seed.

Phone numbers come only from ranges that Ofcom (United Kingdom) and the NANPA (North America) keep
for fiction, host names end in `.example` (RFC 2606), addresses are of TEST-NET-3 (RFC 5737).
"""

import string
import uuid
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from faker.providers import BaseProvider

__all__ = ["SaynaProvider"]

_T = TypeVar("_T")
Country: TypeAlias = Literal["GB", "US"]

# "#" is any digit. Every pattern lies wholly within a range that is never given to a subscriber.
_NUMBERS: dict[str, tuple[str, ...]] = {
    "GB": (
        "+447700900###",
        "+442079460###",
        "+441134960###",
        "+441214960###",
        "+441314960###",
        "+441614960###",
        "+441632960###",
    ),
    "US": tuple(
        f"+1{area}55501##" for area in (202, 206, 212, 303, 312, 404, 415, 503, 512, 617, 702, 808)
    ),
}
_SID_LETTERS = string.ascii_letters + string.digits
_NAMES = ("Ada", "Blake", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana", "Imani", "Jonas")
_HOSTS = ("acme-voice", "bistro", "clinic", "front-desk", "garage", "northwind", "travel")
_OPENINGS = ("I'd like", "Could I have", "I'm calling about", "Can you find me", "I need")
_WISHES = (
    "a table for two",
    "an appointment on Friday",
    "the status of my order",
    "a room with a view",
    "someone from billing",
    "a taxi to the station",
    "the opening hours",
)
_ENDINGS = ("please", "if that's possible", "as soon as you can", "thank you", "for tomorrow")
_ACCENTS = (
    ("American", "English"),
    ("British", "English"),
    ("Castilian", "Spanish"),
    ("Parisian", "French"),
)


class SaynaProvider(BaseProvider):
    """Adds `sayna_…` methods to a `Faker`: `faker.add_provider(SaynaProvider)`."""

    def sayna_number(self, country: Country | None = None) -> str:
        """A phone number in E.164 that nobody has."""
        patterns = (
            _NUMBERS[country] if country else tuple(p for ps in _NUMBERS.values() for p in ps)
        )
        return self._fill(self._pick(patterns))

    def sayna_name(self) -> str:
        """A first name."""
        return self._pick(_NAMES)

    def sayna_identity(self, number: str | None = None) -> str:
        """The LiveKit identity of a caller, made from the number."""
        return f"sip_{number or self.sayna_number()}"

    def sayna_participant_sid(self) -> str:
        """A LiveKit participant id."""
        return self._sid("PA")

    def sayna_room_sid(self) -> str:
        """A LiveKit room id."""
        return self._sid("RM")

    def sayna_track_sid(self) -> str:
        """A LiveKit track id."""
        return self._sid("TR")

    def sayna_event_id(self) -> str:
        """A LiveKit event id, which Sayna sends on as `x-sayna-event-id`."""
        return self._sid("EV")

    def sayna_room_name(self, number: str | None = None, prefix: str = "sip-") -> str:
        """The name of the room that a call is put into."""
        return f"{prefix}_{number or self.sayna_number()}_{self._letters(4)}"

    def sayna_sip_host(self) -> str:
        """A host that SIP calls arrive for."""
        return f"{self._pick(_HOSTS)}.example"

    def sayna_ip_address(self) -> str:
        """An address that no machine has."""
        return f"203.0.113.{self.generator.random.randrange(1, 255)}"

    def sayna_sip_headers(
        self, from_number: str | None = None, to_number: str | None = None, host: str | None = None
    ) -> dict[str, str]:
        """The SIP headers of an incoming call, names in lower case."""
        source = from_number or self.sayna_number()
        target = to_number or self.sayna_number()
        host = host or self.sayna_sip_host()
        return {
            "to": f"<sip:{target}@{host}>",
            "from": f"<sip:{source}@{self.sayna_ip_address()}>;tag={self._letters(8)}",
            "call-id": f"{self.sayna_stream_id()}@{self.sayna_ip_address()}",
        }

    def sayna_stream_id(self) -> str:
        """The id of a session and its recording: a UUID of version 4."""
        return str(uuid.UUID(int=self.generator.random.getrandbits(128), version=4))

    def sayna_transcript(self) -> str:
        """Something that a caller says."""
        return f"{self._pick(_OPENINGS)} {self._pick(_WISHES)}, {self._pick(_ENDINGS)}."

    def sayna_voice(self) -> dict[str, str]:
        """A voice as `GET /voices` lists it (rest.md 7)."""
        accent, language = self._pick(_ACCENTS)
        voice_id = self.sayna_stream_id()
        return {
            "id": voice_id,
            "sample": f"https://voices.example/{voice_id}.mp3",
            "name": self.sayna_name(),
            "accent": accent,
            "gender": self._pick(("Female", "Male")),
            "language": language,
        }

    def sayna_webhook_payload(
        self,
        *,
        from_number: str | None = None,
        to_number: str | None = None,
        room_prefix: str = "sip-",
        sip_host: str | None = None,
    ) -> dict[str, Any]:
        """What a SIP webhook says, keys in the order of rest.md 15.4.

        The same draws are made whatever is given, so a field that is set moves no other.
        """
        drawn = self.sayna_number(), self.sayna_number(), self.sayna_sip_host()
        source, target = from_number or drawn[0], to_number or drawn[1]
        host = sip_host or drawn[2]
        return {
            "participant": {
                "name": f"Phone {source}",
                "identity": self.sayna_identity(source),
                "sid": self.sayna_participant_sid(),
            },
            "room": {
                "name": self.sayna_room_name(source, room_prefix),
                "sid": self.sayna_room_sid(),
            },
            "from_phone_number": source,
            "to_phone_number": target,
            "room_prefix": room_prefix,
            "sip_host": host,
            "sip_headers": self.sayna_sip_headers(source, target, host),
        }

    def _pick(self, choices: Sequence[_T]) -> _T:
        picked: _T = self.generator.random.choice(choices)
        return picked

    def _fill(self, pattern: str) -> str:
        draw = self.generator.random.randrange
        return "".join(str(draw(10)) if letter == "#" else letter for letter in pattern)

    def _letters(self, count: int) -> str:
        return "".join(self.generator.random.choices(_SID_LETTERS, k=count))

    def _sid(self, kind: str) -> str:
        return f"{kind}_{self._letters(12)}"
