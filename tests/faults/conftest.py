"""One sink and one centre for all tables, and the nodes that their rows are played on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import House, open_centre, open_house
from tests.support.pulse import Sink, private_sink


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


@pytest.fixture(scope="session")
def kiosk(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node with a screen that runs as long as the tests do."""
    directory = tmp_path_factory.mktemp("kiosk")
    with open_house(centre, sink, directory, id="kiosk-01", screen=True, screen_size=(640, 360)) as house:
        yield house
