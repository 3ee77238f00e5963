"""Moments as Unix seconds: the present one, and those that a test names."""

import datetime
import math
import time

__all__ = ["Moment", "unix_seconds", "wall_clock"]

Moment = int | float | datetime.datetime


class _Unfrozen:
    """Keeps from freezegun what it would replace in a module."""

    datetime = datetime.datetime


def wall_clock() -> float:
    """Unix time in seconds, looked up when called, so that frozen clocks are obeyed.

    freezegun hands real time to a `time.time()` called close under `threading.Thread`; its
    `datetime` is frozen in every thread, so that is asked where it stands in for the real one.
    """
    if datetime.datetime is _Unfrozen.datetime:
        return time.time()
    return datetime.datetime.now().timestamp()


def unix_seconds(moment: Moment) -> int:
    """Whole Unix seconds of an int, a float or an aware datetime.

    Raises `ValueError` for a datetime without a time zone or a number that is no moment, and
    `TypeError` for everything else.
    """
    if isinstance(moment, datetime.datetime):
        if moment.utcoffset() is None:
            raise ValueError(
                f"expected a datetime with a time zone, got the naive {moment.isoformat()}; "
                "add tzinfo=datetime.UTC, or whichever zone is meant"
            )
        return math.floor(moment.timestamp())
    return _whole(moment)


def _whole(seconds: object) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(
            "expected Unix seconds (int or float) or an aware datetime, "
            f"got {type(seconds).__name__}"
        )
    if not math.isfinite(seconds):
        raise ValueError(f"expected Unix seconds, got {seconds}")
    return math.floor(seconds)
