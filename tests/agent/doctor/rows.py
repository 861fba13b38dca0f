"""What a row of the table of broken machines is."""

from __future__ import annotations

from collections.abc import Callable

from agent.doctor.finding import Verdict
from tests.agent.doctor.patient import Patient

WARNING, FAULT = Verdict.WARNING, Verdict.FAULT

Break = Callable[[Patient], object]
TABLE: dict[str, tuple[Break, Verdict, str, str]] = {}
"""By check and what is done: how it is broken, verdict, and a piece of the remedy."""


def case(name: str, verdict: Verdict, remedy: str) -> Callable[[Break], Break]:
    """Add a row. `name` begins with the check that must say so."""

    def add(broken: Break) -> Break:
        TABLE[name] = (broken, verdict, remedy, name.split(maxsplit=1)[0])
        return broken

    return add


def row(name: str, verdict: Verdict, remedy: str, broken: Break) -> None:
    """Add a row that fits in a line."""
    case(name, verdict, remedy)(broken)


def stopped(p: Patient, **unit: str) -> None:
    """No agent runs, and systemd says so."""
    p.runs = False
    p.unit.update(unit)
