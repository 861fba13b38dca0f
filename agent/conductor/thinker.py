"""Thinks about what takes long (a timetable of ten thousand programmes) beside the conductor's thread.

The conductor asks and goes on; the answer comes back as an event. Only the newest question about a subject
is answered. The thread lives while there is something to think about.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

log = logging.getLogger("loa.thinker")

T = TypeVar("T")
Think = Callable[[str, Callable[[], Any], Callable[[Any], None]], None]


@dataclass(frozen=True, slots=True)
class Thought:
    """Event: a question was answered. `take` is to be called on the conductor's thread."""

    subject: str
    take: Callable[[], None]


class Thinker:
    """Answers questions on a thread of its own, which shares nothing with the conductor but them."""

    def __init__(self, post: Callable[[object], None]) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._questions: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {}
        self._thread: threading.Thread | None = None

    def think(self, subject: str, question: Callable[[], T], then: Callable[[T], None]) -> None:
        """Answer `question`; `then(answer)` follows on the conductor's thread.

        A question that waits is replaced by a newer one of its subject. An error of `question` is raised
        there, too.
        """
        with self._lock:
            self._questions[subject] = (question, then)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="thinker", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._questions:
                    self._thread = None
                    return
                subject = next(iter(self._questions))
                question, then = self._questions.pop(subject)
            self._post(Thought(subject, self._answered(subject, question, then)))

    @staticmethod
    def _answered(subject: str, question: Callable[[], T], then: Callable[[T], None]) -> Callable[[], None]:
        try:
            answer = question()
        except Exception as error:
            # whatever it is, the conductor must hear of it
            log.exception("%s could not be worked out", subject)
            failure = error

            def fail() -> None:
                raise failure

            return fail
        return lambda: then(answer)
