"""Blankness as Sayna sees it: Unicode White_Space, less than `str.strip` takes (rest.md 14.1)."""

_NOT_WHITE_SPACE = "\x1c\x1d\x1e\x1f"


def trim(text: str) -> str:
    """Strip Unicode White_Space, to which U+001C to U+001F do not belong."""
    start, end = 0, len(text)
    while start < end and _is_white_space(text[start]):
        start += 1
    while end > start and _is_white_space(text[end - 1]):
        end -= 1
    return text[start:end]


def is_blank(text: str) -> bool:
    """Whether nothing is left after `trim`."""
    return not trim(text)


def _is_white_space(character: str) -> bool:
    return character.isspace() and character not in _NOT_WHITE_SPACE
