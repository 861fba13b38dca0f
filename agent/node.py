"""One node, put together from its configuration: who is told what, and who answers for what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from agent import __version__
from agent.assembly import (
    Outside,
    broker_of,
    feeds_of,
    make_policy,
    make_voices,
    pids_of,
    place_of,
    position_of,
)
from agent.clock import Clock, ClockJumped
from agent.conductor.alarms import Alarms
from agent.conductor.amplification import Amplification
from agent.conductor.carrying import Carrying
from agent.conductor.following import Following
from agent.conductor.identity import Identity
from agent.conductor.intake import Intake
from agent.conductor.leaps import Leaps
from agent.conductor.ledger import Ledger
from agent.conductor.live import Broadcasts
from agent.conductor.looks import Looks
from agent.conductor.loop import Conductor
from agent.conductor.memory import Memory
from agent.conductor.orders import Orders
from agent.conductor.performance import Performance
from agent.conductor.planner import Planner
from agent.conductor.playback import Playback
from agent.conductor.proof import Proof
from agent.conductor.reception import Reception
from agent.conductor.requests import Requests
from agent.conductor.resumption import Resumption
from agent.conductor.rules import Rules
from agent.conductor.showing import Showing
from agent.conductor.sounds import Sounds
from agent.conductor.tellings import id_of
from agent.conductor.thinker import Thought
from agent.conductor.unspoken import Unspoken
from agent.conductor.updates import Updates
from agent.conductor.upstream import Upstream
from agent.conductor.voice import Told, Voice
from agent.conductor.wellbeing import Wellbeing, what_sounds
from agent.conductor.workers import Workers
from agent.config import Config
from agent.control.audit import Audit
from agent.control.protocol import ControlRequest
from agent.faults import Faults
from agent.journal import RESET_AT
from agent.library import Prepared, Unplayable
from agent.logs import RecentLines
from agent.reset import Done
from agent.timeline import Timeline
from agent.traffic import Traffic
from agent.update.places import Places
from drivers.buttons import ButtonPressed
from playlists.models.health import LogState
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.node")

VITAL = ("planner", "voice")
FAILING_TOO_LONG_S = 10.0
"""When a vital part has failed for so long, the watchdog is no longer fed and systemd starts the agent afresh."""


class Node:
    """All rooms of one node."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        conductor: Conductor,
        outside: Outside,
        recent: RecentLines,
        *,
        boot: str,
        ready: Callable[[], None],
        alive: Callable[[], None],
    ) -> None:
        """`ready` is called once when the node can speak, `alive` whenever every worker has made progress."""
        self.outside = outside
        self.conductor = conductor
        self._clock = clock
        self._tell_ready = ready
        self._is_ready = False
        post = conductor.post
        groups = frozenset(config.node.groups)
        journal = outside.journal

        self.timeline = Timeline(clock)
        self.memory = memory = Memory(journal)
        self.faults = Faults(clock.now, lambda fault, raised: self.ledger.fault(fault, raised=raised))
        self.ledger = Ledger(journal, clock, self.faults)
        self.upstream = Upstream(outside.uplink, outside.feeds, recent, clock)
        self.reception = Reception(
            clock,
            outside.player,
            self.faults,
            config.streams,
            performances=lambda: self.voice.performances,
            told=lambda what, state, reason: self.timeline.add("sound", what, state, reason),
        )
        self.sounds = Sounds(
            outside.feeds.media,
            outside.library,
            self.reception,
            outside.recordings,
            make_voices(config),
            self.faults,
            config.node.called,
        )
        self.amplification = Amplification(outside.amplifier, outside.relays, self.faults, self._edge)
        self.rules = Rules(make_policy(config), tuple(zone.name for zone in config.zones), memory)
        self.proof = Proof(config, clock, outside.listener, self.faults)
        self.playback = Playback(
            clock,
            outside.player,
            self.ledger,
            self.faults,
            lambda: self.amplification.on,
            self._sounding,
            self.proof.hearing,
        )
        self.voice = Voice(
            clock, self.playback, self.amplification, self.sounds, self.ledger, self.rules, self._told
        )
        self.tests = self.proof.attach(self.voice, self.rules, self.ledger)
        self.planner = Planner(
            config.node.id,
            groups,
            clock,
            self.voice,
            self.ledger,
            memory,
            outside.think,
            self.ledger.left_out,
            self.rules.place_of,
        )
        self.showing = Showing(
            config,
            clock,
            outside.screen,
            outside.screen_power,
            self.ledger,
            self.faults,
            outside.think,
            self._picture_file,
            shown=lambda what, state: self.timeline.add("screen", what, state),
        )
        self.stage = self.showing.stage
        self.alarms = Alarms(
            clock,
            self.voice,
            self.sounds,
            self.stage,
            self.ledger,
            self.rules,
            memory,
            languages=config.node.languages,
            place=place_of(config),
            repeat_s=Seconds(config.alerts.repeat_s),
        )
        self.intake = Intake(self.alarms, self.ledger, self.faults)
        self.workers = Workers(
            outside.player,
            outside.screen,
            self.voice,
            self.playback,
            self.reception,
            self.stage,
            self.faults,
            alive,
            works=lambda: max(map(conductor.failing_for_s, VITAL)) < FAILING_TOO_LONG_S,
        )
        self.following = Following(
            clock,
            {feed.name: feed for feed in config.feeds},
            self.planner,
            self.stage,
            outside.gate,
            self.sounds,
            outside.library,
            self.ledger,
            self.faults,
        )
        self.unspoken = Unspoken(self.faults)
        self.broadcasts = Broadcasts(clock, self.voice, self.reception)
        self.orders = Orders(
            clock,
            self.voice,
            self.stage,
            self.rules,
            self.alarms,
            self.ledger,
            self.tests,
            self.reception,
            self.broadcasts,
            rights_of=self.following.rights,
            answer=self.upstream.receipt,
            send_picture=self.upstream.picture,
            send_logs=self.upstream.logs,
            sync=self._sync,
            reboot=lambda then: outside.think("reboot", outside.reboot, then),
            post=post,
            scratch=config.paths.runtime,
        )
        self._buttons = {button.name: button.does for button in config.buttons}
        self.showing.attach(self.voice, self.playback, self.rules, self.orders)
        self.identity = Identity(
            clock,
            self.orders,
            self.stage,
            self.rules,
            self.ledger,
            node=config.node.id,
            number=config.node.called,
            position=position_of(config),
            languages=config.node.languages,
        )
        self.resumption = Resumption(memory, journal, clock, boot)
        self.leaps = Leaps(clock, self._leapt)
        self.wellbeing = Wellbeing(
            clock,
            self.faults,
            public_number=config.node.public_number or None,
            position=position_of(config),
            readings=outside.readings,
            feeds=outside.feeds.state,
            audio=lambda: what_sounds(self.voice, self.playback, self.reception, self.proof.hearing),
            screen=lambda: self.stage.now if outside.screen else None,
            relays=self.amplification.states,
            controls=lambda: self.rules.in_force(clock.now()),
            log_state=lambda: LogState(stored_through=journal.stored_through, last=journal.last),
            self_test=self.proof.last_test,
            publish=self.upstream.health,
        )
        self.traffic = Traffic(clock.now, config.node.zone, boot, memory)
        self.audit = Audit(config.paths.state / "audit.jsonl", clock.now)
        looks = Looks(
            clock,
            self.timeline,
            self.planner,
            self.rules,
            self.stage,
            self.tests,
            journal,
            self.audit,
            scratch=config.paths.runtime,
            node={
                "id": config.node.id,
                "site": config.node.site,
                "public_number": config.node.public_number,
                "agent": __version__,
            },
            health=self.wellbeing.build,
            link=lambda: self.upstream.state,
            broker=lambda: broker_of(config, self.upstream.to_json()),
            feeds=lambda: feeds_of(config, outside.feeds),
            traffic=self.traffic.to_json,
            workers=lambda: pids_of(outside),
            lines=recent.newest,
            alert_sources=lambda: outside.alerts.state() if outside.alerts else {},
        )
        self.updates = Updates(
            clock,
            self.voice,
            self.alarms,
            self.planner,
            self.ledger,
            feed=config.update.feed if config.update else None,
            places=Places.here(),
            answer=self.upstream.receipt,
            post=post,
        )
        self.orders.update = self.updates.wish
        self.requests = Requests(
            clock,
            self.orders,
            self.rules,
            self.amplification,
            self.ledger,
            self.tests,
            self.identity,
            looks,
            self.updates,
            self.audit,
            Carrying(outside.feeds, outside.journal, config.node.id, config.node.site),
            in_force=lambda: [id_of(alert) for alert in self.alarms.book.in_force],
            state=config.paths.state,
            post=post,
        )
        self._connect_events()

    def begin_anew(self, done: Done) -> None:
        """Write down that this start began with a reset; commands from before it cannot be told from replays."""
        what = ", ".join(done.parts)
        if "state" in done.parts:
            self.memory.put(RESET_AT, self._clock.now().astimezone().isoformat())
            what += f"; set aside in {done.aside}"
        self.audit.write(done.by, "reset", f"carried out: {what}", None)
        self.ledger.remark(f"reset by {done.by}, carried out: {what}")

    # ---- events

    def _connect_events(self) -> None:
        on = self.conductor.on
        for handlers in (
            self.following.handlers(),
            self.intake.handlers(),
            self.workers.handlers(),
            self.upstream.handlers(self.orders.obey),
        ):
            for event, handler in handlers.items():
                on(event, handler)
        on(Prepared, self.sounds.note)
        on(Unplayable, self.sounds.note)
        on(ControlRequest, self.requests.take)
        on(ButtonPressed, self._pressed)
        on(Thought, lambda event: event.take())
        on(ClockJumped, lambda _event: None)  # it only wakes us: `Leaps` looks at each turn
        each_turn = self.conductor.each_turn
        each_turn("leaps", self.leaps.turn)
        each_turn("alarms", self.alarms.turn)
        each_turn("planner", self.planner.turn)
        each_turn("reception", self.reception.turn)
        each_turn("broadcasts", self.broadcasts.turn)
        self.proof.connect(self.conductor, self.orders.heard)
        each_turn("voice", self.voice.turn)
        self.showing.connect(self.conductor)
        each_turn("following", self.following.turn)
        each_turn("workers", self.workers.turn)
        each_turn("resumption", self._write_sounding)
        each_turn("wellbeing", self.wellbeing.turn)
        each_turn("updates", self.updates.turn)
        each_turn("readiness", self._readiness)
        self.conductor.when_broken(
            lambda name, error: self.faults.set(
                f"defect:{name}", f"{name} failed: {error!r}" if error is not None else None
            )
        )

    def _sync(self) -> None:
        self.outside.feeds.poll()
        if self.outside.alerts is not None:
            self.outside.alerts.poll()

    def _leapt(self, by_s: float) -> None:
        self.ledger.remark(f"the wall clock jumped by {by_s:.1f} s")
        self.outside.chores.realign()
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
        self.resumption.write(
            self.voice.performances, self.playback.current, self.orders.commands, self.orders.obeyed
        )
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
        fields = {"loa_performance": p.id, "loa_zone": sorted(self.rules.controls.meant(p.zones))}
        log.info("%s: %s%s", p.id, told.state, f" ({told.reason})" if told.reason else "", extra=fields)
        self.timeline.add("sound", p.id, told.state, told.reason, told.at)
        if p.id not in self.voice.performances:
            self.planner.begun(p)  # also what was given up is not tried again
            self.unspoken.over(p)
        self.showing.film_sound.told(p, told)
        self.orders.tell(p, told)

    def _pressed(self, event: ButtonPressed) -> None:
        does = self._buttons[event.button]
        if does == "identify":
            self.identity.pressed(event)
        else:
            self.showing.residents.pressed(does)

    def _picture_file(self, feed: str, target: str) -> Path | None:
        info = self.outside.feeds.media(feed, target)
        return info.path if info is not None else None

    def _edge(self, relay: str, on: bool, at: MonotonicS) -> None:
        self.timeline.add("relay", relay, "on" if on else "off", None, at)
