"""What a person reads is in the person's language, and nothing is paid for it in English."""

from __future__ import annotations

import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import words
from agent.words import _, ngettext, retell

ROOT = Path(__file__).parents[2]


@pytest.fixture
def vietnamese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "")
    words.choose("vi")
    yield
    words.choose("en")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN"}, "vi"),
        ({"LC_MESSAGES": "vi_VN", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LC_ALL": "en_GB.UTF-8", "LANGUAGE": "fr:vi:en"}, "vi"),
        ({"LANG": "km_KH.UTF-8"}, "en"),
        ({"LANG": "vi@quot"}, "vi"),
        ({"LANGUAGE": "", "LANG": "VI"}, "vi"),
        ({"LANG": "../../etc"}, "en"),
    ],
)
def test_the_environment_decides_as_with_every_gettext_program(
    environment: dict[str, str], language: str
) -> None:
    assert words.wanted(environment) == language


def test_a_message_is_told_in_the_language_that_was_chosen(vietnamese: None) -> None:
    assert words.language() == "vi"
    assert _("What starts next.") == "Sắp phát gì."
    assert _("of no catalogue") == "of no catalogue"
    assert _("") == ""  # gettext would answer with the catalogue's header
    words.choose("de")
    assert _("What starts next.") == "What starts next."
    assert ngettext("one", "many", 1) == "one"


def test_a_sentence_of_the_daemon_is_retold_with_what_it_names(vietnamese: None) -> None:
    assert retell("Missing argument 'name'.") == "Thiếu tham số 'name'."
    assert (
        retell("Invalid value for '-n': Input should be greater than or equal to 1")
        == "Giá trị của '-n' không hợp lệ: ít nhất phải là 1"
    )
    assert retell("a sentence that nobody knows {here}") == "a sentence that nobody knows {here}"


def test_many_threads_may_ask_first(vietnamese: None) -> None:
    heard: list[str] = []
    threads = [threading.Thread(target=lambda: heard.append(_("Options"))) for _count in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == ["Tùy chọn"] * 16


def test_english_reads_no_catalogue() -> None:
    code = (
        "import sys; opened = []; sys.addaudithook(lambda e, a: opened.append(str(a[0])) if e == 'open' else None)\n"
        "from agent.words import _; _('Options'); sys.exit(any(p.endswith('.mo') for p in opened))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("said", "retold"),
    [
        ("the CPU is at 91 °C", "CPU nóng 91 °C"),
        (
            "the player process ended (no progress for 3 s); it is being started again",
            "tiến trình phát đã dừng (3 giây không tiến triển); đang chạy lại",
        ),
        ("feed commune: https://x/1.root.json: the host answers 503",
         "nguồn tin commune: https://x/1.root.json: máy chủ trả lời 503"),
        ("[Errno 2] No such file", "[Errno 2] No such file"),
    ],
)  # fmt: skip
def test_reasons_within_reasons_are_retold_too(vietnamese: None, said: str, retold: str) -> None:
    assert retell(said) == retold


def test_columns_are_those_of_the_terminal() -> None:
    composed = "Tiếng Việt"
    decomposed = unicodedata.normalize("NFD", composed)
    assert words.width(composed) == words.width(decomposed) == 10
    assert words.width("loa 喇叭") == 8
    assert words.column("số", 5) == "số   "
    assert words.column("khẩn cấp", 3) == "khẩn cấp "


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "say by root: 'x', refused: not now: no such zone here ([policy] in the configuration, or a mute by"
            " command)",
            "say, do root: 'x'; bị từ chối: lúc này không được: ở đây không có vùng này ([policy] trong cấu hình,"
            " hoặc lệnh tắt tiếng)",
        ),
        ("x: nothing in it can be decoded as sound", "x: trong đó không có gì giải mã được thành tiếng"),
        ("words that nobody has in a catalogue", "words that nobody has in a catalogue"),
        (
            "a: No such file or directory\n  b: Permission denied",
            "a: không có tệp hay thư mục này\n  b: không có quyền",
        ),
    ],
)
def test_a_sentence_is_retold_whole_or_not_at_all(vietnamese: None, said: str, told: str) -> None:
    assert words.retell(said) == told
