"""How speech reaches an agent: early, late, twice, in pieces, in doubt, or not as speech at all."""

from __future__ import annotations

from sayna_testing.scenarios.model import ANSWERS, GREETED, Lines, Recipe
from sayna_testing.scripts import After, Says, Turn


def _one_word(lines: Lines) -> tuple[Turn, ...]:
    return (GREETED, Turn(caller=Says(text=lines.word), agent=ANSWERS, repeat=2))


def _heard_to_the_end(*said: Says) -> tuple[Turn, ...]:
    """Nothing is said while the caller speaks, and then there is an answer."""
    speaking = [Turn(caller=says, never=("speak",)) for says in said]
    return (GREETED, *speaking, Turn(agent=ANSWERS))


def _slow(lines: Lines) -> tuple[Turn, ...]:
    return _heard_to_the_end(Says(text=lines.request, wpm=80, hesitation=0.6))


def _fast(lines: Lines) -> tuple[Turn, ...]:
    return _heard_to_the_end(Says(text=f"{lines.request}. {lines.detail}", wpm=320))


def _long(lines: Lines) -> tuple[Turn, ...]:
    sentence = f"{lines.request}. {lines.detail}. {lines.change}."
    return _heard_to_the_end(Says(text=" ".join([sentence] * 6)))


def _late(lines: Lines) -> tuple[Turn, ...]:
    return _heard_to_the_end(Says(text=lines.request, late=1.5))


def _pause(lines: Lines) -> tuple[Turn, ...]:
    """The pause is shorter than the server's own patience (websocket.md 8.3)."""
    words = lines.request.split()
    begun, rest = " ".join(words[:-2]), " ".join(words[-2:])
    return (
        GREETED,
        Turn(caller=Says(text=begun, end_of_speech=False), never=("speak",)),
        Turn(wait=0.4, caller=Says(text=rest, wpm=200), never=("speak",)),
        Turn(agent=ANSWERS),
    )


def _forced(lines: Lines) -> tuple[Turn, ...]:
    return _heard_to_the_end(Says(text=lines.request, end_of_speech=False))


def _duplicate(lines: Lines) -> tuple[Turn, ...]:
    says = Says(text=lines.request, duplicate=True)
    return (GREETED, Turn(caller=says, agent=ANSWERS, never=("repetition",)))


def _interims(lines: Lines, *interims: str) -> tuple[Turn, ...]:
    return _heard_to_the_end(Says(text=lines.request, interims=interims))


def _changed(lines: Lines) -> tuple[Turn, ...]:
    return _interims(lines, "something that sounds quite different", "I", lines.request)


def _out_of_order(lines: Lines) -> tuple[Turn, ...]:
    words = lines.request.split()
    order = (3, 1, 4, 2, len(words))
    return _interims(lines, *(" ".join(words[:count]) for count in order))


def _no_interims(lines: Lines) -> tuple[Turn, ...]:
    return _heard_to_the_end(Says(text=lines.request, interims=False))


def _low_confidence(lines: Lines) -> tuple[Turn, ...]:
    return _heard_to_the_end(Says(text=lines.request, confidence=0.2))


def _repeats(lines: Lines) -> tuple[Turn, ...]:
    return (GREETED, Turn(wait=0.5, caller=Says(text=lines.request), agent=ANSWERS, repeat=2))


def _noise(_: Lines) -> tuple[Turn, ...]:
    return (GREETED, Turn(noise=2.5, never=("speak", "clear")))


def _noise_over_speech(_: Lines) -> tuple[Turn, ...]:
    noise = Turn(after=After(event="speech_started", delay=0.3), noise=1.5, never=("clear",))
    return (GREETED, noise)


def _noise_then_speech(lines: Lines) -> tuple[Turn, ...]:
    speech = Turn(noise=1.5, caller=Says(text=lines.request), never=("speak",))
    return (GREETED, speech, Turn(agent=ANSWERS))


RECIPES = (
    Recipe(
        "one-word-answers",
        _one_word,
        caller="answers with a single word, twice",
        shows="answers of a single word count as answers",
        catches="ignores single words",
    ),
    Recipe(
        "slow-speaker",
        _slow,
        caller="pauses before each word",
        shows="long pauses between words are not the end",
        catches="answers interims",
    ),
    Recipe(
        "fast-speaker",
        _fast,
        caller="speaks twice as fast as others",
        shows="many interims in little time do not delay the answer",
        catches="is slow with interims",
    ),
    Recipe(
        "very-long-utterance",
        _long,
        caller="speaks for a minute without a pause",
        shows="a minute of speech is heard to its end, then answered",
        catches="is slow with interims",
    ),
    Recipe(
        "late-final",
        _late,
        caller="speaks; the final comes 1.5 s after the last word",
        shows="a final 1.5 s after the last word is waited for",
        catches="answers interims",
    ),
    Recipe(
        "mid-sentence-pause",
        _pause,
        caller="pauses in the middle of a sentence, which comes as two finals",
        shows="a final that is no end of speech is not answered",
        catches="answers every piece",
    ),
    Recipe(
        "forced-end-of-speech",
        _forced,
        caller="speaks; the end is the server's own, without words",
        shows="the server's empty end of speech ends the turn",
        catches="waits for words at the end of speech",
    ),
    Recipe(
        "duplicate-final",
        _duplicate,
        caller="speaks; the final comes twice",
        shows="a final that comes twice is answered once",
        catches="answers twice",
    ),
    Recipe(
        "changed-interims",
        _changed,
        caller="speaks; interims take back what earlier ones said",
        shows="interims may be taken back",
        catches="trips over changed interims",
    ),
    Recipe(
        "out-of-order-interims",
        _out_of_order,
        caller="speaks; interims come out of order",
        shows="interims may shrink and grow",
        catches="trips over changed interims",
    ),
    Recipe(
        "no-interims",
        _no_interims,
        caller="speaks; no interim comes, only the final",
        shows="a final without interims is answered",
        catches="needs interims",
    ),
    Recipe(
        "low-confidence",
        _low_confidence,
        caller="speaks so that recognition is in doubt",
        shows="what was hardly understood is not met with silence",
        catches="ignores what it cannot be sure of",
    ),
    Recipe(
        "caller-repeats",
        _repeats,
        caller="says the same thing again after the answer",
        shows="the same words again are answered again",
        catches="answers nothing twice",
    ),
    Recipe(
        "noise-without-words",
        _noise,
        caller="makes a noise while nobody speaks",
        shows="empty interims are neither answered nor obeyed",
        catches="answers noise",
    ),
    Recipe(
        "noise-over-speech",
        _noise_over_speech,
        caller="makes a noise while the agent speaks",
        shows="empty interims do not stop the agent",
        catches="stops for noise",
    ),
    Recipe(
        "noise-then-speech",
        _noise_then_speech,
        caller="makes a noise, then speaks",
        shows="words behind a noise are answered",
        catches="answers noise",
    ),
)
