"""The node that the rows of the tables are played on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import House, open_house
from tests.support.pulse import Sink


@pytest.fixture(scope="session")
def kiosk(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node with a screen that runs as long as the tests do."""
    directory = tmp_path_factory.mktemp("kiosk")
    with open_house(centre, sink, directory, id="kiosk-01", screen=True, screen_size=(640, 360)) as house:
        yield house
