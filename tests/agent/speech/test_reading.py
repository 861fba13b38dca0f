"""A text as it is written in a notice, and as a person reads it out."""

from __future__ import annotations

import hashlib
import re
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.speech import Unspeakable, numerals, voices
from agent.speech.reading import MOST_CHARACTERS, as_spoken, plain
from agent.speech.vietnamese import read

SAMPLE = Path(__file__).parents[3] / "agent" / "station" / "sample" / "announcements.toml"

TABLE = (
    # numbers
    ("1.250.000 người", "một triệu hai trăm năm mươi nghìn người"),
    ("1,250,000 người", "một triệu hai trăm năm mươi nghìn người"),
    ("1.250.000.000 đồng", "một tỷ hai trăm năm mươi triệu đồng"),
    ("năm 2026", "năm hai nghìn không trăm hai mươi sáu"),
    ("1015 hộ", "một nghìn không trăm mười lăm hộ"),
    ("21, 24 và 25", "hai mươi mốt, hai mươi tư và hai mươi lăm"),
    ("105 hộ", "một trăm linh năm hộ"),
    ("05 hộ", "năm hộ"),
    ("3,5 tấn", "ba phẩy năm tấn"),
    ("3,25 tấn", "ba phẩy hai mươi lăm tấn"),
    ("0,05 phần", "không phẩy không năm phần"),
    ("12.5 tấn", "mười hai phẩy năm tấn"),
    ("mã 004512", "mã không không bốn năm một hai"),
    ("CCCD 012345678901", "căn cước công dân không một hai ba bốn năm sáu bảy tám chín không một"),
    ("mục 1.2.3", "mục một chấm hai chấm ba"),
    ("Covid-19", "Covid mười chín"),
    ("thứ 4, lần thứ 1", "thứ tư, lần thứ nhất"),
    ("tháng 4", "tháng tư"),
    ("1/2 viên", "một phần hai viên"),
    ("3/4 số hộ", "ba phần tư số hộ"),
    # money
    ("15.000đ", "mười lăm nghìn đồng"),
    ("15.000 đồng", "mười lăm nghìn đồng"),
    ("15.000đ/kg", "mười lăm nghìn đồng một ki lô gam"),
    ("200k", "hai trăm nghìn"),
    # hours
    ("lúc 19h30", "lúc mười chín giờ ba mươi phút"),
    ("lúc 19:30.", "lúc mười chín giờ ba mươi phút."),
    ("lúc 7 giờ 30", "lúc bảy giờ ba mươi phút"),
    ("19h", "mười chín giờ"),
    ("19h00", "mười chín giờ"),
    ("7h05", "bảy giờ năm phút"),
    ("từ 7h đến 11h", "từ bảy giờ đến mười một giờ"),
    ("7h30-11h00", "bảy giờ ba mươi phút đến mười một giờ"),
    ("7-11h", "bảy đến mười một giờ"),
    ("từ 0 giờ ngày 8 tháng 1", "từ không giờ ngày tám tháng một"),
    ("trực 24/24h", "trực hai mươi tư trên hai mươi tư giờ"),
    # days
    ("ngày 28/11", "ngày hai mươi tám tháng mười một"),
    ("28/11/2026", "ngày hai mươi tám tháng mười một năm hai nghìn không trăm hai mươi sáu"),
    (
        "thứ Bảy, 28-11-2026",
        "thứ Bảy, ngày hai mươi tám tháng mười một năm hai nghìn không trăm hai mươi sáu",
    ),
    ("ngày 03/12", "ngày ba tháng mười hai"),
    ("sáng 27/11", "sáng ngày hai mươi bảy tháng mười một"),
    ("Quốc khánh 2/9", "Quốc khánh ngày hai tháng chín"),
    ("30/4 và 1/5", "ngày ba mươi tháng tư và ngày một tháng năm"),
    ("từ ngày 5-10/12", "từ ngày năm đến ngày mười tháng mười hai"),
    ("28/11 - 03/12", "ngày hai mươi tám tháng mười một đến ngày ba tháng mười hai"),
    ("tháng 12/2026", "tháng mười hai năm hai nghìn không trăm hai mươi sáu"),
    ("quý IV/2026", "quý bốn năm hai nghìn không trăm hai mươi sáu"),
    ("giai đoạn 2025-2030", "giai đoạn hai nghìn không trăm hai mươi lăm đến hai nghìn không trăm ba mươi"),
    # who can be called
    ("số điện thoại 0212 3 456 789", "số điện thoại không hai một hai, ba, bốn năm sáu, bảy tám chín"),
    ("0987654321", "không chín tám bảy, sáu năm bốn, ba hai một"),
    ("(0212) 3456789", "không hai một hai, ba bốn năm sáu bảy tám chín"),
    ("+84 212 345678", "cộng tám bốn, hai một hai, ba bốn năm sáu bảy tám"),
    ("tổng đài 1900 6068", "tổng đài một chín không không, sáu không sáu tám"),
    ("gọi 113", "gọi một một ba"),
    ("gọi ngay cho số 114 hoặc 115", "gọi ngay cho số một một bốn hoặc một một năm"),
    ("Tổng đài bảo vệ trẻ em: 111", "Tổng đài bảo vệ trẻ em: một một một"),
    ("tổng đài 1022", "tổng đài một không hai hai"),
    ("gọi 0212 345678 hoặc 115", "gọi không hai một hai, ba bốn năm sáu bảy tám hoặc một một năm"),
    ("có 113 người", "có một trăm mười ba người"),
    ("cấp cứu 115 người", "cấp cứu một trăm mười lăm người"),
    # units
    ("5 km", "năm ki lô mét"),
    ("120 m²", "một trăm hai mươi mét vuông"),
    ("120m2", "một trăm hai mươi mét vuông"),
    ("5 kg", "năm ki lô gam"),
    ("22 kV", "hai mươi hai ki lô vôn"),
    ("30%", "ba mươi phần trăm"),
    ("60 km/h", "sáu mươi ki lô mét trên giờ"),
    ("100mm/24h", "một trăm mi li mét trên hai mươi tư giờ"),
    ("37,5°C", "ba mươi bảy phẩy năm độ xê"),
    ("-5°C", "âm năm độ xê"),
    ("37 độ 5", "ba mươi bảy độ năm"),
    ("38°5", "ba mươi tám độ năm"),
    ("50-100 mm", "năm mươi đến một trăm mi li mét"),
    ("5-7%", "năm đến bảy phần trăm"),
    ("từ 5-10 người", "từ năm đến mười người"),
    ("4x6 m", "bốn nhân sáu mét"),
    # Roman numerals
    ("quý IV", "quý bốn"),
    ("thế kỷ XXI", "thế kỷ hai mươi mốt"),
    ("lần thứ IV", "lần thứ tư"),
    ("Quốc hội khóa XV", "Quốc hội khóa mười lăm"),
    ("nhóm VI khuẩn", "nhóm sáu khuẩn"),
    # abbreviations
    ("UBND xã", "ủy ban nhân dân xã"),
    ("HĐND và UBMTTQ", "hội đồng nhân dân và ủy ban mặt trận tổ quốc"),
    ("NVH thôn", "nhà văn hóa thôn"),
    ("trường THCS, THPT", "trường trung học cơ sở, trung học phổ thông"),
    ("thẻ BHYT", "thẻ bảo hiểm y tế"),
    ("mã OTP", "mã ô tê pê"),
    ("TP. Hồ Chí Minh", "thành phố Hồ Chí Minh"),
    ("TP.HCM", "thành phố Hồ Chí Minh"),
    ("Sở NN&PTNT", "Sở nông nghiệp và phát triển nông thôn"),
    ("CA xã", "công an xã"),
    ("QL32", "quốc lộ ba mươi hai"),
    (
        "Quyết định số 12/2026/QĐ-UBND",
        "Quyết định số mười hai năm hai nghìn không trăm hai mươi sáu, quyết định ủy ban nhân dân",
    ),
    ("v.v.", "vân vân"),
    ("THÔNG BÁO TIÊM CHỦNG", "THÔNG BÁO TIÊM CHỦNG"),
    # addresses
    ("xem https://xa.example/phan-anh.", "xem xa chấm example gạch chéo phan anh."),
    ("https://xa.example/a?b=1&c=%20", "xa chấm example gạch chéo a"),
    ("thư: xa@tinh.gov.vn", "thư: xa a còng tinh chấm gov chấm vê en nờ"),
)


@pytest.mark.parametrize(("written", "spoken"), TABLE, ids=[written for written, _ in TABLE])
def test_it_is_read_as_a_person_would(written: str, spoken: str) -> None:
    assert read(written) == spoken


def test_the_samples_are_read_without_a_digit_left() -> None:
    for entry in tomllib.loads(SAMPLE.read_text(encoding="utf-8"))["announcement"]:
        if entry["language"] == "vi":
            assert not re.search("[0-9]", as_spoken(entry["text"], "vi"))


def value_of(words: str) -> int:
    """A plain reader the other way round: words → number."""
    high, _, low = words.rpartition("tỷ")
    if high:
        return value_of(high) * 1_000_000_000 + value_of(low)
    named = dict(zip(numerals.DIGITS, range(10), strict=True)) | {"mốt": 1, "tư": 4, "lăm": 5, "linh": 0}
    total = group = ones = 0
    for word in words.split():
        if scale := {"nghìn": 1_000, "triệu": 1_000_000}.get(word):
            total += (group + ones) * scale
            group = ones = 0
        elif tens := {"mươi": 10, "trăm": 100}.get(word):
            group, ones = group + ones * tens, 0
        elif word == "mười":
            group += 10
        else:
            ones = named[word]
    return total + group + ones


@given(st.integers(0, 10**12 - 1))
@example(1_000_001)
@example(1_015)
@example(24)
def test_a_number_in_words_is_that_number(number: int) -> None:
    assert value_of(numerals.whole(str(number))) == number


@given(st.integers(1, 3_999))
def test_a_roman_numeral_is_that_number_and_only_the_right_way_to_write_it_counts(number: int) -> None:
    assert numerals.roman(numerals.to_roman(number)) == str(number)
    assert numerals.roman("I" + numerals.to_roman(number)) != str(number)


ODD = st.text(st.sampled_from("0123456789/.-:,%°²hgkm đĐVXIUBNDaă @x&()+\n#[]"), max_size=120)


@given(st.one_of(st.text(max_size=200), ODD))
@example("9" * 30)
@example("1.000" * 30)
@example("https://" + "0/" * 50)
@example("0 0 0 0 0 0 0 0 0 0")
def test_whatever_is_written_is_read_without_error_and_without_growing_out_of_bounds(text: str) -> None:
    spoken = read(text)
    assert not re.search("[0-9]", spoken)
    assert len(spoken) <= 30 * len(text) + 30


def _reads_for_s(text: str) -> float:
    begun_s = time.process_time()
    read(text)
    return time.process_time() - begun_s


@pytest.mark.parametrize(
    "piece", ["000.", "0,", "000,", "9", "1.", "1-", "1/", "0:", "a@", "a.", "+84 ", "1 giờ "]
)
def test_a_page_of_the_same_takes_no_longer_by_the_letter_than_a_line(piece: str) -> None:
    line_s = min(_reads_for_s(piece * 500) for _ in range(3))
    page_s = min(_reads_for_s(piece * 4_000) for _ in range(2))
    assert page_s < 4 * 8 * line_s + 0.02


WORDS = st.text(st.sampled_from("aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạ"), min_size=1, max_size=7)


@given(st.lists(st.tuples(WORDS, st.sampled_from([" ", ", ", ". ", "; ", "? ", "! ", ": "])), max_size=20))
def test_a_text_of_words_stays_as_it_is(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + mark for word, mark in parts)
    assert read(text) == text


@pytest.mark.parametrize("text", ["1 2", "19h30 ngày 28/11", "UBND"])
def test_other_languages_are_left_to_their_voices(text: str) -> None:
    assert as_spoken(text, "en-GB") == text
    assert as_spoken(text, "vi-VN") == read(text) != text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a\x01200S b\x00c\x1b[31m", "a200S bc[31m"),
        ("Chào 😀👍🏽 bà con ✅", "Chào bà con"),
        ("\u202ebà con\u2066\ufeff", "bà con"),
        ("x [[h@'loU]] y", "x h@'loU y"),
        ("một\thai\r\nba", "một hai ba"),
        ("Tiêu đề\n\nNội dung", "Tiêu đề. Nội dung"),
        ("e\u0302\u0301", "ế"),
        ("1\ufe0f\u20e3", "1"),
    ],
)
def test_only_what_is_to_be_read_reaches_an_engine(written: str, kept: str) -> None:
    assert " ".join(plain(written).split()) == kept


@pytest.mark.parametrize(
    "text", ["", " \n", "😀🎉", "\u202e\u200b", "...!?", "\x00\x01\x02", "[[]]", "— · —"]
)
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(Unspeakable, match="nothing that can be spoken"):
        as_spoken(text, "vi")


def test_a_text_that_grows_too_long_when_it_is_read_is_refused() -> None:
    with pytest.raises(Unspeakable, match=f"at most {MOST_CHARACTERS}"):
        as_spoken("7" * 20_000, "vi")


NOTICE = (
    "Kính báo: 19h30 thứ 7, 28/11/2026, UBND xã họp 120 hộ tại NVH thôn 4. Mưa 100-150 mm/24h, gió 60 km/h, 37,5°C; "
    "hỗ trợ 1.250.000đ/hộ (quý IV). Gọi 0212 3 456 789 hoặc 115, xem https://xa.example/lich; "
    "theo QĐ 12/2026/QĐ-UBND, khóa XV."
)
READ_WITH_RECIPE = (2, "59f02f8468fd082c")
"""When this changes, raise `_RECIPE` in agent/speech/voices.py: else what is rendered keeps its old reading."""


def test_another_reading_is_another_recipe() -> None:
    digest = hashlib.sha256(as_spoken(NOTICE, "vi").encode()).hexdigest()[:16]
    assert (voices._RECIPE, digest) == READ_WITH_RECIPE
