"""How the updater deals with a node that runs: at a socket that answers what the test wants."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.update.errors import Failed
from agent.update.service import Patience, await_health, restart_when_quiet

QUICK = Patience(quiet_s=0.3, quiet_each_s=0.01, healthy_s=2.0, steady_s=0.2)
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Daemon:
    """Answers at a control socket, and keeps what was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[str] = []
        self.answer: Answer = lambda _request: {"ok": True, "why": None}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as reader:
                request = json.loads(reader.readline())
                self.asked.append(request["op"])
                connection.sendall(json.dumps(self.answer(request)).encode() + b"\n")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "s")
    yield made
    made.close()


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `systemctl` that prints what lies in a file, and writes down what it is asked."""
    tools = tmp_path / "tools"
    tools.mkdir()
    shown = tmp_path / "shown"
    shown.write_text("ActiveState=active\nMainPID=1\nResult=success\n", encoding="ascii")
    script = f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\ncat {shown}\n'
    (tools / "systemctl").write_text(script, encoding="utf-8")
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    return shown


def test_the_link_is_moved_once_the_node_is_quiet(daemon: Daemon) -> None:
    moves: list[str] = []
    busy = iter(["news sounds", "news sounds", None, None])
    daemon.answer = lambda _request: {"ok": True, "why": next(busy)}
    restart_when_quiet(daemon.path, "1.1", lambda: moves.append("to"), lambda: moves.append("back"), QUICK)
    assert moves == ["to"]
    assert daemon.asked == ["quiet", "quiet", "quiet", "update-restart"]


def test_an_emergency_that_comes_after_the_question_takes_the_link_back(daemon: Daemon) -> None:
    moves: list[str] = []
    answers = iter([None, "an alert is in force: A1", "an alert is in force: A1", None, None])
    daemon.answer = lambda _request: {"ok": True, "why": next(answers)}
    restart_when_quiet(daemon.path, "1.1", lambda: moves.append("to"), lambda: moves.append("back"), QUICK)
    assert moves == ["to", "back", "to"]
    assert daemon.asked == ["quiet", "update-restart", "quiet", "quiet", "update-restart"]


def test_a_node_that_is_never_quiet_stays_as_it_is(daemon: Daemon) -> None:
    daemon.answer = lambda _request: {"ok": True, "why": "news sounds"}
    with pytest.raises(Failed, match=r"was not quiet .*: news sounds"):
        restart_when_quiet(daemon.path, "1.1", pytest.fail, pytest.fail, QUICK)  # type: ignore[arg-type]


def test_a_node_that_does_not_run_disturbs_nobody(tmp_path: Path, systemctl: Path) -> None:
    moves: list[str] = []
    restart_when_quiet(tmp_path / "none", "1.1", lambda: moves.append("to"), pytest.fail, QUICK)  # type: ignore[arg-type]
    assert moves == ["to"]
    assert (tmp_path / "calls").read_text() == "restart --no-block loa-agent.service\n"


def test_a_version_is_healthy_when_it_answers_and_stays(daemon: Daemon, systemctl: Path) -> None:
    daemon.answer = lambda _request: {"ok": True, "node": {"agent": "1.1"}}
    await_health(daemon.path, "1.1", QUICK)
    with pytest.raises(Failed, match=r"the node 1\.1"):
        await_health(daemon.path, "1.2", QUICK)


def test_a_version_that_is_started_again_and_again_is_left_early(daemon: Daemon, systemctl: Path) -> None:
    pids = iter(range(100, 10_000))

    def answer(_request: dict[str, Any]) -> dict[str, Any]:
        systemctl.write_text(f"ActiveState=active\nMainPID={next(pids)}\n", encoding="ascii")
        return {"ok": True, "node": {"agent": "1.1"}}

    daemon.answer = answer
    with pytest.raises(Failed, match="was started 3 times and did not stay"):
        await_health(daemon.path, "1.1", Patience(healthy_s=30.0, steady_s=5.0))


def test_a_version_that_systemd_has_given_up_is_left_at_once(daemon: Daemon, systemctl: Path) -> None:
    systemctl.write_text("ActiveState=failed\nMainPID=0\nResult=exit-code\n", encoding="ascii")
    with pytest.raises(Failed, match=r"not started again .exit-code."):
        await_health(daemon.path, "1.1", Patience(healthy_s=30.0, steady_s=5.0))
