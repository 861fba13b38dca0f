"""JSON lines over a Unix socket: one request, one reply, `{"op": …, …}` → `{"ok": true, …}`.

`"behind"` in a request is who logged in before `sudo`; only root is believed (see `agent.control.rights`).

A `play` says `"name"` and `"bytes"`, and so many bytes of a recording follow its line: the agent may not look
into the folders of a technician.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

MAX_LINE_BYTES = 256_000
MAX_FILE_BYTES = 60_000_000
"""A recording that is played by hand is at most so long: an hour and more of speech."""
LONGEST_MUTE_S = 7 * 86_400
"""A mute by hand that was forgotten ends by itself."""


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """Event: somebody at the socket asks for something. The conductor answers through `answer`."""

    op: str
    arguments: dict[str, Any]
    user: str
    """Who asks, for the audit log."""
    may_act: bool = False
    _reply: Queue[dict[str, Any]] = field(default_factory=lambda: Queue(1), compare=False)
    _refusals: list[str] = field(default_factory=list, compare=False)

    @property
    def refused(self) -> str | None:
        """Why it was not done; None while it is not refused."""
        return self._refusals[0] if self._refusals else None

    def answer(self, **fields: Any) -> None:
        """Reply that it was done."""
        self._reply.put_nowait({"ok": True, **fields})

    def refuse(self, error: str, *, denied: bool = False) -> None:
        """Reply that it was not done, and why; `denied`: because of who asked."""
        self._refusals.append(error)
        self._reply.put_nowait({"ok": False, "error": error} | ({"denied": True} if denied else {}))

    def wait(self, timeout_s: float) -> dict[str, Any]:
        """The conductor's reply.

        Raises:
            queue.Empty: none came in time.
        """
        return self._reply.get(timeout=timeout_s)


def encode(message: dict[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
