"""The wall clock of a test: freezegun's and time-machine's are moved along with virtual time."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

__all__ = ["Wall"]


class Wall:
    """Moves whatever stands in for the wall clock; frozen clocks know microseconds only."""

    def __init__(self, *, ticking: bool = False) -> None:
        self._ticking = ticking
        self._owed = 0.0
        self._own: Any = None

    def move(self, seconds: float, *, jumped: bool) -> None:
        """Pass `seconds`; a clock that ticks by itself is moved only over what was jumped."""
        frozen, travellers = _frozen(), _travellers()
        if not frozen and not travellers:
            return
        self._owed += seconds
        microseconds = round(self._owed * 1e6)
        self._owed -= microseconds / 1e6
        delta = dt.timedelta(microseconds=microseconds)
        for clock in frozen:
            if type(clock).__name__ != "TickingDateTimeFactory":
                clock.tick(delta)
            elif jumped:
                clock.move_to(clock() + delta)
        for traveller in travellers:
            if jumped or not traveller._tick:
                traveller.shift(delta)

    def set(self, when: str | dt.datetime | float) -> None:
        """Set the wall clock: the one in use, or a freezegun one that lives until `close`.

        Raises `RuntimeError` when there is none and freezegun is not installed.
        """
        moment = _moment(when)
        clocks = _frozen() or _travellers()
        if clocks:
            clocks[-1].move_to(moment)
            return
        try:
            import freezegun
        except ImportError:
            raise RuntimeError(
                "setting the wall clock needs freezegun: pip install 'sayna-client[testing]'"
            ) from None
        self._own = freezegun.freeze_time(moment, tick=self._ticking)
        self._own.start()

    def close(self) -> None:
        """Thaw what `set` froze."""
        if self._own is not None:
            self._own.stop()
            self._own = None


def _frozen() -> list[Any]:
    """The clocks of every freeze that is active, outermost first."""
    return getattr(sys.modules.get("freezegun.api"), "freeze_factories", [])


def _travellers() -> list[Any]:
    """The same of time-machine, whose list had another name before version 3."""
    module = sys.modules.get("time_machine")
    return getattr(module, "traveller_stack", None) or getattr(module, "coordinates_stack", [])


def _moment(when: str | dt.datetime | float) -> dt.datetime:
    """A datetime with a zone; without one it is UTC, a number is seconds since 1970."""
    if isinstance(when, str):
        moment = dt.datetime.fromisoformat(when)
    elif isinstance(when, dt.datetime):
        moment = when
    else:
        moment = dt.datetime.fromtimestamp(when, dt.UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
