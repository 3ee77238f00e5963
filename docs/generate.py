"""Writes the pages of docs/reference from the code: `python docs/generate.py`."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import sayna_client
import sayna_testing
from sayna_testing import plugin, scenarios, scripts
from sayna_testing.server import settings

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs/reference"
GUIDE = ROOT / "docs/guides/scripts.md"
TABLES = re.compile(r"(<!-- Written by .*? -->\n).*(<!-- end -->)", re.DOTALL)
SECTIONS = (
    ("For any agent: `scenarios.all()`", "any"),
    ("For calls, in addition: `scenarios.calls()`", "call"),
    ("For sessions without a room, in addition: `scenarios.sessions()`", "session"),
)
NOTE = "<!-- Written by docs/generate.py: change the code instead, then run that. -->\n"


def pages() -> dict[str, str]:
    """Every generated page: its name and its text."""
    return {
        "sdk.md": _names(sayna_client, "SDK", "Names of `sayna_client`."),
        "testing.md": _names(sayna_testing, "Test package", "Names of `sayna_testing`.")
        + _pytest(),
        "settings.md": _settings(),
        "scripts.md": _scripts(),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }


def guide() -> str:
    """The guide to conversations, with its tables of scenarios written anew."""
    tables = "\n".join(_scenarios(*section) for section in SECTIONS)
    text = GUIDE.read_text(encoding="utf-8")
    return TABLES.sub(lambda place: f"{place[1]}\n{tables}\n{place[2]}", text)


def _scenarios(title: str, door: str) -> str:
    known = {each.name: each for each in (*scenarios.calls(), *scenarios.sessions())}
    rows = [
        f"| `{each.name}` | {each.caller} | {each.shows} | {each.catches} |"
        for each in known.values()
        if each.door == door
    ]
    head = ["| scenario | the caller … | asked of the agent | caught: who … |", "|---|---|---|---|"]
    return "\n".join([f"### {title}\n", *head, *rows, ""])


def _names(module: Any, title: str, about: str) -> str:
    """A section for each public name, filled in by mkdocstrings when the site is built."""
    blocks = [
        f"::: {module.__name__}.{name}\n{_fields(getattr(module, name))}" for name in module.__all__
    ]
    return "\n".join([NOTE, f"# {title}\n", f"{about}\n", *blocks])


def _fields(value: Any) -> str:
    """The fields of a model, as its class has them."""
    if not (isinstance(value, type) and issubclass(value, BaseModel)):
        return ""
    fields = [
        f"{name}: {_annotation(value, name)}{_unless_given(field)}"
        for name, field in value.model_fields.items()
    ]
    return "\n".join(["\n```text", *fields, "```\n"]) if fields else ""


def _annotation(model: type[BaseModel], name: str) -> str:
    """A type as the code has it."""
    owner = next(each for each in model.__mro__ if name in inspect.get_annotations(each))
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)
    written = {
        ast.unparse(node.target): ast.unparse(node.annotation)
        for node in body.body
        if isinstance(node, ast.AnnAssign)
    }
    return written[name]


def _unless_given(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    return f" = {field.get_default(call_default_factory=True)!r}"


def _pytest() -> str:
    """The fixtures, which are no names of the package."""
    defined = ast.parse(inspect.getsource(plugin)).body
    fixtures = [
        node
        for node in defined
        if isinstance(node, ast.FunctionDef)
        and any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
        and not node.name.startswith("_")
    ]
    rows = [f"| `{f.name}` | {_scope(f)} | {_first(ast.get_docstring(f))} |" for f in fixtures]
    return "\n".join(
        ["\n## Fixtures\n", "| fixture | scope | what it is |", "|---|---|---|", *rows, ""]
    )


def _scope(fixture: ast.FunctionDef) -> str:
    return "session" if "session" in ast.unparse(fixture.decorator_list[0]) else "function"


def _settings() -> str:
    parts = (
        settings.ServerSettings,
        settings.LiveKitSettings,
        settings.SipSettings,
        settings.SipHook,
    )
    return "\n".join([NOTE, "# Server settings\n", *map(_dataclass, parts)])


def _dataclass(part: type) -> str:
    """The fields as they are written, each with the string below it."""
    body = ast.parse(inspect.getsource(part)).body[0]
    assert isinstance(body, ast.ClassDef)
    rows = [
        f"| `{ast.unparse(field.target)}` | `{ast.unparse(field.annotation)}` "
        f"| {_default(field.value)} | {_told(after)} |"
        for field, after in zip(body.body, [*body.body[1:], ast.Pass()], strict=True)
        if isinstance(field, ast.AnnAssign)
    ]
    head = ["| field | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {part.__name__}\n", f"{inspect.getdoc(part)}\n", *head, *rows, ""])


def _told(after: ast.stmt) -> str:
    match after:
        case ast.Expr(ast.Constant(str() as text)):
            return " ".join(text.split())
        case _:
            return ""


def _default(value: ast.expr | None) -> str:
    match value:
        case None:
            return "required"
        case ast.Call(ast.Name("field"), _, keywords):
            given = {keyword.arg: keyword.value for keyword in keywords}
            if "default_factory" in given:
                return f"`{ast.unparse(given['default_factory']).partition('[')[0]}()`"
            secret = "repr" in given and ast.unparse(given["default"]) != "None"
            return "made up" if secret else f"`{ast.unparse(given['default'])}`"
        case _:
            return f"`{ast.unparse(value)}`"


def _scripts() -> str:
    schema = scripts.schema()
    tables: dict[str, Mapping[str, Any]] = {"Script": schema, **schema["$defs"]}
    return "\n".join([NOTE, "# Scripts\n", *(_table(*item) for item in tables.items())])


def _table(name: str, shape: Mapping[str, Any]) -> str:
    rows = [
        f"| `{key}` | {_kind(what)} | {_written(key, what, shape)} |"
        for key, what in shape["properties"].items()
    ]
    head = ["| key | value | default |", "|---|---|---|"]
    return "\n".join([f"## {name}\n", f"{shape['description']}\n", *head, *rows, ""])


def _written(key: str, what: Mapping[str, Any], shape: Mapping[str, Any]) -> str:
    if key in shape.get("required", ()):
        return "required"
    return "" if what.get("default") is None else f"`{what['default']}`"


def _kind(what: Mapping[str, Any]) -> str:
    return " or ".join(dict.fromkeys(_kinds(what)))


def _kinds(what: Mapping[str, Any]) -> Iterator[str]:
    match what:
        case {"anyOf": choices}:
            for choice in choices:
                yield from _kinds(choice)
        case {"$ref": where}:
            name = str(where).rpartition("/")[2]
            yield f"[{name}](#{name.lower()})"
        case {"enum": values}:
            yield from (f"`{value}`" for value in values)
        case {"const": value}:
            yield f"`{str(value).lower()}`"
        case {"type": "array", "items": items}:
            yield f"list of {_kind(items)}"
        case {"type": "null"}:
            pass
        case _:
            yield str(what.get("type", "anything"))


def _first(text: str | None) -> str:
    return (text or "").partition("\n")[0]


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/reference/{name}\n")
    GUIDE.write_text(guide(), encoding="utf-8")
