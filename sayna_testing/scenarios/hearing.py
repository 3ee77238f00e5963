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
    Recipe("one-word-answers", "answers of a single word count as answers", _one_word),
    Recipe("slow-speaker", "long pauses between words are not the end", _slow),
    Recipe("fast-speaker", "many interims in little time do not delay the answer", _fast),
    Recipe("very-long-utterance", "a minute of speech is heard to its end, then answered", _long),
    Recipe("late-final", "a final 1.5 s after the last word is waited for", _late),
    Recipe("mid-sentence-pause", "a final that is no end of speech is not answered", _pause),
    Recipe("forced-end-of-speech", "the server's empty end of speech ends the turn", _forced),
    Recipe("duplicate-final", "a final that comes twice is answered once", _duplicate),
    Recipe("changed-interims", "interims may be taken back", _changed),
    Recipe("out-of-order-interims", "interims may shrink and grow", _out_of_order),
    Recipe("no-interims", "a final without interims is answered", _no_interims),
    Recipe("low-confidence", "what was hardly understood is not met with silence", _low_confidence),
    Recipe("caller-repeats", "the same words again are answered again", _repeats),
    Recipe("noise-without-words", "empty interims are neither answered nor obeyed", _noise),
    Recipe("noise-over-speech", "empty interims do not stop the agent", _noise_over_speech),
    Recipe("noise-then-speech", "words behind a noise are answered", _noise_then_speech),
)
