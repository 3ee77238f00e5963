"""Scripts: what is accepted, and how what is not is refused."""

from __future__ import annotations

import contextlib
import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayna_testing.scripts import (
    After,
    Agent,
    Fault,
    Message,
    MessageMatch,
    Participants,
    Person,
    Says,
    Script,
    ScriptError,
    TextMatch,
    Turn,
    dumps,
    load,
    loads,
    schema,
)

ROOT = Path(__file__).parent.parent.parent

GOOD = """
name = "a table for two"
caller = { wpm = 180 }

[[turn]]
agent = { contains = "how can I help", within = "1s" }

[[turn]]
wait = "250ms"
caller = "A table for two"
agent = { matches = "what time|when", within = 0.8 }

[[turn]]
hang_up = true
"""


def test_a_script_is_the_same_in_toml_and_in_python() -> None:
    assert loads(GOOD) == Script(
        name="a table for two",
        caller=Person(wpm=180),
        turns=(
            Turn(agent=Agent(contains="how can I help", within=1.0)),
            Turn(
                wait=0.25,
                caller=Says(text="A table for two"),
                agent=Agent(matches="what time|when", within=0.8),
            ),
            Turn(hang_up=True),
        ),
    )


def test_a_turn_knows_the_line_it_stands_at(tmp_path: Path) -> None:
    path = tmp_path / "two.sayna.toml"
    path.write_text(GOOD)
    script = load(path)
    assert [script.where(number) for number in range(3)] == [
        "two.sayna.toml:5",
        "two.sayna.toml:8",
        "two.sayna.toml:13",
    ]
    assert Script(name="built", turns=(Turn(hang_up=True),)).where(0) == "turn 1 of 'built'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'name = "x"\n[[turn]]\nagnet = { contains = "a" }\n',
            's.toml:3: turn[1].agnet: unknown key; did you mean "agent"?'
            " (expected one of: wait, after, fault, participant, message, noise, caller, agent,"
            " never, hang_up, reconnect, repeat)",
        ),
        (
            'name = "x"\n[[turn]]\nagent = { contians = "a" }\n',
            's.toml:3: turn[1].agent.contians: unknown key; did you mean "contains"?'
            " (expected one of: equals, contains, matches, any, partial, clear, message, transfer,"
            " loading, silent, hangs_up, within)",
        ),
        (
            'nmae = "x"\n[[turn]]\nhang_up = true\n',
            's.toml:1: nmae: unknown key; did you mean "name"?',
        ),
        (
            'name = "x"\n[[turn]]\nhang_up = true\n[[turn]]\nwait = "soon"\n',
            's.toml:5: turn[2].wait: expected a duration such as "400ms", "1.5s" or "2m",'
            ' got "soon"',
        ),
        (
            'name = "x"\n[[turn]]\ncaller = 5\n',
            "s.toml:3: turn[1].caller: expected a text or a table, got 5",
        ),
        (
            'name = "x"\n\n[[turn]]\n',
            "s.toml:3: turn[1]: expected at least one of wait, after, fault, participant, message,"
            " noise, caller, agent, hang_up, reconnect",
        ),
        (
            'name = "x"\ncaller = { wpm = 20 }\n[[turn]]\nhang_up = true\n',
            "s.toml:2: caller.wpm: input should be greater than or equal to 80, got 20",
        ),
        (
            'name = "x"\n[[turn]]\nagent = { matches = "(" }\n',
            "s.toml:3: turn[1].agent: matches: expected a regular expression:",
        ),
        (
            'name = "x"\n[[turn]]\nafter = { event = "spek" }\n',
            "s.toml:3: turn[1].after.event: got 'spek'; did you mean \"speak\"?",
        ),
        (
            'name = "x"\n[[turn]]\nnever = ["juggling"]\nwait = 1\n',
            "s.toml:3: turn[1].never[1]: got 'juggling' (expected one of: speak, clear,",
        ),
        (
            'name = "x"\n[[turn]]\nagent = { any = [{ contians = "x" }] }\n',
            "s.toml:3: turn[1].agent.any[1].contians: unknown key; did you mean",
        ),
        (
            'name = "x"\n[[turn]]\ncaller = { txt = "a" }\n',
            's.toml:3: turn[1].caller.txt: unknown key; did you mean "text"?',
        ),
        (
            'name = "x"\n[[turn]]\nagent = { clear = true, contains = "a" }\n',
            "s.toml:3: turn[1].agent: expected one thing, got clear and equals, contains",
        ),
        (
            'name = "x"\n[[turn]]\nagent = { equals = "b", any = [{ contains = "a" }] }\n',
            "s.toml:3: turn[1].agent: expected one thing, got equals, contains or matches and any",
        ),
        (
            'name = "x"\n[[turn]]\nparticipant = {}\n',
            "s.toml:3: turn[1].participant: expected either joins or leaves",
        ),
        (
            'name = "x"\n[[turn]]\nfault = { name = "recogniser_fail" }\n',
            's.toml:3: turn[1].fault.name: got "recogniser_fail"; did you mean "recogniser_fails"?'
            " (expected one of: audio_cut, closed,",
        ),
        (
            'name = "x"\n[[turn]]\nfault = { name = "reset", with = { att = "speak" } }\n',
            's.toml:3: turn[1].fault: with.att: got "att"; did you mean "at"?'
            " (expected one of: at, nth, times, chance, session)",
        ),
        (
            'name = "x"\n[[turn]]\nfault = { name = "line_drops", with = { code = 1 } }\n',
            's.toml:3: turn[1].fault: with.code: got "code" (expected one of: nothing)',
        ),
        (
            'name = "x"\n[[turn]]\nfault = { name = "recognition_fails" }\n',
            "s.toml:3: turn[1].fault: with: missing a required",
        ),
        (
            'name = "x"\n[[turn]]\nfault = { name = "closed", with = { code = 7 } }\n',
            "s.toml:3: turn[1].fault: code: expected 1000 to 4999 or None, got 7",
        ),
        (
            'name = "x"\n[[turn]]\nfault = { name = "frame_dropped" }\n',
            "s.toml:3: turn[1].fault: with: ",
        ),
        ('name = "x"\n', "s.toml:1: turn: this key is required"),
        ('name = "x"\nturn = []\n', "s.toml:2: turn: tuple should have at least 1 item"),
        ('name = "x\n', "s.toml:1: not TOML: "),
        ('[caller]\nwpm = "fast"\n', "s.toml:1: name: this key is required"),
        (
            'name = "x"\n[caller]\nwpm = "fast"\n[[turn]]\nhang_up = true\n',
            "s.toml:3: caller.wpm: input should be a valid number",
        ),
        (
            'name = "x"\n[[turn]]\nwait = 1\n[turn.agent]\ncontains = 7\n',
            "s.toml:5: turn[1].agent.contains: input should be a valid string, got 7",
        ),
        (
            f'name = "x"\n[[turn]]\ncaller = [{", ".join(["1"] * 90)}]\n',
            "s.toml:3: turn[1].caller: expected a text or a table, got [1, 1,",
        ),
    ],
)
def test_a_bad_script_is_refused_with_file_line_and_what_was_expected(
    text: str, message: str
) -> None:
    with pytest.raises(ScriptError) as caught:
        loads(text, source="s.toml")
    assert str(caught.value).startswith(message)


FULL = Script(
    name='every "thing"',
    caller=Person(wpm=200, from_number="+447700900001", to_number="+442079460001"),
    turns=(
        Turn(after=After(event="ready", delay=0.25, within=2), agent=Agent(contains="a\n\x7fb")),
        Turn(
            caller=Says(
                text="no, wait",
                wpm=240,
                hesitation=0.1,
                confidence=0.5,
                interims=("no", "now wait"),
                late=0.3,
                duplicate=True,
                end_of_speech=False,
            ),
            agent=Agent(clear=True, within=0.15),
            never=("sip_transfer", "speak"),
            repeat=2,
        ),
        Turn(agent=Agent(any=(TextMatch(equals="yes"), TextMatch(matches="y.*")), partial=True)),
        Turn(message=Message(text="hi", topic="chat", sender="guest"), noise=1.5),
        Turn(agent=Agent(message=MessageMatch(contains="ok", topic="t", role="assistant"))),
        Turn(participant=Participants(joins="guest"), agent=Agent(transfer="+442079460002")),
        Turn(participant=Participants(leaves="guest"), agent=Agent(loading="start")),
        Turn(fault=Fault(name="reset", options={"at": "speak", "nth": 2, "chance": 0.5})),
        Turn(reconnect=True, agent=Agent(silent=1.0)),
        Turn(wait=0.5, agent=Agent(hangs_up=True)),
        Turn(hang_up=True),
    ),
)


def test_a_script_written_as_toml_reads_back_the_same() -> None:
    assert loads(dumps(FULL)) == FULL
    assert hash(loads(dumps(FULL))) == hash(FULL)
    assert FULL != "a script"


def turn(wait: float, said: str, contains: str, within: float) -> Turn:
    agent = Agent(contains=contains, within=within)
    return Turn(wait=wait, caller=Says(text=said), agent=agent)


TEXTS = st.text(min_size=1)
TURNS = st.builds(turn, st.floats(0, 1e6), TEXTS, st.text(), st.floats(0, 100))


@given(
    st.builds(
        lambda name, turns: Script(name=name, turns=tuple(turns)),
        TEXTS,
        st.lists(TURNS, min_size=1, max_size=3),
    )
)
def test_any_script_reads_back_the_same(script: Script) -> None:
    assert loads(dumps(script)) == script


def test_the_published_schema_is_that_of_the_code_and_takes_every_script_here() -> None:
    published = json.loads((ROOT / "docs/sayna-script.schema.json").read_text())
    assert published == schema()
    validator = jsonschema.Draft202012Validator(published)
    scripts = [path for path in ROOT.rglob("*.sayna.toml") if ".venv" not in path.parts]
    assert scripts
    for path in scripts:
        validator.validate(tomllib.loads(path.read_text()))
    validator.validate(tomllib.loads(dumps(FULL)))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"name": "x", "turn": [{"agnet": {}}]})


def test_the_error_carries_its_place_as_values() -> None:
    with pytest.raises(ScriptError) as caught:
        loads('name = "x"\n[[turn]]\nhang_up = "maybe"\n', source="s.toml")
    assert (caught.value.source, caught.value.line) == ("s.toml", 3)
    assert caught.value.key == "turn[1].hang_up"


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "binary.sayna.toml"
    path.write_bytes(b'name = "x"\n\xff\xfe')
    with pytest.raises(ScriptError, match=r"binary\.sayna\.toml:2: expected UTF-8 text"):
        load(path)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.sayna.toml")


@given(st.text())
def test_any_text_is_a_script_or_a_script_error(text: str) -> None:
    with contextlib.suppress(ScriptError):
        assert loads(text).turns


KEYS = st.sampled_from([*Turn.model_fields, "contains", "within", "txt", "agnet", "x"])
VALUES = st.recursive(
    st.sampled_from(["400ms", "", "soon", "reset", "clear", True, False, 0, -1, 7, 0.5, 1e300]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=3))
def test_any_keys_and_values_are_a_script_or_an_error_that_names_a_line(
    turns: list[dict[str, object]],
) -> None:
    lines = ['name = "x"']
    for keys in turns:
        lines.append("[[turn]]")
        lines += [f"{key} = {toml(value)}" for key, value in keys.items()]
    text = "\n".join(lines)
    refused = None
    try:
        script = loads(text, source="s.toml")
        assert loads(dumps(script)) == script
    except ScriptError as error:
        refused = error
    if refused is not None:
        assert 1 <= refused.line <= len(lines)
        assert str(refused).startswith(f"s.toml:{refused.line}: ")


def toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return json.dumps(value)
