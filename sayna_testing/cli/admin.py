"""The admin door of a served fake: what a test in another language does to it, over HTTP."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs

from sayna_testing import report, webhooks
from sayna_testing.cli.director import Director
from sayna_testing.delivery import DeliveryError, deliver
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.report.call import by_session
from sayna_testing.report.document import as_json
from sayna_testing.server.faults import FAULTS
from sayna_testing.server.rest import Request, Response
from sayna_testing.server.rest.messages import body_response, json_response
from sayna_testing.server.rooms import Room
from sayna_testing.server.session import Session

PREFIX = "/__sayna__/"

JSONObject: TypeAlias = dict[str, Any]


class DoorError(Exception):
    """A request to the door that cannot be carried out: a status and what was expected."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Admin:
    """Answers `/__sayna__/…` for those who know the token; everything else is not for it."""

    def __init__(self, server: FakeSaynaServer, token: str, director: Director) -> None:
        self._director = director
        self._server = server
        self._token = token

    async def answer(self, request: Request) -> Response | None:
        """The answer to a request for this door, None for any other request."""
        if not request.raw_path.startswith(PREFIX):
            return None
        try:
            self._authorize(request)
            return await _act(request)(self, request)
        except DoorError as refusal:
            return json_response({"error": str(refusal)}, refusal.status)

    def _authorize(self, request: Request) -> None:
        """The token as `Authorization: Bearer …`, or as `?token=…` for browsers."""
        header = request.header("authorization") or ""
        given = header.removeprefix("Bearer ") or _query(request).get("token", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise DoorError(
                401, "expected the token of the ready line: Authorization: Bearer TOKEN"
            )

    async def state(self, _: Request) -> Response:
        """What there is: sessions, rooms, hooks, the length of the journal."""
        server = self._server
        return json_response(
            {
                "sessions": [_session(session) for session in server.sessions],
                "rooms": [_room(room) for room in server.rooms.all()],
                "hooks": [{"host": hook.host, "url": hook.url} for hook in server.hooks],
                "journal": len(server.journal),
            }
        )

    async def journal(self, request: Request) -> Response:
        """The entries of the journal, from number `since` on."""
        since = _query(request).get("since", "0")
        if not since.isascii() or not since.isdigit():
            raise DoorError(400, f'since: expected the number of an entry, got "{since}"')
        return json_response([as_json(entry) for entry in self._server.journal.since(int(since))])

    async def reset(self, _: Request) -> Response:
        """Begin again."""
        self._server.reset()
        self._director.forget()
        return json_response({})

    async def faults(self, request: Request) -> Response:
        """Let something go wrong: plan a fault of `server.faults`, or do it to a session now."""
        wanted = _object(request)
        name = str(wanted.pop("fault", ""))
        if name in NOW:
            session = self._session(wanted.get("session"))
            await NOW[name](session, str(wanted.get("text", "")))
            return json_response({"session": session.key})
        if name not in FAULTS:
            names = ", ".join([*NOW, *sorted(FAULTS)])
            raise DoorError(400, f'fault: expected one of {names}, got "{name}"')
        try:
            return json_response({"planned": str(self._server.faults.on(name, **wanted))})
        except (TypeError, ValueError) as error:
            raise DoorError(400, f"fault {name}: {error}") from None

    async def script(self, request: Request) -> Response:
        """Play a script in the next session, and say how it ended."""
        try:
            return json_response(await self._director.play_text(request.body.decode()))
        except ValueError as error:
            raise DoorError(400, str(error)) from None

    async def webhook(self, request: Request) -> Response:
        """Post the signed webhook of an incoming call somewhere."""
        wanted = _object(request)
        url = wanted.pop("url", None)
        if not isinstance(url, str):
            raise DoorError(400, f"url: expected the address to post to, got {url!r}")
        if "from" in wanted:
            wanted["from_"] = wanted.pop("from")
        try:
            answer = await deliver(webhooks.WebhookSigner().sip_call(**wanted), url)
        except TypeError as error:
            raise DoorError(400, str(error).replace("WebhookSigner.sip_call() ", "")) from None
        except DeliveryError as error:
            raise DoorError(502, str(error)) from None
        return json_response({"status": answer.status, "body": answer.text})

    async def report(self, _: Request) -> Response:
        """The calls so far as a page, drawn like the file."""
        calls = by_session(self._server.journal)
        text = report.page_of(map(self._director.shown, calls), title="Sayna calls so far")
        return body_response(200, "text/html; charset=utf-8", text.encode())

    def _session(self, key: Any) -> Session:
        """The open session of this key, by default the newest."""
        open_ones = [session for session in self._server.sessions if not session.closed]
        found = [session for session in open_ones if key in (None, session.key)]
        if not found:
            known = ", ".join(session.key for session in open_ones) or "none"
            raise DoorError(404, f"session: expected an open one ({known}), got {key!r}")
        return found[-1]


_ACTS: dict[tuple[str, str], Callable[[Admin, Request], Awaitable[Response]]] = {
    ("GET", "state"): Admin.state,
    ("GET", "journal"): Admin.journal,
    ("GET", "report"): Admin.report,
    ("POST", "reset"): Admin.reset,
    ("POST", "faults"): Admin.faults,
    ("POST", "script"): Admin.script,
    ("POST", "webhook"): Admin.webhook,
}

NOW: Mapping[str, Callable[[Session, str], Awaitable[None]]] = {
    "drop": lambda session, _: session.drop(),
    "close": lambda session, _: session.close(),
    "error": lambda session, text: session.send_error(text),
    "recognition": lambda session, text: session.recognition_fails(text),
    "speech": lambda session, text: session.speech_fails(text),
}
"""What can be done to a session at once; the faults of `server.faults` wait for their moment."""


def _act(request: Request) -> Callable[[Admin, Request], Awaitable[Response]]:
    name = request.raw_path.removeprefix(PREFIX)
    if (request.method, name) not in _ACTS:
        doors = ", ".join(f"{method} {PREFIX}{known}" for method, known in _ACTS)
        raise DoorError(404, f"expected one of {doors}")
    return _ACTS[request.method, name]


def _query(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def _object(request: Request) -> JSONObject:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError as error:
        raise DoorError(400, f"expected a JSON object: {error}") from None
    if not isinstance(content, dict):
        raise DoorError(400, f"expected a JSON object, got {type(content).__name__}")
    return cast("JSONObject", content)


def _session(session: Session) -> JSONObject:
    configs = [entry.data for entry in session.entries if entry.kind == "config"]
    return {
        "key": session.key,
        "open": not session.closed,
        "config": configs[-1] if configs else None,
    }


def _room(room: Room) -> JSONObject:
    return {"name": room.name, "participants": list(room.participants)}
