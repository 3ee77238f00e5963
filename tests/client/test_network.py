"""The way to the server on the wire: headers of the application, a proxy, TLS."""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sayna_client import SaynaClient, SaynaConnectionError
from tests.client.http_peer import Answer, http_peer, rendered
from tests.client.peer import Wire, peer
from tests.client.session import client_of

OK = Answer(body={"status": "OK"})
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def one_session(wire: Wire) -> None:
    await wire.configured()
    await wire.receive_until_closed()


async def test_headers_of_the_application_are_on_every_request() -> None:
    async with (
        http_peer(OK) as server,
        client_of(server.url, headers={"X-Trace": "t-1"}, api_key="k") as client,
    ):
        await client.health()
    assert server.seen[0].headers["x-trace"] == "t-1"
    assert server.seen[0].headers["authorization"] == "Bearer k"


async def test_headers_of_the_application_are_on_the_handshake() -> None:
    requests: list[str] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        requests.append(wire.request)
        await wire.receive_until_closed()

    async with (
        peer(script) as url,
        client_of(url, headers={"X-Trace": "t-1", "Authorization": "Basic eA=="}) as client,
    ):
        await client.connect()
    lines = requests[0].split("\r\n")
    assert "X-Trace: t-1" in lines
    assert [line for line in lines if line.startswith("Authorization")] == [
        "Authorization: Basic eA=="
    ]


async def test_the_key_does_not_follow_a_redirect_to_another_server() -> None:
    async with http_peer(OK) as other, http_peer() as server:
        server.answers = (Answer(302, headers={"location": f"{other.url}/there"}),)
        async with client_of(f"{server.url}?api_key=k", api_key="k") as client:
            assert (await client.health()).status == "OK"
    assert server.seen[0].headers["authorization"] == "Bearer k"
    assert other.seen[0].target == "/there"
    assert "authorization" not in other.seen[0].headers


async def test_rest_goes_through_the_proxy() -> None:
    async with http_peer(OK) as proxy:
        user_info = proxy.url.replace("http://", "http://me:secret@")
        async with client_of("http://sayna.invalid", proxy=user_info) as client:
            assert (await client.health()).status == "OK"
            assert "secret" not in repr(client)
    seen = proxy.seen[0]
    assert (seen.method, seen.target) == ("GET", "http://sayna.invalid/")
    assert seen.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"


async def test_the_socket_goes_through_the_proxy() -> None:
    requests: list[str] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        requests.append(wire.request)
        await wire.receive_until_closed()

    async with (
        peer(script) as proxy,
        client_of("http://sayna.invalid", proxy=proxy) as client,
    ):
        await client.connect()
        assert client.ready
    assert requests[0].split("\r\n")[0] in (
        "GET http://sayna.invalid/ws HTTP/1.1",
        "GET ws://sayna.invalid/ws HTTP/1.1",
    )


async def test_a_proxy_that_is_not_there_is_a_connection_error() -> None:
    client = client_of("http://sayna.invalid", proxy="http://127.0.0.1:1")
    async with client:
        with pytest.raises(SaynaConnectionError, match="Failed to connect to WebSocket"):
            await client.connect()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextlib.asynccontextmanager
async def tls(serve: Serve, certificate: Path) -> AsyncIterator[str]:
    """Serve connections over TLS; give the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def healthy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(rendered(OK))
    await reader.read()


async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await one_session(Wire(reader, writer))


async def test_a_context_that_trusts_the_server_opens_rest_over_tls(certificate: Path) -> None:
    trust = ssl.create_default_context(cafile=certificate)
    async with tls(healthy, certificate) as url, client_of(url, ssl=trust) as client:
        assert (await client.health()).status == "OK"


async def test_a_context_that_trusts_the_server_opens_the_socket_over_tls(
    certificate: Path,
) -> None:
    trust = ssl.create_default_context(cafile=certificate)
    async with tls(session, certificate) as url, client_of(url, ssl=trust) as client:
        await client.connect()
        assert client.ready


async def test_without_verification_any_certificate_will_do(certificate: Path) -> None:
    async with tls(session, certificate) as url, client_of(url, ssl=False) as client:
        await client.connect()
        assert client.ready


async def test_a_certificate_nobody_vouches_for_is_refused(certificate: Path) -> None:
    async with tls(healthy, certificate) as url, SaynaClient(url, without_audio=True) as client:
        with pytest.raises(SaynaConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.health()
        with pytest.raises(SaynaConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.connect()
