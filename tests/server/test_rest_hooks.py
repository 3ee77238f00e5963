import json
from pathlib import Path

import pytest

from sayna_testing.server.settings import ServerSettings, SipHook, SipSettings
from tests.server.asking import ACME, TENANTS, Rest

FIXED = ServerSettings(
    sip=SipSettings(hooks=(SipHook(host=" Fixed.example ", url="https://f", auth_id=" acme "),))
)
SHOWN = {"host": "fixed.example", "url": "https://f", "auth_id": "acme"}


def hook(host: str, url: str = "u", auth_id: str = "t") -> dict[str, str]:
    return {"host": host, "url": url, "auth_id": auth_id}


async def test_hooks_are_merged_by_host() -> None:
    rest = Rest(FIXED)
    first = await rest.json("POST", "/sip/hooks", {"hooks": [hook(" A "), hook("b", "", "")]})
    assert first == {"hooks": [SHOWN, hook("a"), hook("b", "", "")]}
    second = await rest.json(
        "POST", "/sip/hooks", {"hooks": [{**hook("B", "http://new", " x "), "secret": "s"}]}
    )
    assert second == {"hooks": [SHOWN, hook("a"), hook("b", "http://new", "x")]}
    assert await rest.json("GET", "/sip/hooks") == second
    assert await rest.json("DELETE", "/sip/hooks", {"hosts": [" A", "a", "nobody"]}) == {
        "hooks": [SHOWN, hook("b", "http://new", "x")]
    }


@pytest.mark.parametrize(
    ("settings", "method", "asked", "status", "error"),
    [
        (
            ServerSettings(cache_path=None),
            "POST",
            {"hooks": []},
            500,
            "No cache path configured. Cannot persist SIP hooks.",
        ),
        (
            ServerSettings(cache_path=None),
            "DELETE",
            {"hosts": ["a"]},
            500,
            "No cache path configured. Cannot persist SIP hooks.",
        ),
        (ServerSettings(cache_path=None), "DELETE", {}, 400, "No hosts provided to delete."),
        (
            TENANTS,
            "POST",
            {"hooks": [hook("a"), hook(" B", "u", " ")]},
            400,
            "Hook for host ' B' has empty auth_id."
            " When AUTH_REQUIRED=true, auth_id must be provided.",
        ),
        (
            FIXED,
            "POST",
            {"hooks": [hook("x"), hook("x"), hook("FIXED.example"), hook("fixed.example")]},
            405,
            "Host(s) fixed.example are hardcoded in the application config and cannot be changed.",
        ),
        (
            FIXED,
            "DELETE",
            {"hosts": ["Fixed.Example "]},
            405,
            "Host(s) fixed.example are hardcoded in the application config and cannot be changed.",
        ),
        (
            None,
            "POST",
            {"hooks": [hook("a"), hook("B"), hook(" b")]},
            400,
            "Validation error: Duplicate host detected: b",
        ),
    ],
)
async def test_change_of_hooks_is_refused_whole(
    settings: ServerSettings | None, method: str, asked: object, status: int, error: str
) -> None:
    rest = Rest(settings)
    before = await rest.json("GET", "/sip/hooks", **ACME)
    response = await rest(method, "/sip/hooks", asked, **ACME)
    assert (response.status, json.loads(response.body)) == (status, {"error": error})
    assert "allow" not in dict(response.headers)
    assert await rest.json("GET", "/sip/hooks", **ACME) == before


async def test_without_sip_hooks_are_stored_but_not_listed() -> None:
    rest = Rest(ServerSettings(sip=None))
    assert await rest.json("POST", "/sip/hooks", {"hooks": [hook("a")]}) == {"hooks": [hook("a")]}
    assert await rest.json("GET", "/sip/hooks") == {"hooks": []}


async def test_hooks_outlive_the_server_in_their_file(tmp_path: Path) -> None:
    settings = ServerSettings(cache_path=tmp_path / "cache")
    await Rest(settings)("POST", "/sip/hooks", {"hooks": [hook("ä")]})
    file = tmp_path / "cache" / "sip_hooks.json"
    assert file.read_text(encoding="utf-8") == (
        '[\n  {\n    "host": "ä",\n    "url": "u",\n    "auth_id": "t"\n  }\n]'
    )
    assert await Rest(settings).json("GET", "/sip/hooks") == {"hooks": [hook("ä")]}
    await Rest(settings)("DELETE", "/sip/hooks", {"hosts": ["Ä"]})
    assert file.read_bytes() == b"[]"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('[{"host":"Old","url":"u"}]', [hook("old", "u", "default")]),
        ('[{"host":"fixed.example","url":"other","auth_id":"z"}]', []),
        ("not json", []),
        ('[{"host":1,"url":"u"}]', []),
    ],
)
async def test_file_is_read_at_the_start_and_at_every_write(
    tmp_path: Path, text: str, read: list[dict[str, str]]
) -> None:
    file = tmp_path / "sip_hooks.json"
    file.write_text(text, encoding="utf-8")
    fixed = ServerSettings(sip=FIXED.sip, cache_path=tmp_path)
    rest = Rest(fixed)
    assert await rest.json("GET", "/sip/hooks") == {"hooks": [SHOWN, *read]}
    file.write_text(json.dumps([hook("meanwhile")]), encoding="utf-8")
    assert await rest.json("POST", "/sip/hooks", {}) == {"hooks": [SHOWN, hook("meanwhile")]}


async def test_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    rest = Rest(ServerSettings(cache_path=blocked))
    assert await rest.error("POST", "/sip/hooks", {"hooks": [hook("a")]}) == (
        500,
        '{"error":"Failed to write hooks cache: I/O error: File exists (os error 17)"}',
    )
    assert await rest.json("GET", "/sip/hooks") == {"hooks": []}
