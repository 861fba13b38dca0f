"""One sink, one centre and one node for all modules; every test leaves its node at rest."""

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
def pole(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node without a screen that runs as long as the tests do."""
    with open_house(centre, sink, tmp_path_factory.mktemp("pole"), id="pole-07") as house:
        yield house


@pytest.fixture
def house(pole: House) -> Iterator[House]:
    """That node, at rest before and after each test."""
    yield pole
    pole.quiet()
