"""The parent's end of a worker process: JSON lines down its stdin, JSON lines back from its stdout.

`WorkerLink` keeps one child alive. A thread of its own starts the child, reads what it says, and starts
it again with a growing pause when it ends; whatever happens is posted as an event, and nothing is decided
here. What the child writes to stderr becomes log lines of `loa.<name>`.

A child that does not read its commands never blocks the sender: what the pipe does not take at once waits
in memory, and when `MAX_PENDING_BYTES` wait, the child is counted as stuck and killed.

The child's own end is in `agent.child`.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playlists.units import Seconds

MAX_PENDING_BYTES: Final = 8_000_000
MAX_LINE_BYTES: Final = 1_000_000
FIRST_PAUSE_S: Final = Seconds(0.1)
LONGEST_PAUSE_S: Final = Seconds(10.0)
QUICK_TRIES: Final = 4
"""The pause grows only after so many failures: each doubling is silence, and most failures come alone."""
LONGEST_PAUSE_OF_ONE_THAT_SPOKE_S: Final = Seconds(0.4)
"""A child that came up and ended later costs an output its sound: whatever ended it, it is back soon."""
HEALTHY_AFTER_S: Final = Seconds(1.0)
"""A child that lived this long ends the row of failures: the next pause is the first one again."""


@dataclass(frozen=True)
class WorkerStarted:
    """A child runs; it has been told nothing yet."""

    name: str
    pid: int


@dataclass(frozen=True)
class WorkerSaid:
    """One message from a child."""

    name: str
    message: dict[str, Any]


@dataclass(frozen=True)
class WorkerDied:
    """A child has ended, or could not be started; unless the link was stopped, another one follows."""

    name: str
    reason: str


WorkerEvent = WorkerStarted | WorkerSaid | WorkerDied


def pause_after(failures: int, *, spoke: bool = False) -> Seconds:
    """How long to wait before the next start, after so many failures in a row (1 is the first).

    `spoke`: the last child had come up far enough to say something.
    """
    longest_s = LONGEST_PAUSE_OF_ONE_THAT_SPOKE_S if spoke else LONGEST_PAUSE_S
    doublings = min(max(0, failures - QUICK_TRIES), 20)
    return Seconds(min(FIRST_PAUSE_S * 2.0**doublings, longest_s))


class WorkerLink:
    """One child process, kept alive, and its two pipes."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        post: Callable[[Any], None],
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`post` gets `WorkerStarted`, `WorkerSaid` and `WorkerDied`, on the link's own thread.

        `env` is added to the environment of this process.
        """
        self.name = name
        self._argv = list(argv)
        self._post = post
        self._env = dict(env or {})
        self._log = logging.getLogger(f"loa.{name}")
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._pending = bytearray()
        self._stopping = threading.Event()
        self._spoke = False
        self._wake_r, self._wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._kill_reason: str | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the child, and keep it started until `stop`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._supervise, name=f"{self.name}-link", daemon=True)
            self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether a child runs now."""
        child = self._child
        return child is not None and child.runs

    @property
    def pid(self) -> int | None:
        """The process id of the child that runs now."""
        child = self._child
        return child.pid if child is not None and child.runs else None

    def send(self, message: Mapping[str, Any]) -> bool:
        """Hand one message to the child; never waits for it.

        Returns:
            False when there is no child to take it: the message is dropped, `WorkerDied` has been or will
            be posted, and the next `WorkerStarted` is the moment to tell the new child what should be.
        """
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            child = self._child
            if child is None or child.stdin < 0:
                return False
            waiting = bool(self._pending)
            self._pending += line
            if waiting:
                # the link's thread is already waiting for the pipe to drain
                if len(self._pending) > MAX_PENDING_BYTES:
                    self._kill_locked("stuck: it does not read its commands")
                    return False
                return True
            delivered = self._write_locked(child)
        if not delivered:
            self._wake()
        return True

    def kill(self, reason: str = "killed") -> None:
        """End the child at once; another is started after the pause."""
        with self._lock:
            self._kill_locked(reason)

    def stop(self, deadline_s: float = 2.0) -> None:
        """Close the child's stdin, wait up to `deadline_s` for it to go, then kill it; no restart."""
        self._stopping.set()
        self._wake()
        thread = self._thread
        if thread is None:
            return
        thread.join(deadline_s)
        if thread.is_alive():
            self.kill("did not stop in time")
            thread.join(deadline_s)

    # -- on the link's thread ------------------------------------------------------------------

    def _supervise(self) -> None:
        # The child is always started from this thread, which lives as long as the link: the child asks
        # the kernel to be killed when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG).
        failures = 0
        while not self._stopping.is_set():
            born = time.monotonic()
            self._spoke = False
            try:
                child = self._spawn()
            except OSError as error:
                reason = f"cannot be started: {error}"
            else:
                self._post(WorkerStarted(self.name, child.pid))
                self._converse(child)
                reason = self._bury(child)
            failures = 1 if time.monotonic() - born >= HEALTHY_AFTER_S else failures + 1
            if not self._stopping.is_set():
                self._log.warning("%s worker ended: %s", self.name, reason)
            self._post(WorkerDied(self.name, reason))
            self._stopping.wait(pause_after(failures, spoke=self._spoke))

    def _spawn(self) -> _Child:
        child = _Child(self._argv, {**os.environ, **self._env})
        with self._lock:
            self._pending.clear()
            self._kill_reason = None
            self._child = child
        return child

    def _converse(self, child: _Child) -> None:
        """Read what the child says, and write what waits for it, until its stdout ends."""
        said, logged = _Lines(), _Lines()
        with selectors.DefaultSelector() as selector:
            for fd in (child.stdout, child.stderr, self._wake_r):
                selector.register(fd, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    data = None if key.fd == child.stdin else _read(key.fd)
                    if key.fd == child.stdout:
                        if data == b"":
                            return
                        for line in said.feed(data):
                            self._heard(line)
                    elif key.fd == child.stderr:
                        if data == b"":
                            selector.unregister(child.stderr)
                        for line in logged.feed(data):
                            self._log.info("%s", line.decode(errors="replace"))
                self._attend_stdin(child, selector)

    def _attend_stdin(self, child: _Child, selector: selectors.BaseSelector) -> None:
        """Write what waits; look for room in the pipe only while something does; close it to stop."""
        with self._lock:
            if child.stdin < 0:
                return
            stopping = self._stopping.is_set()
            waits = not stopping and not self._write_locked(child)
            watched = child.stdin in selector.get_map()
            if waits and not watched:
                selector.register(child.stdin, selectors.EVENT_WRITE)
            elif watched and not waits:
                selector.unregister(child.stdin)
            if stopping:
                child.close_stdin()

    def _heard(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            if not isinstance(message, dict):
                raise TypeError("not an object")
        except (ValueError, TypeError) as error:
            self._log.error("line from the %s worker ignored (%s): %.200r", self.name, error, line)
            return
        self._spoke = True
        self._post(WorkerSaid(self.name, message))

    def _bury(self, child: _Child) -> str:
        """Wait for a child whose stdout has ended, close its pipes, and say how it went."""
        code = child.end()
        with self._lock:
            self._child = None
            self._pending.clear()
            why = self._kill_reason
            child.close()
        if why is not None:
            return why
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return f"exit {code}"

    # -- shared --------------------------------------------------------------------------------

    def _write_locked(self, child: _Child) -> bool:
        """Write what waits; True when nothing is left. A pipe that is gone is seen by the reader."""
        try:
            while self._pending:
                written = os.write(child.stdin, self._pending)
                del self._pending[:written]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._pending.clear()
        return True

    def _kill_locked(self, reason: str) -> None:
        child = self._child
        if child is not None and child.runs:
            self._kill_reason = reason
            child.kill()

    def _wake(self) -> None:
        try:
            os.write(self._wake_w, b"!")
        except BlockingIOError:
            return  # it is full of wake-ups already


class _Child:
    """A process and our ends of its three pipes, none of which ever blocks us."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        theirs_in, self.stdin = os.pipe2(os.O_CLOEXEC)
        self.stdout, theirs_out = os.pipe2(os.O_CLOEXEC)
        self.stderr, theirs_err = os.pipe2(os.O_CLOEXEC)
        try:
            self._process = subprocess.Popen(
                argv, stdin=theirs_in, stdout=theirs_out, stderr=theirs_err, env=env
            )
        except OSError:
            self.close()
            raise
        finally:
            for fd in (theirs_in, theirs_out, theirs_err):
                os.close(fd)
        self.pid = self._process.pid
        for fd in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(fd, False)

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> int:
        """Wait a moment for the end, else force it; the exit code, negative for a signal."""
        try:
            return self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def close_stdin(self) -> None:
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def close(self) -> None:
        self.close_stdin()
        os.close(self.stdout)
        os.close(self.stderr)


class _Lines:
    """Cuts a stream of bytes into lines; a line without end is cut at `MAX_LINE_BYTES`."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes | None) -> list[bytes]:
        if not data:
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        return [line for line in lines if line.strip()]


def _read(fd: int) -> bytes | None:
    """What can be read now: b"" at the end, None when there is nothing yet."""
    try:
        return os.read(fd, 65_536)
    except BlockingIOError:
        return None
