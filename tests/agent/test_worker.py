"""The parent's end of a worker: talk, death, restart, a child that does not listen."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.worker import WorkerDied, WorkerLink, WorkerSaid, WorkerStarted, pause_after
from tests.support.wait import wait_until

ECHO = """
import sys, json
from agent.child import take_over_pipes, read_messages, die_with_parent
die_with_parent()
voice = take_over_pipes()
print("a library chatters on stdout")
read_messages(lambda m: voice.say({"echo": m}), lambda why, line: voice.say({"bad": why, "line": line}))
"""


class Events:
    """Everything a link has posted."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._lock = threading.Lock()

    def __call__(self, event: Any) -> None:
        with self._lock:
            self.all.append(event)

    def of(self, kind: type) -> list[Any]:
        with self._lock:
            return [event for event in self.all if isinstance(event, kind)]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def echo(events: Events) -> Iterator[WorkerLink]:
    link = WorkerLink("echo", [sys.executable, "-c", ECHO], events, env={"PYTHONPATH": os.getcwd()})  # noqa: PTH109
    link.start()
    wait_until(lambda: events.of(WorkerStarted), 5, "the worker starts")
    yield link
    link.stop(2.0)


def test_messages_go_down_and_come_back_and_chatter_does_not_mix_in(echo: WorkerLink, events: Events) -> None:
    assert echo.send({"op": "ping", "text": "Kính chào bà con"})
    said = wait_until(lambda: events.of(WorkerSaid), 5, "an answer")
    assert said == [WorkerSaid("echo", {"echo": {"op": "ping", "text": "Kính chào bà con"}})]


def test_a_message_larger_than_the_pipe_arrives_whole(echo: WorkerLink, events: Events) -> None:
    text = "ắ" * 300_000
    began = time.monotonic()
    echo.send({"text": text})
    assert time.monotonic() - began < 0.5
    said = wait_until(lambda: events.of(WorkerSaid), 10, "the long answer")
    assert said[0].message["echo"]["text"] == text


def test_a_killed_worker_is_reported_and_started_again(echo: WorkerLink, events: Events) -> None:
    first = events.of(WorkerStarted)[0].pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(events.of(WorkerStarted)) == 2, 2, "a second worker")
    assert events.of(WorkerDied) == [WorkerDied("echo", "ended by SIGKILL")]
    echo.send({"n": 2})
    wait_until(lambda: events.of(WorkerSaid), 5, "an answer from the second")
    assert echo.pid != first


def test_a_worker_that_does_not_read_is_killed_and_the_sender_never_waits(
    echo: WorkerLink, events: Events
) -> None:
    os.kill(events.of(WorkerStarted)[0].pid, signal.SIGSTOP)
    block = "x" * 1_000_000
    began = time.monotonic()
    for _ in range(12):
        echo.send({"block": block})
    assert time.monotonic() - began < 2
    died = wait_until(lambda: events.of(WorkerDied), 5, "the end of the stuck worker")
    assert "does not read" in died[0].reason


def test_stop_ends_the_worker_through_its_stdin_and_no_other_is_started(
    echo: WorkerLink, events: Events
) -> None:
    pid = echo.pid
    echo.stop(5.0)
    assert pid is not None
    assert not echo.alive
    assert events.of(WorkerDied) == [WorkerDied("echo", "exit 0")]
    assert not echo.send({"op": "ping"})


def test_a_worker_that_cannot_be_started_is_reported(events: Events) -> None:
    link = WorkerLink("none", ["/nonexistent/worker"], events)
    link.start()
    died = wait_until(lambda: len(events.of(WorkerDied)) > 1 and events.of(WorkerDied), 5, "two reports")
    link.stop(1.0)
    assert "cannot be started" in died[0].reason
    assert not events.of(WorkerStarted)


def test_a_line_that_is_not_json_is_ignored_and_the_next_one_is_heard(events: Events) -> None:
    link = WorkerLink("loud", ["/bin/sh", "-c", "echo nonsense; echo '[1]'; echo '{\"n\":1}'; cat"], events)
    link.start()
    said = wait_until(lambda: events.of(WorkerSaid), 5, "the good line")
    link.stop(2.0)
    assert said == [WorkerSaid("loud", {"n": 1})]


def test_a_bad_line_to_the_worker_is_refused_and_the_next_one_is_handled(
    echo: WorkerLink, events: Events
) -> None:
    child = echo._child
    assert child is not None
    os.write(child.stdin, b"\xff{nonsense\n[]\n")
    echo.send({"n": 1})
    said = wait_until(lambda: len(events.of(WorkerSaid)) == 3 and events.of(WorkerSaid), 5, "three answers")
    assert [set(event.message) for event in said] == [{"bad", "line"}, {"bad", "line"}, {"echo"}]


def test_the_worker_dies_when_its_parent_is_killed() -> None:
    parent = (
        "import sys, time\n"
        "from agent.worker import WorkerLink, WorkerStarted\n"
        f"code = {ECHO!r}\n"
        "def post(event):\n"
        "    if isinstance(event, WorkerStarted): print(event.pid, flush=True)\n"
        "link = WorkerLink('w', [sys.executable, '-c', code], post)\n"
        "link.start(); time.sleep(60)\n"
    )
    import subprocess

    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    wait_until(lambda: not _runs(pid), 5, "the end of the orphan")


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def test_the_pause_before_a_restart_doubles_up_to_ten_seconds() -> None:
    assert [pause_after(n) for n in (1, 4, 5, 6, 7, 100)] == [0.1, 0.1, 0.2, 0.4, 0.8, 10.0]


def test_the_pause_stays_short_for_a_child_that_had_come_up() -> None:
    assert [pause_after(n, spoke=True) for n in (1, 5, 6, 7, 100)] == [0.1, 0.2, 0.4, 0.4, 0.4]
