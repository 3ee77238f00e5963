"""Golden cases as values, read from the TOML files under `fixtures/` (see fixtures/README.md)."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[3] / "fixtures"
_STEP_KEYS = frozenset(
    {"send", "receive", "script", "asked", "claims", "hooked", "hooks_file", "door"}
)
_CASE_KEYS = frozenset(
    {"name", "section", "env", "unset", "given", "any_order", "connect", "step"}
) | (_STEP_KEYS)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: the literal texts by their key."""

    texts: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def __contains__(self, key: str) -> bool:
        return key in self.texts


@dataclass(frozen=True, slots=True)
class Case:
    """One golden case: the state, what goes in, and exactly what comes out."""

    file: str
    name: str
    section: str
    env: Mapping[str, str]
    unset: frozenset[str]
    given: tuple[str, ...]
    any_order: tuple[str, ...]
    connect: str
    steps: tuple[Step, ...]

    @property
    def id(self) -> str:
        return f"{self.file}::{self.name}"


def expand(text: str, fill: Callable[[str], str | None]) -> str:
    """Replace each `{{...}}` by what `fill` makes of its inside; None leaves it as it stands."""
    parts: list[str] = []
    position = 0
    for start, end in placeholders(text):
        filled = fill(text[start + 2 : end - 2])
        parts += [text[position:start], text[start:end] if filled is None else filled]
        position = end
    return "".join(parts) + text[position:]


def placeholders(text: str) -> Iterator[tuple[int, int]]:
    """Where the `{{...}}` of a text begin and end; braces inside are counted."""
    end = 0
    while (start := text.find("{{", end)) >= 0:
        depth = 0
        for end in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                break
        else:
            raise ValueError(f"a placeholder without its end in {text[start : start + 60]!r}")
        end += 1
        yield start, end


def load() -> list[Case]:
    """Every golden case of every file."""
    files = [
        path for folder in ("rest", "websocket") for path in (FIXTURES / folder).glob("*.toml")
    ]
    return [case for path in sorted(files) for case in read(path)]


def read(path: Path) -> list[Case]:
    """The cases of one file; raises ValueError for a key that is none."""
    data = tomllib.loads(path.read_text("utf-8"))
    texts: dict[str, str] = data.get("texts", {})

    def named(inside: str) -> str | None:
        found = texts.get(inside)
        return None if found is None else expand(found, named)

    def case(table: dict[str, Any]) -> Case:
        if wrong := table.keys() - _CASE_KEYS:
            raise ValueError(f"{path.name}: {table.get('name')}: unknown {sorted(wrong)}")
        inline = {key: table[key] for key in table.keys() & _STEP_KEYS}
        steps = table.get("step", [inline])
        for step in steps:
            if not step or step.keys() - _STEP_KEYS:
                raise ValueError(f"{path.name}: {table['name']}: a step of {sorted(step)}")
        return Case(
            file=f"{path.parent.name}/{path.stem}",
            name=table["name"],
            section=f"{data['document']} {table['section']}",
            env={**data.get("env", {}), **table.get("env", {})},
            unset=frozenset(table.get("unset", ())),
            given=tuple(expand(line, named) for line in table.get("given", ())),
            any_order=tuple(table.get("any_order", ())),
            connect=table.get("connect", "/ws"),
            steps=tuple(
                Step({key: expand(text, named) for key, text in step.items()}) for step in steps
            ),
        )

    return [case(table) for table in data["case"]]
