"""Whatever comes in, from servers or callers: only errors of ours, and nothing of it in them."""

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sayna_client import RawResponse, SaynaClient, SaynaError, SaynaValidationError
from sayna_client.answers import Headers, failure, retry_after
from sayna_client.codec import KNOWN_TYPES, MalformedFrameError, decode
from sayna_client.urls import base_url, segment, shown, targets

MARK = "M4RK3R"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.just(MARK) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
FIELDS = [
    "transcript",
    "is_final",
    "is_speech_final",
    "confidence",
    "message",
    "participant",
    "track",
    "timestamp",
    "stream_id",
]
FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(KNOWN_TYPES)) | st.text()},
    optional=dict.fromkeys(FIELDS, VALUES),
)


@given(st.text() | st.binary())
@example("[" * 100_000)
@example('{"type":"ready","stream_id":"\\ud800"}')
@example(b'{"type":"ready","stream_id":"\xff"}')
def test_any_text_is_a_message_or_malformed(frame: str | bytes) -> None:
    try:
        message = decode(frame)
    except MalformedFrameError:
        return
    assert isinstance(message.type, str)


@given(FRAMES)
def test_any_object_is_a_message_or_malformed_and_is_not_quoted(frame: dict[str, Any]) -> None:
    try:
        message = decode(json.dumps(frame))
    except MalformedFrameError as error:
        assert frame["type"] in KNOWN_TYPES
        assert MARK not in str(error)  # noqa: PT017 - most are none
    else:
        assert message.type == frame["type"]


HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?", fullmatch=True)
BASES = st.lists(st.from_regex(r"[A-Za-z0-9_~-]{1,8}", fullmatch=True), max_size=3).filter(
    lambda parts: "ws" not in parts
)


@given(HOSTS, BASES, st.booleans(), st.sampled_from(["", "k=v", "a=1&b=2"]))
def test_every_form_of_an_address_leads_to_the_same_two_targets(
    host: str, base: list[str], secure: bool, query: str
) -> None:
    path = "".join(f"/{part}" for part in base)
    http, ws = ("https", "wss") if secure else ("http", "ws")
    asked = f"?{query}" if query else ""
    for scheme in (http, ws, http.upper()):
        for ending in ("", "/", "/ws", "/ws/"):
            found = targets(f"{scheme}://{host}{path}{ending}{asked}")
            assert str(found.websocket_url()) == f"{ws}://{host}{path}/ws{asked}"
            assert str(found.endpoint("/x")) == f"{http}://{host}{path}/x{asked}"
            assert targets(base_url(f"{scheme}://{host}{path}{ending}{asked}")) == found


@given(st.sampled_from(["", "http://", "wss://", "HTTPS://h", "http://["]), st.text())
def test_any_address_makes_a_client_or_is_refused(start: str, rest: str) -> None:
    try:
        client = SaynaClient(start + rest, without_audio=True)
    except SaynaValidationError as error:
        assert str(error).startswith(("URL must be", "URL must start"))  # noqa: PT017 - many are none
    else:
        assert client.url == start + rest


@given(st.text(min_size=1))
def test_a_name_is_one_segment_of_a_path(name: str) -> None:
    try:
        quoted = segment(name)
    except SaynaValidationError:
        assert any("\ud800" <= char <= "\udfff" for char in name)
        return
    assert unquote(quoted) == name
    assert not set(quoted) & set("/?# ")
    url = targets("http://host/base").endpoint(f"/recording/{quoted}")
    assert url.raw_parts == ("/", "base", "recording", quoted)


@given(st.text(alphabet="abc", min_size=1), st.text(alphabet="xyz", min_size=1))
def test_an_address_is_shown_without_user_info_and_query_values(user: str, value: str) -> None:
    for url in (f"ws://{user}:{MARK}@host/ws?k={value}{MARK}&{MARK}", f"//{MARK}@host?a={MARK}"):
        assert MARK not in shown(url).replace(f"&{MARK}=***", "")


@given(
    st.integers(300, 599),
    st.binary() | VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["", "text/plain", "application/json", "text/html"]),
    st.text(max_size=40),
)
@example(500, b"[" * 100_000, "application/json", "")
@example(429, b"", "", "9" * 400)
def test_any_refusal_is_an_error_with_a_text(
    status: int, body: bytes, content_type: str, again: str
) -> None:
    headers = Headers([("Content-Type", content_type), ("Retry-After", again)])
    error = failure(RawResponse(status, "Reason", headers, body), "/x", 0.0)
    assert isinstance(error, SaynaError)
    assert str(error)
    assert (error.status_code, error.endpoint) == (status, "/x")
    assert error.code is None or isinstance(error.code, str)
    assert error.retry_after is None or 0.0 <= error.retry_after < float("inf")


@given(st.text())
@example("²")
@example("Mon, 01 Jan 9999999 00:00:00 GMT")
@example("Thu, 01 Jan 1970 00:00:00 -9999999999")
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    seconds = retry_after(value, 0.0)
    assert seconds is None or 0.0 <= seconds < float("inf")


@pytest.mark.parametrize("name", ["\ud800", "a\udfffb"])
async def test_a_name_that_no_address_can_hold_is_an_argument_error(name: str) -> None:
    client = SaynaClient("http://127.0.0.1:1", without_audio=True)
    with pytest.raises(SaynaValidationError, match="surrogates"):
        await client.get_livekit_room(name)
    with pytest.raises(SaynaValidationError):
        await client.get_livekit_token(name, "n", "i")
