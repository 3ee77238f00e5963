"""Under virtual time, whatever is owed from outside the loop is waited for at real speed."""

import asyncio
import concurrent.futures
import datetime
import http.server
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import time_machine
from aiohttp import web
from fastapi import FastAPI
from freezegun import freeze_time

from sayna_testing import FakeSaynaServer
from sayna_testing.clock import Clock, VirtualDeadlock, add_probe, virtual_time

CLOCKS: list[Clock] = []


def work() -> None:
    """Real work elsewhere, which takes until the clock is seen to wait for it."""
    end = time.monotonic() + 5
    while not CLOCKS[-1].holds:
        assert time.monotonic() < end, "virtual time did not wait"
        time.sleep(0.001)


async def work_in_loop() -> None:
    await asyncio.to_thread(work)


class SlowHandler(http.server.BaseHTTPRequestHandler):
    """A local service, an LLM say, that takes real time to answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        work()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow_url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def run(main: Callable[[], Awaitable[object]], *, at_most: float = 5.0) -> Clock:
    """Run under virtual time with a limit that a jump would break."""

    async def limited() -> None:
        async with asyncio.timeout(at_most):
            await main()

    with virtual_time() as clock:
        CLOCKS.append(clock)
        asyncio.run(limited())
    return clock


def only_hold(clock: Clock) -> str:
    (reason, seconds), *others = clock.holds
    assert {reason for reason, _ in others} <= {"the end of the executor's threads"}
    assert seconds < 2
    return reason


def test_httpx_to_a_local_server(slow_url: str) -> None:
    async def main() -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            assert (await client.get(slow_url)).text == "ok"

    clock = run(main)
    assert only_hold(clock).startswith("the connection to 127.0.0.1:")
    assert clock.elapsed < 5


def test_a_pooled_connection_owes_nothing_between_requests(slow_url: str) -> None:
    async def main() -> None:
        async with httpx.AsyncClient(timeout=5) as client, aiohttp.ClientSession() as session:
            for _ in range(2):
                assert (await client.get(slow_url)).text == "ok"
                async with session.get(slow_url) as response:
                    assert await response.text() == "ok"
                await asyncio.sleep(120)

    start = time.monotonic()
    run(main, at_most=300)
    assert time.monotonic() - start < 5


def test_a_protocol_of_ones_own(slow_url: str) -> None:
    class Reader(asyncio.Protocol):
        def __init__(self) -> None:
            self.answered = asyncio.get_running_loop().create_future()

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"GET / HTTP/1.0\r\n\r\n")

        def data_received(self, data: bytes) -> None:
            if not self.answered.done():
                self.answered.set_result(data)

    async def main() -> None:
        port = int(slow_url.strip("/").rpartition(":")[2])
        loop = asyncio.get_running_loop()
        transport, reader = await loop.create_connection(Reader, "127.0.0.1", port)
        assert (await asyncio.wrap_future(reader.answered)).startswith(b"HTTP/1.1 200")
        transport.close()

    assert only_hold(run(main)).startswith("the connection to 127.0.0.1:")


def test_a_socket_without_a_transport(slow_url: str) -> None:
    async def main() -> None:
        port = int(slow_url.strip("/").rpartition(":")[2])
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", port))
            await loop.sock_sendall(connection, b"GET / HTTP/1.0\r\n\r\n")
            assert (await loop.sock_recv(connection, 12)).startswith(b"HTTP/1.1 200")

    assert only_hold(run(main)).startswith("the connection to 127.0.0.1:")


def test_sync_fastapi_endpoint() -> None:
    app = FastAPI()

    @app.get("/")
    def slow() -> str:
        work()
        return "ok"

    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            async with asyncio.timeout(5):
                assert (await client.get("/")).json() == "ok"
            await asyncio.sleep(60)  # the idle worker owes nothing

    assert only_hold(run(main, at_most=100)) == "a worker thread of anyio"


def test_to_thread_names_the_line_that_asked() -> None:
    async def main() -> None:
        await asyncio.to_thread(work)

    assert "work in another thread (asked for at tests/testing/test_clock_outside.py:" in only_hold(
        run(main)
    )


def test_an_executor_of_the_test() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor() as executor:
            await loop.run_in_executor(executor, work)

    assert "another thread" in only_hold(run(main))


def test_name_look_up() -> None:
    async def main() -> None:
        assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)

    run(main)


def test_subprocess_with_pipes() -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-Sc", "print('ok')", stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert out == b"ok\n"

    clock = run(main)
    assert {reason for reason, _ in clock.holds} <= {"a pipe or a process", "a subprocess"}


def test_subprocess_without_pipes() -> None:
    async def main() -> None:
        # One that ends before it is looked at holds nothing.
        code = "import time; time.sleep(0.2)"
        process = await asyncio.create_subprocess_exec(sys.executable, "-Sc", code)
        assert await process.wait() == 0

    assert only_hold(run(main)) in {"a pipe or a process", "a subprocess"}


def test_a_loop_in_another_thread() -> None:
    async def main() -> None:
        told = asyncio.Event()
        here = asyncio.get_running_loop()

        async def elsewhere() -> None:
            await work_in_loop()
            here.call_soon_threadsafe(told.set)

        thread = threading.Thread(target=lambda: asyncio.run(elsewhere()), name="agent")
        thread.start()
        await told.wait()
        await asyncio.to_thread(thread.join)

    clock = run(main)
    assert all("thread" in reason for reason, _ in clock.holds)
    assert clock.elapsed < 5


def test_a_loop_in_a_thread_of_a_library() -> None:
    async def main() -> None:
        told = asyncio.Event()
        here = asyncio.get_running_loop()

        async def elsewhere() -> None:
            running.set()
            await work_in_loop()
            here.call_soon_threadsafe(told.set)

        running = threading.Event()
        pool.submit(asyncio.run, elsewhere())
        running.wait()
        await told.wait()

    with concurrent.futures.ThreadPoolExecutor(thread_name_prefix="library") as pool:
        pool.submit(time.sleep, 0).result()
        clock = run(main)
    assert only_hold(clock) == "the event loop of thread 'library_0'"


def test_a_daemon_holds_nobody_once_it_had_time_to_come_up() -> None:
    stop = threading.Event()

    async def main() -> None:
        threading.Thread(target=stop.wait, name="log writer", daemon=True).start()
        await asyncio.sleep(600)

    start = time.monotonic()
    clock = run(main, at_most=1000)
    stop.set()
    assert "log writer" in only_hold(clock)
    assert 1 <= time.monotonic() - start < 5


def test_a_coroutine_in_a_loop_that_ran_before() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def main() -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work_in_loop(), loop))

    assert "another thread" in only_hold(run(main))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_probe_holds_and_is_forgotten() -> None:
    owed = ["a session in another loop"]
    remove = add_probe(lambda _loop: owed[0] if owed else None)

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.05, owed.clear)
        await asyncio.sleep(60)

    clock = run(main, at_most=100)
    remove()
    remove()
    assert only_hold(clock) == "a session in another loop"
    assert clock.elapsed >= 60


def test_a_session_of_a_client_without_a_loop() -> None:
    async def main() -> None:
        address = urlsplit(server.url)
        with socket.create_connection((str(address.hostname), address.port or 0)) as client:
            client.sendall(
                b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert client.recv(12) == b"HTTP/1.1 101"
            await asyncio.sleep(0.1)

    with FakeSaynaServer() as server:
        clock = run(main)
    assert only_hold(clock) == "session ws-1 in another loop"


def test_tcp_inside_one_loop_is_exact() -> None:
    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        async for message in ws:
            await ws.send_bytes(message.data)
        return ws

    async def main() -> None:
        runner = web.ServerRunner(web.Server(echo))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            async with session.ws_connect(url, max_msg_size=0) as ws:
                loop = asyncio.get_running_loop()
                for _ in range(30):
                    start = loop.time()
                    await ws.send_bytes(bytes(700_000))
                    await ws.receive_bytes(timeout=0.001)
                    assert loop.time() == start
                    await asyncio.sleep(3)
        await runner.cleanup()

    assert run(main, at_most=200).holds == []


def test_sockets_that_are_owed_nothing() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        listener = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        udp, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        await asyncio.sleep(30)
        udp.close()
        listener.close()

    assert run(main, at_most=60).holds == []


def test_a_descriptor_that_somebody_reads_is_owed() -> None:
    async def main() -> None:
        here, there = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=here)

        def send() -> None:
            work()
            there.send(b"x")

        pool.submit(send)
        assert await reader.readexactly(1) == b"x"
        await asyncio.sleep(60)  # nobody reads now
        writer.close()
        await writer.wait_closed()
        there.close()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        clock = run(main, at_most=100)
    assert only_hold(clock).startswith("the connection to")


def test_deadlock_is_told_only_after_real_silence() -> None:
    async def main() -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell() -> None:
            time.sleep(0.1)
            loop.call_soon_threadsafe(told.set)

        pool.submit(tell)  # nobody tells the clock of this thread
        await told.wait()
        await asyncio.Event().wait()

    start = time.monotonic()
    with (
        concurrent.futures.ThreadPoolExecutor() as pool,
        virtual_time(),
        pytest.raises(VirtualDeadlock),
    ):
        asyncio.run(main())
    assert time.monotonic() - start >= 1.1


@pytest.mark.parametrize(
    "ticking",
    [freeze_time("2026-01-01", tick=True), time_machine.travel("2026-01-01T00:00Z", tick=True)],
    ids=["freezegun", "time-machine"],
)
def test_a_wall_clock_that_ticks_is_left_alone_while_real_time_passes(ticking: Any) -> None:
    async def main() -> None:
        await asyncio.to_thread(time.sleep, 0.5)

    with ticking:
        before = datetime.datetime.now(datetime.UTC)
        clock = run(main)
        passed = datetime.datetime.now(datetime.UTC) - before
    assert clock.elapsed > 0.2
    assert passed.total_seconds() < 1.8 * clock.elapsed
