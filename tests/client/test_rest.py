"""REST: what is asked, how answers are read, when a call is made again (sdk-surface.md 4, 8)."""

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sayna_client import (
    ApiKeyAuth,
    Limits,
    RawResponse,
    SaynaClient,
    SaynaConnectionError,
    SaynaError,
    SaynaHttpError,
    SaynaServerError,
    SaynaTimeoutError,
    SaynaValidationError,
    SipCallSipConfig,
    SipHook,
    TTSConfig,
)
from sayna_client.http_client import SaynaHttpClient
from tests.client.http_peer import Answer, http_peer

HOOK = {"host": "a.example", "url": "https://b.example", "auth_id": ""}
ROOM: dict[str, Any] = {
    "sid": "RM_1",
    "name": "r",
    "num_participants": 1,
    "max_participants": 0,
    "creation_time": 1,
    "metadata": "",
    "active_recording": False,
    "participants": [
        {
            "sid": "PA_1",
            "identity": "i",
            "name": "n",
            "state": "ACTIVE",
            "kind": "CONNECTOR",
            "joined_at": 1,
            "metadata": "",
            "attributes": {},
            "is_publisher": True,
            "new_field": 7,
        }
    ],
}
CALL = {
    "status": "initiated",
    "room_name": "r",
    "participant_identity": "i",
    "participant_id": "PA_1",
    "sip_call_id": "SCL_1",
}
TTS = TTSConfig(provider="deepgram", model="aura", auth=ApiKeyAuth(api_key="K"))
MUTED = {"room_name": "r", "participant_identity": "i", "track_sid": "t", "muted": True}
MOVED = {
    "status": "initiated",
    "room_name": "r",
    "participant_identity": "i",
    "transfer_to": "tel:+1",
}
Act = Callable[[SaynaClient], Awaitable[Any]]


def rest(url: str, **options: Any) -> SaynaClient:
    return SaynaClient(url, without_audio=True, **options)


ROUTES: list[tuple[Act, str, str, Any, Any]] = [
    (lambda c: c.health(), "GET", "/", None, {"status": "OK"}),
    (lambda c: c.get_voices(), "GET", "/voices", None, {"deepgram": [{"id": "v", "name": "n"}]}),
    (
        lambda c: c.get_livekit_token("r", "n", "i"),
        "POST",
        "/livekit/token",
        {"room_name": "r", "participant_name": "n", "participant_identity": "i"},
        {"token": "T", "room_name": "r", "participant_identity": "i", "livekit_url": "ws://x"},
    ),
    (lambda c: c.get_livekit_rooms(), "GET", "/livekit/rooms", None, {"rooms": []}),
    (lambda c: c.get_livekit_room("a/b ?#"), "GET", "/livekit/rooms/a%2Fb%20%3F%23", None, ROOM),
    (lambda c: c.get_livekit_room(" r "), "GET", "/livekit/rooms/%20r%20", None, ROOM),
    (lambda c: c.get_livekit_room(".."), "GET", "/livekit/rooms/%2E%2E", None, ROOM),
    (
        lambda c: c.remove_livekit_participant(" r ", "i"),
        "DELETE",
        "/livekit/participant",
        {"room_name": " r ", "participant_identity": "i"},
        {"status": "removed", "room_name": " r ", "participant_identity": "i"},
    ),
    (
        lambda c: c.mute_livekit_participant_track("r", "i", "t", True),
        "POST",
        "/livekit/participant/mute",
        MUTED,
        MUTED,
    ),
    (lambda c: c.get_sip_hooks(), "GET", "/sip/hooks", None, {"hooks": [HOOK]}),
    (
        lambda c: c.set_sip_hooks([SipHook(**HOOK)]),
        "POST",
        "/sip/hooks",
        {"hooks": [HOOK]},
        {"hooks": [HOOK]},
    ),
    (
        lambda c: c.delete_sip_hooks(["a.example"]),
        "DELETE",
        "/sip/hooks",
        {"hosts": ["a.example"]},
        {"hooks": []},
    ),
    (
        lambda c: c.sip_transfer_rest("r", "i", "+1"),
        "POST",
        "/sip/transfer",
        {"room_name": "r", "participant_identity": "i", "transfer_to": "+1"},
        MOVED,
    ),
    (
        lambda c: c.sip_call("r", "n", "i", "+1", "+2"),
        "POST",
        "/sip/call",
        {
            "room_name": "r",
            "participant_name": "n",
            "participant_identity": "i",
            "from_phone_number": "+1",
            "to_phone_number": "+2",
        },
        CALL,
    ),
    (
        lambda c: c.sip_call("r", "n", "i", "+1", "+2", SipCallSipConfig(auth_password="pw")),
        "POST",
        "/sip/call",
        {
            "room_name": "r",
            "participant_name": "n",
            "participant_identity": "i",
            "from_phone_number": "+1",
            "to_phone_number": "+2",
            "sip": {"auth_password": "pw"},
        },
        CALL,
    ),
]


@pytest.mark.parametrize(("act", "method", "target", "sent", "answer"), ROUTES)
async def test_each_route_is_asked_and_read(
    act: Act, method: str, target: str, sent: Any, answer: dict[str, Any]
) -> None:
    async with http_peer(Answer(body=answer)) as peer, rest(peer.url, api_key="KEY") as client:
        got = await act(client)
    (seen,) = peer.seen
    assert (seen.method, seen.target) == (method, target)
    assert (seen.json if seen.body else None) == sent
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == "Bearer KEY"
    dumped = (
        {k: [v.model_dump(exclude_unset=True) for v in vs] for k, vs in got.items()}
        if isinstance(got, dict)
        else got.model_dump(exclude_unset=True)
    )
    assert dumped == answer


async def test_speech_comes_with_headers_asked_in_any_case() -> None:
    headers = {"Content-Type": "audio/pcm", "X-Sample-Rate": "24000"}
    answer = Answer(body=b"\x01\x02", headers=headers)
    async with http_peer(answer) as peer, rest(peer.url) as client:
        audio, got = await client.speak_rest("Hello", TTS)
    assert audio == b"\x01\x02"
    assert isinstance(got, dict)
    assert got["content-type"] == got["Content-Type"] == "audio/pcm"
    assert got.get("X-SAMPLE-RATE") == "24000"
    assert got.get("missing", "none") == "none"
    assert "X-sample-rate" in got
    assert object() not in got
    assert peer.seen[0].json["text"] == "Hello"
    assert peer.seen[0].json["tts_config"]["auth"] == {"api_key": "K"}
    assert peer.seen[0].json["tts_config"]["voice_id"] is None


async def test_bodies_can_be_read_as_they_come() -> None:
    async with http_peer(Answer(body=b"x" * 300_000)) as peer, rest(peer.url) as client:
        async with client.speak_rest_stream("Hello", TTS) as stream:
            assert stream.headers["content-length"] == "300000"
            assert sum([len(chunk) async for chunk in stream]) == 300_000
        async with client.stream_recording("s/1") as stream:
            assert b"".join([chunk async for chunk in stream]) == b"x" * 300_000
    assert peer.seen[1].target == "/recording/s%2F1"


@pytest.mark.parametrize(
    ("stream_id", "target"),
    [
        ("../voices", "/recording/..%2Fvoices"),
        ("a?b=1", "/recording/a%3Fb%3D1"),
        ("a#f", "/recording/a%23f"),
        ("..", "/recording/%2E%2E"),
        (".", "/recording/%2E"),
        ("call 42", "/recording/call%2042"),
    ],
)
async def test_a_recording_is_asked_for_by_its_quoted_id(stream_id: str, target: str) -> None:
    async with http_peer(Answer(body=b"ogg")) as peer, rest(peer.url) as client:
        assert (await client.get_recording(stream_id))[0] == b"ogg"
    assert peer.seen[0].target == target


async def test_a_recording_is_downloaded_whole_or_not_at_all(tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    path = tmp_path / "call.ogg"
    async with http_peer(Answer(body=b"x" * 200_000)) as peer, rest(peer.url) as client:
        headers = await client.download_recording(
            "s", path, progress=lambda done, total: steps.append((done, total))
        )
    assert headers["content-length"] == "200000"
    assert path.read_bytes() == b"x" * 200_000
    assert steps[-1] == (200_000, 200_000)

    cut = Answer(body=b"x" * 10, headers={"content-length": "20"}, hang_up=False)
    async with http_peer(cut) as peer, rest(peer.url, limits=Limits(request=0.1)) as client:
        with pytest.raises(SaynaTimeoutError, match="no further piece came"):
            await client.download_recording("s", tmp_path / "cut.ogg")
    assert [one.name for one in tmp_path.iterdir()] == ["call.ogg"]  # noqa: ASYNC240


@pytest.mark.parametrize(
    ("answer", "kind", "text", "code"),
    [
        (
            Answer(400, {"error": "Text cannot be empty"}),
            SaynaValidationError,
            "Text cannot be empty",
            None,
        ),
        (
            Answer(404, {"error": "No room", "code": "PARTICIPANT_NOT_FOUND"}),
            SaynaHttpError,
            "Not found or not accessible: No room",
            "PARTICIPANT_NOT_FOUND",
        ),
        (
            Answer(401, {"error": "unauthorized", "message": "Unauthorized: Invalid API secret"}),
            SaynaValidationError,
            "Unauthorized: Invalid API secret",
            "unauthorized",
        ),
        (
            Answer(422, "missing field", {"content-type": "text/plain"}, "Unprocessable Entity"),
            SaynaValidationError,
            "HTTP 422: Unprocessable Entity: missing field",
            None,
        ),
        (Answer(405), SaynaValidationError, "HTTP 405: Some Reason", None),
        (
            Answer(403, {"error": "Access denied: room"}),
            SaynaHttpError,
            "Access denied: Access denied: room",
            None,
        ),
        (
            Answer(500, {"error": "x", "code": "OUTBOUND_ADDRESS_NOT_CONFIGURED"}),
            SaynaServerError,
            "x",
            "OUTBOUND_ADDRESS_NOT_CONFIGURED",
        ),
        (Answer(409, {"error": None}), SaynaValidationError, "HTTP 409", None),
        (
            Answer(400, {"error": {"message": "deep", "code": "DEEP"}}),
            SaynaValidationError,
            "deep",
            "DEEP",
        ),
        (Answer(400, {"message": "only"}), SaynaValidationError, "only", None),
        (Answer(400, [1]), SaynaValidationError, "HTTP 400", None),
        (
            Answer(400, '{"error":"as text"}', {"content-type": "text/plain"}),
            SaynaValidationError,
            "as text",
            None,
        ),
        (Answer(500, "<html>", {"content-type": "text/html"}), SaynaServerError, "HTTP 500", None),
        (Answer(300), SaynaServerError, "HTTP 300: Some Reason", None),
        (Answer(302), SaynaServerError, "HTTP 302: Some Reason", None),
    ],
)
async def test_each_shape_of_error_is_read(
    answer: Answer, kind: type[SaynaError], text: str, code: str | None
) -> None:
    async with http_peer(answer) as peer, rest(peer.url) as client:
        with pytest.raises(kind) as caught:
            await client.get_livekit_room("r")
    error = caught.value
    assert type(error) is kind
    assert str(error).startswith(text)
    assert error.status_code == answer.status
    assert error.code == code
    assert error.endpoint == "/livekit/rooms/r"
    assert error.body is not None
    assert error.headers["content-length"]


async def test_retry_after_is_kept_and_honoured() -> None:
    busy = Answer(429, {"error": "slow"}, {"retry-after": "0"})
    async with http_peer(busy, Answer(body={"status": "OK"})) as peer, rest(peer.url) as client:
        await client.health()
        assert len(peer.seen) == 2

    later = Answer(429, {"error": "slow"}, {"retry-after": "7"})
    async with http_peer(later) as peer, rest(peer.url) as client:
        with pytest.raises(SaynaValidationError) as caught:
            await client.health(timeout=1)
        assert caught.value.retry_after == 7.0
        assert len(peer.seen) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Wed, 21 Oct 2015 07:28:10 GMT", 10.0),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
    ],
)
def test_retry_after_may_be_a_date(value: str, seconds: float | None) -> None:
    from sayna_client.answers import retry_after

    assert retry_after(value, 1445412480.0) == seconds


@pytest.mark.parametrize("status", [502, 504, 503])
async def test_passing_failures_are_tried_again_twice(status: int) -> None:
    fault = Answer(status, {"error": "x"}, {"retry-after": "0"})
    async with http_peer(fault) as peer, rest(peer.url) as client:
        with pytest.raises(SaynaServerError):
            await client.health()
        assert len(peer.seen) == 3
        with pytest.raises(SaynaServerError):
            await client.health(retries=0)
        assert len(peer.seen) == 4


@pytest.mark.parametrize("status", [500, 503, 400])
async def test_what_is_final_is_not_tried_again(status: int) -> None:
    answer = Answer(status, {"error": "not configured"})
    async with http_peer(answer) as peer, rest(peer.url) as client:
        with pytest.raises(SaynaError):
            await client.health()
    assert len(peer.seen) == 1


async def test_a_lost_connection_is_tried_again() -> None:
    answers = Answer(hang_up=True), Answer(body={"status": "OK"})
    async with http_peer(*answers) as peer, rest(peer.url) as client:
        assert (await client.health()).status == "OK"
    assert len(peer.seen) == 2


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.speak_rest("x", TTS),
        lambda c: c.sip_call("r", "n", "i", "+1", "+2"),
        lambda c: c.sip_transfer_rest("r", "i", "+1"),
        lambda c: c.remove_livekit_participant("r", "i"),
    ],
    ids=["speak", "call", "transfer", "remove"],
)
@pytest.mark.parametrize("answer", [Answer(hang_up=True), Answer(502), Answer(429)])
@pytest.mark.parametrize("borrowed", [False, True], ids=["own", "borrowed"])
async def test_what_may_have_happened_is_not_tried_again(
    act: Act, answer: Answer, borrowed: bool
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession()) if borrowed else None
        peer = await stack.enter_async_context(http_peer(answer))
        client = await stack.enter_async_context(rest(peer.url, session=session))
        with pytest.raises(SaynaError):
            await act(client)
    assert len([seen for seen in peer.seen if seen.body]) == 1


@pytest.mark.parametrize("borrowed", [False, True], ids=["own", "borrowed"])
async def test_what_never_left_is_tried_again(
    borrowed: bool, caplog: pytest.LogCaptureFixture, sayna_clock: Any
) -> None:
    caplog.set_level("DEBUG", "sayna_client")
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession()) if borrowed else None
        client = await stack.enter_async_context(rest("http://127.0.0.1:1", session=session))
        with pytest.raises(SaynaConnectionError):
            await client.sip_call("r", "n", "i", "+1", "+2")
    assert len([one for one in caplog.messages if one.startswith("POST /sip/call again")]) == 2


async def test_json_that_cannot_be_written_is_an_argument_error() -> None:
    async with rest("http://127.0.0.1:1") as client:
        with pytest.raises(SaynaValidationError, match=r"^dict has no JSON form: "):
            await client.request("POST", "/speak", json={"text": object()})


async def test_deleting_hooks_is_tried_again() -> None:
    answers = Answer(hang_up=True), Answer(502), Answer(body={"hooks": []})
    async with http_peer(*answers) as peer, rest(peer.url) as client:
        assert (await client.delete_sip_hooks(["a.example"])).hooks == []
    assert [seen.json for seen in peer.seen] == [{"hosts": ["a.example"]}] * 3


async def test_a_call_that_waits_to_be_made_again_ends_with_the_client(sayna_clock: Any) -> None:
    busy = Answer(429, {"error": "slow"}, {"retry-after": "30"})
    async with http_peer(busy) as peer, rest(peer.url) as client:
        call = asyncio.create_task(client.health())
        await asyncio.sleep(10)
        await client.disconnect()
        with pytest.raises(
            SaynaConnectionError, match="GET / failed: the aiohttp session was closed"
        ):
            await call
        assert len(peer.seen) == 1


async def test_a_call_ends_at_its_limit() -> None:
    limits = Limits(close=0.01)
    async with http_peer(Answer(never=True)) as peer, rest(peer.url, limits=limits) as client:
        with pytest.raises(SaynaTimeoutError, match=r"GET / was not answered within 0\.05 s"):
            await client.health(timeout=0.05)
        with pytest.raises(TimeoutError):
            async with client.stream_recording("s", timeout=0.05):
                pass


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body="<html>", headers={"content-type": "text/html"}),
        Answer(204),
        Answer(body=[1]),
        Answer(body={"other": 1}),
        Answer(body={"deepgram": None}),
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_server_error(answer: Answer) -> None:
    async with http_peer(answer) as peer, rest(peer.url) as client:
        with pytest.raises(SaynaServerError):
            await client.get_voices()
        with pytest.raises(SaynaServerError):
            await client.health()


async def test_broken_json_has_no_status() -> None:
    async with http_peer(Answer(body="{")) as peer, rest(peer.url) as client:
        with pytest.raises(SaynaServerError, match=r"^Failed to decode JSON response") as caught:
            await client.health()
    assert caught.value.status_code is None


async def test_no_server_is_a_connection_error() -> None:
    async with rest("http://127.0.0.1:1") as client:
        with pytest.raises(SaynaConnectionError, match="GET / failed"):
            await client.health(retries=0)
        with pytest.raises(SaynaConnectionError):
            await client.speak_rest("x", TTS, timeout=0.01)


async def test_any_request_can_be_made_and_read_raw() -> None:
    async with http_peer(Answer(418, {"error": "teapot"})) as peer, rest(peer.url) as client:
        answer = await client.request("POST", "/tea?x=1", json={"milk": True})
    assert isinstance(answer, RawResponse)
    assert (answer.status, answer.ok, answer.json()) == (418, False, {"error": "teapot"})
    assert answer.text == '{"error": "teapot"}'
    assert peer.seen[0].json == {"milk": True}


BAD_ARGUMENTS: list[tuple[Any, str | None]] = [
    (lambda c: c.get_livekit_room(" "), "room_name must be a non-empty string"),
    (lambda c: c.get_livekit_room(123), "room_name must be a non-empty string, got int"),
    (lambda c: c.get_livekit_room(None), "room_name must be a non-empty string"),
    (lambda c: c.remove_livekit_participant("r", ""), "participant_identity must be a non"),
    (lambda c: c.get_livekit_token(1, 2, 3), "room_name must be a non-empty string"),
    (lambda c: c.get_livekit_token("r", "n", ""), "participant_identity must be"),
    (lambda c: c.speak_rest("", TTS), "text must be a non-empty string"),
    (lambda c: c.speak_rest("x", {}), "tts_config must be a TTSConfig instance, got dict"),
    (lambda c: c.set_sip_hooks([]), "hooks must be a non-empty list, got an empty one"),
    (lambda c: c.set_sip_hooks([1]), "hooks.0: "),
    (lambda c: c.delete_sip_hooks([]), "hosts must be a non-empty list"),
    (lambda c: c.delete_sip_hooks("host"), "hosts must be a non-empty list, got str"),
    (lambda c: c.sip_transfer_rest("r", "i", " "), "transfer_to must be a non-empty string"),
    (lambda c: c.sip_call("r", "n", "i", "", "+2"), "from_phone_number must be"),
    (lambda c: c.sip_call("r", "n", "i", "+1", "+2", {"bogus": object()}), None),
    (lambda c: c.get_recording(""), "stream_id must be a non-empty string"),
    (lambda c: c.mute_livekit_participant_track("r", "i", "t", 1), "muted must be a boolean"),
    (lambda c: c.health(timeout=0), "timeout must be a number above 0, got 0"),
    (lambda c: c.health(retries=-1), "retries must be an int, 0 or more, got -1"),
]


@pytest.mark.parametrize(
    ("act", "text"), BAD_ARGUMENTS, ids=[str(n) for n in range(len(BAD_ARGUMENTS))]
)
@pytest.mark.filterwarnings("ignore:SipCallSipConfig has no field")
async def test_bad_arguments_are_refused_before_anything_is_sent(
    act: Act, text: str | None
) -> None:
    async with http_peer(Answer()) as peer, rest(peer.url) as client:
        with pytest.raises(SaynaError) as caught:
            await act(client)
    if text is not None:
        assert isinstance(caught.value, SaynaValidationError)
        assert str(caught.value).startswith(text)
        assert peer.seen == []


async def test_a_borrowed_session_is_used_and_left_open() -> None:
    async with http_peer(Answer(body={"status": "OK"})) as peer, aiohttp.ClientSession() as session:
        async with rest(peer.url, session=session) as client:
            await client.health()
        assert not session.closed
        peer.answers = (Answer(404),)
        with pytest.raises(SaynaHttpError):
            await client.health()


def test_one_client_serves_several_loops() -> None:
    async def ask(client: SaynaClient) -> str:
        return (await client.health()).status

    async def serve() -> None:
        async with http_peer(Answer(body={"status": "OK"})) as peer:
            client = rest(peer.url)
            loop = asyncio.get_running_loop()
            for _ in range(2):
                assert await loop.run_in_executor(None, lambda: asyncio.run(ask(client))) == "OK"
            assert await ask(client) == "OK"
            await client.disconnect()

    asyncio.run(serve())
    gc.collect()


async def test_calls_under_way_may_finish_when_disconnecting() -> None:
    release = asyncio.Event()

    async with http_peer(Answer(body={"status": "OK"})) as peer, rest(peer.url) as client:
        serve = peer.serve

        async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await release.wait()
            await serve(reader, writer)

        peer.serve = late  # type: ignore[method-assign]
        call = asyncio.create_task(client.health())
        await asyncio.sleep(0.02)
        end = asyncio.create_task(client.disconnect())
        await asyncio.sleep(0)
        release.set()
        await end
        assert (await call).status == "OK"


async def test_calls_that_take_longer_than_the_limit_are_connection_errors() -> None:
    async with http_peer(Answer(never=True)) as peer:
        client = rest(peer.url, limits=Limits(close=0.05))
        call = asyncio.create_task(client.health(retries=0))
        while not peer.seen:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0)
        await client.disconnect()
        with pytest.raises(SaynaConnectionError):
            await call


async def test_the_plain_http_client_returns_json_and_bytes() -> None:
    async with http_peer(Answer(body={"a": 1})) as peer:
        async with SaynaHttpClient(f"{peer.url}/", "KEY") as http:
            assert http.base_url == peer.url
            assert http.api_key == "KEY"
            assert await http.get("/x", {"q": "1"}) == {"a": 1}
            assert await http.post("/x", json_data={"b": 2}) == {"a": 1}
            assert await http.delete("/x", json_data={"b": 2}) == {"a": 1}
            body, headers = await http.get_binary("/x")
            assert (body, headers["Content-Type"]) == (b'{"a": 1}', "application/json")
            assert (await http.post_binary("x", {"b": 2}))[0] == b'{"a": 1}'
        assert (await http.get("/again")) == {"a": 1}
        await http.close()
    assert [seen.target for seen in peer.seen] == ["/x?q=1", "/x", "/x", "/x", "/x", "/again"]
