"""What every test of a whole node shares: one sink and one centre, started when the first one asks."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.centre import CentreUnderTest
from tests.support.house import open_centre
from tests.support.pulse import Sink, private_sink

# the width of the terminal that the tests were started from is nobody's who reads what they print
os.environ.pop("COLUMNS", None)

# how long one example takes is the machine's affair, and its neighbours'
settings.register_profile("exploring", deadline=None)
# as hypothesis does by itself where it sees a CI: a change is judged by the same examples each time
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=2_000)
settings.load_profile("exploring")


LONGEST = (
    "tests/agent/update/test_whole.py",
    "tests/agent/preview/",
    "tests/agent/screen/test_show.py",
    "tests/agent/station/test_station_board.py",
    "tests/agent/test_reset.py",
    "tests/agent/setup/",
    "tests/systemd/",
)
"""They come first: the last to start must not be one that takes a minute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    """Where all nodes of these tests sound."""
    with private_sink() as sink:
        yield sink


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CentreUnderTest]:
    """A real centre, with its broker and its web host."""
    with open_centre(tmp_path_factory.mktemp("centre")) as centre:
        yield centre
