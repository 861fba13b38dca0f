"""The pole says and shows which one it is: residents report it by its number, officers mute just it."""

from __future__ import annotations

import itertools
import logging

from agent.clock import Clock
from agent.conductor.ledger import Ledger
from agent.conductor.orders import Orders
from agent.conductor.performance import Performance
from agent.conductor.rules import Rules
from agent.conductor.stage import Stage
from agent.screen.protocol import Takeover
from drivers.buttons import ButtonPressed
from playlists.arbiter import Rank, Source
from playlists.identity import TITLE, phrases
from playlists.models.base import BulletinClass
from playlists.models.health import Position
from playlists.models.items import Speech, SpeechItem
from playlists.models.schedule import OnConflict
from playlists.units import Level, MonotonicS, Seconds

log = logging.getLogger("loa.identity")

SHOWN_S = Seconds(15.0)
TEST_PAGE_S = Seconds(8.0)
TEST_LETTERS = "Ằ Ễ Ộ Ự ẵ đ"
BUTTON_PAUSE_S = Seconds(30.0)
"""A button that anybody can reach is heard this often at most."""


class Identity:
    """Answers who this is. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        orders: Orders,
        stage: Stage,
        rules: Rules,
        ledger: Ledger,
        *,
        node: str,
        number: str,
        position: Position | None,
        languages: tuple[str, ...],
    ) -> None:
        """`number` is what it says: the public number, or the node's id where it has none."""
        self._clock = clock
        self._orders = orders
        self._stage = stage
        self._rules = rules
        self._ledger = ledger
        self._node = node
        self._number = number
        self._position = position
        self._languages = languages
        self._names = itertools.count(1)
        self._deaf_until: MonotonicS | None = None

    @property
    def number(self) -> str:
        """What it says and shows."""
        return self._number

    def pressed(self, event: ButtonPressed) -> None:
        """Somebody stands below and asks: no programme is cut for that."""
        now = self._clock.monotonic()
        if self._deaf_until is not None and now < self._deaf_until:
            return
        self._deaf_until = MonotonicS(now + BUTTON_PAUSE_S)
        refused = self.identify("skip")
        self._ledger.remark(
            f"identify by button {event.button}" + (f", refused: {refused}" if refused else "")
        )

    def identify(self, on_conflict: OnConflict) -> str | None:
        """Show it, and say it where the rules allow; returns the rule that forbids the latter."""
        self._stage.notice(self._notice(), SHOWN_S)
        now = self._clock.now()
        name = f"identify/{now:%H%M%S}-{next(self._names)}"
        said = phrases(self._languages)
        return self._orders.say(
            Performance(
                id=name,
                origin="local",
                class_=BulletinClass.ROUTINE,
                rank=Rank(
                    BulletinClass.ROUTINE, Source.LIVE, 0, Level(0), now, name, self._rules.place_of(None)
                ),
                planned=now,
                items=[SpeechItem(speech=Speech(text=text, language=lang)) for text, lang in said],
                title=f"{TITLE} {self._number}",
                language=said[0][1],
                on_conflict=on_conflict,
            )
        )

    def show_test_page(self) -> None:
        """Show its number as a test, without a word: a technician looks whether the screen shows what it is told."""
        text = f"{self._node}\n{TEST_LETTERS}"
        page = Takeover("test-page", "routine", TITLE, self._number, text, status="Test")
        self._stage.notice(page, TEST_PAGE_S)

    def _notice(self) -> Takeover:
        where = f"{self._position.lat:.5f}, {self._position.lon:.5f}" if self._position else ""
        text = "\n".join(part for part in (self._node, where) if part)
        return Takeover("identify", "routine", TITLE, self._number, text)
