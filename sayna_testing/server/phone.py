"""Phone numbers as Sayna takes them (rest.md 14.1, websocket.md 4.7)."""

from sayna_testing.server.text import trim

_DIGITS = frozenset("0123456789")


def tel_uri(number: str) -> str:
    """Return `tel:` and the trimmed number; raises ValueError with the server's reason."""
    trimmed = trim(number)
    if not trimmed:
        raise ValueError("Phone number cannot be empty")
    for position, character in enumerate(trimmed):
        if character == "+" and position:
            raise ValueError(
                f"Invalid character '+' at position {position}"
                " - plus sign is only allowed at the beginning"
            )
        if character != "+" and character not in _DIGITS:
            raise ValueError(
                f"Invalid character '{character}' at position {position}"
                " - only digits (0-9) and optional leading '+' are allowed"
            )
    if trimmed == "+":
        raise ValueError("Phone number must contain at least one digit")
    return f"tel:{trimmed}"
