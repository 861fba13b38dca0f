"""Writing systems beyond Latin that the board can set: which letters, which font of fonts-noto-core. Pure.

All of them are written from left to right. Letters that run from right to left have no font here on purpose:
without the bidirectional algorithm (UAX #9) they would stand in the wrong order.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True)
class Script:
    """One writing system."""

    tag: str
    """ISO 15924: what the shaper must be told, or it leaves vowels and marks where they were typed."""
    name: str
    family: str
    """Font file without weight and suffix."""
    blocks: tuple[tuple[int, int], ...]
    """Code points, first and last, of its blocks in Unicode."""
    proof: str
    """Its highest and its lowest letters: a line must hold them."""


SCRIPTS: Final = (
    Script(
        "Khmr", "Khmer", "NotoSansKhmer", ((0x1780, 0x17FF), (0x19E0, 0x19FF)),
        "ខ្ញុំ ស្ត្រី ព្រឹត្តិ ញ្ញុំ ក្រុំ ត្រៀម ប៉័ង ញ៉ាំ ភ្លឺ៍",
    ),
    Script("Cham", "Cham", "NotoSansCham", ((0xAA00, 0xAA5F),), "ꨆꨴꨮꩌ ꨚꨯꨱꨥ ꨓꨯꨱꩀ ꨧꨳꨪꩌ ꨠꨶꨭꩃ"),
    Script("Tavt", "Tai Viet", "NotoSansTaiViet", ((0xAA80, 0xAADF),), "ꪹꪝꪸꪙ꪿ ꪵꪠꪰ꫁ ꪼꪕꪲ꫁ ꪁꪴ ꪻꪊ"),
    Script("Thai", "Thai", "NotoSansThai", ((0x0E01, 0x0E3A), (0x0E40, 0x0E5B)), "ปู่ ที่ น้ำ ญู๋ ฎุ กี๊"),
    Script("Laoo", "Lao", "NotoSansLao", ((0x0E80, 0x0EFF),), "ຊື່ ນ້ຳ ປູ່ ຫຼຸ ກີ໊"),
    Script("Hmng", "Pahawh Hmong", "NotoSansPahawhHmong", ((0x16B00, 0x16B8F),), "𖬀𖬰 𖬂𖬶 𖬋𖬲"),
    Script(
        "Hmnp", "Nyiakeng Puachue Hmong", "NotoSerifNyiakengPuachueHmong", ((0x1E100, 0x1E14F),), "𞄀𞄰 𞄐𞄦 𞄃𞄵"
    ),
)  # fmt: skip

SYMBOLS: Final = ("NotoSansSymbols", "NotoSansSymbols2", "NotoSansMath")
"""Families for what is no letter: arrows, signs, and those of the emoji that are black and white."""

MARK_PICTURE: Final = "\ufe0e\ufe0f"
"""Variation selectors: they ask for an emoji in colour or in black, and are nothing by themselves."""

ZERO_WIDTH_SPACE: Final = "\u200b"
COENG: Final = "\u17d2"
"""Khmer: the consonant behind it stands below the one before it."""
BEFORE_ITS_CONSONANT: Final = frozenset(
    map(chr, (*range(0xE40, 0xE45), *range(0xEC0, 0xEC5), 0xAAB5, 0xAAB6, 0xAAB9, 0xAABB, 0xAABC))
)
"""Vowels that are written, and typed, before the consonant after which they are spoken (UCD: PropList,
Logical_Order_Exception)."""
_BROKEN_BY_DICTIONARY: Final = re.compile(r"[\u0e01-\u0eff\u1780-\u17ff]")
"""Thai, Lao, Khmer: written without spaces between words (UAX #14, class SA), and ICU knows their words."""


@cache
def script_of(char: str) -> Script | None:
    """The script of a letter that the board's own face does not have; None for any other."""
    point = ord(char)
    return next((one for one in SCRIPTS if any(a <= point <= b for a, b in one.blocks)), None)


def families_of(char: str) -> tuple[str, ...]:
    """Font families that may have this character, best first."""
    script = script_of(char)
    if script is not None:
        return (script.family,)
    return SYMBOLS if unicodedata.category(char)[0] in "SPN" else ()


def draws_nothing(char: str) -> bool:
    """Whether the character is not meant to be seen by itself."""
    return char in MARK_PICTURE or unicodedata.category(char) in {"Cf", "Cc", "Zs", "Zl", "Zp"}


def is_letter(char: str) -> bool:
    """Whether a word is not the word without it; a picture or a sign can be done without."""
    return unicodedata.category(char)[0] in "LMN"


def describe(char: str) -> str:
    """A character for somebody who cannot see it: `🦄 (U+1F984 UNICORN FACE)`."""
    shown = "" if unicodedata.combining(char) or draws_nothing(char) else f"{char} "
    name = unicodedata.name(char, "")
    return f"{shown}(U+{ord(char):04X}{' ' if name else ''}{name})"


def pieces(word: str) -> list[str]:
    """A word without spaces cut where a line may end: between words, in scripts that write none between them.

    By ICU's line breaker and its dictionaries (UAX #14).
    """
    if not _BROKEN_BY_DICTIONARY.search(word):
        return [word]
    from icu4py.breakers import LineBreaker  # noqa: PLC0415 - 7 MB that a board in Latin script does not need

    return list(LineBreaker(word, "km"))


def clusters(word: str) -> list[str]:
    """A word cut where it may be cut at need: every mark, and what stands below, stays with its letter."""
    parts: list[str] = []
    for char in word:
        if parts and _belongs(parts[-1][-1], char):
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _belongs(before: str, char: str) -> bool:
    return (
        bool(unicodedata.combining(char))
        or char in "\u200c\u200d"
        or unicodedata.category(char) in {"Mn", "Mc"}
        or before in "\u200c\u200d"
        or before == COENG
        or before in BEFORE_ITS_CONSONANT
    )
