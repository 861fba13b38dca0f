"""What a technician asks at the socket. A request that acts is written into the log with the user's name."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.conductor.amplification import Amplification
from agent.conductor.ledger import Ledger
from agent.conductor.orders import Orders
from agent.conductor.performance import FileItem, Performance, ToneItem
from agent.conductor.planner import Planner
from agent.conductor.rules import Rules
from agent.conductor.stage import Stage
from agent.control.protocol import ControlRequest
from agent.journal import Journal
from agent.screen.protocol import PictureTaken
from agent.timeline import Timeline
from playlists.arbiter import Rank, Source
from playlists.errors import Rejected
from playlists.models.base import BulletinClass, validate
from playlists.models.health import Health
from playlists.models.items import Item, SpeechItem
from playlists.units import Level, MonotonicS

log = logging.getLogger("loa.control")

BY_HAND_S = 60.0
"""A relay that was switched by hand falls back after this time."""


class Requests:
    """Answers the control socket. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        timeline: Timeline,
        planner: Planner,
        orders: Orders,
        rules: Rules,
        stage: Stage,
        amplification: Amplification,
        ledger: Ledger,
        journal: Journal,
        *,
        node: dict[str, Any],
        health: Callable[[], Health],
        link: Callable[[], str],
    ) -> None:
        self._clock = clock
        self._timeline = timeline
        self._planner = planner
        self._orders = orders
        self._rules = rules
        self._stage = stage
        self._amp = amplification
        self._ledger = ledger
        self._journal = journal
        self._node = node
        self._health = health
        self._link = link
        self._numbers = itertools.count(1)
        self._by_hand: dict[str, MonotonicS] = {}
        self._ops: dict[str, Callable[[ControlRequest], None]] = {
            "status": self._status,
            "next": self._next,
            "log": self._log,
            "timeline": lambda request: request.answer(moments=self._timeline.to_json()),
            "say": self._say,
            "play": self._play,
            "stop": self._stop,
            "relay": self._relay,
            "screenshot": self._screenshot,
        }

    def take(self, request: ControlRequest) -> None:
        """Answer one request; a bad one gets one clear line."""
        op = self._ops.get(request.op)
        if op is None:
            request.refuse(
                f"{request.op!r:.60} is not understood here; known are {', '.join(sorted(self._ops))}"
            )
            return
        try:
            op(request)
        except (Rejected, KeyError, TypeError, ValueError) as error:
            request.refuse(f"{request.op}: {error}")

    def turn(self) -> MonotonicS | None:
        """Let relays that were switched by hand fall back."""
        now = self._clock.monotonic()
        for name in [name for name, until in self._by_hand.items() if now >= until]:
            del self._by_hand[name]
            self._amp.by_hand(name, False, now)
        return min(self._by_hand.values(), default=None)

    def _status(self, request: ControlRequest) -> None:
        health = self._health().model_dump(mode="json")
        request.answer(node=self._node, health=health, link=self._link())

    def _next(self, request: ControlRequest) -> None:
        now = self._clock.now()
        count = min(1_000, int(request.arguments.get("count", 10)))
        upcoming = [
            {
                "id": occurrence.id,
                "feed": occurrence.feed,
                "programme": occurrence.programme.id,
                "title": occurrence.programme.title,
                "class": occurrence.programme.class_,
                "language": occurrence.programme.language,
                "planned": occurrence.planned.isoformat(),
                "refused": self._rules.policy.may_start(occurrence.programme.class_, occurrence.planned),
            }
            for occurrence in self._planner.timetable.upcoming(now, count)
        ]
        request.answer(upcoming=upcoming)

    def _log(self, request: ControlRequest) -> None:
        count = min(1_000, int(request.arguments.get("count", 20)))
        batch = self._journal.batch(max(self._journal.stored_through, self._journal.last - count), count)
        records = batch.model_dump(mode="json", by_alias=True)["records"] if batch else []
        request.answer(records=records)

    def _say(self, request: ControlRequest) -> None:
        words = validate(
            SpeechItem,
            "say",
            {
                "speech": {
                    "text": request.arguments["text"],
                    "language": request.arguments.get("language", "vi"),
                }
            },
        )
        self._sound(request, [words], str(request.arguments["text"])[:200], words.speech.language)

    def _play(self, request: ControlRequest) -> None:
        path = Path(str(request.arguments["path"]))
        if not path.is_file():
            raise ValueError(f"{path} is not a file that the agent can read")
        self._sound(request, [FileItem(str(path))], path.name, "vi")

    def _sound(
        self, request: ControlRequest, items: Sequence[Item | ToneItem | FileItem], title: str, language: str
    ) -> None:
        now = self._clock.now()
        name = f"local/{now:%H%M%S}-{next(self._numbers)}"
        p = Performance(
            id=name,
            origin="local",
            class_=BulletinClass.ROUTINE,
            rank=Rank(BulletinClass.ROUTINE, Source.LIVE, 0, Level(0), now, name),
            planned=now,
            items=items,
            title=title,
            language=language,
            zones=frozenset(str(zone) for zone in request.arguments.get("zones") or ["*"]),
            on_conflict="preempt",
        )
        refused = self._orders.say(p)
        self._audit(request, f"{title!r}" + (f", refused: {refused}" if refused else ""))
        if refused is not None:
            request.refuse(f"not now: {refused} ([policy] in the configuration, or a mute by command)")
        else:
            request.answer(id=name)

    def _stop(self, request: ControlRequest) -> None:
        name = str(request.arguments.get("name", "*"))
        stopped = self._orders.stop(name, f"stopped by {request.user}")
        self._audit(request, name)
        request.answer(stopped=stopped)

    def _relay(self, request: ControlRequest) -> None:
        name, on = str(request.arguments["name"]), bool(request.arguments["on"])
        now = self._clock.monotonic()
        if not self._amp.by_hand(name, on, now):
            known = ", ".join(self._amp.states()) or "none"
            raise ValueError(f"no relay {name!r}; known are: {known}")
        if on:
            self._by_hand[name] = MonotonicS(now + BY_HAND_S)
        else:
            self._by_hand.pop(name, None)
        self._audit(request, f"{name} {'on' if on else 'off'}")
        request.answer()

    def _screenshot(self, request: ControlRequest) -> None:
        width = request.arguments.get("width")

        def then(picture: PictureTaken) -> None:
            if picture.reason is not None:
                request.refuse(picture.reason)
            else:
                request.answer(size=picture.size)

        path = Path(str(request.arguments["path"]))
        if not self._stage.picture(path, None if width is None else int(width), then):
            request.refuse("this node has no screen that runs ([screen] in the configuration)")

    def _audit(self, request: ControlRequest, text: str) -> None:
        log.info("%s by %s: %s", request.op, request.user, text)
        self._ledger.remark(f"{request.op} by {request.user}: {text}")
