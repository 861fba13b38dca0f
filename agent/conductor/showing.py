"""What a node shows: the stage, its hours, residents, films with sound, and the words that are being spoken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.clock import Clock
from agent.conductor.captions import Captions
from agent.conductor.filmsound import FilmSound
from agent.conductor.ledger import Ledger
from agent.conductor.loop import Conductor
from agent.conductor.orders import Orders
from agent.conductor.playback import Playback
from agent.conductor.residents import Residents
from agent.conductor.rules import Rules
from agent.conductor.screenhours import ScreenHours
from agent.conductor.stage import Stage
from agent.conductor.thinker import Think
from agent.conductor.voice import Voice
from agent.config import Config
from agent.faults import Faults
from agent.screenpower import DisplaySwitched, ScreenPower
from agent.worker import WorkerLink


class Showing:
    """Made in two steps: the orders are told where to show, and what residents ask for is said by the orders."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        link: WorkerLink | None,
        power: ScreenPower | None,
        ledger: Ledger,
        faults: Faults,
        think: Think,
        file_of: Callable[[str, str], Path | None],
        shown: Callable[[str, str], None],
    ) -> None:
        """`file_of(feed, target)` is where a picture or film lies; `shown(what, state)` is told of each change."""
        self._clock = clock
        self.stage = Stage(
            clock,
            link,
            ledger,
            faults,
            file_of,
            think,
            node=config.node.id,
            groups=frozenset(config.node.groups),
            timezone=config.node.timezone,
            theme=config.screen.theme,
            shown=shown,
            feedback_url=config.screen.feedback_url,
        )
        self._hours = ScreenHours(
            clock, self.stage, faults, power, hours=config.screen.on_hours, zone=config.node.zone
        )

    def attach(self, voice: Voice, playback: Playback, rules: Rules, orders: Orders) -> None:
        """Let residents and films be heard, and what is spoken be read."""
        self.residents = Residents(self._clock, self.stage, voice, rules, orders.say)
        self.film_sound = FilmSound(self._clock, self.stage, voice, rules, orders.say)
        self.stage.touched = self.residents.act
        self.stage.film_waits = self.film_sound.film
        self._captions = Captions(self._clock, playback, self.stage)

    def connect(self, conductor: Conductor) -> None:
        """Take the display's events, and turns: to be called after the voice has its own."""
        conductor.on(DisplaySwitched, self._hours.switched)
        conductor.each_turn("captions", self._captions.turn)
        conductor.each_turn("stage", self.stage.turn)
        conductor.each_turn("screen-hours", self._hours.turn)
