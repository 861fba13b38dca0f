"""One node for all modules; every test leaves its node at rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import House, open_house
from tests.support.pulse import Sink


@pytest.fixture(scope="session")
def pole(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node without a screen that runs as long as the tests do."""
    with open_house(centre, sink, tmp_path_factory.mktemp("pole"), id="pole-07") as house:
        yield house


@pytest.fixture
def house(pole: House) -> Iterator[House]:
    """That node, at rest before and after each test."""
    yield pole
    pole.quiet()
