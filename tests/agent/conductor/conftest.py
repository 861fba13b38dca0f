"""A house for each test; faults that no test expects fail it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conductor.fakes import House


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes houses in one folder: a second one is the node after a restart."""
    houses: list[House] = []

    def make(**parts: Any) -> House:
        houses.append(House(tmp_path, **parts))
        return houses[-1]

    yield make
    for house in houses:
        broken = {code for code in house.faults() if code.startswith("defect")}
        assert not broken, [fault.text for fault in house.node.faults.standing()]
        house.crash()


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """A node that has just started, at noon in its village."""
    return build()
