"""A live broadcast from the officer's side: begun, renewed while it lasts, and ended.

The lease is what makes it safe: if this program dies, or its link does, every pole falls silent by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from agent.station.commands import Answer, Desk, compose
from agent.station.errors import Retry
from playlists.models.command import Command
from playlists.units import Seconds

RENEWALS_A_LEASE: Final = 3
"""Two may be lost, and the broadcast goes on."""

ON_THE_WAY: Final = frozenset({"received", "verified"})
"""Says only that a command has arrived."""

_LOOK_S: Final = Seconds(0.25)


class Broadcast:
    """One live broadcast to some nodes. It is over when it is asked to be, or when no node has it any more."""

    def __init__(
        self,
        desk: Desk,
        *,
        feed: str,
        to: Sequence[str],
        lease_s: Seconds,
        heard: Callable[[Answer], None],
        say: Callable[[str], None],
    ) -> None:
        """`heard` is told what nodes answer, `say` what the officer should know besides."""
        self._desk = desk
        self._feed = feed
        self._to = tuple(to)
        self._lease_s = lease_s
        self._heard = heard
        self._say = say
        self._live = ""
        self._stop = ""
        self._renewals: set[str] = set()
        self._on: dict[str, bool] = {}
        """By node that has answered: whether it has the broadcast."""

    @property
    def nodes(self) -> Mapping[str, bool]:
        """The nodes that have answered, and whether they have the broadcast still."""
        return self._on

    def begin(self, do: Mapping[str, Any]) -> Command:
        """Ask for it; `do` are the fields of a `live` command.

        Raises:
            Mistake: they break the contract.
            Retry: the broker did not take it.
        """
        command = self._send({**do, "type": "live", "lease_s": self._lease_s})
        self._live = command.id
        return command

    def hold(self, asked_to_end: Callable[[], bool]) -> bool:
        """Renew the lease until it is asked to end; False when no node has it any more."""
        each_s = self._lease_s / RENEWALS_A_LEASE
        due = time.monotonic() + each_s
        while not asked_to_end():
            if self._on and not any(self._on.values()) and self._all_named_have_answered():
                return False
            now = time.monotonic()
            if now >= due:
                due = now + each_s
                self._renew(Seconds(each_s))
            self._listen(min(_LOOK_S, Seconds(max(0.01, due - now))))
        return True

    def end(self, wait_s: Seconds) -> None:
        """End it everywhere, and hear for at most `wait_s` that it has ended.

        Raises:
            Retry: the broker did not take it; the lease ends it all the same.
        """
        self._stop = self._send({"type": "live-stop", "live": self._live}).id
        until = time.monotonic() + wait_s
        while any(self._on.values()) and time.monotonic() < until:
            self._listen(_LOOK_S)

    def _renew(self, within_s: Seconds) -> None:
        do = {"type": "live-renew", "live": self._live, "lease_s": self._lease_s}
        try:
            self._renewals.add(self._send(do, within_s).id)
        except Retry as error:
            self._say(f"the lease was not renewed, it is tried again: {error}")

    def _send(self, do: Mapping[str, Any], within_s: Seconds = Seconds(10.0)) -> Command:
        command = compose(do, feed=self._feed, to=self._to, now=datetime.now(UTC))
        self._desk.send(command, within_s)
        return command

    def _listen(self, within_s: Seconds) -> None:
        answer = self._desk.next_answer(within_s)
        if answer is None:
            return
        receipt, node = answer.receipt, answer.node
        if receipt.state in ON_THE_WAY:
            if receipt.command == self._live:
                self._on.setdefault(node, True)
        elif receipt.command == self._live:
            # an interruption by an emergency is none of the lease: the next renewal tells whether it goes on
            if not self._stop:
                self._on[node] = receipt.state not in ("refused", "failed", "finished")
            self._heard(answer)
        elif receipt.command in self._renewals:
            still = receipt.state == "finished"
            if self._on.get(node, True) and not still:
                self._heard(answer)
            self._on[node] = still
        elif receipt.command == self._stop:
            self._on[node] = False
            self._heard(answer)

    def _all_named_have_answered(self) -> bool:
        named = {address.removeprefix("node:") for address in self._to if address.startswith("node:")}
        return named <= self._on.keys()
