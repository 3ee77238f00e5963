import pytest

from sayna_testing.server.phone import tel_uri

NOT_A_DIGIT = "only digits (0-9) and optional leading '+' are allowed"
MISPLACED = "plus sign is only allowed at the beginning"


@pytest.mark.parametrize(
    ("number", "uri"),
    [
        ("+442071838750", "tel:+442071838750"),
        ("  00442071838750 ", "tel:00442071838750"),
        ("\u30007\u2028", "tel:7"),
    ],
)
def test_number_becomes_a_uri(number: str, uri: str) -> None:
    assert tel_uri(number) == uri


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "Phone number cannot be empty"),
        ("\u00a0\t", "Phone number cannot be empty"),
        ("+", "Phone number must contain at least one digit"),
        ("44+20", f"Invalid character '+' at position 2 - {MISPLACED}"),
        ("++44", f"Invalid character '+' at position 1 - {MISPLACED}"),
        ("+44 20", f"Invalid character ' ' at position 3 - {NOT_A_DIGIT}"),
        ("tel:+4420", f"Invalid character 't' at position 0 - {NOT_A_DIGIT}"),
        ("\u0664", f"Invalid character '\u0664' at position 0 - {NOT_A_DIGIT}"),
        ("1\x1f", f"Invalid character '\x1f' at position 1 - {NOT_A_DIGIT}"),
    ],
    ids=ascii,
)
def test_number_is_refused_with_the_reason(number: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        tel_uri(number)
    assert str(refused.value) == reason
