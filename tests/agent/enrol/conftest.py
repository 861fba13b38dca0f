"""A centre that enrols, and a folder of a node that is new."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.station.enrolment import Desk
from agent.station.folder import Folder
from agent.station.publish import init, publish
from agent.station.serve import Service

COMMUNE = 'name = "Xã thử"\n'
ANNOUNCEMENTS = ""
TIMETABLE = 'timezone = "Asia/Ho_Chi_Minh"\n'
CENTRE = """\
site = "xa-mau"
[broker]
host = "{host}"
port = {port}
[enrolment]
feed_url = "https://feeds.example/xa-mau"
level = 10
ceiling = "emergency"
"""
BEFORE = """\
# của xã
[node]
id = "new"      # from the wizard
site = "unknown"
[paths]
state = "state"
cache = "cache"
runtime = "run"
"""


def make_station(path: Path, host: str = "broker.example", port: int = 8_883) -> Folder:
    """A station with a published feed, ready to enrol."""
    folder = init(path)
    for name, text in (("commune", COMMUNE), ("announcements", ANNOUNCEMENTS), ("timetable", TIMETABLE)):
        (folder.authoring / f"{name}.toml").write_text(text, encoding="utf-8")
    (path / "station.toml").write_text(CENTRE.format(host=host, port=port), encoding="utf-8")
    publish(path)
    return folder


@dataclass
class Centre:
    """A station at work."""

    folder: Folder
    desk: Desk
    url: str


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station that is only copied."""
    return make_station(tmp_path_factory.mktemp("published") / "station").path


@pytest.fixture
def centre(tmp_path: Path, published: Path) -> Iterator[Centre]:
    folder = Folder(tmp_path / "station")
    shutil.copytree(published, folder.path)
    with Service(folder.path, port=0, collect=False, say=lambda _text: None) as service:
        assert service.web is not None
        yield Centre(folder, Desk(folder), service.web.url)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The folder of a node's configuration."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "config.toml").write_text(BEFORE, encoding="utf-8")
    return folder
