"""The table of feeds that may not be believed: what is wrong → how it stands, and the last good one stays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.agent.feeds.repository import Repository, schedule
from tests.support import web
from tests.support.centre import FEED, CentreUnderTest
from tests.support.house import House, open_house, wait_until
from tests.support.pulse import Sink

GOOD = 3
"""The version that is in force before each fault."""


def document(version: int, **changes: Any) -> dict[str, Any]:
    """A schedule whose programme is planned for tomorrow."""
    tomorrow = (datetime.now(UTC) + timedelta(hours=20)).isoformat()
    words = [{"speech": {"text": "Kính chào", "language": "vi"}}]
    programmes = [{"id": "p", "start": tomorrow, "items": words}]
    return schedule(version, **{"programmes": programmes, **changes})


@dataclass
class Away:
    """A node that follows a feed on somebody's web host, and that feed with all its keys."""

    house: House
    host: web.Host
    repository: Repository

    def look(self) -> None:
        """Hint that there is something new."""
        self.house.wire.publish(f"feed/{FEED}", {"version": 0})

    def good(self) -> None:
        """All is well: the good version is published and in force."""
        self.host.mend()
        self.repository.publish(document(GOOD))
        self.look()
        wait_until(self.is_current, 10, f"the feed is current: {self.house.feed()}")

    def is_current(self) -> bool:
        """Whether it is, in the present version."""
        return (self.house.feed()["state"], self.house.feed()["version"]) == ("current", GOOD)


@pytest.fixture(scope="module")
def away(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Away]:
    """The node runs for all rows."""
    directory = tmp_path_factory.mktemp("away")
    repository = Repository(datetime.now(UTC))
    repository.publish(document(GOOD))
    root = directory / "root.json"
    root.write_bytes(repository.trusted_root)
    with (
        web.Host(repository.files) as host,
        open_house(centre, sink, directory, id="away-01", feed_url=host.url, root=root, ready=False) as house,
    ):
        yield Away(house, host, repository)


Fault = Callable[[Away], None]


def unreachable(away: Away) -> None:
    """Nobody answers but with an error."""
    away.host.break_path("", web.status(503))


def cut_off(away: Away) -> None:
    """The line breaks within the new schedule."""
    away.repository.publish(document(4))
    away.host.break_path("schedule.json", web.cut(100))


def expired(away: Away) -> None:
    """Its signatures have run out: a freeze."""
    away.repository.timestamp.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    away.repository.publish_timestamp()
    away.repository.timestamp.expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)


def rolled_back(away: Away) -> None:
    """An old timestamp, rightly signed, is served again."""
    old = away.repository.timestamp.version
    away.repository.timestamp.version = 0
    away.repository.publish_timestamp()
    away.repository.timestamp.version = old


def by_a_stranger(away: Away) -> None:
    """Somebody else signs in its place."""
    stranger = Repository(datetime.now(UTC))
    stranger.publish(schedule(9))
    stranger.timestamp.version = 999
    stranger.publish_timestamp()
    away.host.break_path("timestamp.json", web.instead(stranger.files["metadata/timestamp.json"]))


def too_big(away: Away) -> None:
    """A schedule of more than 5 MB."""
    away.repository.publish(json.dumps(document(4, title="x" * 5_100_000)).encode())


def endless(away: Away) -> None:
    """Metadata without an end."""
    away.host.break_path("timestamp.json", web.endless)


def not_json(away: Away) -> None:
    """Rightly signed, and no JSON."""
    away.repository.publish(b"<html>404</html>")


def of_another_format(away: Away) -> None:
    """From the future."""
    away.repository.publish(document(4, format="loa.schedule/9"))


def with_mistakes(away: Away) -> None:
    """One programme has a class that is none."""
    wrong = document(4)
    wrong["programmes"][0]["class"] = "urgent"
    away.repository.publish(wrong)


TABLE: tuple[tuple[Fault, str, str], ...] = (
    (unreachable, "unreachable", "503"),
    (cut_off, "unreachable", "."),
    (expired, "expired", "run out"),
    (rolled_back, "refused", "(?i)version|rolled|older"),
    (by_a_stranger, "refused", "(?i)sign"),
    (too_big, "refused", "5.?000.?000|5 MB|too (big|large)"),
    (endless, "refused", "(?i)too|more than|long|big"),
    (not_json, "refused", "JSON"),
    (of_another_format, "refused", "loa.schedule/9"),
    (with_mistakes, "refused", "class"),
)


@pytest.mark.parametrize(
    ("fault", "state", "reason"), TABLE, ids=lambda part: getattr(part, "__name__", None)
)
def test_the_last_good_one_stays_and_the_reason_is_told(
    fault: Fault, state: str, reason: str, away: Away
) -> None:
    away.good()
    fault(away)
    away.look()
    house = away.house
    wait_until(lambda: house.feed()["state"] == state, 10, f"the feed is {state}: {house.feed()}")
    stands = house.feed()
    assert stands["version"] == GOOD
    assert re.search(reason, stands["reason"]), stands["reason"]
    told = house.wait_for_fault(f"feed-{state}:{FEED}")
    assert FEED in told

    def reported() -> bool:
        feeds = house.reported("health").get("feeds", {})
        return bool(feeds[FEED]["state"] == state and feeds[FEED]["reason"])

    wait_until(reported, 10, "the centre knows the reason")
    (planned, *_) = house.node.ask("next")["upcoming"]
    assert planned["programme"] == "p"
    away.good()
    wait_until(lambda: not house.faults(), 10, f"the fault has gone: {house.faults()}")
