"""Whatever stands on the command line or in its files ends in an answer or in a told refusal."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sayna_testing import ServerSettings
from sayna_testing.cli import main
from sayna_testing.cli.ending import Unusable
from sayna_testing.cli.settings import load_settings

SECRET = "a-secret-nobody-may-see"
WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=20
) | st.sampled_from(
    ["-", "--", "--help", "--at", "--curl", "--secret", "-1", "1e999", "nan", "+44", "\udcff"]
)
NUMBERS = st.floats().map(str) | st.integers().map(str) | WORDS
TOML = st.sampled_from(["name", "turn", "caller", "agent", "=", "[[", "]]", "[", "]", "{", "}"])
FILES = st.binary(max_size=200) | st.lists(
    TOML | st.text(max_size=8).map(repr) | st.just("\n"), max_size=30
).map(lambda parts: " ".join(parts).encode("utf-8", "replace"))


def run(*arguments: str, given: bytes = b"") -> Result:
    """The result of a command that ended by itself, without a traceback."""
    result = CliRunner(env={"SAYNA_WEBHOOK_SECRET": SECRET}).invoke(main, arguments, input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), arguments
    assert result.exit_code in (0, 1, 2)
    assert "Traceback" not in result.output
    assert SECRET not in result.output
    assert result.exit_code != 2 or result.output.strip()
    return result


@given(
    body=st.none() | st.binary(max_size=200),
    options=st.dictionaries(
        st.sampled_from(["--event-id", "--from", "--to", "--curl", "--at", "--secret"]),
        NUMBERS,
        max_size=3,
    ),
)
@settings(max_examples=150, deadline=None)
def test_anything_is_signed_or_refused(body: bytes | None, options: dict[str, str]) -> None:
    words = [f"{name}={value}" for name, value in options.items()]
    run("sign", *words, *([] if body is None else ["-"]), given=body or b"")


@given(body=st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_whatever_was_signed_verifies(body: bytes) -> None:
    signed = run("sign", "-", given=body)
    assert run("explain", "-", given=signed.stdout_bytes).exit_code == 0


@given(
    request=FILES | FILES.map(b"x-sayna-signature: v1=00\nx-sayna-timestamp: 1\n\n".__add__),
    at=NUMBERS,
    secret=WORDS,
)
@settings(max_examples=150, deadline=None)
def test_anything_is_explained_or_refused(request: bytes, at: str, secret: str) -> None:
    told = run("explain", f"--at={at}", f"--secret={secret}", "-", given=request)
    assert told.exit_code != 0


@given(words=st.lists(WORDS, max_size=4), command=st.sampled_from(["sign", "explain", "validate"]))
@settings(max_examples=150, deadline=None)
def test_any_words_behind_a_command_are_understood_or_refused(
    words: list[str], command: str
) -> None:
    run(command, *words)


@given(command=WORDS)
@settings(max_examples=50, deadline=None)
def test_an_unknown_command_is_refused(command: str) -> None:
    assume(not command.startswith("-"))
    assert run(command).exit_code == 2


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(tempfile.mkdtemp())


@given(content=FILES)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_script_is_validated_or_refused_with_its_name(folder: Path, content: bytes) -> None:
    path = folder / "any.sayna.toml"
    path.write_bytes(content)
    result = run("validate", str(path))
    assert result.exit_code == 0 or path.name in result.output


@given(content=FILES, suffix=st.sampled_from([".toml", ".json", ".txt"]))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_settings_are_read_or_refused_with_the_file(
    folder: Path, content: bytes, suffix: str
) -> None:
    path = folder / f"settings{suffix}"
    path.write_bytes(content)
    refusal = None
    try:
        loaded: object = load_settings(path)
    except Unusable as error:
        refusal = error
    assert isinstance(loaded, ServerSettings) if refusal is None else path.name in refusal.message
