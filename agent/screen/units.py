"""Which words stay in one line. Pure.

A numeral and its unit; a grade or a number and its numeral; a telephone number; from when till when (7:30 – 9:00).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_NUMERAL: Final = re.compile(r"[(~≈<>≤≥±+\-–−]*\d[\d.,:/\-–−]*")
_WRITTEN: Final = (
    "%;‰;°;°C;°F;mm;cm;dm;m;km;m²;m2;km²;km2;ha;m³;m3;ml;l;mg;g;kg;tạ;tấn;yến;m/s;km/h;km/giờ;m³/s;m3/s;mm/h;hPa;Pa;V;kV;W;"
    "kW;kWh;A;Hz;kHz;MHz;dB;µg/m³;μg/m³;µg/m3;mg/l;giây;phút;giờ;s;đ;đồng;nghìn;triệu;tỷ;tuổi;người;hộ;lần;liều;"
    # as they are read aloud
    "mét;mét khối;mét vuông;mi li mét;xăng ti mét;xen ti mét;ki lô mét;ki lô mét giờ;ki lô gam;gam;lít;mi li lít;"
    "héc ta;độ;độ C;phần trăm;hours;hour;minutes;minute;metres;kilometres"
)
_UNITS: Final = frozenset(tuple(unit.split()) for unit in _WRITTEN.split(";"))
_BEFORE: Final = frozenset({"cấp", "số", "thôn", "tổ", "xóm", "khu", "category", "no."})
_DASHES: Final = frozenset("-–−")
_TELEPHONE: Final = re.compile(r"[(+]*(?:0\d*|84|18\d\d|19\d\d)\)?")
"""How a telephone number that is written with spaces begins in Việt Nam."""
_FIGURES: Final = re.compile(r"\d{1,4}")
_CLOCK: Final = re.compile(r"\d\d?[:h]\d\d")
_ENDS: Final = ".,;:!?)"
_LONGEST: Final = max(map(len, _UNITS))


def clings(words: Sequence[str]) -> list[bool]:
    """For each word of a line of text, whether it may not begin a new line.

    Args:
        words: in their order, with what punctuation they carry.
    """
    found = [False] * len(words)
    for number, word in enumerate(words):
        if not _NUMERAL.fullmatch(word.rstrip(_ENDS)):
            continue
        if number and words[number - 1].casefold() in _BEFORE:
            found[number] = True
        if word[-1:] in {",", ";", ".", ")", "!", "?", ":"}:
            continue  # what is said of it has ended
        for count in range(min(_LONGEST, len(words) - number - 1), 0, -1):
            unit = [*words[number + 1 : number + count], words[number + count].rstrip(_ENDS)]
            if tuple(unit) in _UNITS:
                found[number + 1 : number + count + 1] = [True] * count
                break
    telephone = False
    for number, word in enumerate(words):
        bare = word.rstrip(_ENDS)
        found[number] |= telephone and bool(_FIGURES.fullmatch(bare))
        telephone = bool(_TELEPHONE.fullmatch(word)) or (found[number] and telephone and word == bare)
        span = number > 1 and words[number - 1] in _DASHES
        if span and _CLOCK.fullmatch(words[number - 2]) and _CLOCK.fullmatch(bare):
            found[number - 1 : number + 1] = [True, True]
    return found
