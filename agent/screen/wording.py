"""Words of the board itself beside a bulletin's: in the bulletin's language, as far as somebody vouches for them.

In a language that the board does not know it says nothing, or shows what needs no words: a mark, figures, a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.screen.content import ClassName


@dataclass(frozen=True)
class Wording:
    """What the board says in one language; empty where it says nothing. `{}` is what is put in."""

    kickers: dict[ClassName, str]
    """Above a bulletin, by its class."""
    scan_me: str
    """Below a QR code."""
    source: str
    no_data: str
    no_data_since: str
    old: str
    """Put in: when it was measured."""
    just_now: str
    measured: str
    """Put in: how long ago."""
    measured_at: str
    minutes_ago: str
    """Empty: the time is shown instead."""
    hours_ago: str
    days_ago: str
    when_unknown: str
    days_left: str
    hours_left: str


VIETNAMESE: Final = Wording(
    kickers={"routine": "THÔNG BÁO", "priority": "ƯU TIÊN", "emergency": "KHẨN CẤP"},
    scan_me="Quét mã QR",
    source="Nguồn: {}",
    no_data="Không có số liệu",
    no_data_since="Không có số liệu từ {}",
    old="Số liệu cũ, {}",
    just_now="vừa đo",
    measured="đo {}",
    measured_at="đo lúc {}",
    minutes_ago="{} phút trước",
    hours_ago="{} giờ trước",
    days_ago="{} ngày trước",
    when_unknown="không rõ đo lúc nào",
    days_left="{} ngày",
    hours_left="{} giờ {} phút",
)
ENGLISH: Final = Wording(
    kickers={"routine": "NOTICE", "priority": "IMPORTANT", "emergency": "EMERGENCY"},
    scan_me="Scan the QR code",
    source="Source: {}",
    no_data="No data",
    no_data_since="No data since {}",
    old="Old: {}",
    just_now="measured just now",
    measured="measured {}",
    measured_at="measured at {}",
    minutes_ago="{} min ago",
    hours_ago="{} h ago",
    days_ago="{} d ago",
    when_unknown="time of measurement unknown",
    days_left="{} d",
    hours_left="{} h {} min",
)
WORDLESS: Final = Wording(
    kickers={"routine": "", "priority": "!", "emergency": "!"},
    scan_me="",
    source="{}",
    no_data="",
    no_data_since="{}",
    old="! {}",
    just_now="",
    measured="{}",
    measured_at="{}",
    minutes_ago="",
    hours_ago="",
    days_ago="",
    when_unknown="",
    days_left="{} d",
    hours_left="{} h {} min",
)
_BY_LANGUAGE: Final = {"vi": VIETNAMESE, "en": ENGLISH}

LANGUAGE_NAMES: Final = {
    "vi": "Tiếng Việt",
    "en": "English",
    "km": "ខ្មែរ",
    "hmn": "Hmoob",
    "mww": "Hmoob",
    "hnj": "Hmoob",
    "hmv": "Hmông",
    "cqd": "Hmông",
    "tyz": "Tày",
    "nut": "Nùng",
    "rad": "Êđê",
    "bdq": "Bahnar",
    "cjm": "Chăm",
    "cja": "Chăm",
    "blt": "Thái Đen",
    "twh": "Thái Trắng",
    "tai": "Thái",
    "tyj": "Thái",
    "jra": "Jrai",
    "sed": "Xơ Đăng",
    "mtq": "Mường",
    "ium": "Dao",
    "fr": "Français",
}
"""By ISO 639 code, as those who speak it write it in Latin or Khmer script, or as it is written in Vietnamese."""


def wording(language: str) -> Wording:
    """What the board says beside a bulletin in this language (BCP 47)."""
    return _BY_LANGUAGE.get(language.partition("-")[0].casefold(), WORDLESS)


def language_name(language: str) -> str:
    """What a language is called; its tag, where nobody has told."""
    return LANGUAGE_NAMES.get(language.partition("-")[0].casefold(), language)
