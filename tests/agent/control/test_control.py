"""The technician's socket: for the group only, and no line of anybody's harms the daemon."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.control import server as server_module
from agent.control.client import ControlError, NotRunning, ask
from agent.control.protocol import MAX_LINE_BYTES, ControlRequest
from agent.control.server import MOST, MOST_OF_ONE, ControlServer, Seats
from tests.support.wait import wait_until


class Daemon:
    """Answers requests as the conductor would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[ControlRequest] = []
        self.deaf = False
        self.server = ControlServer(path, path.parent / "by-hand", self._post)
        self.server.start()

    def _post(self, event: object) -> None:
        assert isinstance(event, ControlRequest)
        self.requests.append(event)
        if event.op == "refuse":
            event.refuse("not now")
        elif not self.deaf:
            event.answer(op=event.op, **event.arguments)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "run" / "control.sock")
    yield daemon
    daemon.server.stop()


def raw(daemon: Daemon, data: bytes) -> list[dict]:
    """What comes back for these bytes, until the daemon hangs up or we do."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(daemon.path))
        sender = threading.Thread(target=_send, args=(connection, data))
        sender.start()
        lines = []
        # it may hang up before all was sent
        with connection.makefile("rb") as reader, contextlib.suppress(ConnectionResetError):
            lines.extend(reader)
        sender.join()
    return [json.loads(line) for line in lines]


def _send(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return  # hung up on, which the replies show


def test_a_request_gets_its_reply(daemon: Daemon) -> None:
    assert ask(daemon.path, "say", text="Xin chào") == {"op": "say", "text": "Xin chào"}


def test_the_daemon_knows_who_asks(daemon: Daemon) -> None:
    ask(daemon.path, "status")
    assert daemon.requests[0].user == pwd.getpwuid(os.getuid()).pw_name


def test_a_refusal_is_an_error_with_its_words(daemon: Daemon) -> None:
    with pytest.raises(ControlError, match="not now"):
        ask(daemon.path, "refuse")


def test_only_owner_and_group_may_connect(daemon: Daemon) -> None:
    assert stat.S_IMODE(daemon.path.stat().st_mode) == 0o660


def test_the_socket_of_a_dead_daemon_is_replaced(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "old.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    again = Daemon(path)
    assert ask(path, "status") == {"op": "status"}
    again.server.stop()


@pytest.mark.parametrize(
    "line",
    [b"", b"hello", b"[]", b"5", b"null", b'"op"', b'{"no": "op"}', b"\xff\xfe", b"[" * 100_000, b'{"op": "x"'],
    ids=["empty", "text", "list", "number", "null", "string", "no-op", "not-utf8", "deep", "cut"],
)  # fmt: skip
def test_a_bad_line_gets_one_clear_error_and_the_next_is_served(daemon: Daemon, line: bytes) -> None:
    bad, good = raw(daemon, line + b"\n" + b'{"op": "status"}\n')
    assert bad["ok"] is False
    assert "a request is one line" in bad["error"]
    assert good == {"ok": True, "op": "status"}


def test_a_huge_line_is_refused_once_and_ends_the_conversation(daemon: Daemon) -> None:
    replies = raw(daemon, b"x" * (MAX_LINE_BYTES * 3) + b"\n")
    assert len(replies) <= 1  # a line that is still being sent may cost the reply its way
    assert all("at most" in reply["error"] for reply in replies)
    assert daemon.requests == []
    assert ask(daemon.path, "status") == {"op": "status"}


def test_several_requests_go_over_one_connection(daemon: Daemon) -> None:
    replies = raw(daemon, b'{"op": "a"}\n{"op": "b"}\n')
    assert [reply["op"] for reply in replies] == ["a", "b"]


def test_who_says_nothing_keeps_nobody_waiting(daemon: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(daemon.path))
        assert ask(daemon.path, "status") == {"op": "status"}


def test_who_says_nothing_at_first_is_hung_up_on_soon(daemon: Daemon, monkeypatch) -> None:
    monkeypatch.setattr(server_module, "FIRST_WITHIN_S", 0.1)
    with socket.socket(socket.AF_UNIX) as idle:
        idle.settimeout(5)
        idle.connect(str(daemon.path))
        assert idle.recv(1) == b""


def test_who_says_nothing_more_for_long_is_hung_up_on(daemon: Daemon, monkeypatch) -> None:
    monkeypatch.setattr(server_module, "QUIET_S", 0.1)
    with socket.socket(socket.AF_UNIX) as idle, idle.makefile("rb") as reader:
        idle.settimeout(5)
        idle.connect(str(daemon.path))
        idle.sendall(b'{"op": "status"}\n')
        assert [json.loads(line) for line in reader] == [{"ok": True, "op": "status"}]


def test_more_connections_than_can_be_served_are_refused_until_one_ends(daemon: Daemon, monkeypatch) -> None:
    monkeypatch.setattr(server_module, "MOST", 2)
    monkeypatch.setattr(server_module, "MOST_OF_ONE", 0 if os.getuid() == 0 else 2)
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(socket.socket(socket.AF_UNIX)).connect(str(daemon.path))
        with pytest.raises(ControlError, match="try again"):
            ask(daemon.path, "status")
        assert daemon.requests == []
    wait_until(lambda: _served(daemon), 5, "it is served again")


def _served(daemon: Daemon) -> bool:
    with contextlib.suppress(ControlError):
        return bool(ask(daemon.path, "status"))
    return False


def test_one_account_takes_its_share_only_and_root_always_gets_in() -> None:
    seats = Seats()
    for uid in (1_001, 1_002, 1_003):
        assert [seats.enter(uid) for _ in range(MOST_OF_ONE)] == [None] * MOST_OF_ONE
    assert "has 8 connections" in str(seats.enter(1_001))
    assert "too many connect" in str(seats.enter(1_004))
    assert [seats.enter(0) for _ in range(MOST - 3 * MOST_OF_ONE)] == [None] * MOST_OF_ONE
    assert "too many connect" in str(seats.enter(0))
    seats.leave(0)
    seats.leave(1_001)
    assert seats.enter(1_001) is None


def test_a_queue_that_is_full_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "full.sock"
    with socket.socket(socket.AF_UNIX) as busy, contextlib.ExitStack() as stack:
        busy.bind(str(path))
        busy.listen(0)
        with pytest.raises(BlockingIOError):
            for _ in range(5):
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                waiting.connect(str(path))
        with pytest.raises(ControlError, match="too many connect at once; try again"):
            ask(path, "status", timeout_s=1.0)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b'{"op": "play", "bytes": 9}\nshort', "4 of 9 bytes are missing"),
        (b'{"op": "play", "path": "/etc/passwd"}\n', "1 to 60000000 bytes"),
        (b'{"op": "play", "bytes": 60000001}\n', "1 to 60000000 bytes"),
        (b'{"op": "play", "bytes": true}\n', "1 to 60000000 bytes"),
    ],
    ids=["cut", "none", "huge", "no-number"],
)
def test_a_recording_that_is_not_whole_is_refused_and_not_kept(daemon: Daemon, request_, words) -> None:
    (reply,) = raw(daemon, request_)
    assert words in reply["error"]
    assert daemon.requests == []
    assert list((daemon.path.parent / "by-hand").iterdir()) == []


def test_who_hangs_up_before_the_answer_is_no_defect(daemon: Daemon, monkeypatch) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    daemon.deaf = True
    with socket.socket(socket.AF_UNIX) as hasty:
        hasty.connect(str(daemon.path))
        hasty.sendall(b'{"op": "status"}\n')
        wait_until(lambda: daemon.requests, 5, "the request is there")
    daemon.requests[0].answer()
    wait_until(
        lambda: not any(thread.name.startswith(server_module.TECHNICIAN) for thread in threading.enumerate()),
        5,
        "nobody is served any more",
    )
    assert died == []


def test_a_conductor_that_is_busy_is_an_error_after_a_while(daemon: Daemon, monkeypatch) -> None:
    monkeypatch.setattr(server_module, "REPLY_WITHIN_S", 0.1)
    daemon.deaf = True
    with pytest.raises(ControlError, match="did not answer"):
        ask(daemon.path, "status")


def test_without_a_daemon_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="systemctl start loa-agent"):
        ask(tmp_path / "none.sock", "status")


def test_after_its_end_nobody_is_served_and_the_socket_is_gone(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "control.sock")
    daemon.server.stop()
    assert not daemon.path.exists()
    wait_until(
        lambda: not any(thread.name == "control" for thread in threading.enumerate()), 5, "its thread ends"
    )


def test_a_path_that_is_too_long_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="too long"):
        ask(tmp_path / ("x" * 200), "status")
