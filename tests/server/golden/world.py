"""Everything around one golden case: the server, and what providers and LiveKit do to it."""

import asyncio
import base64
import hashlib
import json
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.far_end import FarEnd
from sayna_testing.server.livekit import Trunk, refusal, sip_refusal, unreachable
from sayna_testing.server.rooms import DataReceived, Participant, RoomEvent, Track
from sayna_testing.server.settings import (
    LiveKitSettings,
    ServerSettings,
    SipHook,
    SipSettings,
)
from sayna_testing.server.tts_error import SpeakError
from tests.server.golden.cases import Case, expand
from tests.server.golden.peers import Listener

LIVEKIT_SECRET = "fake-livekit-secret-of-the-test-server"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
_MANY = 50

BASELINE = {
    "AUTH_REQUIRED": "false",
    "LIVEKIT_API_KEY": "LKfakekey01",
    "LIVEKIT_API_SECRET": LIVEKIT_SECRET,
    "LIVEKIT_PUBLIC_URL": "http://localhost:7880",
    "SIP_ROOM_PREFIX": "sip-",
    "SIP_ALLOWED_ADDRESSES": "0.0.0.0/0",
    "SIP_HOOK_SECRET": "fake-sayna-hook-secret-0001",
    "SIP_OUTBOUND_ADDRESS": "sip.example.com",
    "CACHE_PATH": "memory",
    "RECORDING": "on",
    "DEEPGRAM_API_KEY": "fake-deepgram-key",
    "ELEVENLABS_API_KEY": "fake-elevenlabs-key",
    "CARTESIA_API_KEY": "fake-cartesia-key",
    "AZURE_SPEECH_SUBSCRIPTION_KEY": "fake-azure-key",
    "GOOGLE_APPLICATION_CREDENTIALS": "google.json",
}
"""A server with everything on and no auth; `env` and `unset` of a case start from here."""


class World:
    """One server in one state, and the doors that providers and LiveKit come in by."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.auth_service = Listener()
        self.receiver = Listener()
        self.data: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.begun = time.time()
        self._exit = ExitStack()
        self._latency = {"speech": 0.0, "connect": 0.0}
        self._folder: Path | None = None

    async def __aenter__(self) -> Self:
        for listener in (self.auth_service, self.receiver):
            await listener.start()
        self.receiver.answer(200)
        early = [line for line in self.case.given if line.split()[0] in _BEFORE]
        for line in early:
            self.act(line)
        self.server = self._exit.enter_context(FakeSaynaServer(self._settings(), transport="tcp"))
        self.state = self.server.state
        loop = asyncio.get_running_loop()

        def listen(event: RoomEvent) -> None:
            if isinstance(event, DataReceived):
                loop.call_soon_threadsafe(self.data.put_nowait, _packet(event))

        self.state.rooms.subscribe(listen)
        for line in self.case.given:
            if line not in early:
                self.act(line)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._exit.close)  # it waits for the thread that serves
        for listener in (self.auth_service, self.receiver):
            listener.stop()

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.server.url.rpartition(":")[2])

    def fill(self, inside: str) -> str | None:
        """The value of a placeholder that this world gives."""
        name, _, rest = inside.partition(" ")
        match name:
            case "auth-service":
                return f"http://127.0.0.1:{self.auth_service.port}/auth"
            case "receiver":
                return f"http://127.0.0.1:{self.receiver.port}"
            case "rsa-key" | "ec-key":
                return _pem(RSA if name == "rsa-key" else EC)
            case "repeat":
                count, _, what = rest.partition(" ")
                return what * int(count)
            case "hex":
                return bytes.fromhex(rest).decode("utf-8", "surrogateescape")
            case _:
                return None

    def request(self, text: str) -> str:
        """A request text with its placeholders filled in."""
        text = expand(text, self.fill)

        def signed(inside: str) -> str | None:
            if not inside.startswith("livekit token "):
                return None
            body = text.partition("\n\n")[2].encode("utf-8", "surrogateescape")
            return _livekit_token(json.loads(inside.removeprefix("livekit token ")), body)

        return expand(text, signed)

    def act(self, line: str) -> None:
        """Do what a door line says: a verb and its JSON arguments."""
        verb, _, rest = line.partition(" ")
        _DOORS[verb](self, json.loads(expand(rest, self.fill)))

    async def act_on_session(self, line: str) -> None:
        """Do what the provider of the newest session does."""
        verb, _, rest = line.partition(" ")
        args = json.loads(rest)
        session = self.server.sessions[-1]
        if verb == "stt-fails":
            await session.recognition_fails(args["error"])
        elif verb == "tts-fails":
            await session.speech_fails(args["error"], after=args.get("after", 0))
        else:
            await session.recognised(
                args["text"],
                is_final=args["kind"] != "interim",
                is_speech_final=args["kind"] == "speech_final",
                confidence=args["confidence"],
            )

    @property
    def hooks_file(self) -> str:
        """What `sip_hooks.json` holds now, nothing when it is not there."""
        path = self._cache() / "sip_hooks.json"
        return path.read_text("utf-8") if path.exists() else ""

    def _cache(self) -> Path:
        if self._folder is None:
            above = self._exit.enter_context(tempfile.TemporaryDirectory())
            self._folder = Path(above) / "made" / "when needed"
        return self._folder

    def _settings(self) -> ServerSettings:
        env: dict[str, str] = {**BASELINE, **self.case.env}
        env = {k: expand(v, self.fill) for k, v in env.items() if k not in self.case.unset}
        if any("hooks_file" in step for step in self.case.steps):
            self._cache()
        cache = str(self._folder or env.get("CACHE_PATH", ""))
        return ServerSettings(
            auth_required=env["AUTH_REQUIRED"].lower() in ("true", "1", "yes"),
            auth_api_secrets=_secrets(env),
            auth_service_url=env.get("AUTH_SERVICE_URL"),
            auth_signing_key=env.get("AUTH_SIGNING_KEY_PATH"),
            auth_timeout_seconds=float(env.get("AUTH_TIMEOUT_SECONDS", "5")),
            livekit=_livekit(env),
            livekit_public_url=env["LIVEKIT_PUBLIC_URL"],
            sip=_sip(env),
            recording="RECORDING" in env,
            cache_path="memory" if cache == "memory" else Path(cache) if cache else None,
            deepgram_api_key=env.get("DEEPGRAM_API_KEY"),
            elevenlabs_api_key=env.get("ELEVENLABS_API_KEY"),
            cartesia_api_key=env.get("CARTESIA_API_KEY"),
            azure_speech_subscription_key=env.get("AZURE_SPEECH_SUBSCRIPTION_KEY"),
            google_application_credentials=env.get("GOOGLE_APPLICATION_CREDENTIALS"),
            stt_vad="BUILD_FEATURES" in env,
            tts_latency=self._latency["speech"],
            stt_connect_latency=self._latency["connect"],
        )

    # Doors

    def _auth_service(self, args: dict[str, Any]) -> None:
        if not args["status"]:
            self.auth_service.refuse()
            return
        self.auth_service.delay = args.get("delay", 0.0)
        where = [f"location: {args['location']}"] if "location" in args else []
        self.auth_service.answer(args["status"], args["body"], *where)
        if "then" in args:
            self.auth_service.answer(200, args["then"])

    def _receive(self, args: dict[str, Any]) -> None:
        self.receiver.answers.clear()
        where = [f"location: {args['location']}"] if "location" in args else []
        self.receiver.answer(args["status"], "", *where)
        if "then" in args:
            self.receiver.answer(args["then"])

    def _hooks_file(self, args: dict[str, Any]) -> None:
        self._cache().mkdir(parents=True)
        (self._cache() / "sip_hooks.json").write_text(args["text"], "utf-8")

    def _slow_speech(self, args: dict[str, Any]) -> None:
        self._latency["speech"] = args["seconds"]

    def _slow_connect(self, args: dict[str, Any]) -> None:
        self._latency["connect"] = args["seconds"]

    def _room(self, args: dict[str, Any]) -> None:
        self.state.rooms.create(**args)

    def _join(self, args: dict[str, Any]) -> None:
        room = self.state.rooms.get(args.pop("room"))
        assert room is not None
        room.join(Participant(**args))

    def _leave(self, args: dict[str, Any]) -> None:
        room = self.state.rooms.get(args["room"])
        assert room is not None
        room.leave(args["identity"])

    def _lose_room(self, args: dict[str, Any]) -> None:
        room = self.state.rooms.get(args["room"])
        assert room is not None
        room.leave("sayna-ai")

    def _track(self, args: dict[str, Any]) -> None:
        room = self.state.rooms.get(args["room"])
        assert room is not None
        if self.server.sessions:
            room.publish_track(args["identity"], args["kind"])
        else:
            track = Track(args.get("sid", "TR_1"), args["kind"])
            room.participants[args["identity"]].tracks.append(track)

    def _data(self, args: dict[str, Any]) -> None:
        room = self.state.rooms.get(args["room"])
        assert room is not None
        payload = base64.b64decode(args["base64"]) if "base64" in args else args["text"].encode()
        identity, topic = args.get("identity"), args.get("topic")
        if identity is None or identity in room.participants:
            room.send_data(identity, payload, topic)
        else:
            room.tell(DataReceived(room, Participant(identity), payload, topic))

    def _audio(self, args: dict[str, Any]) -> None:
        room = self.state.rooms.get(args["room"])
        assert room is not None
        room.speak_audio(args["identity"], bytes(4800), 24000)

    def _delete_room(self, args: dict[str, Any]) -> None:
        self.state.rooms.delete(args["name"])

    def _metadata(self, args: dict[str, Any]) -> None:
        room = self.state.rooms.get(args["room"])
        assert room is not None
        room.metadata = args["metadata"]

    def _recording(self, args: dict[str, Any]) -> None:
        self.state.recordings.put(args["stream_id"], args["text"].encode())

    def _trunk(self, args: dict[str, Any]) -> None:
        self.state.livekit.trunks.append(Trunk(args["name"], tuple(args["numbers"])))

    def _storage_fails(self, args: dict[str, Any]) -> None:
        self.state.recordings.failures.append(args["on"])

    def _voices(self, args: dict[str, Any]) -> None:
        self.state.voices = args

    def _speech_fails(self, args: dict[str, Any]) -> None:
        self.state.tts_failures.append(SpeakError(args["error"], args.get("stage")))

    def _refuse(self, args: dict[str, Any]) -> None:
        call = args["call"]
        if "status" in args:
            text = sip_refusal(call, args["status"], args["body"])
        elif "code" in args:
            text = refusal(args["code"], args["msg"])
        else:
            text = args["msg"]
        self.state.livekit.refuse(call, text, times=args.get("times", _MANY))

    def _unreachable(self, args: dict[str, Any]) -> None:
        text = unreachable(args["call"], "connection refused")
        self.state.livekit.refuse(args["call"], text, times=_MANY)

    def _slow_transfer(self, args: dict[str, Any]) -> None:
        self.state.anybody = FarEnd(after=args["seconds"])

    def _provider_refuses(self, args: dict[str, Any]) -> None:
        self.state.stt_refusals = deque([args["provider"]] * _MANY)


_DOORS: dict[str, Callable[[World, dict[str, Any]], None]] = {
    "auth-service": World._auth_service,
    "receiver": World._receive,
    "hooks-file": World._hooks_file,
    "tts-slow": World._slow_speech,
    "connect-slow": World._slow_connect,
    "room": World._room,
    "join": World._join,
    "leave": World._leave,
    "lose-room": World._lose_room,
    "track": World._track,
    "data": World._data,
    "audio": World._audio,
    "delete-room": World._delete_room,
    "metadata": World._metadata,
    "trunk": World._trunk,
    "recording": World._recording,
    "storage-fails": World._storage_fails,
    "voices": World._voices,
    "tts-fails": World._speech_fails,
    "livekit-refuses": World._refuse,
    "livekit-unreachable": World._unreachable,
    "livekit-slow": World._slow_transfer,
    "provider-refuses": World._provider_refuses,
}
_BEFORE = ("auth-service", "receiver", "hooks-file", "tts-slow", "connect-slow")


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _packet(event: DataReceived) -> dict[str, Any]:
    return {
        "room": event.room.name,
        "identity": event.sender.identity if event.sender else None,
        "topic": event.topic,
        "text": event.payload.decode("utf-8", "backslashreplace"),
    }


def _secrets(env: dict[str, str]) -> dict[str, str]:
    if "AUTH_API_SECRETS_JSON" in env:
        return {one["id"]: one["secret"] for one in json.loads(env["AUTH_API_SECRETS_JSON"])}
    if "AUTH_API_SECRET" in env:
        return {env.get("AUTH_API_SECRET_ID", "default"): env["AUTH_API_SECRET"]}
    return {}


def _livekit(env: dict[str, str]) -> LiveKitSettings | None:
    if "LIVEKIT_API_KEY" not in env or "LIVEKIT_API_SECRET" not in env:
        return None
    return LiveKitSettings(api_key=env["LIVEKIT_API_KEY"], api_secret=env["LIVEKIT_API_SECRET"])


def _sip(env: dict[str, str]) -> SipSettings | None:
    if "SIP_ROOM_PREFIX" not in env:
        return None
    return SipSettings(
        room_prefix=env["SIP_ROOM_PREFIX"],
        hooks=tuple(SipHook(**hook) for hook in json.loads(env.get("SIP_HOOKS_JSON", "[]"))),
        hook_secret=env.get("SIP_HOOK_SECRET"),
        outbound_address=env.get("SIP_OUTBOUND_ADDRESS"),
    )


def _livekit_token(claims: dict[str, Any], body: bytes) -> str:
    now = int(time.time())
    secret = claims.pop("secret", LIVEKIT_SECRET)
    algorithm = claims.pop("alg", "HS256")
    for name in ("exp", "nbf"):
        if claims.get(name) is not None:
            claims[name] += now
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    whole = {"iss": "LKfakekey01", "nbf": now, "exp": now + 300, "sha256": digest, **claims}
    return jwt.encode({k: v for k, v in whole.items() if v is not None}, secret, algorithm)
