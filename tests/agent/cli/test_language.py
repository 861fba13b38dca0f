"""What is read on a technician's phone: in the asked language, 60 columns wide, plain where no terminal is."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from agent import words
from agent.cli.brief import help_text
from agent.cli.main import MODULES, language_of
from agent.cli.tree import app, run

ROOT = Path(__file__).parents[3]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PHONE = {"COLUMNS": "", "LINES": "", "TERM": "xterm-256color", "NO_COLOR": ""}


def on_a_phone(*arguments: str, rows: int = 20, columns: int = 60, **environment: str) -> str:
    """What `loa` writes to a terminal of that size."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {k: v for k, v in (os.environ | PHONE | environment).items() if v}
    child = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    child.wait(timeout=30)
    return written.decode()


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "LANGUAGE": "", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command, with the words that lead to it."""
    command = command or get_command(app)
    yield path, command
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from commands(command.get_command(None, name), (*path, name))


@pytest.mark.parametrize(
    ("arguments", "language", "rest"),
    [
        (["status", "--lang", "vi"], "vi", ["status"]),
        (["--lang=vi", "status"], "vi", ["status"]),
        (["--lang", "fr", "status"], "fr", ["status"]),
        (["say", "--", "--lang", "vi"], "en", ["say", "--", "--lang", "vi"]),
        (["status", "--lang"], "en", ["status", "--lang"]),
    ],
)
def test_the_language_may_be_asked_for_anywhere(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], language: str, rest: list[str]
) -> None:
    for name in words.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert language_of(arguments) == (language, rest)


def test_help_and_errors_are_in_the_language_of_the_locale() -> None:
    told = process("--help", LANG="vi_VN.UTF-8").stdout
    for said in ("Cách dùng: loa", "Tùy chọn:", "Các lệnh:", "Sắp phát gì."):
        assert said in told
    wrong = process("next", "-n", "0", LANG="vi_VN.UTF-8")
    assert wrong.returncode == 2
    assert "ít nhất phải là 1" in wrong.stderr
    assert "Input should" not in wrong.stderr
    assert "Không có lệnh fly" in process("fly", LANG="vi_VN.UTF-8").stderr
    assert "There is no command fly" in process("fly", LANG="km_KH.UTF-8").stderr
    gone = process("--socket", "/none", "status", "--lang", "vi")
    assert "chưa chạy" in gone.stderr
    assert gone.returncode == 3


def test_a_wrong_configuration_is_told_in_vietnamese(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[node]\nid = "pole 7"\nsite = "x"\n[audio]\nlatency_ms = -1\ndevise = "x"\n[[zones]]\nname = ""\n'
    )
    done = process("check-config", "-c", str(config), "--lang", "vi")
    assert done.returncode == 2
    assert "lỗi" in done.stderr
    assert "dòng 5: [audio] latency_ms = -1: phải ít nhất" in done.stderr
    assert "ý bạn là 'device'?" in done.stderr
    assert not re.search(r"\b(must|is|has|line|unknown|did you)\b", done.stderr)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_help_fits_a_phone(language: str) -> None:
    told = on_a_phone("--help", LANGUAGE=language, LC_ALL="C.UTF-8")
    assert told.count("\n") > 20
    widest = max(ESCAPE.sub("", told).splitlines(), key=words.width)
    assert words.width(widest.rstrip("\r")) <= 60, widest


def test_the_table_of_commands_is_what_the_modules_add() -> None:
    from importlib import import_module

    import typer

    for module, names, *said in MODULES:
        part = typer.Typer()
        import_module(module).register(part)
        added: dict[str, Any] = get_command(part).commands if len(names.split()) > 1 or said else {}
        if added:
            assert set(added) == set(names.split()), module
        if said:
            assert [command.help for command in added.values()] == said, module


@pytest.mark.parametrize("columns", ["60", "80", "200"])
@pytest.mark.parametrize("language", words.LANGUAGES)
def test_help_is_the_same_without_the_parser(
    language: str, columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LANGUAGE", language)
    words.choose(language)
    try:
        quick = help_text()
        assert run(["--help"]) == 0
    finally:
        words.choose("en")
    assert capsys.readouterr().out == quick + "\n", "run: ./dev words"


def test_help_is_printed_before_anything_large_is_loaded() -> None:
    code = (
        "import sys; sys.argv = ['loa', '--help']\n"
        "from agent.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as ended: sys.exit(ended.code or 'typer' in sys.modules or 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0
    assert "Usage: loa" in done.stdout or "Cách dùng" in done.stdout


def test_without_a_command_it_is_help_and_exit_2() -> None:
    done = process()
    assert done.returncode == 2
    assert "Usage: loa" in done.stdout


def test_no_colour_where_nobody_sees_it_or_wants_it() -> None:
    assert "\x1b" not in process("--help").stdout
    assert "\x1b" not in on_a_phone("--help", NO_COLOR="1")


def test_a_listing_imports_no_more_than_it_shows() -> None:
    code = (
        "import sys; from agent.cli.tree import run; run(['--help']);"
        "sys.exit(any(name in sys.modules for name in ('agent.station.cli', 'pygame', 'textual', 'rich.console')))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, check=False, stdout=subprocess.DEVNULL
        ).returncode
        == 0
    )
