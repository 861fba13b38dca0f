"""Lines with fields in a real journald, found again by a real journalctl."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.journald import MAX_VALUE_BYTES, JournaldHandler, stderr_is_journald

ROOT = Path(__file__).parents[2]

PRIVATE_JOURNALD = """
set -eu
mkdir -p /run/log /run/systemd/journal
mount -t tmpfs none /run/log
mount -t tmpfs none /run/systemd/journal
/lib/systemd/systemd-journald &
journald=$!
for _ in $(seq 100); do [ -S /run/systemd/journal/stdout ] && break; sleep 0.05; done
"$@"
entries() { journalctl -D /run/log/journal -o json --no-pager SYSLOG_IDENTIFIER=loa-agent 2>/dev/null; }
for _ in $(seq 100); do
  entries | grep -q 'the end' && break
  sleep 0.05
done
entries
kill $journald
"""

CONNECTED = """
import os, socket, sys
# as systemd connects a service: a stream to journald, and $JOURNAL_STREAM to tell
stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
stream.connect("/run/systemd/journal/stdout")
stream.sendall(b"unit\\n\\n6\\n1\\n0\\n0\\n0\\n")
found = os.fstat(stream.fileno())
os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
os.dup2(stream.fileno(), 2)
import logging
from agent.logs import set_up
set_up("info")
log = logging.getLogger("loa.node")
log.warning("fault %s raised", "hot", extra={"loa_fault": "hot", "loa_zone": ["hamlet", "square"]})
log.error("Bão số 5\\nđang đến", extra={"loa_feed": None})
log.info("the end")
"""


def test_real_journald_has_each_line_with_its_fields() -> None:
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "bash", "-c", PRIVATE_JOURNALD, "bash",
         sys.executable, "-c", CONNECTED],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    hot, storm, _ = map(json.loads, done.stdout.splitlines())
    assert hot["MESSAGE"] == "loa.node: fault hot raised"
    assert (hot["PRIORITY"], hot["LOA_FAULT"], hot["LOA_ROOM"]) == ("4", "hot", "node")
    assert sorted(hot["LOA_ZONE"]) == ["hamlet", "square"]
    assert hot["SYSLOG_IDENTIFIER"] == "loa-agent"
    assert storm["MESSAGE"] == "loa.node: Bão số 5\nđang đến"
    assert storm["PRIORITY"] == "3"
    assert "LOA_FEED" not in storm


def test_elsewhere_standard_error_is_no_journald(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    assert not stderr_is_journald()
    monkeypatch.delenv("JOURNAL_STREAM")
    assert not stderr_is_journald()


class Sink:
    """A journald that may stop reading."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(5)
        self.handler = JournaldHandler(path)

    def tell(self, text: str, **fields: object) -> None:
        record = logging.LogRecord("loa.x", logging.INFO, __file__, 1, text, (), None)
        vars(record).update(fields)
        self.handler.emit(record)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    sink = Sink(tmp_path / "socket")
    yield sink
    sink.handler.close()
    sink.socket.close()


def test_a_journald_that_hangs_stops_nobody_and_what_was_lost_is_counted(sink: Sink) -> None:
    for _ in range(5_000):
        sink.tell("x" * 100)
    taken = 0
    sink.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        while sink.socket.recv(200_000):
            taken += 1
    sink.tell("again")
    sink.socket.settimeout(5)
    assert f"LOA_LOST={5_000 - taken}\n".encode() in sink.socket.recv(200_000)
    sink.tell("and again")
    assert b"LOA_LOST" not in sink.socket.recv(200_000)


def test_a_huge_line_is_cut_and_sent(sink: Sink) -> None:
    sink.tell("ế" * 500_000)
    assert MAX_VALUE_BYTES < len(sink.socket.recv(1_000_000)) < MAX_VALUE_BYTES + 1_000


def test_a_badly_made_line_breaks_nothing(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    record = logging.LogRecord("loa.x", logging.INFO, __file__, 1, "%d of them", ("many",), None)
    sink.handler.emit(record)
    sink.tell("fine")
    assert b"MESSAGE=fine\n" in sink.socket.recv(10_000)


def test_without_a_socket_it_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        JournaldHandler(tmp_path / "none")
