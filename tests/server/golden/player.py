"""Plays golden cases against a server over TCP and compares what comes, exactly."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from email.utils import parsedate_to_datetime

import jwt

from tests.server.golden.cases import Case, Step, expand, placeholders
from tests.server.golden.matching import in_order, same
from tests.server.golden.peers import Http, Message, wire
from tests.server.golden.script import Play
from tests.server.golden.world import EC, LIVEKIT_SECRET, RSA, World

_QUIET = 0.4
_JSON = "application/json"


async def play(case: Case) -> None:
    """Play one case on a server of its own; raises AssertionError where the answer differs."""
    async with World(case) as world:
        told = ""
        script, http = Play(world), Http(world.port)
        try:
            for step in case.steps:
                if "script" in step:
                    await script.run(step["script"])
                else:
                    told = await _play_step(world, http, step, told)
        finally:
            await script.close()
            http.close()


async def _play_step(world: World, http: Http, step: Step, told: str) -> str:
    """Play a step that is no script; returns the body of the last answer."""
    if "send" in step:
        return await _exchange(world, http, step)
    if "door" in step:
        world.act(step["door"])
    elif "claims" in step:
        token = json.loads(told)["token"]
        assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}
        jwt.decode(token, LIVEKIT_SECRET, ["HS256"])
        same(step["claims"], _payload(token), world.begun)
    elif "asked" in step:
        await _asked(world, step["asked"])
    elif "hooked" in step:
        await _hooked(world, step["hooked"])
    else:
        assert world.hooks_file == step["hooks_file"]
    return told


async def _exchange(world: World, http: Http, step: Step) -> str:
    request = world.request(step["send"])
    head = request.startswith("HEAD ")
    answer = await http.exchange(wire(request, world.port), head=head)
    version, status, *_ = answer.start.split(" ")
    assert version.startswith("HTTP/1.")
    top, _, body = step["receive"].partition("\n\n")
    expected_status, *lines = top.split("\n")
    text = answer.body.decode("utf-8", "surrogateescape")
    assert status == expected_status, f"expected {expected_status}, came {status}: {text[:2000]}"
    _same_headers(lines, answer, bodyless=head or status == "101")
    _same_body(world, expand(body, world.fill), answer.body)
    return text


def _same_headers(lines: list[str], answer: Message, *, bodyless: bool) -> None:
    expected = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    names = [name for name, _ in expected]
    if "content-length" not in names and not bodyless:
        expected.append(("content-length", str(len(answer.body))))
    expected = [pair for pair in expected if pair != ("content-length", "absent")]
    came = [pair for pair in answer.headers if pair[0] != "date"]
    assert sorted(came) == sorted(expected), f"headers: {sorted(came)}, not {sorted(expected)}"
    dates = answer.all("date")
    assert len(dates) == 1, "one date on every answer"
    assert parsedate_to_datetime(dates[0]).tzinfo is not None


def _same_body(world: World, expected: str, came: bytes) -> None:
    if audio := re.fullmatch(r"\{\{audio (\w+)\}\}", expected):
        kind = kind_of(came)
        assert audio[1] in ("any", kind), f"expected {audio[1]} audio, came {kind}: {came[:12]!r}"
    else:
        text = in_order(came.decode("utf-8", "surrogateescape"), world.case.any_order)
        same(expected, text, world.begun)


def kind_of(audio: bytes) -> str:
    """What the first bytes of a clip say it is."""
    if not audio:
        return "none"
    if audio[:4] == b"RIFF" and audio[8:12] == b"WAVE":
        return "wav"
    if audio[:4] == b"OggS":
        return "ogg"
    return "mp3" if audio[:3] == b"ID3" or _is_mpeg_frame(audio[:3]) else "raw"


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether these bytes begin an MPEG layer III frame, and not just loud or silent mu-law."""
    sync, layer = int.from_bytes(head[:2], "big") >> 5 == 0x7FF, head[1] & 0x06 == 0x02
    return sync and layer and 0 < head[2] >> 4 < 15


def _payload(token: str) -> str:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


async def _asked(world: World, claims: str) -> None:
    async with asyncio.timeout(5):
        request = await world.auth_service.requests.get()
    assert request.start == "POST /auth HTTP/1.1"
    assert request.all("content-type") == ["application/jwt"]
    assert not request.all("authorization")
    token = request.body.decode()
    key = EC if "ec-key" in world.case.env["AUTH_SIGNING_KEY_PATH"] else RSA
    algorithm = "ES256" if key is EC else "RS256"
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": algorithm}
    jwt.decode(token, key.public_key(), [algorithm])
    came = in_order(_payload(token), world.case.any_order)
    same(claims, came, world.begun)


async def _hooked(world: World, expected: str) -> None:
    requests = world.receiver.requests
    if not expected:
        await asyncio.sleep(_QUIET)
        assert requests.empty(), requests.get_nowait()
        return
    async with asyncio.timeout(5):
        request = await requests.get()
    if expected.endswith("\n..."):
        assert request.start == expected.removesuffix("\n...") + " HTTP/1.1"
        assert request.body == b""
        return
    names = [line.partition(":")[0] for line in expected.partition("\n\n")[0].split("\n")[1:]]
    ours = dict(request.headers)
    lines = [request.start.removesuffix(" HTTP/1.1"), *(f"{n}: {ours.pop(n, None)}" for n in names)]
    assert ours.keys() == {"host", "content-length"}, f"more headers: {sorted(ours)}"
    body = in_order(request.body.decode(), world.case.any_order)
    came = "\n".join([*lines, "", body])
    values = same(expected, came, world.begun)
    for start, end in placeholders(expected):
        inside = expected[start + 2 : end - 2]
        if inside.startswith("signature "):
            secret = inside.removeprefix("signature ")
            stamp, event = request.all("x-sayna-timestamp"), request.all("x-sayna-event-id")
            signed = f"v1:{stamp[0]}:{event[0]}:".encode() + request.body
            digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            assert values[inside] == [digest]
