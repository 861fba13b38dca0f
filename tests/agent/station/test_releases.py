"""A station that publishes releases: what nodes find in its feed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.station import releases
from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.station.publish import init, publish
from agent.station.repository import Repository
from agent.update.archive import kind_here
from tests.agent.update.releases import archive

SCHEDULE = {"format": "loa.schedule/1", "timezone": "UTC", "programmes": [], "bulletins": [], "layouts": []}


@pytest.fixture
def station(tmp_path: Path) -> Path:
    init(tmp_path / "station")
    return tmp_path / "station"


def targets(station: Path) -> set[str]:
    current = Repository(Folder(station)).current()
    assert current is not None
    return {path for path in current.targets if path.startswith("releases/")}


def test_releases_are_signed_with_the_schedule_and_stay_with_the_next(station: Path, tmp_path: Path) -> None:
    offered = releases.add(Folder(station), [archive(tmp_path / "a", "1.1")])
    assert offered.newest == "1.1"
    for _ in range(2):
        publish(station, schedule_json=SCHEDULE)
        assert targets(station) == {f"releases/loa-agent-1.1-{kind_here()}.tar", "releases/newest.json"}


def test_the_newest_is_the_highest_number_and_three_are_kept(station: Path, tmp_path: Path) -> None:
    for version in ("1.9", "1.10", "1.2", "1.11"):
        offered = releases.add(Folder(station), [archive(tmp_path / version, version)])
    assert offered.newest == "1.11"
    assert {info.version for info in offered.infos} == {"1.9", "1.10", "1.11"}
    publish(station, schedule_json=SCHEDULE)
    (newest,) = (station / "feed/targets/releases").glob("*.newest.json")
    assert json.loads(newest.read_bytes()) == {"format": "loa.releases/1", "newest": "1.11"}


def test_what_is_no_release_is_refused_and_nothing_is_taken_up(station: Path, tmp_path: Path) -> None:
    (tmp_path / "other.tar").write_bytes(b"no tar")
    with pytest.raises(StationError, match=r"other\.tar: is no release"):
        releases.add(Folder(station), [archive(tmp_path / "a", "1.1"), tmp_path / "other.tar"])
    assert not (station / "releases").exists()
