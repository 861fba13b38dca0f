"""What a technician looks at: one narrow screen, what to do about each fault, an exit code for scripts."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent import words
from agent.cli import connection, down, repair
from agent.cli.page import rows, wrapped
from agent.cli.tree import app
from agent.control.protocol import ControlRequest
from agent.control.server import ControlServer
from drivers.links import Interface, Modem
from tests.agent.cli.test_cli import HEALTH
from tests.support.node import ROOT

LINK: dict[str, Any] = {
    "broker": {"host": "broker.example", "port": 8883, "tls": True, "connected": True,
               "since": "2026-11-23T05:00:00+00:00", "reason": None, "latency_ms": 45.4,
               "answered": "2026-11-23T05:00:00+00:00"},
    "feeds": {"commune": {"host": "feeds.example", "state": "current", "checked": "2026-11-23T05:00:00Z",
                          "reason": None, "latency_ms": 80.1}},
    "today": {"since": "2026-11-23T00:00:00+07:00", "received_bytes": 1_234_567, "sent_bytes": 9_800},
    "waiting": {"records": 3},
}  # fmt: skip
ACTIONS = [
    {"at": "2026-11-23T05:00:00+00:00", "user": "root (minh)", "op": "relay", "text": "amplifier on",
     "outcome": "done", "reason": None},
    {"at": "2026-11-23T05:01:00+00:00", "user": "lan", "op": "say", "text": "'Xin chào'", "outcome": "refused",
     "reason": "not now: muted"},
]  # fmt: skip


class Daemon:
    """Answers as the agent would."""

    def __init__(self) -> None:
        health = copy.deepcopy(HEALTH) | {"faults": []}
        self.status: dict[str, Any] = {
            "node": {"id": "pole-07", "site": "xa-mau", "public_number": "0007", "agent": "1.0"},
            "health": health,
            "link": "connected",
            "alert_sources": {},
        }
        self.link = copy.deepcopy(LINK)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def post(self, event: object) -> None:
        assert isinstance(event, ControlRequest)
        self.asked.append((event.op, event.arguments))
        match event.op:
            case "status":
                event.answer(**self.status)
            case "link":
                event.answer(**self.link)
            case "audit":
                event.answer(actions=ACTIONS)
            case "mute":
                until = "2026-11-23T07:00:00+00:00"
                event.answer(zones=["square"], until=until, muted={"hamlet": until})

    def raise_(self, code: str, text: str = "it is so") -> None:
        fault = {"code": code, "since": "2026-11-23T05:00:00Z", "text": text}
        self.status["health"]["faults"].append(fault)


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon()
    server = ControlServer(tmp_path / "control.sock", tmp_path / "by-hand", daemon.post)
    server.start()
    monkeypatch.setenv("LOA_SOCKET", str(tmp_path / "control.sock"))
    monkeypatch.setenv("COLUMNS", "60")
    yield daemon
    server.stop()


def loa(*typed: str) -> Any:
    return CliRunner().invoke(app, list(typed))


class TestStatus:
    def test_it_fits_on_one_narrow_screen_and_says_what_matters(self, daemon: Daemon) -> None:
        result = loa("status")
        for expected in ("✓ pole-07", "no. 0007", "Bản tin (item 1), -20 dBFS", "commune/a", "connected",
                         "synchronised ±0.012 s", "commune v42 current", "amplifier on", "3 records wait",
                         "square until", "all of it -6.0 dB", "none"):  # fmt: skip
            assert expected in result.output
        lines = result.output.splitlines()
        assert len(lines) < 20
        assert max(map(len, lines)) <= 60
        assert result.exit_code == 0

    def test_each_fault_has_since_when_what_and_what_to_do(self, daemon: Daemon) -> None:
        daemon.raise_("hot", "the CPU is at 90 °C")
        daemon.raise_("relay-amplifier", "relay amplifier cannot be switched: " + "no answer " * 20)
        result = loa("status")
        assert "✗ hot, since 23/11" in result.output
        assert "→ give it shade and air" in result.output
        assert "→ check the relay board" in result.output
        assert max(map(len, result.output.splitlines())) <= 60
        assert result.exit_code == 1

    @pytest.mark.parametrize(
        ("change", "code", "words_"),
        [
            ({"link": "not connected (timed out)"}, "not-connected", "loa link"),
            ({"clock": "unset"}, "clock-unset", "timedatectl"),
            ({"clock": "restored"}, "clock-restored", "loa link"),
            ({"feed": "unreachable"}, "feed:commune", "unreachable"),
            ({"feed": "none"}, "feed:commune", "since the start"),
        ],
    )
    def test_what_wants_attention_without_being_a_fault_is_exit_5(
        self, daemon: Daemon, change: dict[str, str], code: str, words_: str
    ) -> None:
        daemon.status["link"] = change.get("link", "connected")
        daemon.status["health"]["clock"]["state"] = change.get("clock", "synchronised")
        daemon.status["health"]["feeds"]["commune"]["state"] = change.get("feed", "current")
        result = loa("status")
        assert result.exit_code == 5
        assert f"! {code}" in result.output
        assert words_ in result.output

    def test_a_feed_whose_fault_stands_is_told_once(self, daemon: Daemon) -> None:
        daemon.status["health"]["feeds"]["commune"]["state"] = "unreachable"
        daemon.raise_("feed-unreachable:commune")
        result = loa("status", "--json")
        assert [f["code"] for f in json.loads(result.output)["findings"]] == ["feed-unreachable:commune"]
        assert result.exit_code == 1

    def test_scripts_get_verdict_findings_and_all_of_the_health(self, daemon: Daemon) -> None:
        daemon.raise_("hot")
        told = json.loads(loa("status", "--json").output)
        assert told["running"] is True
        assert told["verdict"] == "fault"
        (finding,) = told["findings"]
        assert set(finding) == {"verdict", "code", "text", "remedy"}
        assert told["health"]["feeds"]["commune"]["version"] == 42

    def test_it_is_told_in_vietnamese_too(self, daemon: Daemon) -> None:
        before = words.language()
        try:
            words.choose("vi")
            lines = loa("status").output.splitlines()
        finally:
            words.choose(before)
        assert lines[0].startswith("✓ pole-07")
        assert all(len(unicodedata.normalize("NFC", line)) <= 60 for line in lines)


class TestFaults:
    def test_none_is_said_and_exit_0(self, daemon: Daemon) -> None:
        result = loa("faults")
        assert (result.output, result.exit_code) == ("no fault stands\n", 0)

    def test_they_are_listed_with_their_remedies_and_exit_1(self, daemon: Daemon) -> None:
        daemon.raise_("hot")
        daemon.status["link"] = "not connected (timed out)"
        assert "→ give it shade" in loa("faults").output
        assert "not-connected" not in loa("faults").output
        result = loa("faults", "--json")
        assert [set(fault) for fault in json.loads(result.output)] == [{"code", "since", "text", "remedy"}]
        assert result.exit_code == 1


class TestLink:
    def test_it_says_how_broker_and_feeds_answer_and_what_went_through_today(self, daemon: Daemon) -> None:
        result = loa("link")
        flat = " ".join(result.output.split())
        for expected in ("broker.example:8883 TLS connected", "answered in 45 ms", "feeds.example current",
                         "answers in 80 ms", "1.2 MB received, 10 kB sent", "3 records wait"):  # fmt: skip
            assert expected in flat
        assert max(map(len, result.output.splitlines())) <= 60
        assert result.exit_code == 0

    def test_a_broker_that_is_not_reached_is_exit_5_with_its_reason(self, daemon: Daemon) -> None:
        daemon.link["broker"] |= {"connected": False, "reason": "timed out"}
        result = loa("link")
        assert "not connected since" in result.output
        assert "timed out" in " ".join(result.output.split())
        assert result.exit_code == 5

    def test_a_node_without_a_broker_is_no_warning(self, daemon: Daemon) -> None:
        daemon.link["broker"] = None
        assert loa("link").exit_code == 0
        assert "none is configured" in loa("link").output

    def test_scripts_get_all_of_it(self, daemon: Daemon) -> None:
        told = json.loads(loa("link", "--json").output)
        assert set(told) == {"running", "interfaces", "modem", "broker", "feeds", "today", "waiting"}

    def test_signals_are_judged(self) -> None:
        links = [
            Interface("wlan0", "wifi", up=True, default=True, signal_dbm=-85.0),
            Interface("eth0", "ethernet", up=False, default=False, speed_mbit=100),
            Interface("sit0", "other", up=False, default=False),
        ]
        told = list(connection.machine(links, Modem("connected", "Viettel", "lte", 67)))
        assert told == [
            ("Wi-Fi", "wlan0, up, way out, -85 dBm (poor)"),
            ("cable", "eth0, down"),
            ("modem", "connected, Viettel, lte, 67 % (good)"),
        ]
        nothing = list(connection.machine(links[1:], Modem("failed", trouble="sim-missing")))
        assert nothing[0] == ("network", "no way out of this machine: no default route")
        assert nothing[-1] == ("modem", "failed, sim-missing")

    @pytest.mark.parametrize(
        ("count", "told"),
        [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (999_999, "1000 kB"),
            (1_000_000, "1.0 MB"),
            (12e6, "12 MB"),
        ],
    )
    def test_amounts_are_short(self, count: int, told: str) -> None:
        assert connection.amount(count) == told


def test_the_audit_log_says_who_did_what_and_what_was_refused(daemon: Daemon) -> None:
    flat = " ".join(loa("log", "--audit").output.split())
    assert "root (minh): relay amplifier on" in flat
    assert "lan: say 'Xin chào' – refused: not now: muted" in flat
    assert json.loads(loa("log", "--audit", "--json").output) == ACTIONS


SYSTEMCTL = """#!/bin/sh
cat <<'END'
LoadState=loaded
ActiveState={state}
InactiveEnterTimestamp=@1795842000
ExecMainExitTimestamp=@1795842000
ExecMainStatus={code}
END
"""
JOURNALCTL = """#!/bin/sh
echo '{"MESSAGE": "loa.daemon: the node cannot run: no space"}'
"""


class TestDown:
    """Stands for systemd and journald, which do not run as process 1 here."""

    @pytest.fixture
    def tools(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setenv("LOA_SOCKET", str(tmp_path / "none.sock"))
        monkeypatch.setenv("COLUMNS", "60")
        (tmp_path / "journalctl").write_text(JOURNALCTL)
        (tmp_path / "journalctl").chmod(0o755)
        return tmp_path

    def systemctl(self, tools: Path, state: str, code: int, text: str = SYSTEMCTL) -> None:
        (tools / "systemctl").write_text(text.replace("{state}", state).replace("{code}", str(code)))
        (tools / "systemctl").chmod(0o755)

    @pytest.mark.parametrize(
        ("state", "code", "remedy"),
        [
            ("inactive", 0, "start it: sudo systemctl start loa-agent"),
            ("failed", 2, "loa check-config"),
            ("activating", 1, "journalctl -u loa-agent"),
        ],
    )
    def test_it_says_since_when_its_last_line_and_what_to_do(self, tools: Path, state, code, remedy) -> None:
        self.systemctl(tools, state, code)
        result = loa("status")
        flat = " ".join(result.stderr.split())
        assert "not running since" in flat
        assert "the node cannot run: no space" in flat
        assert remedy in flat
        assert result.stdout == ""
        assert result.exit_code == 3
        assert max(map(len, result.stderr.splitlines())) <= 60

    def test_scripts_get_json(self, tools: Path) -> None:
        self.systemctl(tools, "failed", 2)
        told = json.loads(loa("status", "--json").stdout)
        assert (told["running"], told["verdict"], told["exit_code"]) == (False, "not-running", 2)
        assert told["since"].startswith("2026-11-2")

    def test_a_node_that_was_never_installed_is_told_how(self, tools: Path) -> None:
        self.systemctl(tools, "", 0, "#!/bin/sh\necho LoadState=not-found\n")
        assert "install.sh" in loa("status").stderr

    @pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho\n", "#!/bin/sh\nsleep 9\n"])
    def test_without_systemd_it_still_says_what_to_do(self, tools: Path, monkeypatch, text: str) -> None:
        monkeypatch.setattr(down, "PATIENCE_S", 0.2)
        self.systemctl(tools, "", 0, text)
        result = loa("status")
        assert "systemctl start loa-agent" in result.stderr
        assert result.exit_code == 3


class TestPage:
    def test_labels_stand_in_a_column_and_long_words_are_wrapped_under_themselves(self) -> None:
        text = "Kính mời bà con đến nhà văn hóa thôn lúc 19 giờ để nghe phổ biến về phòng chống bão"
        lines = list(rows([("tiếng", text), ("liên kết", "có")], 40))
        assert lines[0].startswith("tiếng     Kính mời")
        assert all(line.startswith(" " * 10) for line in lines[1:-1])
        assert lines[-1] == "liên kết  có"
        assert max(map(len, lines)) <= 40

    def test_decomposed_letters_take_no_room_of_their_own(self) -> None:
        decomposed = unicodedata.normalize("NFD", "ế " * 18)
        assert len(wrapped(decomposed, 40)) == 1


class TestMute:
    @pytest.mark.parametrize(
        ("text", "seconds_"),
        [("45m", 2_700), ("2h", 7_200), ("1h30m", 5_400), ("2d", 172_800), ("90s", 90), (" 2H ", 7_200)],
    )
    def test_a_time_is_read_as_it_is_spoken(self, text: str, seconds_: int) -> None:
        assert repair.seconds(text) == seconds_

    @pytest.mark.parametrize("text", ["", "2", "h", "2 h", "0m", "-2h", "2h x", "1.5h", "forever"])
    def test_anything_else_is_exit_2_and_asks_nothing(self, daemon: Daemon, text: str) -> None:
        result = loa("mute", "--for", text)
        assert result.exit_code == 2
        assert daemon.asked == []

    def test_it_says_until_when_and_how_to_lift_it(self, daemon: Daemon) -> None:
        result = loa("mute", "--for", "2h", "--zone", "square")
        assert daemon.asked == [("mute", {"for_s": 7_200, "zones": ["square"]})]
        flat = " ".join(result.output.split())
        assert "muted until" in flat
        assert "square. Emergencies still sound. To lift it: loa unmute" in flat

    def test_lifting_one_says_what_is_still_muted(self, daemon: Daemon) -> None:
        result = loa("unmute", "--zone", "square")
        assert daemon.asked == [("mute", {"for_s": None, "zones": ["square"]})]
        assert "no longer muted: square" in result.output
        assert "hamlet" in result.output.splitlines()[-1]
        assert json.loads(loa("unmute", "--json").output)["zones"] == ["square"]


class TestQuick:
    """`loa status` does without the parser of command lines."""

    def process(self, *typed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agent.cli", *typed],
            cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    @pytest.mark.parametrize("typed", [["status"], ["faults"], ["status", "--json"], ["faults", "--json"]])
    def test_it_says_what_the_common_way_says(self, daemon: Daemon, typed: list[str]) -> None:
        daemon.raise_("hot")
        quick, common = self.process(*typed), loa(*typed)
        assert (quick.stdout, quick.stderr, quick.returncode) == (
            common.stdout,
            common.stderr,
            common.exit_code,
        )

    def test_it_loads_neither_typer_nor_pydantic(self, daemon: Daemon) -> None:
        code = (
            "import sys; sys.argv = ['loa', 'status']\n"
            "from agent.cli.main import main\n"
            "try: main()\nexcept SystemExit: pass\n"
            "print(*sorted({'typer', 'pydantic', 'rich', 'agent.config', 'numpy'} & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == ""

    def test_a_reader_who_leaves_early_is_no_error(self, daemon: Daemon) -> None:
        done = subprocess.run(
            f"{sys.executable} -m agent.cli status --json | head -c 1",
            cwd=ROOT, shell=True, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("{", "")

    def test_anything_else_on_the_line_goes_the_common_way(self, daemon: Daemon) -> None:
        assert self.process("status", "--wrong").returncode == 2
        assert "How the node is" in self.process("status", "--help").stdout
