"""What people see, as HTML."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote

from sayna_client import LiveKitRoomDetails, LiveKitRoomSummary


def rooms_page(rooms: Iterable[LiveKitRoomSummary]) -> str:
    """All rooms, the youngest first."""
    rows = "".join(
        f'<li><a href="/rooms/{quote(room.name, safe="")}">{escape(room.name)}</a>'
        f" {room.num_participants} since {_clock(room.creation_time)}</li>"
        for room in sorted(rooms, key=lambda room: room.creation_time, reverse=True)
    )
    call = '<form method="post" action="/call"><input name="to"><button>Call</button></form>'
    return _page("Calls", f"<ul>{rows or '<li>nobody is on the line</li>'}</ul>{call}")


def room_page(room: LiveKitRoomDetails) -> str:
    """Who is in one room, with what can be done to them."""
    here = f"/rooms/{quote(room.name, safe='')}"
    rows = "".join(
        f"<li>{escape(who.name or who.identity)} ({who.kind.lower()})"
        f'<form method="post"><input type="hidden" name="identity" value="{escape(who.identity)}">'
        f'<button formaction="{here}/remove">Remove</button>'
        f'<input name="to"><button formaction="{here}/transfer">Transfer</button></form></li>'
        for who in room.participants
    )
    recorded = " (recorded)" if room.active_recording else ""
    return _page(room.name + recorded, f"<ul>{rows}</ul>")


def _page(title: str, body: str) -> str:
    return f"<!doctype html><title>{escape(title)}</title><h1>{escape(title)}</h1>{body}"


def _clock(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M}"
