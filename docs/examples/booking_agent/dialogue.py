"""What to say next: rules only, so that it can be tested without a voice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GREETING = "Hello, this is the Harbour Kitchen. How can I help you today?"
QUESTIONS = {
    "people": "Of course. For how many people shall I book the table?",
    "day": "Very good, and on which day would you like to come?",
    "time": "That evening is still free. At what time may we expect you?",
    "name": "There is a table by the window. What name shall I put it under, please?",
}
SUMMARY = (
    "So that is a table for {people} people on {day} at {time}, under the name of {name}. "
    "Is that right?"
)
PROMPTS = (
    "Are you still there?",
    "I cannot hear anybody, so I will hang up. Please call again. Goodbye!",
)


def _number(text: str) -> str | None:
    words = re.findall(r"[a-z]+|[0-9]+", text.lower())
    return next((word for word in words if word in NUMBERS or word.isdigit()), None)


def _day(text: str) -> str | None:
    return next((day for day in DAYS if day.lower() in text.lower()), None)


def _name(text: str) -> str | None:
    found = re.search(r"name is ([A-Z][\w'-]*(?: [A-Z][\w'-]*)*)", text)
    return found[1] if found else None


READERS = {"people": _number, "day": _day, "time": _number, "name": _name}


@dataclass
class Dialogue:
    """The state of one booking: which answers are in, and whether it was confirmed."""

    booking: dict[str, str] = field(default_factory=dict)
    asked: str | None = None
    confirmed: bool = False
    prompts: list[str] = field(default_factory=lambda: list(PROMPTS))

    def begin(self) -> str:
        """What the agent says first, also when a lost call is taken up again."""
        return GREETING if self.asked is None else f"We were cut off, sorry. {self._next()}"

    def prompt(self) -> str | None:
        """What the agent says when nobody speaks; None when it has said all there is to say."""
        return self.prompts.pop(0) if self.prompts else None

    def give_up(self) -> str:
        """What the agent says when it cannot hear."""
        self.prompts = []
        return "I am sorry, the line is broken and I cannot hear you. Please call again. Goodbye!"

    def answer(self, said: str) -> str:
        """What the agent says to what it heard."""
        self.prompts = list(PROMPTS)
        if "parking" in said.lower():
            return "Yes, there is a car park behind the house, and it is free for our guests."
        if self.confirmed or "goodbye" in said.lower():
            self.prompts = []
            return "Thank you for calling the Harbour Kitchen. Goodbye!"
        if self.asked == "confirmation":
            return self._confirm(said)
        if self.asked and (value := READERS[self.asked](said)):
            self.booking[self.asked] = value
        return self._next()

    def _next(self) -> str:
        """The next question."""
        missing = [part for part in QUESTIONS if part not in self.booking]
        self.asked = missing[0] if missing else "confirmation"
        return QUESTIONS.get(self.asked, SUMMARY).format(**self.booking)

    def _confirm(self, said: str) -> str:
        if re.search(r"\b(no|not|wrong)\b", said, re.IGNORECASE):
            self.booking.clear()
        elif re.search(r"\b(yes|right|correct)\b", said, re.IGNORECASE):
            self.confirmed = True
            return "Wonderful, your table is booked. Is there anything else I can do for you?"
        return self._next()
