"""What residents ask for at the board: to have a notice read aloud, and to say whether it was of use."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

from agent.clock import Clock
from agent.conductor.performance import Performance
from agent.conductor.rules import Rules
from agent.conductor.stage import Stage
from agent.conductor.voice import Voice
from agent.screen.protocol import Action
from playlists.arbiter import Rank, Source
from playlists.markup import aloud, plain
from playlists.models.base import BulletinClass
from playlists.models.items import Speech, SpeechItem
from playlists.models.schedule import Bulletin
from playlists.units import Level

log = logging.getLogger("loa.residents")

MOST_CHARACTERS = 3_000
"""Of a notice that is read aloud: some four minutes."""


class Residents:
    """Does what residents ask for. Runs on the conductor's thread only."""

    def __init__(
        self, clock: Clock, stage: Stage, voice: Voice, rules: Rules, say: Callable[[Performance], str | None]
    ) -> None:
        """`say` sounds a performance; it returns the rule that forbids it."""
        self._clock = clock
        self._stage = stage
        self._voice = voice
        self._rules = rules
        self._say = say
        self._numbers = itertools.count(1)
        self._reading: str | None = None

    def pressed(self, action: Action) -> None:
        """A resident pressed a button for this: the board knows what is on show, and tells."""
        self._stage.act(action)

    def act(self, action: Action, bulletin: str | None) -> None:
        """A resident did this while the bulletin (`feed/id`) was on show."""
        if bulletin is None:
            return
        if action == "read":
            self._read(bulletin)
        elif action in {"useful", "useless"}:
            self._stage.vote(bulletin, useful=action == "useful")

    def _read(self, name: str) -> None:
        reading = self._voice.performances.get(self._reading or "")
        if reading is not None:
            # pressed again: enough of it
            self._voice.withdraw(reading, "ended at the board")
            if reading.title == name:
                return
        shown = self._stage.shown(name)
        text = text_of(shown) if shown is not None else ""
        if shown is None or not text:
            log.info("%s has nothing to be read aloud", name)
            return
        now = self._clock.now()
        self._reading = f"read/{now:%H%M%S}-{next(self._numbers)}"
        p = Performance(
            id=self._reading,
            origin="local",
            class_=BulletinClass.ROUTINE,
            rank=Rank(
                BulletinClass.ROUTINE,
                Source.LIVE,
                0,
                Level(0),
                now,
                self._reading,
                self._rules.place_of(None),
            ),
            planned=now,
            items=[SpeechItem(speech=Speech(text=text, language=shown.language))],
            title=name,
            language=shown.language,
            on_conflict="skip",
            feed=name.partition("/")[0],
        )
        refused = self._say(p)
        if refused is not None:
            log.info("%s is not read aloud: %s", name, refused)


def text_of(bulletin: Bulletin) -> str:
    """What of a bulletin can be read aloud."""
    content = bulletin.content
    if content.text is not None:
        text = content.text
        parts = [text.heading, plain(text.body) if text.markup == "markdown" else aloud(text.body)]
    elif content.table is not None:
        table = content.table
        rows = [", ".join(cell for cell in row if cell) for row in table.rows]
        parts = [table.heading or bulletin.title, *rows, table.note]
    elif content.document is not None:
        parts = [bulletin.title, content.document.caption]
    elif content.readings is not None:
        parts = [content.readings.heading or bulletin.title]
    elif content.countdown is not None:
        parts = [content.countdown.heading or bulletin.title]
    else:
        picture = content.image or content.video
        parts = [bulletin.title, picture.caption if picture is not None else ""]
    words = [part.strip().rstrip(".") for part in dict.fromkeys(parts) if part.strip()]
    return ". ".join(words)[:MOST_CHARACTERS]
