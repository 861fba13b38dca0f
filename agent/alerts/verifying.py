"""The parent's end of `agent.alerts.verifier`: a child that lives while there are documents to check."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from agent.alerts.errors import AlertSourceError, Refused, Technician
from playlists.units import Seconds

log = logging.getLogger("loa.alerts")

ANSWER_WITHIN_S: Final = Seconds(20.0)
"""Half a second is usual on the smallest machine; the child has other bounds of its own."""
ARGV: Final = (sys.executable, "-I", "-m", "agent.alerts.verifier")


@dataclass(frozen=True)
class PinnedCertificate:
    """What the child makes of one pinned certificate."""

    name: str
    """Its subject."""
    expires: datetime
    problem: str | None
    """Why its signatures do not count now."""


class Verifier:
    """Checks documents, one after the other; from one thread. A context manager.

    The child is started at once and answers when it is up: what is fetched meanwhile costs no time.

    Args:
        pins: PEM texts of the pinned certificates.
        at: the time, or with `exact` false a moment that has certainly passed.
        exact: whether `at` can show that a certificate is not valid yet.
    """

    def __init__(
        self,
        pins: Sequence[str],
        at: datetime,
        *,
        exact: bool,
        argv: Sequence[str] = ARGV,
        answer_within_s: Seconds = ANSWER_WITHIN_S,
    ) -> None:
        self._greeting = {"pins": list(pins), "at": at.isoformat(), "exact": exact}
        self._argv = list(argv)
        self._answer_within_s = answer_within_s
        self._child: subprocess.Popen[bytes] | None = None
        self._said: dict[str, Any] | None = None
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def certificates(self) -> tuple[list[PinnedCertificate], list[str]]:
        """The pinned certificates, and what is wrong with texts that hold none.

        Raises:
            Technician: the child does not work on this machine.
        """
        try:
            said = self._greeted()
        except _ChildError as error:
            raise Technician(f"signatures cannot be checked: {error}") from error
        pins = [
            PinnedCertificate(pin["name"], datetime.fromisoformat(pin["expires"]), pin["problem"])
            for pin in said["pins"]
        ]
        return pins, list(said["problems"])

    def check(self, document: bytes) -> str:
        """What of a document a pinned certificate signed: a CAP alert in XML, without its signature.

        Raises:
            Refused: nothing, or it could not be found out; the reason is in the words.
            Technician: the child does not work on this machine.
        """
        try:
            text = document.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Refused(f"is not UTF-8: {error}") from error
        self.certificates()
        try:
            answer = self._exchange(lambda child: _write(child, text))
        except _ChildError as error:
            raise Refused(f"could not be checked: {error}") from error
        if "signed" not in answer:
            raise Refused(str(answer.get("refused", "no reason was given")))
        return str(answer["signed"])

    def _start(self) -> None:
        self._said = None
        try:
            self._child = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            self._child = None
            log.warning("the verifier cannot be started: %s", error)
            return
        try:
            _write(self._child, self._greeting)
        except OSError:  # it has ended; whoever asks it is told
            log.debug("the verifier ended at once")

    def _greeted(self) -> dict[str, Any]:
        if self._child is None:  # the last one ended with the document that it had in hand
            self._start()
        if self._said is None:
            self._said = self._exchange(lambda _child: None)
        return self._said

    def _exchange(self, ask: Callable[[subprocess.Popen[bytes]], None]) -> dict[str, Any]:
        """Ask, and read the answer; a child that fails at it is gone afterwards."""
        child = self._child
        if child is None or child.stdout is None:
            raise _ChildError("no process can be started")
        late = threading.Timer(self._answer_within_s, child.kill)
        late.daemon = True
        late.start()
        try:
            ask(child)
            line = child.stdout.readline()
            answer = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError):
            answer = None
        finally:
            late.cancel()
        if isinstance(answer, dict):
            return answer
        self.close()
        raise _ChildError(f"the verifier ended with {child.returncode}")


class _ChildError(AlertSourceError):
    """Error raised when the child is not there, ends or is late."""


def _write(child: subprocess.Popen[bytes], message: object) -> None:
    if child.stdin is None:
        raise BrokenPipeError
    child.stdin.write(json.dumps(message).encode() + b"\n")
    child.stdin.flush()
