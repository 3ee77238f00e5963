"""The golden cases are well-formed, complete, and say where they come from."""

import re
from collections import Counter

import pytest

from tests.server.golden.cases import load

CASES = load()
REST_SECTIONS = ["1", "3", *(f"4.{n}" for n in range(1, 5)), "5", *(f"6.{n}" for n in range(1, 4))]
REST_SECTIONS += ["7", *(f"8.{n}" for n in (1, 2, 3, 4, 6)), "9", "10", "11", "12", "13"]
REST_SECTIONS += [*(f"14.{n}" for n in range(1, 4)), *(f"15.{n}" for n in range(1, 5)), "16"]
WS_SECTIONS = ["1", "1.1", "1.2", "2", "2.1", "3", *(f"4.{n}" for n in range(1, 9))]
WS_SECTIONS += [*(f"4.2.{n}" for n in range(1, 8)), *(f"5.{n}" for n in range(1, 6))]
WS_SECTIONS += [
    *(f"6.{n}" for n in range(1, 6)),
    *(f"7.{n}" for n in range(1, 4)),
    "8.1",
    "8.2",
    "8.3",
]
WS_SECTIONS += ["8.5", "8.6", *(f"9.{n}" for n in range(1, 6)), "10.1", "10.2", "11", "12"]
WS_SECTIONS += [f"13.{n}" for n in range(1, 5)]


def named_sections() -> set[str]:
    found: set[str] = set()
    for case in CASES:
        document, text = case.section.split(" ", 1)
        for part in text.split(","):
            words = part.split()
            if words[0].endswith(".md"):
                found.add(f"{words[0]} {words[1]}")
            else:
                found.add(f"{document} {words[0]}")
    return found


@pytest.mark.parametrize(
    "section",
    [f"rest.md {s}" for s in REST_SECTIONS] + [f"websocket.md {s}" for s in WS_SECTIONS],
)
def test_every_section_that_says_what_is_answered_has_cases(section: str) -> None:
    assert section in named_sections()


def test_names_are_unique_and_there_are_well_over_500() -> None:
    assert [name for name, count in Counter(case.id for case in CASES).items() if count > 1] == []
    assert len(CASES) > 1000


KNOWN = {
    *("uuid", "ms", "seconds", "token", "id", "signature", "audio", "client text", "client"),
    *("repeat", "hex", "livekit", "livekit token", "auth-service", "receiver"),
}


def test_placeholders_are_known() -> None:
    unknown = [
        (case.id, name)
        for case in CASES
        for step in case.steps
        for text in step.texts.values()
        for name in re.findall(r"\{\{([a-zA-Z][\w -]*?)(?=[ +}])", text)
        if name not in KNOWN
    ]
    assert unknown == []
