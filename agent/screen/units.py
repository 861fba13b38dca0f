"""Which words stay in one line: a numeral and its unit, a grade or a number and its numeral. Pure."""

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
_LONGEST: Final = max(map(len, _UNITS))


def clings(words: Sequence[str]) -> list[bool]:
    """For each word of a line of text, whether it may not begin a new line.

    Args:
        words: in their order, with what punctuation they carry.
    """
    found = [False] * len(words)
    for number, word in enumerate(words):
        if not _NUMERAL.fullmatch(word.rstrip(".,;:!?)")):
            continue
        if number and words[number - 1].casefold() in _BEFORE:
            found[number] = True
        if word[-1:] in {",", ";", ".", ")", "!", "?", ":"}:
            continue  # what is said of it has ended
        for count in range(min(_LONGEST, len(words) - number - 1), 0, -1):
            unit = [*words[number + 1 : number + count], words[number + count].rstrip(".,;:!?)")]
            if tuple(unit) in _UNITS:
                found[number + 1 : number + count + 1] = [True] * count
                break
    return found
