"""What went wrong: one way to tell it, for a person at 60 columns and for a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import words
from agent.cli.tree import run
from tests.agent.cli.test_language import ESCAPE, commands, on_a_phone, process

GOOD = '[node]\nid = "pole-07"\nsite = "xa-mau"\n[audio]\ndevice = "null"\n'
NO_DAEMON = (
    ["top"], ["now"], ["next"], ["log"], ["link"], ["faults"], ["status"], ["mute", "--for", "2h"], ["unmute"],
    ["say", "x"], ["play", __file__], ["stop"], ["identify"], ["relay", "amplifier", "on"], ["self-test"],
    ["screenshot", "/tmp/x.png"], ["update"],
)  # fmt: skip
WRONG_LINES = (
    ["fly"], ["relay", "amplifier"], ["relay", "amplifier", "maybe"], ["next", "-n", "0"], ["now", "--all"],
    ["play", "nonsense://x"], ["mute", "--for", "8d"], ["mute", "--for", "soon"], ["doctor", "nonsense"],
    ["test", "nonsense"], ["screenshot", "x.bmp"], ["--lang", "xx", "status"], ["station"],
    ["station", "rotate", "x", "nobody"], ["enroll", "x"], ["setup"],
)  # fmt: skip


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """No agent, a configuration that is right."""
    config = tmp_path / "config.toml"
    config.write_text(GOOD)
    return {"LOA_SOCKET": str(tmp_path / "none.sock"), "LOA_CONFIG": str(config), "LC_ALL": "C.UTF-8"}


@pytest.fixture
def typed(
    nowhere: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process; returns exit code, standard output, standard error."""
    for name, value in nowhere.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("COLUMNS", raising=False)

    def type_(*line: str) -> tuple[int, str, str]:
        code = run(line)
        return code, *capsys.readouterr()

    return type_


@pytest.mark.parametrize("command", NO_DAEMON, ids=" ".join)
def test_without_an_agent_every_command_says_the_same_in_words_and_to_a_script(
    command: list[str], typed
) -> None:
    code, _, err = typed(*command)
    assert code == 3
    assert err == "loa: the agent is not running\n→ start it: sudo systemctl start loa-agent\n"
    code, out, err = typed(*command, "--json")
    assert (code, err) == (3, "")
    told = json.loads(out)
    assert told["error"] == "the agent is not running"
    assert told["remedy"] == "start it: sudo systemctl start loa-agent"
    assert told["running"] is False


@pytest.mark.parametrize("line", WRONG_LINES, ids=" ".join)
def test_a_script_gets_one_object_for_a_wrong_line_with_the_same_exit_code(line: list[str], typed) -> None:
    code, out, err = typed(*line, "--json")
    assert (code, err) == (2, "")
    told = json.loads(out)
    assert told["error"]
    assert told.keys() >= {"error", "remedy"}
    assert typed(*line)[0] == 2


def test_a_script_gets_one_object_for_a_wrong_configuration(nowhere: dict[str, str], typed) -> None:
    Path(nowhere["LOA_CONFIG"]).write_text('[node]\nid = "pole 7"\n')
    for command in (["check-config"], ["voices"], ["usb", "import", "/none"], ["config", "get", "node.id"],
                    ["config", "set", "audio.nonsense", "1"], ["reset", "--yes"], ["test", "clock"]):  # fmt: skip
        code, out, err = typed(*command, "--json")
        assert (code, err) == (2, ""), command
        assert "problem" in json.loads(out)["error"], command


def test_an_invalid_language_within_a_script_is_one_object() -> None:
    done = process("status", "--json", "--lang", "xx", LC_ALL="C.UTF-8")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"].startswith("--lang xx")


def test_a_script_gets_one_object_for_what_fails_at_the_station(tmp_path: Path, typed) -> None:
    for command in (["publish"], ["renew"], ["alerts", "publish"], ["receipts"], ["enroll", "pole-07"]):
        path = command[:1] if command[0] != "alerts" else command
        rest = command[len(path) :] + (["/none.xml"] if command[0] == "alerts" else [])
        code, out, err = typed("station", *path, str(tmp_path / "none"), *rest, "--json")
        assert (code in (1, 2), err) == (True, ""), command
        assert json.loads(out)["error"], command
        assert "Errno" not in out


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_is_wrong_fits_a_phone(language: str, tmp_path: Path, nowhere: dict[str, str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[node]\nid = "pole 7"\nsite = "x"\n[audio]\nlatency_ms = -1\ndevise = "x"\n')
    for command in (["check-config"], ["mute", "--for", "8d"], ["mute", "--for", "tomorrow or the day after that"],
                    ["now"], ["play", "/nowhere/" + "long" * 20], ["doctor", "nonsense" * 9]):  # fmt: skip
        told = ESCAPE.sub("", on_a_phone(*command, "--lang", language, **nowhere)).splitlines()
        widest = max(told, key=words.width)
        assert words.width(widest) <= 60, widest
        assert told[0].startswith("loa:")


@pytest.mark.parametrize("command", [["doctor", "--all"], ["test", "link"], ["test", "mic"]], ids=" ".join)
def test_a_terminal_with_colours_shows_every_verdict(command: list[str], nowhere: dict[str, str]) -> None:
    told = on_a_phone(*command, **nowhere)
    assert "\x1b[" in told
    assert "Traceback" not in told


def test_in_a_log_a_message_is_one_line(nowhere: dict[str, str]) -> None:
    assert process("doctor", "nonsense" * 20, **nowhere).stderr.count("\n") == 1


@pytest.mark.parametrize("language", ["xx", "", "klingon"])
def test_a_language_that_loa_does_not_speak_is_one_line_and_exit_2(language: str) -> None:
    done = process("status", f"--lang={language}", LC_ALL="C.UTF-8")
    assert done.returncode == 2
    assert done.stderr == f"loa: --lang {language}: no such language; there are: en, vi\n"


@pytest.mark.parametrize("language", ["vi", "vi_VN.UTF-8", "en-GB", "VI"])
def test_a_language_may_be_named_in_every_form(language: str) -> None:
    assert process("--version", "--lang", language).returncode == 0


def test_a_recording_that_is_not_there_is_one_line_and_exit_2(nowhere: dict[str, str]) -> None:
    done = process("play", "nonsense://x", "--lang", "vi", **nowhere)
    assert done.returncode == 2
    assert done.stderr == "loa: Giá trị của 'file' không hợp lệ: không có tệp 'nonsense://x'.\n"


def test_a_mute_that_is_too_long_is_told_before_anybody_is_asked(nowhere: dict[str, str]) -> None:
    done = process("mute", "--for", "8d", "--lang", "en", **nowhere)
    assert done.returncode == 2
    assert done.stderr == "loa: --for 8d: a mute lasts at most 7 days; nothing was muted\n"
    assert process("mute", "--for", "7d", **nowhere).returncode == 3


def test_an_editor_may_be_a_script(tmp_path: Path, nowhere: dict[str, str]) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho drawn\nsed -i "s/pole-0./$1/" "$2"\n')
    editor.chmod(0o755)
    done = process("config", "edit", "--yes", "--json", **nowhere, EDITOR=f"{editor} pole-08")
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert told["changed"]
    assert '+id = "pole-08"' in told["difference"]
    assert done.stderr == "drawn\n"
    wrong = process("config", "edit", "--yes", "--json", **nowhere, EDITOR=f"{editor} 'pole 9'")
    assert wrong.returncode == 2
    assert "pole-08" in Path(nowhere["LOA_CONFIG"]).read_text()


def test_questions_stand_beside_the_answer_of_a_script(nowhere: dict[str, str]) -> None:
    done = process("setup", "--plain", "--json", **nowhere)  # nobody answers
    assert done.returncode == 130
    assert json.loads(done.stdout)["error"]
    assert "[1/" in done.stderr


def test_every_command_that_ends_by_itself_answers_scripts() -> None:
    until_somebody_ends_it = {
        ("run",),
        ("station", "serve"),
        ("station", "live"),
        ("board", "show"),
        ("usb", "plugged"),
    }
    for path, command in commands():
        if hasattr(command, "commands"):
            continue
        options = {option for parameter in command.params for option in parameter.opts}
        assert ("--json" in options) is (path not in until_somebody_ends_it), " ".join(path)
