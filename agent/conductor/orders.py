"""Verified commands, and what a technician asks at the socket, turned into what the node does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from agent.clock import Clock
from agent.conductor.alarms import Alarms
from agent.conductor.events import StopAsked
from agent.conductor.ledger import Ledger
from agent.conductor.performance import Performance
from agent.conductor.rules import Rules
from agent.conductor.stage import Stage
from agent.conductor.voice import Told, Voice
from agent.screen.protocol import PictureTaken
from playlists.arbiter import Rank, Source
from playlists.errors import Rejected
from playlists.models.command import (
    AlertCommand,
    Announce,
    Command,
    Live,
    LiveRenew,
    LiveStop,
    Maintain,
    Mute,
    Receipt,
    ReceiptState,
    Screenshot,
    Stop,
    Update,
    Volume,
)
from playlists.models.items import Relay, RelayItem
from playlists.units import Level, MonotonicS

log = logging.getLogger("loa.orders")

LONGEST_LIVE_S = 6 * 3_600.0


class Orders:
    """Obeys commands. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        voice: Voice,
        stage: Stage,
        rules: Rules,
        alarms: Alarms,
        ledger: Ledger,
        *,
        level_of: Callable[[str], Level],
        answer: Callable[[Receipt], None],
        send_picture: Callable[[str, Path], str | None],
        send_logs: Callable[[str], str | None],
        sync: Callable[[], None],
        reboot: Callable[[], str | None],
        post: Callable[[object], None],
        scratch: Path,
    ) -> None:
        """`send_picture(command, path)`, `send_logs(command)`, `reboot()` return why they failed, or None."""
        self._clock = clock
        self._voice = voice
        self._stage = stage
        self._rules = rules
        self._alarms = alarms
        self._ledger = ledger
        self._level_of = level_of
        self._answer = answer
        self._send_picture = send_picture
        self._send_logs = send_logs
        self._sync = sync
        self._reboot = reboot
        self._post = post
        self._scratch = scratch
        self.commands: dict[str, Command] = {}
        """Announcements and live broadcasts that are not over."""

    def obey(self, command: Command) -> None:
        """Do what a verified command says, and answer with receipts."""
        log.info("command %s: %s", command.id, command.do.type)
        match command.do:
            case Announce():
                self._announce(command, command.do)
            case Live():
                self._live(command, command.do)
            case LiveRenew() | LiveStop():
                self._change_live(command, command.do)
            case AlertCommand():
                self._alert(command, command.do)
            case Stop():
                stopped = self.stop(command.do.programme, f"stopped by command {command.id}")
                self._receipt(command.id, "finished", None if stopped else "nothing of that name sounded")
            case Volume():
                self._rules.set_volume(
                    command.do.zones, command.do.volume_db, command.do.until, self._clock.now()
                )
                self._receipt(command.id, "finished")
            case Mute():
                self._rules.mute(command.do.zones, command.do.until, self._clock.now())
                self._receipt(command.id, "finished")
            case Screenshot():
                self._screenshot(command.id, command.do.width)
            case Maintain():
                self._maintain(command.id, command.do.type)
            case Update():
                self._receipt(command.id, "refused", "policy: no feed of this node carries releases")

    def tell(self, p: Performance, told: Told) -> None:
        """The voice says what became of a performance: a command that began it gets its receipt."""
        if told.state in ("finished", "failed") or p.id not in self._voice.performances:
            self.commands.pop(p.command or "", None)
            if p.origin == "alert" and told.state == "finished":
                self._alarms.spoken(p)
        if p.command is not None:
            state: ReceiptState = told.state  # type: ignore[assignment]  # Told speaks in receipt states
            self._receipt(p.command, state, told.reason)

    def take_up(self, command: Command, position_s: float) -> None:
        """Go on with an announcement that a crash of the agent cut off."""
        if isinstance(command.do, Announce):
            self._announce(command, command.do, position_s)

    def stop(self, name: str, reason: str) -> bool:
        """End what sounds (`*`) or a programme, command or alert by its id."""
        ended = False
        for p in list(self._voice.performances.values()):
            named = name in (p.id, p.programme, p.command, p.alert)
            if named or (name == "*" and p.sounded):
                self._voice.withdraw(p, reason)
                ended = True
        return ended

    def say(self, p: Performance) -> str | None:
        """Sound something a technician asked for; returns the rule that forbids it."""
        refused = self._rules.may_not_start(p, self._clock.now())
        if refused is None:
            self._voice.add(p)
        return refused

    # ---- each command

    def _announce(self, command: Command, do: Announce, position_s: float = 0.0) -> None:
        now = self._clock.now()
        p = Performance(
            id=_id(command.id),
            origin="announcement",
            class_=do.class_,
            rank=Rank(
                do.class_, Source.LIVE, 0, self._level_of(command.feed), command.issued, _id(command.id)
            ),
            planned=now,
            items=do.items,
            title=do.title,
            language=do.language,
            zones=frozenset(do.zones),
            on_conflict=do.on_conflict,
            volume_db=do.volume_db,
            feed=command.feed,
            command=command.id,
            position_s=position_s,
        )
        self._perform(command, p)

    def _live(self, command: Command, do: Live) -> None:
        p = Performance(
            id=_id(command.id),
            origin="live",
            class_=do.class_,
            rank=Rank(
                do.class_, Source.LIVE, 0, self._level_of(command.feed), command.issued, _id(command.id)
            ),
            planned=self._clock.now(),
            items=[RelayItem(relay=Relay(url=do.stream, for_s=LONGEST_LIVE_S))],
            title=do.title,
            language=do.language,
            zones=frozenset(do.zones),
            on_conflict="preempt",
            feed=command.feed,
            command=command.id,
            lease_until=MonotonicS(self._clock.monotonic() + do.lease_s),
        )
        self._perform(command, p)

    def _perform(self, command: Command, p: Performance) -> None:
        refused = self._rules.may_not_start(p, self._clock.now())
        if refused is not None:
            self._receipt(command.id, "refused", f"policy: {refused}")
            self._ledger.remark(f"refused: {refused}", kind="command", command=command.id, feed=command.feed)
            return
        self.commands[command.id] = command
        self._voice.add(p)

    def _change_live(self, command: Command, do: LiveRenew | LiveStop) -> None:
        p = self._voice.performances.get(_id(do.live))
        if p is None or p.lease_until is None:
            self._receipt(command.id, "failed", f"no live broadcast {do.live} is on")
            return
        if isinstance(do, LiveStop):
            self._voice.withdraw(p, f"stopped by command {command.id}")
        else:
            p.lease_until = MonotonicS(self._clock.monotonic() + do.lease_s)
        self._receipt(command.id, "finished")

    def _alert(self, command: Command, do: AlertCommand) -> None:
        try:
            silent = self._alarms.receive(do.cap, command.id, command.feed, self._level_of(command.feed))
        except Rejected as error:
            self._receipt(command.id, "refused", f"malformed: {error}")
            return
        if silent is not None:
            self._receipt(command.id, "finished", f"not told: {silent}")

    def _screenshot(self, command_id: str, width: int) -> None:
        path = self._scratch / f"{command_id}.png"

        def then(picture: PictureTaken) -> None:
            failure = picture.reason or self._send_picture(command_id, path)
            path.unlink(missing_ok=True)
            self._receipt(command_id, "failed" if failure else "finished", failure)

        if not self._stage.picture(path, width, then):
            self._receipt(command_id, "failed", "this node has no screen that runs")

    def _maintain(self, command_id: str, what: str) -> None:
        failure: str | None = None
        match what:
            case "sync":
                self._sync()
            case "send-logs":
                failure = self._send_logs(command_id)
            case "restart":
                self._post(StopAsked(f"command {command_id}", "restart"))
            case "reboot":
                failure = self._reboot()
            case _:
                failure = f"{what} needs a listener, and this node has none"
        self._receipt(command_id, "failed" if failure else "finished", failure)

    def _receipt(self, command_id: str, state: ReceiptState, reason: str | None = None) -> None:
        self._answer(
            Receipt(command=command_id, state=state, reason=reason, at=self._clock.now().astimezone())
        )


def _id(command_id: str) -> str:
    """The id of the performance that a command began."""
    return f"command/{command_id}"
