"""A ward of real parts for a session, and a healthy patient for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agent.doctor.patient import Patient, Ward, admitted, open_ward
from tests.support.centre import CentreUnderTest
from tests.support.pulse import Sink


@pytest.fixture(scope="session")
def ward(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with open_ward(centre, sink, tmp_path_factory.mktemp("ward")) as ward:
        yield ward


@pytest.fixture
def patient(ward: Ward) -> Iterator[Patient]:
    with admitted(ward) as patient:
        yield patient
