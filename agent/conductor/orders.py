"""Verified commands, and what a technician asks at the socket, turned into what the node does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from agent.clock import Clock
from agent.conductor.alarms import Alarms
from agent.conductor.events import StopAsked
from agent.conductor.ledger import Ledger
from agent.conductor.live import Broadcasts
from agent.conductor.performance import FileItem, Performance
from agent.conductor.reception import Reception
from agent.conductor.rules import Rules
from agent.conductor.self_test import Asked, SelfTests
from agent.conductor.stage import Stage
from agent.conductor.tellings import Origin
from agent.conductor.voice import Told, Voice
from agent.screen.protocol import PictureTaken
from playlists.arbiter import Rank, Source
from playlists.errors import Rejected
from playlists.models.base import BulletinClass
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
from playlists.units import Level, MonotonicS

log = logging.getLogger("loa.orders")

AWAY = "the agent was away until it expired"

EMERGENCY = BulletinClass.EMERGENCY


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
        tests: SelfTests,
        reception: Reception,
        broadcasts: Broadcasts,
        *,
        rights_of: Callable[[str], tuple[Level, BulletinClass]],
        answer: Callable[[Receipt], None],
        send_picture: Callable[[str, Path], str | None],
        send_logs: Callable[[str], str | None],
        sync: Callable[[], None],
        reboot: Callable[[Callable[[str | None], None]], None],
        post: Callable[[object], None],
        scratch: Path,
    ) -> None:
        """`rights_of(feed)` is the feed's level and ceiling here.

        `send_picture(command, path)` and `send_logs(command)` return why they failed, or None; `reboot(then)`
        calls back with that.
        """
        self._clock = clock
        self._voice = voice
        self._stage = stage
        self._rules = rules
        self._alarms = alarms
        self._ledger = ledger
        self._tests = tests
        self._reception = reception
        self._broadcasts = broadcasts
        self._rights_of = rights_of
        self._answer = answer
        self._send_picture = send_picture
        self._send_logs = send_logs
        self._sync = sync
        self._reboot = reboot
        self._post = post
        self._scratch = scratch
        self.update: Callable[[str | None, str, str | None, str | None], str] = _nowhere
        """Passes on a wish for a release: which, who wishes, from which feed, by which command."""
        self.commands: dict[str, Command] = {}
        """Announcements and live broadcasts that are not over."""
        self.obeyed: set[str] = set()
        """Ids of commands that need not be kept whole any longer, as soon as what sounds is written down."""

    def obey(self, command: Command) -> None:
        """Do what a verified command says, answer with receipts, and write down that it was obeyed."""
        log.info("command %s: %s", command.id, command.do.type)
        self.obeyed.add(command.id)
        try:
            self._do(command)
        except Exception:
            # a mistake of ours: the officer must not wait for ever, the technician sees the fault
            self._receipt(command.id, "failed", "a defect of the node; see its log")
            raise

    def tell(self, p: Performance, told: Told) -> None:
        """The voice says what became of a performance: a command that began it gets its receipt."""
        if p.origin == "self-test":
            self._tests.told(p, told)  # it answers for itself
            return
        over = p.id not in self._voice.performances
        if over:
            self.commands.pop(p.command or "", None)
            for item in p.items:
                if isinstance(item, FileItem):
                    Path(item.path).unlink(missing_ok=True)
            if p.origin == "alert":
                self._alarms.over(p, told)
        if p.command is not None:
            self._receipt(p.command, told.state, told.reason)

    def heard(self, p: Performance) -> None:
        """What listens has heard it for the first time."""
        if p.command is not None:
            self._receipt(p.command, "heard")

    def take_up(self, command: Command, position_s: float, *, in_step: bool) -> None:
        """Go on with an announcement that a crash of the agent cut off, or that was still to begin."""
        if not isinstance(command.do, Announce):
            self.cut_off(command, "the agent was restarted")
        elif not in_step and command.expires < self._clock.now():
            self.cut_off(command, AWAY)
        else:
            p = self._announcement(command, command.do)
            p.position_s = position_s
            if in_step:
                p.in_step_from = p.planned - timedelta(seconds=position_s)
            self._perform(command, p)

    def obey_late(self, command: Command) -> None:
        """Obey a command that was let in before a crash or a power cut, unless its time is over."""
        if command.expires < self._clock.judged:
            self.cut_off(command, AWAY)
        else:
            self.obey(command)

    def cut_off(self, command: Command, why: str) -> None:
        """A command's sound has ended with the agent or the machine."""
        self._receipt(command.id, "interrupted", why)

    def stop(self, name: str, reason: str) -> bool:
        """End what sounds (`*`) or a programme, command or alert by its id; the alert is not told again."""
        hushed = list(self._alarms.named(name))
        for alert in hushed:
            self._alarms.hush(alert, reason)
        ended = self._named(name)
        for p in ended:
            self._voice.withdraw(p, reason)
        return bool(ended or hushed)

    def say(self, p: Performance) -> str | None:
        """Sound something a technician asked for; returns the rule that forbids it."""
        refused = self._rules.may_not_sound(p, self._clock.now())
        if refused is None:
            self._voice.add(p)
        return refused

    def _named(self, name: str) -> list[Performance]:
        playing = self._voice.playing
        return [
            p
            for p in self._voice.performances.values()
            if name in (p.id, p.programme, p.command, p.alert)
            # a programme that waits for its turn is not what anybody hears; whatever else waits was just asked for
            or (name == "*" and (p.sounded or p is playing or p.origin != "programme"))
        ]

    # ---- each command

    def _do(self, command: Command) -> None:
        match command.do:
            case Announce():
                self._perform(command, self._announcement(command, command.do))
            case Live():
                rank = self._rank(command, command.do.class_)
                self._perform(command, self._broadcasts.performance(command, command.do, rank))
            case LiveRenew() | LiveStop():
                self._change_live(command, command.do)
            case AlertCommand():
                self._alert(command, command.do)
            case Stop():
                self._stop(command, command.do)
            case Volume() | Mute():
                self._control(command, command.do)
            case Screenshot():
                self._screenshot(command, command.do.width)
            case Maintain(type="self-test"):
                self._self_test(command)
            case Maintain():
                self._maintain(command, command.do.type)
            case Update():
                self._update(command, command.do)

    def _update(self, command: Command, do: Update) -> None:
        """Pass the wish on; what becomes of it is told when it is known."""
        try:
            self.update(do.release, f"command {command.id}", do.feed, command.id)
        except ValueError as error:
            self._end(command, "refused", f"policy: {error}")
        except OSError as error:
            self._end(command, "failed", f"it cannot be passed on: {error}")
        else:
            self._record(command, "obeyed")

    def _stop(self, command: Command, do: Stop) -> None:
        """End what is named, in the zones that are named, as far as the command's feed may."""
        found = self._named(do.programme)
        mine = [p for p in found if self._may_change(command, p)]
        zones = self._rules.controls.meant(do.zones)
        alerts = self._alarms.named(do.programme)
        hushed = [id_ for id_, level in alerts.items() if self._may_end(command, EMERGENCY, level)]
        touched = False
        if self._rules.controls.meant(("*",)) <= zones:
            touched = bool(hushed)
            for alert in hushed:
                self._alarms.hush(alert, f"command {command.id}")
        for p in mine:
            sounds_in = self._rules.controls.meant(p.zones)
            if sounds_in <= zones:
                self._voice.withdraw(p, f"stopped by command {command.id}")
            elif sounds_in & zones:
                p.zones = sounds_in - zones
            touched = touched or bool(sounds_in & zones)
        if (found or alerts) and not (mine or hushed):
            theirs = next((p.id for p in found), None) or next(iter(alerts))
            self._end(command, "refused", f"above ceiling: {theirs} is not {command.feed}'s to end")
        else:
            self._end(command, "finished", None if touched else "nothing of that name sounded there")

    def _may_change(self, command: Command, p: Performance) -> bool:
        """Whether the command's feed may end or prolong what another may have begun."""
        return self._may_end(command, p.class_, p.rank.level)

    def _may_end(self, command: Command, class_: BulletinClass, of: Level) -> bool:
        level, ceiling = self._rights_of(command.feed)
        return class_.rank <= ceiling.rank and of <= level

    def _control(self, command: Command, do: Volume | Mute) -> None:
        if not self._rules.controls.meant(do.zones):
            self._end(command, "failed", f"no such zone here: {', '.join(do.zones)}")
            return
        if isinstance(do, Volume):
            self._rules.set_volume(do.zones, do.volume_db, do.until, self._clock.now())
            what = f"{do.volume_db:+.1f} dB" + (f" until {do.until.isoformat()}" if do.until else "")
        else:
            self._rules.mute(do.zones, do.until, self._clock.now())
            what = f"until {do.until.isoformat()}" if do.until else "lifted"
        self._receipt(command.id, "finished")
        self._record(command, f"{what} in {', '.join(do.zones)}")

    def _announcement(self, command: Command, do: Announce) -> Performance:
        return Performance(
            id=_id(command.id),
            origin="announcement",
            class_=do.class_,
            rank=self._rank(command, do.class_),
            planned=self._clock.now(),
            items=do.items,
            title=do.title,
            language=do.language,
            zones=frozenset(do.zones),
            on_conflict=do.on_conflict,
            volume_db=do.volume_db,
            feed=command.feed,
            command=command.id,
        )

    def _rank(self, command: Command, class_: BulletinClass) -> Rank:
        level, _ = self._rights_of(command.feed)
        place = self._rules.place_of(command.feed)
        return Rank(class_, Source.LIVE, 0, level, command.issued, _id(command.id), place)

    def _perform(self, command: Command, p: Performance) -> None:
        refused = self._reception.forbids(p.items) or self._rules.may_not_sound(p, self._clock.now())
        if refused is not None:
            self._end(command, "refused", f"policy: {refused}")
            return
        self.commands[command.id] = command
        self._voice.add(p)
        self._record(command, "obeyed")

    def _change_live(self, command: Command, do: LiveRenew | LiveStop) -> None:
        p = self._voice.performances.get(_id(do.live))
        if p is None or p.lease_until is None:
            self._end(command, "failed", f"no live broadcast {do.live} is on")
            return
        if not self._may_change(command, p):
            self._end(command, "refused", f"above ceiling: {p.id} is not {command.feed}'s to change")
            return
        if isinstance(do, LiveRenew):
            # each few seconds, for as long as it lasts: not worth a record each
            p.lease_until = MonotonicS(self._clock.monotonic() + do.lease_s)
            self._receipt(command.id, "finished")
        else:
            self._voice.withdraw(p, f"stopped by command {command.id}")
            self._end(command, "finished")

    def _alert(self, command: Command, do: AlertCommand) -> None:
        level, _ = self._rights_of(command.feed)
        try:
            silent = self._alarms.receive(do.cap, Origin(command.id, command.feed, level))
        except Rejected as error:
            self._end(command, "refused", f"malformed: {error}")
            return
        if any(p.command == command.id for p in self._voice.performances.values()):
            self._record(command, "obeyed")  # its receipts follow what is heard of it
        else:
            self._end(command, "finished", f"not told: {silent}" if silent else "there is nothing to say")

    def _screenshot(self, command: Command, width: int) -> None:
        path = self._scratch / f"{command.id}.png"

        def then(picture: PictureTaken) -> None:
            failure = picture.reason or self._send_picture(command.id, path)
            path.unlink(missing_ok=True)
            self._end(command, "failed" if failure else "finished", failure)

        if not self._stage.picture(path, width, then):
            self._end(command, "failed", "this node has no screen that runs")

    def _self_test(self, command: Command) -> None:
        def tell(state: ReceiptState, reason: str | None) -> None:
            self._receipt(command.id, state, reason)

        refused = self._tests.begin(Asked(f"command {command.id}", tell, command.id, command.feed))
        if refused is not None:
            self._end(command, "refused" if refused.startswith("policy") else "failed", refused)

    def _maintain(self, command: Command, what: str) -> None:
        def ended(failure: str | None = None) -> None:
            self._end(command, "failed" if failure else "finished", failure)

        match what:
            case "sync":
                self._sync()
                ended()
            case "send-logs":
                ended(self._send_logs(command.id))
            case "restart":
                self._post(StopAsked(f"command {command.id}", "restart"))
                ended()
            case _:
                self._reboot(ended)

    def _end(self, command: Command, state: ReceiptState, reason: str | None = None) -> None:
        """The command's last receipt, and its record."""
        self._receipt(command.id, state, reason)
        self._record(command, state if reason is None else f"{state}: {reason}")

    def _record(self, command: Command, what: str) -> None:
        text = f"{command.do.type} {what}"
        self._ledger.remark(text, kind="command", command=command.id, feed=command.feed)

    def _receipt(self, command_id: str, state: ReceiptState, reason: str | None = None) -> None:
        self._answer(
            Receipt(command=command_id, state=state, reason=reason, at=self._clock.now().astimezone())
        )


def _nowhere(_release: str | None, _by: str, _feed: str | None, _command: str | None) -> str:
    raise ValueError("no feed of this node carries releases")


def _id(command_id: str) -> str:
    """The id of the performance that a command began."""
    return f"command/{command_id}"
