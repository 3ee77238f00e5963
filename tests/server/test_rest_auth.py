import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from freezegun import freeze_time

from sayna_testing.server.rest import Posted, Request, Response
from sayna_testing.server.settings import ServerSettings
from tests.server.asking import TENANTS, Rest

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def by_service(key: str) -> ServerSettings:
    return ServerSettings(
        auth_required=True,
        auth_service_url="https://auth.example/check",
        auth_signing_key=key,
        auth_timeout_seconds=2.5,
    )


BY_SERVICE = by_service(pem(RSA))


@pytest.mark.parametrize(
    ("target", "header"),
    [
        ("/voices", "Bearer s-acme"),
        ("/voices?api_key=wrong", "Bearer s-acme"),
        ("/voices?api_key=s+globex%2B", None),
        ("/voices?api_key=&api_key=%20&api_key=s-acme", None),
        ("/voices?api_key=s-acme&api_key=wrong", "Basic eA=="),
        ("/voices?api_key=s-acme", "bearer s-acme"),
        ("/voices?api_key=s-acme", "Bearer"),
        ("/voices?api_key=s-acme", "Bearer s-\xe9"),
    ],
)
async def test_token_is_found(target: str, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    assert (await Rest(TENANTS)("GET", target, **headers)).status == 200


@pytest.mark.parametrize(
    ("target", "header", "code"),
    [
        ("/voices", None, "missing_auth_header"),
        ("/voices?token=s-acme", None, "missing_auth_header"),
        ("/voices?api_key=%09", None, "missing_auth_header"),
        ("/voices", "Basic eA==", "invalid_auth_header"),
        ("/voices", "bearer s-acme", "invalid_auth_header"),
        ("/voices?api_key=", "Bearer", "invalid_auth_header"),
        ("/voices", "Bearer  s-acme", "unauthorized"),
        ("/voices", "Bearer S-ACME", "unauthorized"),
        ("/voices?api_key=s-acme", "Bearer wrong", "unauthorized"),
        ("/voices?api_key=%ff%20s-acme", None, "unauthorized"),
    ],
)
async def test_request_without_a_right_token_is_refused(
    target: str, header: str | None, code: str
) -> None:
    headers = {} if header is None else {"authorization": header}
    status, body = await Rest(TENANTS).error("GET", target, **headers)
    assert (status, json.loads(body)["error"]) == (401, code)


async def test_service_is_told_of_the_request() -> None:
    rest = Rest(BY_SERVICE)
    request = Request(
        "POST",
        "/sp%65ak",
        "api_key=usr_9c41&x=1",
        (
            ("Accept", "first"),
            ("accept", "*/*"),
            ("Cookie", "c"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("X-Sayna-Trace", "t"),
            ("X-Real-IP", "1.2.3.4"),
            ("Host", "h"),
            ("X-Name", "caf\xc3\xa9"),
        ),
        b'{"b":[{"d":1,"c":2}],"a":"\xc3\xa9"}',
    )
    with freeze_time("2026-01-01"):
        await rest.raw(request)
        (sent,) = rest.outgoing
        claims = jwt.decode(sent.body, RSA.public_key(), algorithms=["RS256"])
    assert (sent.url, sent.headers, sent.limits) == (
        "https://auth.example/check",
        (("content-type", "application/jwt"),),
        (2.5, None),
    )
    assert jwt.get_unverified_header(sent.body) == {"typ": "JWT", "alg": "RS256"}
    assert json.dumps(claims, ensure_ascii=False) == json.dumps(
        {
            "sub": "sayna-auth",
            "iat": 1767225600,
            "exp": 1767225900,
            "auth_data": {
                "token": "usr_9c41",
                "request_body": {"a": "é", "b": [{"c": 2, "d": 1}]},
                "request_headers": {"accept": "*/*"},
                "request_path": "/sp%65ak",
                "request_method": "POST",
            },
        },
        ensure_ascii=False,
    )


async def test_body_that_is_no_json_is_described_as_empty() -> None:
    rest = Rest(BY_SERVICE)
    await rest("POST", "/nowhere", b"{", authorization="Bearer t")
    claims = jwt.decode(rest.outgoing[0].body, RSA.public_key(), algorithms=["RS256"])
    assert claims["auth_data"]["request_body"] == {}


async def test_elliptic_key_signs_es256() -> None:
    rest = Rest(by_service(pem(EC)))
    await rest("GET", "/voices", authorization="Bearer t")
    public = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert jwt.decode(rest.outgoing[0].body, public, algorithms=["ES256"])["sub"] == "sayna-auth"


@pytest.mark.parametrize(
    "key", ["no key", pem(RSA).replace("MII", "MIX", 1)], ids=["no key", "a damaged key"]
)
async def test_key_that_cannot_sign_is_an_error(key: str) -> None:
    assert await Rest(by_service(key)).error("GET", "/voices", authorization="Bearer t") == (
        500,
        '{"error":"jwt_signing_error",'
        '"message":"JWT signing error: Failed to encode JWT: InvalidKeyFormat"}',
    )


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"id":" acme ","plan":"pro"}', ["mine"]),
        (b"", ["mine", "theirs"]),
        (b"welcome", ["mine", "theirs"]),
        (b'{"id":null}', ["mine", "theirs"]),
        (b'["acme"]', ["mine", "theirs"]),
    ],
)
async def test_service_names_the_tenant(body: bytes, names: list[str]) -> None:
    rest = Rest(BY_SERVICE)
    rest.state.rooms.create("mine", metadata='{"auth_id":"acme"}')
    rest.state.rooms.create("theirs", metadata='{"auth_id":"globex"}')
    rest.answers = [Posted(200, body)]
    rooms: Any = await rest.json("GET", "/livekit/rooms", authorization="Bearer t")
    assert [room["name"] for room in rooms["rooms"]] == names


@pytest.mark.parametrize(
    ("answered", "status", "code", "message"),
    [
        (Posted(401, b"expired"), 401, "unauthorized", "Unauthorized: expired"),
        (Posted(403, b"no"), 401, "auth_service_error", "Auth service error (403 Forbidden): no"),
        (
            Posted(422, b""),
            401,
            "auth_service_error",
            "Auth service error (422 Unprocessable Entity): ",
        ),
        (
            Posted(499, b"x" * 501),
            401,
            "auth_service_error",
            f"Auth service error (499 <unknown status code>): {'x' * 500}... (truncated)",
        ),
        (Posted(204, b""), 502, "auth_service_error", "Auth service error (204 No Content): "),
        (
            Posted(503, b"\xff"),
            502,
            "auth_service_error",
            "Auth service error (503 Service Unavailable): �",
        ),
        (None, 503, "auth_service_unavailable", "HTTP request error: operation timed out"),
    ],
)
async def test_service_that_refuses_is_quoted(
    answered: Posted | None, status: int, code: str, message: str
) -> None:
    rest = Rest(BY_SERVICE)
    rest.answers = [answered]
    got, body = await rest.error("GET", "/voices", authorization="Bearer t")
    assert (got, json.loads(body)) == (status, {"error": code, "message": message})


async def test_secrets_win_over_the_service() -> None:
    both = ServerSettings(
        auth_required=True,
        auth_api_secrets={"acme": "s-acme"},
        auth_service_url="https://auth.example",
        auth_signing_key=pem(EC),
    )
    rest = Rest(both)
    assert (await rest("GET", "/voices", authorization="Bearer other")).status == 401
    assert rest.outgoing == []


async def test_nothing_is_checked_without_auth() -> None:
    response = await Rest()("GET", "/voices?api_key=x", authorization="Basic nonsense")
    assert isinstance(response, Response)
    assert response.status == 200
