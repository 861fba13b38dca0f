"""One node, put together from its configuration: who is told what, and who answers for what."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

from agent import __version__
from agent.assembly import (
    make_amplifier,
    make_player,
    make_policy,
    make_screen,
    make_uplink,
    position_of,
    reboot,
)
from agent.chores import ChoreDue, Chores
from agent.clock import Clock, ClockJumped
from agent.conductor.alarms import Alarms
from agent.conductor.amplification import Amplification
from agent.conductor.events import StopAsked
from agent.conductor.following import Following
from agent.conductor.leaps import Leaps
from agent.conductor.ledger import Ledger
from agent.conductor.loop import Conductor
from agent.conductor.memory import Memory
from agent.conductor.orders import Orders
from agent.conductor.performance import Performance
from agent.conductor.planner import Planner
from agent.conductor.playback import Playback
from agent.conductor.requests import Requests
from agent.conductor.resumption import Resumption
from agent.conductor.rules import Rules
from agent.conductor.sounds import Sounds
from agent.conductor.stage import Stage
from agent.conductor.thinker import Thinker, Thought
from agent.conductor.upstream import Upstream
from agent.conductor.voice import Told, Voice
from agent.conductor.wellbeing import Wellbeing
from agent.conductor.workers import PING_EACH_S, Workers
from agent.config import Config
from agent.control.protocol import ControlRequest
from agent.control.server import ControlServer
from agent.faults import Faults
from agent.feeds.feeds import Feeds
from agent.journal import Journal
from agent.library import Library, Prepared, Unplayable
from agent.logs import RecentLines
from agent.store import Store
from agent.timeline import Timeline
from agent.uplink.gate import Gate
from drivers.sensors import read_board
from playlists.models.health import AudioNow, Fault, LogState, Readings
from playlists.models.record import Record
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.node")

HEALTH_EACH_S = 60.0
SAVE_CLOCK_EACH_S = 300.0
HOUSEKEEPING_EACH_S = 600.0
RETRY_EACH_S = 3_600.0
"""What could not be made to sound is tried again: room on the disk, or a voice, may have come."""


class Node:
    """All rooms of one node."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        recent: RecentLines,
        *,
        boot: str,
        ready: Callable[[], None],
        alive: Callable[[], None],
    ) -> None:
        """`ready` is called once when the node can speak, `alive` whenever every worker has made progress.

        Raises:
            DriverError: a relay cannot be opened.
            JournalError: another agent holds the journal.
            OSError: a folder cannot be written.
        """
        self._config = config
        self._clock = clock
        self._tell_ready = ready
        self._is_ready = False
        state, cache, runtime = config.paths.state, config.paths.cache, config.paths.runtime
        for folder in (state, cache, runtime):
            folder.mkdir(parents=True, exist_ok=True)
        groups = frozenset(config.node.groups)

        self.conductor = Conductor(clock)
        post = self.conductor.post
        self.journal = Journal.open(state / "journal", config.limits.journal_mb)
        self.timeline = Timeline(clock)
        memory = Memory(self.journal)
        self.faults = Faults(clock.now, self._fault_changed)
        self.ledger = Ledger(self.journal, clock, self.faults)
        self.gate = Gate({}, config.node.id, groups, self.journal, clock)
        store = Store(cache / "media", config.limits.cache_mb * 1_000_000)
        self.feeds = Feeds(config.feeds, store, state, post, clock)
        uplink = make_uplink(config, self.journal, self.gate, post, clock, boot)
        self.upstream = Upstream(uplink, self.feeds, recent)
        self.library = Library(cache / "sounds", config.limits.pcm_mb * 1_000_000, post)
        self.player = make_player(config, post)
        self.screen = make_screen(config, post)
        self.sounds = Sounds(self.feeds.media, self.library)
        self.amplification = Amplification(*make_amplifier(config), self.faults, self._edge)
        self.rules = Rules(make_policy(config), tuple(zone.name for zone in config.zones), memory)
        self.playback = Playback(
            clock, self.player, self.ledger, self.faults, lambda: self.amplification.on, self._sounding
        )
        self.voice = Voice(
            clock, self.playback, self.amplification, self.sounds, self.ledger, self.rules, self._told
        )
        self.thinker = Thinker(post)
        self.planner = Planner(
            config.node.id,
            groups,
            clock,
            self.voice,
            self.ledger,
            memory,
            self.thinker.think,
            self._left_out,
        )
        self.stage = Stage(
            clock,
            self.screen,
            self.ledger,
            self.faults,
            self._picture_file,
            node=config.node.id,
            groups=groups,
            timezone=config.node.timezone,
            theme=config.screen.theme,
            shown=lambda what, state: self.timeline.add("screen", what, state),
        )
        self.alarms = Alarms(clock, self.voice, self.stage, self.ledger, memory, config.node.languages)
        self.workers = Workers(
            self.player, self.screen, self.voice, self.playback, self.stage, self.faults, alive
        )
        self.following = Following(
            clock,
            {feed.name: feed for feed in config.feeds},
            self.planner,
            self.stage,
            self.gate,
            self.sounds,
            self.library,
            self.ledger,
            self.faults,
        )
        self.orders = Orders(
            clock,
            self.voice,
            self.stage,
            self.rules,
            self.alarms,
            self.ledger,
            rights_of=self.following.rights,
            answer=self.upstream.receipt,
            send_picture=self.upstream.picture,
            send_logs=self.upstream.logs,
            sync=self.feeds.poll,
            reboot=reboot,
            post=post,
            scratch=runtime,
        )
        self.resumption = Resumption(memory, clock, boot)
        self.leaps = Leaps(clock, self._leapt)
        self.wellbeing = Wellbeing(
            clock,
            self.faults,
            position=position_of(config),
            readings=lambda: Readings(**dataclasses.asdict(read_board(state))),
            feeds=self.feeds.state,
            audio=self._audio_now,
            screen=lambda: self.stage.now if self.screen else None,
            relays=self.amplification.states,
            log_state=lambda: LogState(stored_through=self.journal.stored_through, last=self.journal.last),
            publish=self.upstream.health,
        )
        self.requests = Requests(
            clock,
            self.timeline,
            self.planner,
            self.orders,
            self.rules,
            self.stage,
            self.amplification,
            self.ledger,
            self.journal,
            node={
                "id": config.node.id,
                "site": config.node.site,
                "public_number": config.node.public_number,
                "agent": __version__,
            },
            health=self.wellbeing.build,
            link=lambda: self.upstream.state,
        )
        self.control = ControlServer(runtime / "control.sock", post)
        self.chores = Chores(post)
        self._connect_events()

    # ---- life

    def run(self) -> StopAsked:
        """Conduct until somebody asks to stop; then everything is ended in order."""
        try:
            self._begin()
            return self.conductor.run()
        finally:
            self._end()

    def _begin(self) -> None:
        # the sound first: whatever else is missing, an emergency must find a voice
        self.player.start()
        self.library.start()
        if self.screen is not None:
            self.screen.start()
        self._close_open_plays()
        self.feeds.start()
        self._clock.watch_jumps(self.conductor.post)
        self.wellbeing.measure()
        self.upstream.start()
        self.control.start()
        self._begin_chores()
        self.ledger.remark(f"agent {__version__} started")
        self.alarms.restore()

    def _begin_chores(self) -> None:
        self.chores.add("ping", PING_EACH_S)
        self.chores.add("health", HEALTH_EACH_S)
        self.chores.add("clock", SAVE_CLOCK_EACH_S)
        self.chores.add("housekeeping", HOUSEKEEPING_EACH_S)
        self.chores.add("retry", RETRY_EACH_S)
        for feed in self._config.feeds:
            # a fleet that polls in step would be an attack on its own centre
            self.chores.add(f"poll:{feed.name}", feed.poll_s * 0.9, feed.poll_s * 0.2)
        self.chores.start()

    def _end(self) -> None:
        """Silence first, then the relays, then what is to be remembered; one failure stops none of the rest."""
        self.workers.close()
        ends: list[Callable[[], object]] = [
            self.chores.stop,
            self.control.stop,
            self.player.stop,
            self.amplification.close,
            lambda: self.playback.break_off("the agent was stopped"),
            lambda: self.screen.stop() if self.screen is not None else None,
            self.conductor.drain,  # what the screen said last are its sums
            lambda: self.stage.write_sums(all_of_them=True),
            lambda: self.ledger.remark("agent stopped"),
            lambda: self.feeds.stop(Seconds(2.0)),
            self.library.stop,
            self.upstream.stop,
            self._clock.close,
            self._clock.save,
            self.journal.close,
        ]
        for end in ends:
            try:
                end()
            except Exception:
                log.exception("at the end")

    def _close_open_plays(self) -> None:
        """Complete what a crash or a power cut left open, and take up again what a crash cut off."""
        crashed = self.resumption.same_boot
        for handle, record in self.journal.open_plays():
            if record.started is None:
                self.journal.discard(handle)
            elif crashed:
                self.journal.complete(handle, outcome="interrupted", reason="the agent was restarted")
            else:
                self.journal.complete(handle, outcome="lost-power", reason="power lost")
        for cut in self.resumption.read():
            if cut.command is not None and crashed:
                self.orders.take_up(cut.command, cut.position_s, in_step=cut.in_step)
            elif cut.command is not None:
                self.orders.cut_off(cut.command, "power lost")
            elif crashed:
                self.planner.resume_later(cut.id, cut.position_s, in_step=cut.in_step)
            else:
                self.planner.not_begun(cut.id)

    # ---- events

    def _connect_events(self) -> None:
        on = self.conductor.on
        for handlers in (
            self.following.handlers(),
            self.workers.handlers(),
            self.upstream.handlers(self.orders.obey),
        ):
            for event, handler in handlers.items():
                on(event, handler)
        on(Prepared, self.sounds.note)
        on(Unplayable, self.sounds.note)
        on(ControlRequest, self.requests.take)
        on(ChoreDue, self._chore)
        on(Thought, lambda event: event.take())
        on(ClockJumped, lambda _event: None)  # it only wakes us: `Leaps` looks at each turn
        each_turn = self.conductor.each_turn
        each_turn("leaps", self.leaps.turn)
        each_turn("alarms", self.alarms.turn)
        each_turn("planner", self.planner.turn)
        each_turn("voice", self.voice.turn)
        each_turn("stage", self.stage.turn)
        each_turn("following", self.following.turn)
        each_turn("workers", self.workers.turn)
        each_turn("resumption", self._write_sounding)
        each_turn("wellbeing", self.wellbeing.turn)
        each_turn("readiness", self._readiness)
        self.conductor.when_broken(
            lambda name, error: self.faults.set(
                f"defect:{name}", f"{name} failed: {error!r}" if error is not None else None
            )
        )

    def _chore(self, event: ChoreDue) -> None:
        match event.name:
            case "ping":
                self.workers.ping()
            case "health":
                self.wellbeing.beat()
            case "clock":
                self._clock.save()
            case "housekeeping":
                self.stage.write_sums()
                self.following.make_ready()
                self.faults.set("journal", self.journal.fault)
            case "retry":
                self.sounds.forget_failures()
                self.following.make_ready()
            case poll:
                self.feeds.poll(poll.removeprefix("poll:"))

    def _leapt(self, by_s: float) -> None:
        self.ledger.remark(f"the wall clock jumped by {by_s:.1f} s")
        self.chores.realign()
        self.rules.jumped(by_s)
        self.voice.jumped(by_s)
        self.planner.jumped(by_s)
        self.stage.refresh()

    def _readiness(self) -> MonotonicS | None:
        if not self._is_ready and self.playback.ready:
            self._is_ready = True
            self._tell_ready()
        return None

    def _write_sounding(self) -> MonotonicS | None:
        self.resumption.write(self.voice.performances, self.playback.current, self.orders.commands)
        return None

    # ---- what the parts tell

    def _sounding(self, p: Performance, at: MonotonicS) -> None:
        if p.has_begun:
            self.timeline.add("sound", p.id, "resumed", f"at {p.where_s():.1f} s", at)
        else:
            p.has_begun = True
            self.planner.begun(p)
            self._told(p, Told("started", None, at))

    def _told(self, p: Performance, told: Told) -> None:
        log.info("%s: %s%s", p.id, told.state, f" ({told.reason})" if told.reason else "")
        self.timeline.add("sound", p.id, told.state, told.reason, told.at)
        if p.id not in self.voice.performances:
            self.planner.begun(p)  # also what was given up is not tried again
        self.orders.tell(p, told)

    def _left_out(self, programme: str, reason: str) -> None:
        log.warning("programme %s is left out: %s", programme, reason)
        self.ledger.remark(f"programme left out: {reason}", programme=programme.partition("/")[2])

    def _fault_changed(self, fault: Fault, raised: bool) -> None:
        log.log(
            logging.WARNING if raised else logging.INFO,
            "fault %s %s: %s",
            fault.code,
            "raised" if raised else "cleared",
            fault.text,
        )
        self.ledger.write(
            Record(
                kind="fault",
                fault=fault.code,
                started=fault.since,
                ended=None if raised else self._clock.now(),
                text=fault.text,
                clock=self._clock.reading(),
            )
        )

    def _audio_now(self) -> AudioNow | None:
        p = self.voice.playing
        if p is None:
            return None
        run = self.playback.current
        cue = run.cue if run is not None else None
        return AudioNow(
            programme=p.programme,
            command=p.command,
            alert=p.alert,
            title=p.title or None,
            item=p.cues[cue].item if cue is not None else None,
            level_dbfs=self.playback.level_dbfs,
        )

    def _picture_file(self, feed: str, target: str) -> Path | None:
        info = self.feeds.media(feed, target)
        return info.path if info is not None else None

    def _edge(self, relay: str, on: bool, at: MonotonicS) -> None:
        self.timeline.add("relay", relay, "on" if on else "off", None, at)
