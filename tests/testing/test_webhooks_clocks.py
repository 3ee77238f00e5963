"""Signer, fake server and receiver agree on the time, whoever froze it and wherever they run."""

import asyncio
import base64
import datetime
import hashlib
import http.server
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import jwt
import pytest
import time_machine
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from freezegun import freeze_time

from sayna_client import SaynaWebhookError, SaynaWebhookTimestampError, WebhookReceiver
from sayna_client.webhook_receiver import wall_clock as receivers_clock
from sayna_testing.clock import virtual_time
from sayna_testing.delivery import open_target
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.settings import ServerSettings, SipHook, SipSettings
from sayna_testing.webhooks import Forgery, SignedWebhook, WebhookSigner, forgeries, wall_clock

SECRET = "the-secret-of-these-tests"
NEW_YEAR = 1767225600  # 2026-01-01 00:00:00 UTC
SIGNER = WebhookSigner(SECRET)
RECEIVER = WebhookReceiver(SECRET)


def verdict(hook: SignedWebhook) -> str:
    try:
        RECEIVER.receive(hook.headers, hook.body)
    except SaynaWebhookTimestampError:
        return "stale"
    return "accepted"


def in_bare_thread(work: Callable[[], Any]) -> Any:
    """Run right under `threading.Thread.run`, where freezegun's `time.time()` is not frozen."""

    class Thread(threading.Thread):
        def run(self) -> None:
            results.append(work())

    results: list[Any] = []
    thread = Thread()
    thread.start()
    thread.join(10)
    return results[0]


def in_pool(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(10)


def here(work: Callable[[], Any]) -> Any:
    return work()


PLACES = pytest.mark.parametrize("place", [here, in_bare_thread, in_pool])


@freeze_time("2026-01-01")
def test_decorator_freezes_signer_and_receiver() -> None:
    hook = SIGNER.sip_call()

    assert hook.timestamp == NEW_YEAR
    assert verdict(hook) == "accepted"


@freeze_time("2026-01-01")
async def test_decorator_freezes_them_in_async_tests() -> None:
    hook = SIGNER.sip_call()

    assert hook.timestamp == NEW_YEAR
    assert await asyncio.to_thread(verdict, hook) == "accepted"
    assert verdict(hook) == "accepted"


@PLACES
def test_request_ages_in_nested_freezes(place: Callable[[Callable[[], str]], str]) -> None:
    with freeze_time("2026-01-01 12:00:00"):
        hook = SIGNER.sip_call()
        assert place(lambda: verdict(hook)) == "accepted"
        with freeze_time("2026-01-01 12:05:00"):
            assert place(lambda: verdict(hook)) == "accepted"
            with freeze_time("2026-01-01 12:05:01"):
                assert place(lambda: verdict(hook)) == "stale"
            assert place(lambda: verdict(hook)) == "accepted"
        assert place(lambda: verdict(hook)) == "accepted"
    assert place(lambda: verdict(hook)) == "stale"


@pytest.mark.parametrize("clock", [wall_clock, receivers_clock], ids=["signer", "receiver"])
@PLACES
def test_clocks_are_frozen_however_close_to_a_thread(
    place: Callable[[Callable[[], float]], float], clock: Callable[[], float]
) -> None:
    with freeze_time("2026-01-01 00:00:00.25"):
        assert place(clock) == NEW_YEAR + 0.25


@PLACES
def test_request_signed_elsewhere_is_fresh_here(place: Callable[[Callable[[], Any]], Any]) -> None:
    with freeze_time("1999-12-31 23:59:59"):
        hook = place(SIGNER.sip_call)

        assert hook.timestamp == 946684799
        assert verdict(hook) == "accepted"


@PLACES
def test_moving_the_frozen_clock_ages_the_request(
    place: Callable[[Callable[[], str]], str],
) -> None:
    with freeze_time("2026-01-01") as frozen:
        hook = SIGNER.sip_call()
        frozen.tick(300)
        assert place(lambda: verdict(hook)) == "accepted"
        frozen.tick(1)
        assert place(lambda: verdict(hook)) == "stale"
        frozen.move_to("2026-01-01 00:04:59")
        assert place(lambda: verdict(hook)) == "accepted"
        frozen.move_to("2025-12-31 23:54:59")
        assert place(lambda: verdict(hook)) == "stale"


@PLACES
def test_ticking_clock_starts_where_it_is_told(place: Callable[[Callable[[], Any]], Any]) -> None:
    with freeze_time("2026-01-01", tick=True):
        hook = place(SIGNER.sip_call)

        assert 0 <= hook.timestamp - NEW_YEAR <= 5
        assert place(lambda: verdict(hook)) == "accepted"


@pytest.mark.parametrize("offset", [-8, 5.5])
@PLACES
def test_offset_of_local_time_changes_nothing(
    place: Callable[[Callable[[], Any]], Any], offset: float
) -> None:
    with freeze_time("2026-01-01", tz_offset=datetime.timedelta(hours=offset)):
        hook = place(SIGNER.sip_call)

        assert hook.timestamp == NEW_YEAR
        assert place(lambda: verdict(hook)) == "accepted"


@PLACES
def test_time_machine_freezes_both(place: Callable[[Callable[[], Any]], Any]) -> None:
    with time_machine.travel(NEW_YEAR, tick=False) as traveller:
        hook = place(SIGNER.sip_call)
        assert hook.timestamp == NEW_YEAR
        traveller.shift(300)
        assert place(lambda: verdict(hook)) == "accepted"
        traveller.move_to(NEW_YEAR + 301)
        assert place(lambda: verdict(hook)) == "stale"


@time_machine.travel("2026-01-01T00:00Z", tick=True)
async def test_time_machine_as_decorator_of_async_tests() -> None:
    hook = SIGNER.sip_call()

    assert 0 <= hook.timestamp - NEW_YEAR <= 5
    assert verdict(hook) == "accepted"


async def test_virtual_clock_ages_the_request() -> None:
    with virtual_time() as clock:
        clock.wall("2026-01-01T00:00Z")
        hook = SIGNER.sip_call()
        assert hook.timestamp == NEW_YEAR
        await clock.advance(300)
        assert verdict(hook) == "accepted"
        assert await asyncio.to_thread(verdict, hook) == "accepted"
        await clock.advance(1.5)
        assert verdict(hook) == "stale"


async def test_virtual_clock_moves_a_frozen_one() -> None:
    with freeze_time("2026-01-01"), virtual_time() as clock:
        hook = SIGNER.sip_call()
        await asyncio.sleep(299)
        assert verdict(hook) == "accepted"
        await asyncio.sleep(2)
        assert verdict(hook) == "stale"
        assert SIGNER.sip_call().timestamp == NEW_YEAR + 301
        assert clock.elapsed == pytest.approx(301)


def test_without_any_freeze_it_is_the_clock_of_the_machine() -> None:
    for clock in (wall_clock, receivers_clock):
        assert abs(clock() - time.time()) < 1


def test_patched_time_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: float(NEW_YEAR))

    assert SIGNER.sip_call().timestamp == NEW_YEAR
    assert verdict(SIGNER.at(NEW_YEAR + 301).sip_call()) == "stale"


def frozen_app() -> FastAPI:
    app = FastAPI()

    @app.post("/sync")
    def blocking(request: Request) -> str:  # runs in a worker thread of anyio
        body: bytes = request.scope["state"]["body"]
        return RECEIVER.receive(request.headers, body).event_id

    @app.middleware("http")
    async def keep_body(request: Request, call_next: Any) -> Any:
        request.state.body = await request.body()
        return await call_next(request)

    return app


def test_endpoint_in_a_worker_thread_sees_the_frozen_clock() -> None:
    app = frozen_app()
    with TestClient(app) as client, freeze_time("2026-01-01 12:00:00"):
        hook = SIGNER.sip_call()
        assert client.post("/sync", **hook.as_starlette()).status_code == 200
        with freeze_time("2026-01-01 12:05:01"), pytest.raises(SaynaWebhookTimestampError):
            client.post("/sync", **hook.as_starlette())


EDGES = [each for each in forgeries() if each.name.startswith("signed-3")]


@pytest.mark.parametrize("forgery", EDGES, ids=str)
def test_edges_are_exact_under_a_frozen_clock(forgery: Forgery) -> None:
    with freeze_time("2026-01-01 12:00:00.999999"):
        hook = forgery.apply(SIGNER.sip_call())

        assert verdict(hook) == ("accepted" if forgery.accepted else "stale")


@pytest.mark.parametrize("forgery", EDGES, ids=str)
def test_edges_hold_when_a_running_clock_is_about_to_turn(forgery: Forgery) -> None:
    with freeze_time("2026-01-01 12:00:00.95", tick=True):
        hook = forgery.apply(SIGNER.sip_call())
        threading.Event().wait(0.06)  # the new second begins in here, if it has not yet

        assert verdict(hook) == ("accepted" if forgery.accepted else "stale")


def livekit_event(settings: ServerSettings) -> tuple[bytes, dict[str, str]]:
    """What LiveKit tells Sayna of a caller, signed as LiveKit does (rest.md 15.1)."""
    body = (
        b'{"event":"participant_joined","id":"EV_frozen","room":{"name":"sip-room","sid":"RM_1"},'
        b'"participant":{"sid":"PA_1","identity":"sip_+447700900123","name":"Ada","attributes":{'
        b'"sip.phoneNumber":"+447700900123","sip.trunkPhoneNumber":"+442079460123",'
        b'"sip.h.to":"<sip:+442079460123@acme-voice.example>"}}}'
    )
    assert settings.livekit is not None
    claims = {
        "iss": settings.livekit.api_key,
        "exp": int(wall_clock()) + 60,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    return body, {"authorization": jwt.encode(claims, settings.livekit.api_secret)}


@pytest.fixture
def hook_receiver() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """A receiver behind a real socket, served by a thread; gives its URL and what came of calls."""
    outcomes: queue.Queue[Any] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                outcomes.put(WebhookReceiver().receive(self.headers, body))
            except SaynaWebhookError as error:
                outcomes.put(error)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/sayna", outcomes
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.mark.parametrize("environment", [None, "the-secret-of-the-environment"])
@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_webhook_of_the_fake_server_is_fresh_to_a_receiver_in_a_thread(
    hook_receiver: tuple[str, queue.Queue[Any]],
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
    environment: str | None,
) -> None:
    url, outcomes = hook_receiver
    monkeypatch.setenv("SAYNA_WEBHOOK_SECRET", environment or "fake-sayna-hook-secret-0001")
    hooks = (SipHook(host="acme-voice.example", url=url),)
    settings = ServerSettings(sip=SipSettings(hooks=hooks))
    with FakeSaynaServer(settings) as server, freeze_time("2001-02-03 04:05:06"):
        body, headers = livekit_event(settings)
        connector = server.connector() if transport == "memory" else None
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"{server.url}/livekit/webhook", data=body, headers=headers) as answer,
        ):
            assert answer.status == 200
            call = await asyncio.to_thread(outcomes.get, timeout=5)

    assert (call.event_id, call.timestamp) == ("EV_frozen", 981173106)
    assert call.from_phone_number == "+447700900123"


async def test_delivery_within_a_frozen_test_is_fresh() -> None:
    with freeze_time("2026-01-01", real_asyncio=True):
        async with open_target(frozen_app(), path="/sync") as door:
            assert (await door(SIGNER.sip_call())).status == 200
