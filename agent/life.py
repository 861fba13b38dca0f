"""A node's life: what starts first, what recurs, what was cut off is taken up again, and how all of it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent import __version__, footprint
from agent.chores import ChoreDue
from agent.clock import Clock
from agent.conductor.events import StopAsked
from agent.conductor.resumption import Cut
from agent.conductor.workers import PING_EACH_S
from agent.config import Config
from agent.node import Node
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.life")

HEALTH_EACH_S = 60.0
RESTORED_WITHIN_S = 5.0
"""Reading the feeds' last good schedules takes a tenth of a second; a disk that hangs must not make us deaf."""
SAVE_CLOCK_EACH_S = 300.0
HOUSEKEEPING_EACH_S = 600.0
RETRY_EACH_S = 3_600.0
"""What could not be made to sound is tried again: room on the disk, or a voice, may have come."""


class Life:
    """Runs a node from its start to its end."""

    def __init__(self, node: Node, config: Config, clock: Clock) -> None:
        self._node = node
        self._config = config
        self._clock = clock
        self._settled = False
        self._cuts: list[Cut] = []
        self._arrived = False
        self._arrive_by = MonotonicS(0.0)
        node.conductor.on(ChoreDue, self._chore)

    def run(self) -> StopAsked:
        """Conduct until somebody asks to stop; then everything is ended in order.

        Raises:
            OSError: the control socket cannot be opened.
        """
        try:
            self.begin()
            return self._node.conductor.run()
        finally:
            self.end()

    def begin(self) -> None:
        """Start everything. The sound first: whatever else is missing, an emergency must find a voice."""
        node, outside = self._node, self._node.outside
        outside.player.start()  # of a daemon it loads already
        outside.library.start()
        node.proof.start()
        if outside.screen is not None:
            outside.screen.start()
        self._close_open_plays()
        self._cuts = node.resumption.read()
        self._take_up_programmes()
        outside.feeds.start()
        self._clock.watch_jumps(node.conductor.post)
        node.wellbeing.measure()
        node.conductor.each_turn("arrival", self._arrive)
        self._arrive_by = MonotonicS(self._clock.monotonic() + RESTORED_WITHIN_S)
        outside.control.start()
        self._begin_chores()
        node.ledger.remark(f"agent {__version__} started")
        if outside.alerts is not None:
            outside.alerts.start()

    def _begin_chores(self) -> None:
        chores = self._node.outside.chores
        chores.add("ping", PING_EACH_S)
        chores.add("health", HEALTH_EACH_S)
        chores.add("clock", SAVE_CLOCK_EACH_S)
        chores.add("housekeeping", HOUSEKEEPING_EACH_S)
        chores.add("retry", RETRY_EACH_S)
        for feed in self._config.feeds:
            # a fleet that polls in step would be an attack on its own centre
            chores.add(f"poll:{feed.name}", feed.poll_s * 0.9, feed.poll_s * 0.2)
        chores.start()

    def _chore(self, event: ChoreDue) -> None:
        node = self._node
        match event.name:
            case "ping":
                node.workers.ping()
                node.wellbeing.measure()
                if not self._settled:
                    self._settled = True
                    footprint.settle()
            case "health":
                node.traffic.measure()
                node.wellbeing.beat()
            case "clock":
                self._clock.save()
            case "housekeeping":
                node.stage.write_sums()
                node.traffic.save()
                node.following.make_ready()
                node.faults.set("journal", node.outside.journal.fault)
                footprint.rest()
            case "retry":
                node.sounds.forget_failures()
                node.following.make_ready()
            case poll:
                node.outside.feeds.poll(poll.removeprefix("poll:"))

    def _arrive(self) -> MonotonicS | None:
        """Once the feeds have told whose commands are to be obeyed: take up old ones, and listen for new ones.

        The broker hands over at once what it has kept for us, and a command whose key nobody has listed yet
        would be refused for ever.
        """
        node = self._node
        late = self._clock.monotonic() >= self._arrive_by
        if not self._arrived and (node.following.restored or late):
            self._arrived = True
            try:
                self._take_up_commands()
            finally:  # whatever one of them is about, new ones must be heard
                node.upstream.start()
        if self._arrived and node.resumption.held and (late or not node.planner.awaits_cut_off):
            # a second crash before this would still find what the first one has cut off
            node.resumption.held = False
            return self._clock.monotonic()
        return self._arrive_by if node.resumption.held else None

    def _close_open_plays(self) -> None:
        """Complete the records of what a crash or a power cut left open."""
        journal, crashed = self._node.outside.journal, self._node.resumption.same_boot
        for handle, record in journal.open_plays():
            if record.started is None:
                journal.discard(handle)
            elif crashed:
                journal.complete(handle, outcome="interrupted", reason="the agent was restarted")
            else:
                journal.complete(handle, outcome="lost-power", reason="power lost")

    def _take_up_programmes(self) -> None:
        """Take up again the programmes that a crash cut off, as soon as their schedule is in force."""
        node = self._node
        for cut in self._cuts:
            if cut.command is None and node.resumption.same_boot:
                node.planner.resume_later(cut.id, cut.position_s, in_step=cut.in_step)
            elif cut.command is None:
                node.planner.not_begun(cut.id)

    def _take_up_commands(self) -> None:
        """Take up again the commands that a crash cut off: their recordings are known now."""
        node = self._node
        for cut in self._cuts:
            if cut.command is not None and node.resumption.same_boot:
                node.orders.take_up(cut.command, cut.position_s, in_step=cut.in_step)
            elif cut.command is not None:
                node.orders.cut_off(cut.command, "power lost")
        begun = {cut.command.id for cut in self._cuts if cut.command is not None}
        for command in node.resumption.not_obeyed():
            if command.id in begun:
                node.orders.obeyed.add(command.id)
            else:
                # once only: one that ends the agent must not end it at each start
                node.resumption.forget([command.id])
                node.orders.obey_late(command)

    def end(self) -> None:
        """Silence first, then the relays, then what is to be remembered; one failure stops none of the rest."""
        node, outside = self._node, self._node.outside
        node.workers.close()
        ends: list[Callable[[], object]] = [
            outside.player.stop,
            node.amplification.close,
            lambda: [button.close() for button in outside.buttons.values()],
            lambda: node.playback.break_off("the agent was stopped"),
            node.proof.stop,
            node.wellbeing.last_word,
            outside.chores.stop,
            outside.control.stop,
            lambda: outside.screen.stop() if outside.screen is not None else None,
            lambda: outside.screen_power.stop() if outside.screen_power is not None else None,
            node.conductor.drain,  # what the screen said last are its sums
            lambda: node.stage.write_sums(all_of_them=True),
            lambda: node.ledger.remark("agent stopped"),
            node.traffic.save,
            lambda: outside.feeds.stop(Seconds(2.0)),
            lambda: outside.alerts.stop(Seconds(2.0)) if outside.alerts is not None else None,
            outside.recordings.stop,
            outside.library.stop,
            node.upstream.stop,
            self._clock.close,
            self._clock.save,
            outside.journal.close,
        ]
        for end in ends:
            try:
                end()
            except Exception:
                log.exception("at the end")
