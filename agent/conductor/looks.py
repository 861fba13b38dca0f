"""What a technician looks at through the socket: how the node is, what comes, what was. Nothing here acts."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.conductor.asked import whole
from agent.conductor.planner import Planner
from agent.conductor.rules import Rules
from agent.conductor.self_test import SelfTests
from agent.conductor.stage import Stage
from agent.control.audit import Audit
from agent.control.protocol import ControlRequest
from agent.journal import Journal
from agent.screen.protocol import PictureTaken
from agent.timeline import Timeline
from drivers.traffic import read_process
from playlists.models.health import FeedHealth, Health

PICTURES = ("png", "jpg")


class Looks:
    """Answers requests that only look. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        timeline: Timeline,
        planner: Planner,
        rules: Rules,
        stage: Stage,
        tests: SelfTests,
        journal: Journal,
        audit: Audit,
        *,
        scratch: Path,
        node: dict[str, Any],
        health: Callable[[], Health],
        link: Callable[[], str],
        broker: Callable[[], dict[str, Any] | None],
        feeds: Callable[[], dict[str, dict[str, Any]]],
        traffic: Callable[[], dict[str, Any]],
        alert_sources: Callable[[], Mapping[str, FeedHealth]],
        workers: Callable[[], Mapping[str, int | None]],
        lines: Callable[[int], list[str]],
    ) -> None:
        """Pictures lie in `scratch` until they are sent: the agent may see no folder of the technician's."""
        self._clock = clock
        self._timeline = timeline
        self._planner = planner
        self._rules = rules
        self._stage = stage
        self._tests = tests
        self._journal = journal
        self._audit = audit
        self._scratch = scratch
        self._node = node
        self._health = health
        self._link = link
        self._broker = broker
        self._feeds = feeds
        self._traffic = traffic
        self._workers = workers
        self._lines = lines
        self._alert_sources = alert_sources
        self._numbers = itertools.count(1)
        self.ops: dict[str, Callable[[ControlRequest], None]] = {
            "status": self._status,
            "link": lambda request: request.answer(**self._connection()),
            "top": self._top,
            "lines": lambda request: request.answer(lines=self._lines(whole(request, "count", 20, 1, 2_000))),
            "next": self._next,
            "log": self._log,
            "audit": self._audited,
            "timeline": lambda request: request.answer(moments=self._timeline.to_json()),
            "screenshot": self._screenshot,
            "self-test-state": self._self_test_state,
        }

    def _status(self, request: ControlRequest) -> None:
        request.answer(**self._state())

    def _state(self) -> dict[str, Any]:
        sources = {name: source.model_dump(mode="json") for name, source in self._alert_sources().items()}
        health = self._health().model_dump(mode="json")
        return {"node": self._node, "health": health, "link": self._link(), "alert_sources": sources}

    def _connection(self) -> dict[str, Any]:
        log = self._health().log
        return {
            "broker": self._broker(),
            "feeds": self._feeds(),
            "today": self._traffic(),
            "waiting": {"records": log.last - log.stored_through},
        }

    def _top(self, request: ControlRequest) -> None:
        """All that `loa top` shows, of one moment."""
        rows = whole(request, "rows", 20, 1, 200)
        readings = {
            name: asdict(found)
            for name, pid in self._workers().items()
            if pid is not None and (found := read_process(pid)) is not None
        }
        request.answer(
            **self._state(),
            **self._connection(),
            at=self._clock.monotonic(),
            upcoming=self._coming(rows),
            workers={name: readings.get(name) for name in self._workers()},
            lines=self._lines(rows),
        )

    def _next(self, request: ControlRequest) -> None:
        request.answer(upcoming=self._coming(whole(request, "count", 10, 1, 1_000)))

    def _coming(self, count: int) -> list[dict[str, Any]]:
        return [
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
            for occurrence in self._planner.timetable.upcoming(self._clock.now(), count)
        ]

    def _log(self, request: ControlRequest) -> None:
        count = whole(request, "count", 20, 1, 1_000)
        newest = self._journal.newest(count)
        request.answer(records=[record.model_dump(mode="json", by_alias=True) for record in newest])

    def _audited(self, request: ControlRequest) -> None:
        request.answer(actions=self._audit.newest(whole(request, "count", 20, 1, 5_000)))

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
            width = whole(request, "width", 640, 16, 7_680)

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
