"""The published sayna-client 0.0.18, a client we did not write, against the fake over TCP."""

import base64
import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.rooms import Participant
from sayna_testing.server.settings import LiveKitSettings, ServerSettings
from sayna_testing.speech import recognize, synthesize
from sayna_testing.webhooks import WEBHOOK_SECRET, sign
from tests.server.published_driver import EVENTS

PYTHON = Path(__file__).parents[2] / ".venv/peer/bin/python"
DRIVER = Path(__file__).parent / "published_driver.py"
PATIENCE = 20.0

STT = {
    "$": "STTConfig",
    "provider": "deepgram",
    "language": "en-US",
    "sample_rate": 16000,
    "channels": 1,
    "punctuation": True,
    "encoding": "linear16",
    "model": "nova-3",
}
TTS = {"$": "TTSConfig", "provider": "deepgram", "model": "aura-2", "sample_rate": 16000}


class RaisedError(Exception):
    """What the client raised, in the other process."""

    def __init__(self, kind: str, text: str, status: int | None) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text, self.status = kind, text, status


class Published:
    """The published client in its own interpreter."""

    def __init__(self) -> None:
        self._events: list[tuple[str, Any]] = []
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process = subprocess.Popen(
            [PYTHON, DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def new(self, server: FakeSaynaServer, *configs: Any, **more: Any) -> None:
        """Make a client of the server, which reports its events."""
        self("new", server.url, *configs, **more)
        self("listen")

    def __call__(self, do: str, *args: Any, **kwargs: Any) -> Any:
        """What a method returns, or the value of an attribute; raises RaisedError."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "args": args, "kwargs": kwargs}) + "\n")
        self._process.stdin.flush()
        while True:
            line = self._lines.get(timeout=PATIENCE)
            if "event" in line:
                self._events.append((line["event"], line["value"]))
            elif "raised" in line:
                raise RaisedError(line["raised"], line["text"], line["status"])
            else:
                return line["value"]

    def event(self, name: str, check: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next event of this name that passes the check; earlier ones of it are passed over."""
        while True:
            for index, (event, value) in enumerate(self._events):
                if event == name and check(value):
                    del self._events[: index + 1]
                    return value
            line = self._lines.get(timeout=PATIENCE)
            self._events.append((line["event"], line["value"]))


@pytest.fixture(scope="module")
def published() -> Iterator[Published]:
    assert PYTHON.exists(), "make setup installs the published client"
    with Published() as client:
        yield client


@pytest.fixture
def server() -> Iterator[FakeSaynaServer]:
    with FakeSaynaServer(transport="tcp") as server:
        yield server


def test_health_and_voices(published: Published, server: FakeSaynaServer) -> None:
    published.new(server, without_audio=True)
    assert published("health") == published("health_check") == {"status": "OK"}
    assert published("get_voices") == server.voices


def test_speech_comes_with_its_headers(published: Published, server: FakeSaynaServer) -> None:
    published.new(server, without_audio=True)
    audio, headers = published("speak_rest", "Hello there", TTS)
    heard = recognize(base64.b64decode(audio), sample_rate=16000)
    lower = {name.lower(): value for name, value in headers.items()}
    assert heard == "Hello there"
    assert (lower["content-type"], lower["x-sample-rate"]) == ("audio/pcm", "16000")
    with pytest.raises(RaisedError, match="SaynaValidationError: Text cannot be empty"):
        published("speak_rest", " ", TTS)


def test_rooms_and_participants(published: Published, server: FakeSaynaServer) -> None:
    published.new(server, without_audio=True)
    token = published("get_livekit_token", "support", "Rowan", "guest")
    assert token["livekit_url"] == "http://localhost:7880"
    with pytest.raises(RaisedError, match="Room 'support' not found") as missing:
        published("get_livekit_room", "support")
    assert missing.value.status == 404
    room = server.rooms.create("support")
    room.join(Participant("guest", "Rowan", attributes={"lang": "fr"}))
    track = room.publish_track("guest")
    assert [listed["name"] for listed in published("get_livekit_rooms")["rooms"]] == ["support"]
    shown = published("get_livekit_room", "support")
    assert shown["sid"] == room.sid
    assert shown["participants"][0]["attributes"] == {"lang": "fr"}
    muted = published("mute_livekit_participant_track", "support", "guest", track.sid, muted=True)
    assert muted["muted"]
    assert track.muted
    removed = published("remove_livekit_participant", "support", "guest")
    assert removed["status"] == "removed"
    assert published("get_livekit_room", "support")["participants"] == []


def test_hooks_are_merged_and_removed(published: Published, server: FakeSaynaServer) -> None:
    published.new(server, without_audio=True)
    hook = {"$": "SipHook", "host": "Acme.example", "url": "https://a", "auth_id": "acme"}
    kept = {"host": "acme.example", "url": "https://a", "auth_id": "acme"}
    assert published("set_sip_hooks", [hook]) == {"hooks": [kept]}
    assert published("get_sip_hooks") == {"hooks": [kept]}
    assert published("delete_sip_hooks", ["ACME.example"]) == {"hooks": []}


def test_calls_are_placed_and_transferred(published: Published, server: FakeSaynaServer) -> None:
    published.new(server, without_audio=True)
    sip = {"$": "SipCallSipConfig", "outbound_address": "sip.other.example"}
    call = published("sip_call", "room", "Cal", "callee", "+1", "+2", sip_config=sip)
    assert (call["status"], call["participant_identity"]) == ("initiated", "callee")
    assert "callee" in server.rooms.all()[0].participants
    moved = published("sip_transfer_rest", "room", "callee", "+3")
    assert (moved["status"], moved["transfer_to"]) == ("completed", "tel:+3")
    with pytest.raises(RaisedError, match="Invalid to_phone_number"):
        published("sip_call", "room", "Cal", "callee", "+1", "two")


def test_recording_is_downloaded(published: Published, server: FakeSaynaServer) -> None:
    published.new(server, without_audio=True)
    server.recordings.put("call-42", b"OggS")
    ogg, headers = published("get_recording", "call-42")
    assert base64.b64decode(ogg) == b"OggS"
    assert 'attachment; filename="call-42.ogg"' in headers.values()


def test_refusals_reach_the_client(published: Published) -> None:
    secrets = ServerSettings(auth_required=True, auth_api_secrets={"acme": "right"})
    with FakeSaynaServer(secrets, transport="tcp") as server:
        published.new(server, without_audio=True, api_key="wrong")
        with pytest.raises(RaisedError, match="unauthorized"):
            published("get_voices")
        with pytest.raises(RaisedError, match="SaynaConnectionError"):
            published("connect")
        published.new(server, without_audio=True, api_key="right")
        assert published("get_sip_hooks") == {"hooks": []}
    off = ServerSettings(livekit=None)
    with FakeSaynaServer(off, transport="tcp") as server:
        published.new(server, without_audio=True)
        with pytest.raises(RaisedError, match="SaynaServerError: LiveKit") as refused:
            published("get_livekit_rooms")
    assert refused.value.status == 500


def test_webhook_of_the_fake_is_accepted(published: Published) -> None:
    body = json.dumps(
        {
            "participant": {"name": "P", "identity": "sip_1", "sid": "PA_1"},
            "room": {"name": "sip-1", "sid": "RM_1"},
            "from_phone_number": "+1",
            "to_phone_number": "+2",
            "room_prefix": "sip-",
            "sip_host": "acme.example",
            "sip_headers": {"to": "<sip:+2@acme.example>"},
        }
    )
    hook = sign(body, event_id="EV_1", secret=WEBHOOK_SECRET)
    received = published("receive", WEBHOOK_SECRET, dict(hook.headers), hook.body.decode())
    assert received["participant"]["identity"] == "sip_1"


def test_session_hears_and_speaks(published: Published, server: FakeSaynaServer) -> None:
    published.new(server, STT, TTS, stream_id="call-42")
    published("connect")
    session = server.run(server.wait_for_session())
    ready = published.event("ready")
    assert ready["stream_id"] == published("received_stream_id") == "call-42"
    assert published("connected")
    assert published("ready")
    published("speak", "Hello there")
    audio = b""
    while len(audio) < len(synthesize("Hello there", 16000)):
        audio += base64.b64decode(published.event("tts_audio"))
    published.event("tts_playback_complete")
    assert recognize(audio, sample_rate=16000) == "Hello there"
    assert server.run(session.transcribe("a table for two"))
    heard = published.event("stt_result", lambda result: result["is_final"])
    assert heard["transcript"] == "a table for two"
    published("send_speak", "again", flush=False, allow_interruption=False)
    assert server.run(session.wait_for_speech("again"))
    published.event("tts_playback_complete")
    published("tts_flush")
    published("clear")
    published("send_clear")
    for _ in range(2):
        server.run(session.wait_for_clear())
    silence = {"base64": base64.b64encode(b"\x00" * 640).decode()}
    published("on_audio_input", silence)
    published("send_audio", silence)
    for _ in range(2):
        assert server.run(session.wait_for("audio")).audio == b"\x00" * 640
    published("listen", "audio")
    published("speak", "once more")
    published.event("audio")
    published("disconnect")
    server.run(session.wait_for_close())
    assert not published("connected")


def test_session_in_a_room(published: Published) -> None:
    settings = ServerSettings(livekit=LiveKitSettings())
    with FakeSaynaServer(settings, transport="tcp") as server:
        room_config = {"$": "LiveKitConfig", "room_name": "room", "enable_recording": True}
        tone = base64.b64encode(synthesize("please wait", 16000)).decode()
        loading = {"$": "LoadingAudioConfig", "data": tone, "format": "pcm", "sample_rate": 16000}
        published.new(server, STT, TTS, room_config, stream_id="s1", loading_audio=loading)
        published("connect")
        session = server.run(server.wait_for_session())
        ready = published.event("ready")
        assert ready["livekit_room_name"] == published("livekit_room_name") == "room"
        assert published("livekit_url") == "http://localhost:7880"
        assert published("sayna_participant_identity") == "sayna-ai"
        assert published("sayna_participant_name") == "Sayna AI"
        room = session.room
        assert room is not None
        room.join(Participant("caller", "Ann", kind="SIP"))
        joined = published.event("participant_connected")
        assert joined["participant"]["identity"] == "caller"
        room.publish_track("caller")
        assert published.event("track_subscribed")["track"]["track_kind"] == "audio"
        room.send_data("caller", b"hi", "chat")
        assert published.event("message")["message"]["message"] == "hi"
        published("send_message", "hello", "assistant", topic="chat", debug={"n": None})
        assert server.run(session.wait_for("send_message")).data["topic"] == "chat"
        published("loading_start")
        server.run(session.wait_for("loading_start"))
        published("loading_stop")
        server.run(session.wait_for("loading_stop"))
        server.run(session.send_error("made up"))
        assert published.event("error")["message"] == "made up"
        published("sip_transfer", "none")
        assert "Invalid phone number" in published.event("sip_transfer_error")["message"]
        published("sip_transfer", "+4471")
        left = published.event("participant_disconnected")
        assert left["participant"]["identity"] == "caller"
        server.run(session.wait_for_close())
        published("disconnect")


def test_whole_public_surface_is_driven(published: Published) -> None:
    listened = {f"register_on_{event}" for event in (*EVENTS, "audio")}
    here = Path(__file__).read_text(encoding="utf-8")
    driven = {name for name in published("names") if f'published("{name}"' in here}
    assert set(published("names")) - driven - listened == set()
