"""What a technician types, and what comes back: one screen, and an exit code for scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.cli.tree import app
from agent.control.protocol import ControlRequest
from agent.control.server import ControlServer

ROOT = Path(__file__).parents[3]

HEALTH: dict[str, Any] = {
    "now": {
        "audio": {"title": "Bản tin", "programme": "news", "command": None, "alert": None,
                  "item": 1, "level_dbfs": -20.4},
        "screen": {"driver": "offscreen", "size": [1280, 720], "takeover": None, "showing": ["commune/a"]},
    },
    "clock": {"state": "synchronised", "error_s": 0.012},
    "feeds": {"commune": {"version": 42, "state": "current", "checked": "2026-11-23T05:00:00Z", "reason": None}},
    "relays": {"amplifier": True},
    "muted": {"square": "2026-11-23T13:00:00Z"},
    "volumes": {"*": {"gain_db": -6.0, "until": None}},
    "log": {"last": 10, "stored_through": 7},
    "faults": [{"code": "hot", "since": "2026-11-23T05:00:00Z", "text": "the CPU is at 90 °C"}],
}  # fmt: skip
RECORD = {
    "kind": "play", "started": "2026-11-23T05:00:00Z", "planned": None, "ended": None, "programme": "news",
    "command": None, "alert": None, "bulletin": None, "fault": None, "item": 0, "outcome": "finished",
    "played_s": 93.2, "sounded_dbfs": -20.8, "reason": None, "text": None,
}  # fmt: skip
ENTRY = {
    "planned": "2026-11-23T05:00:00Z",
    "class": "routine",
    "title": "Bản tin",
    "id": "x",
    "refused": "quiet day",
}
REPLIES: dict[str, dict[str, Any]] = {
    "status": {
        "node": {"id": "pole-07", "site": "xa-mau", "public_number": "0007", "agent": "1.0"},
        "health": HEALTH,
        "link": "connected",
        "alert_sources": {},
    },
    "next": {"upcoming": [ENTRY]},
    "log": {"records": [RECORD]},
    "say": {"id": "local/1"},
    "play": {"id": "local/2"},
    "identify": {"number": "0007"},
    "stop": {"stopped": True},
    "relay": {},
    "screenshot": {"size": [1280, 720], "picture": "iVBORw=="},
    "self-test": {},
}


class Daemon:
    """Answers as the agent would, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refusal: str | None = None

    def post(self, event: object) -> None:
        assert isinstance(event, ControlRequest)
        self.asked.append((event.op, event.arguments))
        if self.refusal is not None:
            event.refuse(self.refusal)
        else:
            event.answer(**REPLIES[event.op])


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon()
    server = ControlServer(tmp_path / "control.sock", tmp_path / "by-hand", daemon.post)
    server.start()
    monkeypatch.setenv("LOA_SOCKET", str(tmp_path / "control.sock"))
    yield daemon
    server.stop()


def loa(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(("words", "key"), [(["now"], "audio"), (["next"], 0), (["log"], 0)])
def test_scripts_get_json(daemon: Daemon, words: list[str], key: str | int) -> None:
    result = loa(*words, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)[key]


def test_next_says_what_forbids_a_start(daemon: Daemon) -> None:
    output = loa("next", "-n", "3").output
    assert "Bản tin" in output
    assert "(quiet day)" in output
    assert daemon.asked == [("next", {"count": 3})]


def test_log_is_one_line_a_record(daemon: Daemon) -> None:
    (line,) = loa("log").output.splitlines()
    assert "news[0] finished 93.2 s -21 dBFS" in line


def test_now_says_what_sounds_and_shows(daemon: Daemon) -> None:
    assert loa("now").output.splitlines() == [
        "speaks  Bản tin (item 1), -20 dBFS",
        "shows   commune/a (offscreen 1280×720)",
    ]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["say", "Một", "-l", "en", "--zone", "square"],
         ("say", {"text": "Một", "language": "en", "zones": ["square"]})),
        (["stop"], ("stop", {"name": "*"})),
        (["stop", "news"], ("stop", {"name": "news"})),
        (["relay", "amplifier", "on"], ("relay", {"name": "amplifier", "on": True})),
    ],
)  # fmt: skip
def test_what_is_typed_reaches_the_daemon(daemon: Daemon, words, asked) -> None:
    result = loa(*words)
    assert result.exit_code == 0, result.output
    assert daemon.asked == [asked]


def test_play_hands_the_recording_in(daemon: Daemon) -> None:
    result = loa("play", __file__)
    assert result.exit_code == 0, result.output
    ((op, arguments),) = daemon.asked
    assert (op, arguments["name"], arguments["zones"]) == ("play", Path(__file__).name, ["*"])
    assert Path(arguments["path"]).read_bytes() == Path(__file__).read_bytes()
    assert Path(arguments["path"]) != Path(__file__)


def test_an_empty_recording_is_not_handed_in(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "x.wav").touch()
    assert loa("play", str(tmp_path / "x.wav")).exit_code == 2
    assert daemon.asked == []


@pytest.mark.parametrize(("name", "kind"), [("x.png", "png"), ("x.JPG", "jpg"), ("x.jpeg", "jpg")])
def test_a_screenshot_is_written_by_the_technician(daemon: Daemon, tmp_path: Path, name, kind) -> None:
    result = loa("screenshot", str(tmp_path / name), "--width", "320")
    assert result.exit_code == 0, result.output
    assert daemon.asked == [("screenshot", {"format": kind, "width": 320})]
    assert (tmp_path / name).read_bytes() == b"\x89PNG"


def test_a_screenshot_that_cannot_be_written_is_one_line(daemon: Daemon, tmp_path: Path) -> None:
    result = loa("screenshot", str(tmp_path / "none" / "x.png"))
    assert result.exit_code == 1
    assert "cannot be written: No such file" in result.stderr


@pytest.mark.parametrize(("state", "exit_code"), [("finished", 0), ("failed", 1)])
def test_a_self_test_is_waited_for_and_ends_as_it_ended(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, state: str, exit_code: int
) -> None:
    tones = [
        {"hz": 520.0, "heard_dbfs": -43.0, "change_db": -7.1},
        {"hz": 830.0, "heard_dbfs": None, "change_db": None},
    ]
    reply = {
        "running": False,
        "state": state,
        "text": "7 dB softer",
        "result": {"verdict": "weaker", "tones": tones},
    }
    monkeypatch.setitem(REPLIES, "self-test-state", reply)
    result = loa("self-test", "--reference")
    assert result.exit_code == exit_code
    assert daemon.asked == [("self-test", {"reference": True}), ("self-test-state", {})]
    assert result.stdout.splitlines() == [
        "   520 Hz  -43.0 dBFS (-7.1 dB)",
        "   830 Hz  not heard",
        f"{state}: 7 dB softer",
    ]
    assert json.loads(loa("self-test", "--json").stdout)["verdict"] == "weaker"


def test_a_refusal_is_one_line_and_exit_1(daemon: Daemon) -> None:
    daemon.refusal = "not now: the agent is not running late"
    result = loa("say", "x")
    assert result.exit_code == 1
    assert result.stderr == "loa: not now: the agent is not running late\n"


@pytest.mark.parametrize(
    "words",
    [
        ["relay", "amplifier", "maybe"],
        ["next", "-n", "0"],
        ["play", "/none"],
        ["fly"],
        ["screenshot", "x.bmp"],
    ],
)
def test_a_wrong_command_line_is_exit_2_and_asks_nothing(daemon: Daemon, words: list[str]) -> None:
    assert loa(*words).exit_code == 2
    assert daemon.asked == []


def process(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_without_a_daemon_it_is_exit_3_and_says_what_to_do(tmp_path: Path) -> None:
    done = process("--socket", str(tmp_path / "none.sock"), "status")
    assert done.returncode == 3
    assert "systemctl start loa-agent" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_configuration_is_exit_2_with_all_errors_and_nothing_started(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[node]\nid = "pole 7"\n[audio]\nlatency_ms = -1\ndevise = "x"\n')
    for words in (("check-config", "-c", str(config)), ("run", "-c", str(config))):
        done = process(*words)
        assert done.returncode == 2
        for found in ("id", "latency_ms", "devise", "device"):
            assert found in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [config]


def test_who_speaks_here_is_told_for_each_language_with_the_reason_where_nobody_does(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[node]\nid = "a"\nsite = "x"\nlanguages = ["hmn", "vi"]\n[[voices]]\nlanguage = "fr"\nmodel = "fr.onnx"\n'
    )
    told = json.loads(loa("voices", "-c", str(config), "--json").output)
    hmong, vietnamese, french = told["languages"]
    assert hmong == {"language": "hmn", "by": None, "reason": "no voice for hmn"}
    assert (vietnamese["language"], vietnamese["reason"]) == ("vi", None)
    assert "espeak-ng" in vietnamese["by"]
    assert "fr.onnx cannot be read" in french["reason"]
    assert "en-gb" in told["others"]
    assert "hmn          cannot be spoken: no voice for hmn" in loa("voices", "-c", str(config)).output
    checked = loa("check-config", "-c", str(config))
    assert checked.exit_code == 2
    assert "fr.onnx cannot be read" in checked.output


def test_the_version_is_told() -> None:
    done = process("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("loa-agent ")


def test_the_centres_commands_are_found_behind_options(tmp_path: Path) -> None:
    done = process("--socket", str(tmp_path / "x"), "station", "--help")
    assert done.returncode == 0
    assert "publish" in done.stdout
