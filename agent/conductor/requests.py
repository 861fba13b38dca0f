"""What a technician asks at the socket. A request that acts is written into the log with the user's name."""

from __future__ import annotations

import base64
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.conductor.amplification import Amplification
from agent.conductor.identity import Identity
from agent.conductor.ledger import Ledger
from agent.conductor.orders import Orders
from agent.conductor.performance import FileItem, Performance, ToneItem
from agent.conductor.planner import Planner
from agent.conductor.rules import Rules
from agent.conductor.self_test import Asked, SelfTests
from agent.conductor.stage import Stage
from agent.control.protocol import ControlRequest
from agent.journal import Journal, JournalError
from agent.screen.protocol import PictureTaken
from agent.timeline import Timeline
from playlists.arbiter import Rank, Source
from playlists.errors import Rejected
from playlists.models.base import BulletinClass, validate
from playlists.models.health import FeedHealth, Health
from playlists.models.items import Item, SpeechItem
from playlists.units import Level

log = logging.getLogger("loa.control")

PICTURES = ("png", "jpg")

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
        tests: SelfTests,
        journal: Journal,
        identity: Identity,
        *,
        scratch: Path,
        node: dict[str, Any],
        health: Callable[[], Health],
        link: Callable[[], str],
        alert_sources: Callable[[], Mapping[str, FeedHealth]],
    ) -> None:
        """Pictures lie in `scratch` until they are sent: the agent may see no folder of the technician's."""
        self._clock = clock
        self._timeline = timeline
        self._planner = planner
        self._orders = orders
        self._rules = rules
        self._stage = stage
        self._amp = amplification
        self._ledger = ledger
        self._tests = tests
        self._journal = journal
        self._identity = identity
        self._scratch = scratch
        self._node = node
        self._health = health
        self._link = link
        self._alert_sources = alert_sources
        self._numbers = itertools.count(1)
        self._ops: dict[str, Callable[[ControlRequest], None]] = {
            "status": self._status,
            "next": self._next,
            "log": self._log,
            "timeline": lambda request: request.answer(moments=self._timeline.to_json()),
            "say": self._say,
            "play": self._play,
            "identify": self._identify,
            "stop": self._stop,
            "relay": self._relay,
            "screenshot": self._screenshot,
            "self-test": self._self_test,
            "self-test-state": self._self_test_state,
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
        except (Rejected, ValueError, OSError) as error:
            request.refuse(f"{request.op}: {error}")
        except JournalError as error:
            request.refuse(f"{request.op}: the journal cannot be read now: {error}")
        except Exception as error:
            request.refuse(f"{request.op}: a defect of the agent ({error!r}); see: journalctl -u loa-agent")
            raise

    def _status(self, request: ControlRequest) -> None:
        health = self._health().model_dump(mode="json")
        sources = {name: source.model_dump(mode="json") for name, source in self._alert_sources().items()}
        request.answer(node=self._node, health=health, link=self._link(), alert_sources=sources)

    def _next(self, request: ControlRequest) -> None:
        now = self._clock.now()
        count = _whole(request, "count", 10, 1, 1_000)
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
        count = _whole(request, "count", 20, 1, 1_000)
        newest = self._journal.newest(count)
        request.answer(records=[record.model_dump(mode="json", by_alias=True) for record in newest])

    def _say(self, request: ControlRequest) -> None:
        words = validate(
            SpeechItem,
            "say",
            {
                "speech": {
                    "text": _text(request, "text"),
                    "language": request.arguments.get("language", "vi"),
                }
            },
        )
        self._sound(request, [words], words.speech.text[:200], words.speech.language)

    def _play(self, request: ControlRequest) -> None:
        path = Path(_text(request, "path"))
        if not path.is_file():
            raise ValueError(f"{path} is not a file that the agent can read")
        sounds = False
        try:
            title = _text(request, "name", path.name)[:200]
            sounds = self._sound(request, [FileItem(str(path))], title, "vi")
        finally:
            if not sounds:
                path.unlink(missing_ok=True)

    def _sound(
        self, request: ControlRequest, items: Sequence[Item | ToneItem | FileItem], title: str, language: str
    ) -> bool:
        now = self._clock.now()
        name = f"local/{now:%H%M%S}-{next(self._numbers)}"
        p = Performance(
            id=name,
            origin="local",
            class_=BulletinClass.ROUTINE,
            rank=Rank(BulletinClass.ROUTINE, Source.LIVE, 0, Level(0), now, name, self._rules.place_of(None)),
            planned=now,
            items=items,
            title=title,
            language=language,
            zones=frozenset(_names(request, "zones")),
            on_conflict="preempt",
        )
        refused = self._orders.say(p)
        self._audit(request, f"{title!r}" + (f", refused: {refused}" if refused else ""))
        if refused is not None:
            request.refuse(f"not now: {refused} ([policy] in the configuration, or a mute by command)")
        else:
            request.answer(id=name)
        return refused is None

    def _identify(self, request: ControlRequest) -> None:
        refused = self._identity.identify("preempt")
        number = self._identity.number
        self._audit(request, number + (f", refused: {refused}" if refused else ""))
        if refused is not None:
            request.refuse(
                f"this is {number}; it is not said now: {refused} ([policy] in the configuration, or a mute)"
            )
        else:
            request.answer(number=number)

    def _stop(self, request: ControlRequest) -> None:
        name = _text(request, "name", "*")
        stopped = self._orders.stop(name, f"stopped by {request.user}")
        self._audit(request, name)
        request.answer(stopped=stopped)

    def _relay(self, request: ControlRequest) -> None:
        name, on = _text(request, "name"), request.arguments.get("on")
        if on not in (True, False):
            raise ValueError(f"on: expected true or false, got {on!r:.40}")
        known = self._amp.states()
        if name not in known:
            raise ValueError(f"no relay {name!r:.60}; known are: {', '.join(known) or 'none'}")
        now = self._clock.monotonic()
        why_not = self._amp.hold_by_hand(name, now, BY_HAND_S) if on else self._amp.release_by_hand(name, now)
        self._audit(request, f"{name} {'on' if on else 'off'}" + (f", refused: {why_not}" if why_not else ""))
        if why_not is not None:
            raise ValueError(why_not)
        request.answer()

    def _self_test(self, request: ControlRequest) -> None:
        reference = request.arguments.get("reference", False)
        if reference not in (True, False):
            raise ValueError(f"reference: expected true or false, got {reference!r:.40}")
        asked = Asked(request.user, lambda _state, _reason: None, take_reference=reference)
        refused = self._tests.begin(asked)
        self._audit(
            request,
            ("with reference" if reference else "without reference")
            + (f", refused: {refused}" if refused else ""),
        )
        if refused is not None:
            request.refuse(f"not now: {refused}")
        else:
            request.answer()

    def _self_test_state(self, request: ControlRequest) -> None:
        ended = self._tests.outcome
        request.answer(
            running=self._tests.runs,
            state=ended.state if ended else None,
            text=ended.reason if ended else None,
            result=ended.result.model_dump(mode="json") if ended and ended.result else None,
        )

    def _screenshot(self, request: ControlRequest) -> None:
        kind = request.arguments.get("format", "png")
        if kind not in PICTURES:
            raise ValueError(f"format: expected {' or '.join(PICTURES)}, got {kind!r:.40}")
        path = self._scratch / f"by-hand-{next(self._numbers)}.{kind}"
        width = None
        if request.arguments.get("width") is not None:
            width = _whole(request, "width", 640, 16, 7_680)

        def then(picture: PictureTaken) -> None:
            try:
                if picture.reason is not None:
                    request.refuse(picture.reason)
                else:
                    request.answer(size=picture.size, picture=base64.b64encode(path.read_bytes()).decode())
            except OSError as error:
                request.refuse(f"the picture is lost: {error}")
            finally:
                path.unlink(missing_ok=True)

        if not self._stage.picture(path, width, then):
            request.refuse("this node has no screen that runs ([screen] in the configuration)")

    def _audit(self, request: ControlRequest, text: str) -> None:
        log.info("%s by %s: %s", request.op, request.user, text)
        self._ledger.remark(f"{request.op} by {request.user}: {text}")


def _whole(request: ControlRequest, name: str, default: int, low: int, high: int) -> int:
    value = request.arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}: expected a whole number from {low} to {high}, got {value!r:.40}")
    return value


def _text(request: ControlRequest, name: str, default: str | None = None) -> str:
    value = request.arguments.get(name, default)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: expected a text, got {value!r:.40}")
    return value


def _names(request: ControlRequest, name: str) -> list[str]:
    value = request.arguments.get(name) or ["*"]
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError(f"{name}: expected a list of names, got {value!r:.40}")
    return value
