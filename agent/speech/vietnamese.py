"""Vietnamese text as a person reads it aloud: numbers, hours, dates, telephone numbers, units, abbreviations.

Pure. Rules run in a fixed order, the most particular first; what a rule has read holds no digits any more, so
that no later one reads it again. Only 0-9 are digits here. What no rule knows is left to the voice. A change here is
a new recipe (agent.speech.voices).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from agent.speech import sayings as say
from agent.speech.abbreviations import AFTER_SLASH, DOTTED, UNITS
from agent.speech.numerals import month, ordinal, whole

_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]

_DASH: Final = r"\s{0,2}[-–—]\s{0,2}"
_DATE: Final = rf"{say.DAY}[/.-]{say.MONTH}[/.-][12][0-9]{{3}}"
_CLOCK: Final = (
    r"(?:[01]?[0-9]|2[0-4])"
    r"(?::[0-5][0-9](?::[0-5][0-9])?|\s?(?:h|g|giờ)\s?[0-5][0-9](?:\s?(?:ph|p|phút))?|h)"
)
_NUMBER: Final = (
    r"(?:[0-9]{1,3}(?:\.[0-9]{3}){1,6}(?:,[0-9]{1,18})?|[0-9]{1,3}(?:,[0-9]{3}){2,6}"
    r"|[0-9]{1,36}(?:[.,][0-9]{1,18})?)"
)
"""Bounded: a page of zeros and points must not be tried from each of its figures to its end."""
_UNIT: Final = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_AFTER_SLASH: Final = "|".join(sorted(map(re.escape, AFTER_SLASH), key=len, reverse=True))
_FREE: Final = r"(?<![\w.,/])"
"""Nothing that belongs to the same figure stands before."""
_ENDS: Final = r"(?![\w/]|[.,:-][0-9])"
_PEOPLE: Final = (
    r"(?!\s{1,3}(?:người|ca|trường hợp|hộ|em|cháu|bệnh nhân|lượt|suất|nạn nhân|vụ|lần|triệu|tỷ|nghìn))"
)

_CALLED: Final = (
    r"gọi|điện thoại|máy|sđt|đt|zalo|hotline|đường dây nóng|tổng đài|liên hệ|công an|chữa cháy|"
    r"cứu hỏa|cứu hoả|cấp cứu|cứu nạn|thiên tai|trẻ em"
)
_CALLED_BY: Final = r"(?:\s{1,3}(?:ngay|cho|đến|tới|số|theo|máy|là|về|qua|điện thoại)){0,4}\s{0,2}:?\s{0,2}"

_DAYS_BEFORE: Final = (
    r"ngày|mồng|mùng|hôm|sáng|trưa|chiều|tối|đêm|thứ (?:hai|ba|tư|năm|sáu|bảy)|chủ nhật|lễ|dịp|tết|"
    r"quốc khánh|kỷ niệm|đến|từ|trước|sau|hết|vào"
)

_ROMAN_AFTER: Final = (
    r"quý|khóa|khoá|kỳ|thế kỷ|chương|phần|mục|đại hội|lần thứ|thứ|khu vực|vùng|loại|hạng|cấp|bậc|nhóm|"
    r"giai đoạn|đợt|tập|quyển|quân khu|phụ lục|điều"
)


def read(text: str) -> str:
    """`text` with everything that is no word put into words. Never raises; at most some 20 times as long."""
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
    return text


def _sub(pattern: str, replace: Callable[[re.Match[str]], str], flags: int = 0) -> _Rule:
    return re.compile(pattern, flags), replace


def _say(words: str) -> Callable[[re.Match[str]], str]:
    return lambda _match: words


_RULES: Final[tuple[_Rule, ...]] = (
    # addresses, before anything in them is taken for something else
    _sub(
        r"(?<![\w@.])(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]{0,63})@(?P<host>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})",
        say.mail,
    ),
    _sub(r"\b(?:https?://(?:www\.)?|www\.)(?P<address>[^\s<>\"“”]+)", say.url, re.IGNORECASE),
    _sub(
        r"(?<![\w@.-])(?P<address>(?:[A-Za-z0-9-]{1,63}\.){1,5}(?:vn|com|net|org|info|edu)(?:/[^\s<>\"“”]*)?)(?![\w.-]*\w)",
        say.url,
    ),
    # dates
    _sub(
        rf"(?P<before>\b(?:ngày|mồng|mùng)\s{{1,3}})?(?<![\w/.-])(?P<first>{_DATE}){_DASH}(?P<last>{_DATE})(?![\w/])",
        lambda m: f"{m['before'] or 'ngày '}{say.date(m['first'], True)} đến {say.date(m['last'], False)}",
        re.IGNORECASE,
    ),
    _sub(
        rf"(?P<before>\b(?:ngày|mồng|mùng)\s{{1,3}})?(?<![\w/.-])(?P<date>{_DATE})(?![\w/]|[.-][0-9])",
        say.full_date,
        re.IGNORECASE,
    ),
    _sub(
        rf"(?P<before>\b(?:ngày|mồng|mùng)\s{{1,3}})?(?<![\w/.,-])(?P<first>{say.DAY}(?:/{say.MONTH})?){_DASH}"
        rf"(?P<last>{say.DAY}/{say.MONTH}(?:/[12][0-9]{{3}})?)(?![\w/]|[.,][0-9])",
        say.days,
        re.IGNORECASE,
    ),
    _sub(
        rf"\b(?P<before>tháng\s{{1,3}})?(?<![\w/.,-])(?P<month>{say.MONTH})/(?P<year>(?:19|20)[0-9]{{2}})(?![\w/])",
        lambda m: f"{m['before'] or 'tháng '}{month(m['month'])} năm {whole(m['year'])}",
        re.IGNORECASE,
    ),
    _sub(
        rf"(?P<before>\b(?:{_DAYS_BEFORE}),?\s{{1,3}})?(?<![\w/.,-])(?P<day>{say.DAY})/(?P<month>{say.MONTH})(?![\w/%]|[.,-][0-9])"
        rf"(?P<more>(?:(?:,| và| hoặc|;) {say.SHORT}(?![\w/%]|[.,-][0-9])){{0,9}})",
        say.short_date,
        re.IGNORECASE,
    ),
    # hours
    _sub(
        rf"{_FREE}(?P<begin>{_CLOCK}){_DASH}(?P<end>{_CLOCK})(?!\w|[:.][0-9])",
        lambda m: f"{say.clock(m['begin'])} đến {say.clock(m['end'])}",
    ),
    _sub(
        rf"{_FREE}(?:(?P<first>[0-9]{{1,2}}){_DASH})?(?P<clock>{_CLOCK})(?!\w|[:.][0-9]|/)",
        lambda m: (f"{whole(m['first'])} đến " if m["first"] else "") + say.clock(m["clock"]),
    ),
    # who can be called
    _sub(
        rf"(?P<before>\b(?:{_CALLED}){_CALLED_BY})(?P<numbers>(?:11[1-5]|1022)"
        rf"(?:\s?(?:,|;|/|-|hoặc|và)\s?(?:11[1-5]|1022)){{0,4}})(?![\w/]|[.,][0-9]){_PEOPLE}",
        say.called,
        re.IGNORECASE,
    ),
    _sub(
        r"(?P<before>(?<![\w.,/-])(?:\+84|0)(?:[ .-]?[0-9]){7,10}\s?(?:,|;|/|hoặc|và)\s?(?:số\s)?)"
        rf"(?P<numbers>11[1-5]|1022)(?![\w/]|[.,][0-9]){_PEOPLE}",
        say.called,
    ),
    _sub(
        r"(?<![\w.,/-])(?P<phone>\(?(?:\+84|0|1[89]00(?=[ .-]?[0-9]{4}))\)?(?:[ .-]?\(?[0-9]\)?){4,10})"
        r"(?![\w/]|[.,][0-9])",
        lambda m: (
            say.phone(m) if len(re.findall(r"[0-9]", m["phone"])) >= 8 else m[0]  # too short for a number
        ),
    ),
    _sub(
        rf"(?P<before>\b(?:gọi|điện thoại|sđt|đt|zalo|hotline|liên hệ){_CALLED_BY})"
        r"(?P<phone>[0-9](?:[ .-]?[0-9]){4,10})(?![\w/]|[.,][0-9])",
        say.called_phone,
        re.IGNORECASE,
    ),
    # numbers of documents: 12/2026/QĐ-UBND, 45/TB-UBND
    _sub(
        r"(?<![\w/.,-])(?P<number>[0-9]{1,5})(?:/(?P<year>[12][0-9]{3}))?/(?P<kind>[A-ZĐ]{2,6}(?:-[A-ZĐ&]{2,9}){0,3})(?!\w)",
        say.document,
    ),
    # Roman numerals, where one is meant
    _sub(
        rf"(?P<before>\b(?i:{_ROMAN_AFTER})\s{{1,3}})(?P<roman>[IVXLCDM]{{1,9}})"
        r"(?:/(?P<year>[12][0-9]{3}))?(?![\w/])",
        say.roman_numeral,
    ),
    # ranges and comparisons
    _sub(
        rf"{_FREE}(?P<a>{_NUMBER})(?P<unit>%|°C|°)?{_DASH}(?={_NUMBER}(?:\s?(?:{_UNIT}))?(?:/(?:{_AFTER_SLASH}))?(?!\w|{_DASH}[0-9]))",
        lambda m: f"{say.number(m['a'])}{' ' + UNITS[m['unit']] if m['unit'] else ''} đến ",
    ),
    _sub(r"[≥]\s?(?=[0-9])", _say(" từ ")),
    _sub(r"[≤]\s?(?=[0-9])", _say(" không quá ")),
    _sub(r"[>]\s?(?=[0-9])", _say(" trên ")),
    _sub(r"[<]\s?(?=[0-9])", _say(" dưới ")),
    _sub(r"±\s?(?=[0-9])", _say(" cộng trừ ")),
    _sub(r"(?<=[0-9])\s?[x×]\s?(?=[0-9])", _say(" nhân ")),
    _sub(r"(?:(?<=\s)|(?<=\()|^)[-−](?=[0-9])", _say("âm ")),
    _sub(r"(?<=[0-9])\s?[°º]\s?(?=[0-9])", _say(" độ ")),
    _sub(r"(?<![\w/])24/24(?:\s?(?:h|giờ))?(?![\w/])", _say("hai mươi tư trên hai mươi tư giờ")),
    # what is measured
    _sub(
        rf"(?<![\w/])(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT})(?:/(?P<count>[0-9]{{1,2}}(?=h|\s?giờ))?\s?(?P<per>{_AFTER_SLASH}))?(?![\w²³])",
        say.measure,
    ),
    _sub(rf"(?<![\w/])(?P<number>{_NUMBER})k\b", lambda m: f"{say.number(m['number'])} nghìn"),
    # months and places in a row have names of their own
    _sub(r"(?P<before>\btháng\s{1,3})0?4(?![\w/]|[.,][0-9])", lambda m: m["before"] + "tư", re.IGNORECASE),
    _sub(
        r"(?P<before>\bthứ\s{1,3})(?P<number>[0-9]{1,3})(?![\w/]|[.,][0-9])",
        lambda m: m["before"] + ordinal(m["number"]),
        re.IGNORECASE,
    ),
    # a fraction
    _sub(
        rf"{_FREE}(?P<over>[0-9]{{1,3}})/(?P<under>[0-9]{{1,3}}){_ENDS}",
        lambda m: (
            f"{whole(m['over'])} {'phần' if int(m['over']) < int(m['under']) else 'trên'} {month(m['under'])}"
        ),
    ),
    # numbers of chapters and versions
    _sub(
        r"(?<![\w,/])[0-9]{1,4}(?:\.[0-9]{1,4}){2,8}(?![\w/]|[.,][0-9])",
        lambda m: (
            m[0]
            if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+", m[0])
            else " chấm ".join(map(whole, m[0].split(".")))
        ),
    ),
    # all other numbers
    _sub(r"(?<=[^\W\d_])-(?=[0-9])", _say(" ")),
    _sub(r"(?<=[^\W\d_])(?=[0-9])", _say(" ")),
    _sub(_NUMBER, lambda m: say.number(m[0]) + (" " if m.string[m.end() : m.end() + 1].isalpha() else "")),
    # abbreviations
    _sub(
        r"\b(?P<short>TPHCM|TP\.?\s?HCM)\b",
        _say("thành phố Hồ Chí Minh"),
    ),
    _sub(
        rf"\b(?P<short>{'|'.join(sorted(DOTTED, key=len, reverse=True))})\.\s?"
        r"(?=[A-ZÀ-ỸĐ]|không|một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười)",
        lambda m: DOTTED[m["short"]] + " ",
    ),
    _sub(r"(?<=[Tt]rường )TH(?= )", _say("tiểu học")),
    _sub(r"\bCA(?= (?:xã|phường|huyện|tỉnh|thành phố|thị trấn))", _say("công an")),
    _sub(r"(?<![\w])[A-ZĐ]{2,9}(?:[-&][A-ZĐ]{2,9}){0,3}(?![\w])", say.capitals),
    _sub(r"\bv\.v\.?(?!\w)", _say("vân vân")),
    # signs
    _sub(r"\s?&\s?", _say(" và ")),
    _sub(r"\s?[·•|]\s?", _say(", ")),
    _sub(r"(?<=[^\W\d_])/(?=[^\W\d_])", _say(" ")),
    _sub(r"[*_#~=^\\<>]+", _say(" ")),
    _sub(r" {2,}", _say(" ")),
)
