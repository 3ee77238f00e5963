"""Numbers and JSON written the way Rust writes them (websocket.md 5.2)."""

import json
import struct
from collections.abc import Iterable
from typing import Any, cast

F64_SPAN = (-5, 16)
F32_SPAN = (-6, 13)


def float_text(value: float) -> str:
    """Write a float in the fewest digits that read back the same."""
    return _notation(repr(value), F64_SPAN)


def f32_text(value: float) -> str:
    """Write a finite float in the fewest digits that read back the same 32 bits."""
    rounded = f32(value)
    shortest = next(
        text for digits in range(1, 10) if f32(float(text := f"{rounded:.{digits}g}")) == rounded
    )
    return _notation(repr(float(shortest)), F32_SPAN)


def f32(value: float) -> float:
    """Round to 32 bits; beyond their range it is infinite."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


def _notation(shortest: str, span: tuple[int, int]) -> str:
    """Put Python's digits in Rust's notation: plain while the point lies within `span`."""
    sign, unsigned = ("-", shortest[1:]) if shortest.startswith("-") else ("", shortest)
    mantissa, _, exponent = unsigned.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0").rstrip("0")
    if not digits:
        return f"{sign}0.0"
    leading_zeros = len(whole + fraction) - len((whole + fraction).lstrip("0"))
    point = len(whole) + int(exponent or 0) - leading_zeros
    return sign + _placed(digits, point, span)


def _placed(digits: str, point: int, span: tuple[int, int]) -> str:
    """Write digits with the point before the one of index `point`, which may lie outside."""
    lowest, highest = span
    if len(digits) <= point <= highest:
        return f"{digits}{'0' * (point - len(digits))}.0"
    if 0 < point <= highest:
        return f"{digits[:point]}.{digits[point:]}"
    if lowest < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1}"


def json_text(value: Any) -> str:
    """Write compact JSON with sorted keys and unescaped Unicode, as serde_json writes a `Value`."""
    match value:
        case dict():
            pairs = cast("dict[str, Any]", value)
            texts = (f"{json_text(key)}:{json_text(pairs[key])}" for key in sorted(pairs))
            return f"{{{','.join(texts)}}}"
        case list():
            return f"[{','.join(map(json_text, cast('Iterable[Any]', value)))}]"
        case float():
            return float_text(value)
        case _:
            return json.dumps(value, ensure_ascii=False)
