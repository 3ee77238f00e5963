"""What was chosen for a test: the ini settings, then its markers, the closest last."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

if TYPE_CHECKING:
    from sayna_testing.server.settings import ServerSettings

__all__ = ["Choice", "choice_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How one test wants its fakes and its clock."""

    clock: Literal["virtual", "real"] | None = None
    transport: Literal["memory", "tcp"] = "memory"
    strict: bool = False
    seed: int | None = None
    settings: ServerSettings | None = None
    max_virtual_time: float = 3600.0


def choice_of(item: pytest.Item) -> Choice:
    """Merge ini settings and markers; raises `pytest.UsageError` that says what was expected."""
    chosen: dict[str, Any] = _ini(item.config)
    for marker in reversed(list(item.iter_markers("sayna"))):
        chosen |= _checked(marker, item.nodeid)
    return Choice(**chosen)


def _one_of(*values: str) -> Callable[[object], str | None]:
    expected = " or ".join(f'"{value}"' for value in values)
    return lambda value: None if value in values else expected


def _instance(kind: type, expected: str) -> Callable[[object], str | None]:
    return lambda value: None if type(value) is kind else expected


def _settings(value: object) -> str | None:
    # Its class is not imported for this: whoever made one has imported it.
    return None if type(value).__name__ == "ServerSettings" else "a ServerSettings"


_KEYWORDS: Final[Mapping[str, Callable[[object], str | None]]] = {
    "clock": _one_of("virtual", "real"),
    "transport": _one_of("memory", "tcp"),
    "strict": _instance(bool, "True or False"),
    "seed": _instance(int, "an int"),
    "settings": _settings,
}


def _checked(marker: pytest.Mark, nodeid: str) -> dict[str, Any]:
    where = f"{nodeid}: @pytest.mark.sayna"
    if marker.args:
        raise pytest.UsageError(f"{where} takes keywords only, got {marker.args[0]!r}")
    for keyword, value in marker.kwargs.items():
        check = _KEYWORDS.get(keyword)
        if check is None:
            raise pytest.UsageError(
                f"{where}: unknown keyword {keyword!r}; expected {', '.join(_KEYWORDS)}"
            )
        expected = check(value)
        if expected:
            raise pytest.UsageError(f"{where}: {keyword} must be {expected}, got {value!r}")
    return dict(marker.kwargs)


def _ini(config: pytest.Config) -> dict[str, Any]:
    chosen: dict[str, Any] = {"strict": config.getini("sayna_strict")}
    for keyword, read in _INI.items():
        text: str = config.getini(f"sayna_{keyword}")
        if text:
            chosen[keyword] = read(text)
    return chosen


def _ini_clock(text: str) -> str:
    expected = _KEYWORDS["clock"](text)
    if expected:
        raise pytest.UsageError(f"ini setting sayna_clock: expected {expected}, got {text!r}")
    return text


def _ini_seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise pytest.UsageError(f"ini setting sayna_seed: expected an int, got {text!r}") from None


def _ini_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise pytest.UsageError(
            f"ini setting sayna_max_virtual_time: expected seconds above 0, got {text!r}"
        )
    return seconds


_INI: Final[Mapping[str, Callable[[str], object]]] = {
    "clock": _ini_clock,
    "seed": _ini_seed,
    "max_virtual_time": _ini_seconds,
}
