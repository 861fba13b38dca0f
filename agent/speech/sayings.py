"""What is said for what a rule of agent.speech.vietnamese has found. Pure."""

from __future__ import annotations

import re
from typing import Final

from agent.speech.abbreviations import AFTER_SLASH, LETTERS, MONEY, SPELLED, UNITS, WORDS
from agent.speech.numerals import decimal, month, one_by_one, ordinal, roman, whole

DAY: Final = r"(?:[12][0-9]|3[01]|0?[1-9])"
MONTH: Final = r"(?:1[0-2]|0?[1-9])"
SHORT: Final = rf"{DAY}/{MONTH}"

# ---- addresses


def address(host: str, path: str = "") -> str:
    """`xa.example/phan-anh`, without its slashes."""
    said = " chấm ".join(_label(label) for label in host.split(".") if label)
    # a person names a short path, and spares everybody a long one
    parts = [part for part in path.split("?", maxsplit=1)[0].split("/") if part]
    if parts and len(path) <= 40 and all(re.fullmatch(r"[A-Za-z-]+", part) for part in parts):
        said += "".join(f" gạch chéo {part.replace('-', ' ')}" for part in parts)
    return said


def _label(label: str) -> str:
    return spell(label.upper()) if label.lower() == "vn" else re.sub(r"[-_]+", " ", label)


def url(match: re.Match[str]) -> str:
    """The address of a page; the point that ends the sentence is no part of it."""
    written = match["address"].rstrip(".,;:!?)\"'")
    host, _, path = written.partition("/")
    return address(host, path) + match["address"][len(written) :]


def mail(match: re.Match[str]) -> str:
    """An e-mail address."""
    return f"{address(match['name'])} a còng {address(match['host'])}"


# ---- days and hours


def date(text: str, called: bool) -> str:
    """`28/11`, `28/11/2026`; `called`: "ngày" stands before it already."""
    day, which, *year = re.split(r"[/.-]", text)
    said = f"{whole(day)} tháng {month(which)}" + (f" năm {whole(year[0])}" if year else "")
    return said if called else f"ngày {said}"


def full_date(match: re.Match[str]) -> str:
    """A date with its year."""
    before = match["before"] or ""
    return before + date(match["date"], called=bool(before))


def days(match: re.Match[str]) -> str:
    """`5-10/12`, `28/11-03/12`."""
    before = match["before"] or ""
    first = match["first"]
    begin = date(first, True) if "/" in first else whole(first)
    return f"{before or 'ngày '}{begin} đến {date(match['last'], False)}"


def short_date(match: re.Match[str]) -> str:
    """`28/11`, `30/4 và 1/5`; `3/4` alone is a fraction, unless a word before it says that it is a day."""
    before, day, which = match["before"] or "", match["day"], match["month"]
    if before:
        called = before.lower().split()[-1] in {"ngày", "mồng", "mùng"}
    elif "0" in (day[0], which[0]) or (int(day) > int(which) and f"{day}/{which}" != "24/7"):
        called = False
    else:
        return match[0]
    more = re.sub(SHORT, lambda found: date(found[0], False), match["more"])
    return before + date(f"{day}/{which}", called) + more


def clock(text: str) -> str:
    """`19h30`, `19:30:05`, `7h`."""
    parts = [part for part in re.split(r"[^0-9]+", text) if part]
    said = f"{whole(parts[0])} giờ"
    for part, unit in zip(parts[1:], ("phút", "giây"), strict=False):
        if int(part) or unit == "giây":
            said += f" {whole(part)} {unit}"
    return said


# ---- numbers


def number(text: str) -> str:
    """A number as it is written: `1.250.000`, `3,5`, `012345678901`."""
    if re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3}){2,}", text):
        return whole(text.replace(",", ""))
    is_grouped = re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?", text) is not None
    if is_grouped:
        text = text.replace(".", "")
    digits, _, fraction = text.replace(".", ",").partition(",")
    if fraction:
        return decimal(digits, fraction)
    # a code, an account, a card: nobody reads so many digits as one number, nor zeros in front
    is_code = not is_grouped and (len(digits) > 9 or (len(digits) > 2 and digits.startswith("0")))
    return one_by_one(digits) if is_code else whole(digits)


def measure(match: re.Match[str]) -> str:
    """A number and its unit: `60 km/h`, `15.000đ/kg`."""
    unit, per = match["unit"], match["per"]
    said = f"{number(match['number'])} {UNITS[unit]}"
    if per:
        count = f"{whole(match['count'])} " if match["count"] else ""
        said += f" {'một' if unit in MONEY else 'trên'} {count}{AFTER_SLASH[per]}"
    return said


def phone(match: re.Match[str]) -> str:
    """In the groups that it is written in; without any, as people group it."""
    written = match["phone"]
    groups = re.findall(r"[0-9]+", written)
    if len(groups) == 1 and len(groups[0]) > 6:
        digits = groups[0]
        groups = [digits[:-6], digits[-6:-3], digits[-3:]]
    plus = "cộng " if written.startswith("+") else ""
    return plus + ", ".join(one_by_one(group) for group in groups)


def called(match: re.Match[str]) -> str:
    """Short numbers that can be called, `113` or `1022`, behind what says so."""
    return match["before"] + re.sub(r"[0-9]+", lambda found: one_by_one(found[0]), match["numbers"])


def called_phone(match: re.Match[str]) -> str:
    """A telephone number without its zero, behind what says that it is one."""
    return match["before"] + phone(match)


# ---- abbreviations


def spell(letters: str) -> str:
    """Letter by letter."""
    return " ".join(LETTERS.get(letter, letter) for letter in letters)


def capitals(match: re.Match[str]) -> str:
    """A word of capitals: an abbreviation that is known or has no vowel; else it is a word."""
    word = match[0]
    if word in WORDS:
        return WORDS[word]
    parts = re.split(r"[-&]", word)
    if len(parts) > 1:
        return " ".join(_short_word(part) for part in parts if part)
    return _short_word(word)


def _short_word(word: str) -> str:
    if word in WORDS:
        return WORDS[word]
    has_vowel = any(letter not in LETTERS or letter in "AEIOUY" for letter in word)
    return spell(word) if word in SPELLED or (not has_vowel and 2 <= len(word) <= 6) else word


def roman_numeral(match: re.Match[str]) -> str:
    """A Roman numeral behind a word that has one; what is none is left."""
    digits = roman(match["roman"])
    if digits is None:
        return match[0]
    year = f" năm {whole(match['year'])}" if match["year"] else ""
    is_ordinal = match["before"].rstrip().lower().endswith("thứ")
    return match["before"] + (ordinal(digits) if is_ordinal else whole(digits)) + year


def document(match: re.Match[str]) -> str:
    """The number of a document: `12/2026/QĐ-UBND`."""
    year = f" năm {whole(match['year'])}" if match["year"] else ""
    return f"{whole(match['number'])}{year}, {match['kind'].replace('-', ' ')}"
