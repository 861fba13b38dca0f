"""Numbers in Vietnamese words, as a reader in the north says them. Pure.

num2words has Vietnamese, but reads 1015 as "một nghìn lẻ mười lăm" and 3.5 as "ba phẩy năm mươi".
"""

from __future__ import annotations

from typing import Final

DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_SCALES: Final = ("", "nghìn", "triệu", "tỷ", "nghìn tỷ")
LONGEST: Final = 3 * len(_SCALES)
"""Digits of the longest number that has a name here; a longer one is read digit by digit."""

ROMAN: Final = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def whole(digits: str) -> str:
    """A whole number: `1250000` → "một triệu hai trăm năm mươi nghìn". `digits` is one or more of 0-9."""
    number = digits.lstrip("0") or "0"
    if len(number) > LONGEST:
        return one_by_one(digits)
    if number == "0":
        return DIGITS[0]
    groups = [int(number[max(0, end - 3) : end]) for end in range(len(number), 0, -3)]
    words = []
    for place in reversed(range(len(groups))):
        if groups[place]:
            words.append(_below_thousand(groups[place], full=place + 1 < len(groups)))
            words.append(_SCALES[place])
    return " ".join(word for word in words if word)


def decimal(digits: str, fraction: str) -> str:
    """A number with a comma: `3`, `5` → "ba phẩy năm"."""
    together = len(fraction) <= 2 and not fraction.startswith("0")
    return f"{whole(digits)} phẩy {whole(fraction) if together else one_by_one(fraction)}"


def one_by_one(digits: str) -> str:
    """Each digit by itself, as telephone numbers and codes are read."""
    return " ".join(DIGITS[int(digit)] for digit in digits)


def ordinal(digits: str) -> str:
    """What stands after "thứ" and "tháng": the first and the fourth have names of their own."""
    return {"1": "nhất", "4": "tư"}.get(digits.lstrip("0"), whole(digits))


def month(digits: str) -> str:
    """What stands after "tháng"."""
    return "tư" if digits.lstrip("0") == "4" else whole(digits)


def roman(text: str) -> str | None:
    """The digits of a Roman numeral below 4000; None if it is none: `XIV` → `14`."""
    rest, value = text, 0
    for worth, sign in ROMAN:
        while rest.startswith(sign):
            rest, value = rest[len(sign) :], value + worth
    return str(value) if value and not rest and to_roman(value) == text else None


def to_roman(value: int) -> str:
    """The one right way to write a number from 1 to 3999."""
    text = ""
    for worth, sign in ROMAN:
        count, value = divmod(value, worth)
        text += sign * count
    return text


def _below_thousand(number: int, *, full: bool) -> str:
    """`full`: something stands before it, so that the hundreds are said even where there are none."""
    hundreds, rest = divmod(number, 100)
    words = [f"{DIGITS[hundreds]} trăm"] if hundreds or full else []
    tens, ones = divmod(rest, 10)
    if tens == 0:
        if ones:
            words.append(f"linh {DIGITS[ones]}" if words else DIGITS[ones])
    elif tens == 1:
        words.append("mười" + (f" {'lăm' if ones == 5 else DIGITS[ones]}" if ones else ""))
    else:
        last = {0: "", 1: " mốt", 4: " tư", 5: " lăm"}.get(ones, f" {DIGITS[ones]}")
        words.append(f"{DIGITS[tens]} mươi{last}")
    return " ".join(words)
