"""What to say next: rules only, so that it can be tested without a voice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUESTIONS = {
    "people": "Of course. For how many people shall I book the table?",
    "day": "Very good, and on which day would you like to come?",
    "time": "That evening is still free. At what time may we expect you?",
    "name": "There is a table by the window. What name shall I put it under, please?",
}


def _number(text: str) -> str | None:
    words = re.findall(r"[a-z]+", text.lower())
    return next((word for word in words if word in NUMBERS), None)


def _day(text: str) -> str | None:
    return next((day for day in DAYS if day.lower() in text.lower()), None)


def _name(text: str) -> str | None:
    found = re.search(r"name is ([A-Z][\w'-]*(?: [A-Z][\w'-]*)*)", text)
    return found[1] if found else None


READERS = {"people": _number, "day": _day, "time": _number, "name": _name}


@dataclass
class Dialogue:
    """The state of one booking: which answers are in, and whether it was confirmed."""

    greeting: str = "Hello, this is the Harbour Kitchen. How can I help you today?"
    booking: dict[str, str] = field(default_factory=dict)
    asked: str | None = None
    confirmed: bool = False

    def answer(self, said: str) -> str:
        """What the agent says to what it heard."""
        if "goodbye" in said.lower():
            return "Thank you for calling the Harbour Kitchen. Goodbye!"
        if "parking" in said.lower():
            return "Yes, there is a car park behind the house, and it is free for our guests."
        if self.asked in READERS and (value := READERS[self.asked](said)):
            self.booking[self.asked] = value
        if self.asked == "confirmation":
            return self._confirm(said)
        return self._next_question()

    def _next_question(self) -> str:
        missing = [part for part in QUESTIONS if part not in self.booking]
        if missing:
            self.asked = missing[0]
            return QUESTIONS[missing[0]]
        self.asked = "confirmation"
        return (
            "So that is a table for {people} people on {day} at {time}, under the name of {name}. "
            "Is that right?"
        ).format(**self.booking)

    def _confirm(self, said: str) -> str:
        if re.search(r"\b(yes|right|correct)\b", said, re.IGNORECASE):
            self.confirmed = True
            return "Wonderful, your table is booked. Is there anything else I can do for you?"
        self.booking.clear()
        return self._next_question()
