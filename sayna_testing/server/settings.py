"""The knobs of a server: those of a real one (rest.md 2) and a few of the fake's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

from sayna_testing.webhooks.signing import default_secret

_ROOM_PREFIX = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class SipHook:
    """Where calls to one SIP host are announced, signed with `secret` or else the global one.

    Without any secret nothing is sent (rest.md 15.2).
    """

    host: str
    """The SIP host, in any case; one hook each."""
    url: str
    """Where calls are posted to."""
    auth_id: str = ""
    """The tenant whose hook it is; needed when auth is required."""
    secret: str | None = field(default=None, repr=False)
    """Signs the calls of this host; None for the global secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveKitSettings:
    """The LiveKit server behind Sayna; `remote_unmute` is a switch of its own (rest.md 11)."""

    api_key: str = "LKfakekey01"
    api_secret: str = field(default="fake-livekit-secret-of-the-test-server", repr=False)
    """Signs the LiveKit tokens."""
    remote_unmute: bool = False
    """Let a muted track be unmuted from outside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SipSettings:
    """The telephone side: room names, configured hooks, the outbound trunk."""

    room_prefix: str = "sip-"
    """How the names of callers' rooms begin."""
    allowed_addresses: tuple[str, ...] = ("0.0.0.0/0",)
    """IPv4 addresses or networks of the trunk: checked, not used."""
    hooks: tuple[SipHook, ...] = ()
    """Those there from the start; `POST /sip/hooks` adds others."""
    hook_secret: str | None = field(default_factory=default_secret, repr=False)
    """Signs webhooks: `SAYNA_WEBHOOK_SECRET` if set, else `sayna_testing.WEBHOOK_SECRET`."""
    outbound_address: str | None = "sip.example.com"
    """The trunk of `POST /sip/call`; without it a call must name its own."""
    outbound_auth_username: str | None = None
    """The trunk's login: accepted, not used."""
    outbound_auth_password: str | None = field(default=None, repr=False)
    """Never shown, not used."""

    def __post_init__(self) -> None:
        if not _ROOM_PREFIX.fullmatch(self.room_prefix):
            raise ValueError(
                f"sip.room_prefix holds letters, digits, '-' and '_' only, got {self.room_prefix!r}"
            )
        if not self.allowed_addresses:
            raise ValueError("sip.allowed_addresses needs at least one IPv4 address or network")
        for address in self.allowed_addresses:
            _check_network(address)
        self._check_hosts()

    def _check_hosts(self) -> None:
        hosts = [hook.host.strip().lower() for hook in self.hooks]
        for host in hosts:
            if hosts.count(host) > 1:
                raise ValueError(f"sip.hooks names the host {host!r} twice")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """How one fake server is configured: everything switched on and no auth, unless said otherwise.

    The fields follow the names of the environment variables of rest.md 2. `livekit=None`,
    `sip=None`, `recording=False`, `cache_path=None` or a provider key of None switch that part off,
    as leaving the variables unset does. Latencies are seconds on the clock of the session.
    Raises ValueError where a real server would refuse to start.
    """

    auth_required: bool = False
    """Refuse what brings no valid token (rest.md 4); needs secrets or an auth service."""
    auth_api_secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Secret by id; the id is the tenant."""
    auth_service_url: str | None = None
    """Where tokens are sent to be judged, unless there are secrets (rest.md 4.3)."""
    auth_signing_key: str | None = field(default=None, repr=False)
    """The PEM text of an RSA (RS256) or EC P-256 (ES256) private key."""
    auth_timeout_seconds: float = 5.0
    """How long the auth service may take."""

    livekit: LiveKitSettings | None = field(default_factory=LiveKitSettings)
    """Rooms and participants; without it their routes answer 500."""
    livekit_public_url: str = "http://localhost:7880"
    """The address that clients are told, verbatim."""
    sip: SipSettings | None = field(default_factory=SipSettings)
    """Telephone calls; they need `livekit` too."""
    recording: bool = True
    """A store for recordings; without it they answer 503."""
    cache_path: Path | Literal["memory"] | None = "memory"
    """Where SIP hooks are kept: a directory, the memory of this server, or nowhere."""

    deepgram_api_key: str | None = field(default="fake-deepgram-key", repr=False)
    """A provider without a key fails to speak with 500 and has no voices."""
    elevenlabs_api_key: str | None = field(default="fake-elevenlabs-key", repr=False)
    cartesia_api_key: str | None = field(default="fake-cartesia-key", repr=False)
    azure_speech_subscription_key: str | None = field(default="fake-azure-key", repr=False)
    azure_speech_region: str = "eastus"
    google_application_credentials: str | None = field(default="google.json", repr=False)
    """The path of a file, which is never read."""

    stt_vad: bool = False
    """A build with the `stt-vad` feature (websocket.md 8.4), which checks `update_config`."""
    documented_flush: bool = False
    """`speak` with `flush` drops what is queued, as documented and unlike the real server."""
    wpm: float = 160.0
    """Words a minute of the synthetic voice."""
    stt_connect_latency: float = 0.0
    """What opening speech recognition takes, before `ready`."""
    tts_connect_latency: float = 0.0
    """What opening speech synthesis takes, before `ready`."""
    livekit_connect_latency: float = 0.0
    """What joining the room takes, before `ready`."""
    tts_latency: float = 0.0
    """From a text's turn to the first byte of its audio."""
    seed: int = 0
    """Everything random follows from it: names, tokens, ids."""

    def __post_init__(self) -> None:
        self._check_auth()
        for name in (
            "stt_connect_latency",
            "tts_connect_latency",
            "livekit_connect_latency",
            "tts_latency",
        ):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is a number of seconds, got {getattr(self, name)!r}")
        for name in ("wpm", "auth_timeout_seconds"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)!r}")

    def _check_auth(self) -> None:
        _check_secrets(self.auth_api_secrets)
        if (self.auth_service_url is None) != (self.auth_signing_key is None):
            raise ValueError("auth_service_url and auth_signing_key go together: both or neither")
        if self.auth_required and not self.auth_api_secrets and self.auth_service_url is None:
            raise ValueError(
                "auth_required needs auth_api_secrets, or auth_service_url with auth_signing_key"
            )
        if self.auth_required and self.sip is not None:
            for hook in self.sip.hooks:
                if not hook.auth_id.strip():
                    raise ValueError(
                        f"the SIP hook of {hook.host!r} needs an auth_id when auth is required"
                    )


def _check_network(address: str) -> None:
    try:
        IPv4Network(address, strict=False)
    except ValueError as error:
        raise ValueError(
            f"sip.allowed_addresses holds IPv4 addresses or networks, got {address!r}"
        ) from error


def _check_secrets(secrets: Mapping[str, str]) -> None:
    folded: set[str] = set()
    for name, secret in secrets.items():
        if not name.strip() or name != name.strip():
            raise ValueError(f"an API secret id is not blank and has no outer blanks, got {name!r}")
        if name.lower() in folded:
            raise ValueError(f"two API secret ids differ in case only: {name!r}")
        if not secret.strip():
            raise ValueError(f"the API secret {name!r} is blank")
        folded.add(name.lower())
    if len(set(secrets.values())) < len(secrets):
        raise ValueError("two API secret ids share one secret")
