"""What happened in a performance, as the player reports it."""

from __future__ import annotations

from agent.player.performance import Done, Ended, Happening, LevelNow, Started
from agent.player.protocol import Report
from playlists.units import MonotonicS


def told(happening: Happening, at: MonotonicS | None) -> Report:
    """The report of what happened; `at` is when it reached the converter, None where that is not known."""
    when = None if at is None else round(at, 6)
    match happening:
        case Started(performance, cue):
            return Report("started", {"performance": performance, "cue": cue, "at": when})
        case Done(performance):
            return Report("done", {"performance": performance, "at": when})
        case LevelNow(performance, cue, _, position_s, level, peak):
            return Report(
                "level",
                {
                    "performance": performance,
                    "cue": cue,
                    "position_s": round(position_s, 3),
                    "level_dbfs": _tenth(level),
                    "peak_dbfs": _tenth(peak),
                },
            )
        case Ended():
            return Report(
                "ended",
                {
                    "performance": happening.performance,
                    "cue": happening.cue,
                    "at": when,
                    "played_s": round(happening.played_s, 4),
                    "level_dbfs": _tenth(happening.level),
                    "outcome": happening.outcome,
                    "reason": happening.reason,
                    "relayed_s": None if happening.relayed_s is None else round(happening.relayed_s, 3),
                    "position_s": round(happening.position_s, 5),
                },
            )


def _tenth(level: float | None) -> float | None:
    return None if level is None else round(level, 1)
