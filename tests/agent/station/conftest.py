"""Stations to test with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.station.folder import Folder
from agent.station.publish import Published, init, publish

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)

COMMUNE = """
name = "Xã thử"
[relays.vov1]
url = "https://radio.example/vov1"
[[operator]]
name = "Cán bộ"
key = "officer"
actions = ["announce"]
expires = 2028-12-31
"""
ANNOUNCEMENTS = """
[[announcement]]
id = "hop-thon"
title = "Họp thôn"
text = "Kính mời  bà con\\nđến họp."
"""
TIMETABLE = """
timezone = "Asia/Ho_Chi_Minh"
[[programme]]
id = "sang"
days = ["tue", "mon"]
start = "05:30"
items = ["chime", "relay:vov1:900s"]
"""


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A small station; nothing of it needs a voice."""
    folder = init(tmp_path / "station", now=NOW)
    write(folder, COMMUNE, ANNOUNCEMENTS, TIMETABLE)
    return folder.path


def write(folder: Folder, commune: str, announcements: str, timetable: str) -> None:
    """Write the three files."""
    (folder.authoring / "commune.toml").write_text(commune, encoding="utf-8")
    (folder.authoring / "announcements.toml").write_text(announcements, encoding="utf-8")
    (folder.authoring / "timetable.toml").write_text(timetable, encoding="utf-8")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Published]:
    """The sample commune, published once for all tests that only look at it."""
    path = tmp_path_factory.mktemp("sample") / "station"
    init(path, sample=True, now=NOW)
    return path, publish(path, now=NOW)
