"""What a check is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from agent.doctor.machine import Machine

Facts = TypeVar("Facts")


class Verdict(StrEnum):
    """How it stands. The values are those of the JSON."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    ABSENT = "not-here"
    """This node has no such thing, so nothing is wrong with it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what a technician should do about it: one line each."""

    verdict: Verdict
    text: str
    remedy: str = ""


def ok(text: str) -> Finding:
    """All is well."""
    return Finding(Verdict.OK, text)


def warning(text: str, remedy: str) -> Finding:
    """The node works, and will not for long, or not as it should."""
    return Finding(Verdict.WARNING, text, remedy)


def fault(text: str, remedy: str) -> Finding:
    """The node does not do its work."""
    return Finding(Verdict.FAULT, text, remedy)


def absent(text: str) -> Finding:
    """There is nothing to look at."""
    return Finding(Verdict.ABSENT, text)


@dataclass(frozen=True, slots=True)
class Check(Generic[Facts]):
    """One thing to look at."""

    id: str
    """Stable: scripts and documents name it."""
    group: str
    looks_at: str
    """For people, in a few words."""
    probe: Callable[[Machine], Facts]
    """Gathers facts. May block for seconds, and may raise whatever it likes."""
    judge: Callable[[Facts], Finding]
    """Pure."""
