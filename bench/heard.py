"""How often the listener errs: real sentences through synthesised rooms, with the loudspeaker and without it.

Levels are relative to the loudspeaker's at the microphone. `told`: share of verdicts that say anything; `wrong`:
share that say "heard" of a silent loudspeaker, or "not heard" of one that sounded; `acted`: sentences of which a
node would have believed something wrong. With the reference of the installation, and with none.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.conductor.hearing import SURE
from agent.listener.comparison import LEAST_SOUND_S, Verdict
from drivers.listener import Room
from tests.support.voices import SENTENCES, spoken, through, verdicts

TARGETS = {"heard_wrongly_items_share": 0.02, "missed_wrongly_items_share": 0.02}

GAIN_DB = -20.0
SOUNDED: dict[str, tuple[Room, float | None]] = {
    "quiet": (Room(), None),
    "half a second away": (Room(delay_s=0.5), None),
    "echo and 2 s of reverberation": (Room(delay_s=0.3, echo_s=0.4, reverberation_s=2.0), None),
    "noise as loud": (Room(noise_dbfs=-40), None),
    "noise 10 dB louder": (Room(noise_dbfs=-30), None),
    "wind 10 dB louder": (Room(wind_dbfs=-30), None),
    "wind 20 dB louder": (Room(wind_dbfs=-20), None),
    "hum 20 dB louder": (Room(hum_dbfs=-20), None),
    "clipped": (Room(driven_db=40), None),
    "another pole 6 dB softer": (Room(), -46.0),
    "another pole as loud": (Room(), -40.0),
    "another pole 6 dB louder": (Room(), -34.0),
}
SILENT: dict[str, tuple[Room, float | None]] = {
    "dead microphone": (Room(deaf=True, noise_dbfs=None), None),
    "quiet": (Room(deaf=True), None),
    "noise": (Room(deaf=True, noise_dbfs=-40), None),
    "wind": (Room(deaf=True, wind_dbfs=-40), None),
    "wind 10 dB louder": (Room(deaf=True, wind_dbfs=-30), None),
    "hum": (Room(deaf=True, hum_dbfs=-30), None),
    "another pole": (Room(deaf=True), -40.0),
    "another pole 10 dB softer": (Room(deaf=True), -50.0),
}


def acted(found: list[Verdict]) -> list[bool]:
    """What the conductor believes of it."""
    believed = []
    last: bool | None = None
    for verdict in found:
        if verdict.heard is not None and (verdict.correlation >= SURE or verdict.heard == last):
            believed.append(verdict.heard)
        last = verdict.heard
    return believed


def run() -> dict[str, float | str | int]:
    """Judge all of it."""
    figures: dict[str, float | str | int] = {}
    for kind, rooms, truth in (("sounded", SOUNDED, True), ("silent", SILENT, False)):
        wrong = misled = verdicts_ = items = 0
        for name, (room, other_dbfs) in rooms.items():
            for reference, gain_db in (("reference", GAIN_DB), ("none", None)):
                found = _figures(room, other_dbfs, gain_db, truth)
                figures[f"{kind}: {name} ({reference})"] = (
                    f"told {found.told / found.verdicts:.2f} wrong {found.wrong / found.verdicts:.3f} "
                    f"acted {found.misled}/{found.items}"
                )
                wrong, misled = wrong + found.wrong, misled + found.misled
                verdicts_, items = verdicts_ + found.verdicts, items + found.items
        word = "missed" if truth else "heard"
        figures[f"{word}_wrongly_verdicts_share"] = round(wrong / verdicts_, 4)
        figures[f"{word}_wrongly_items_share"] = round(misled / items, 4)
    return figures


@dataclass(slots=True)
class _Figures:
    verdicts: int = 0
    told: int = 0
    wrong: int = 0
    items: int = 0
    misled: int = 0


def _figures(room: Room, other_dbfs: float | None, gain_db: float | None, truth: bool) -> _Figures:
    figures = _Figures()
    for number in range(len(SENTENCES)):
        others = [None] if other_dbfs is None else [n for n in range(len(SENTENCES)) if n != number]
        for over in others:
            heard = through(room, number, over=over, over_dbfs=other_dbfs or 0.0)
            found = [v for v in verdicts(spoken(number), heard, gain_db) if v.sound_s >= LEAST_SOUND_S]
            figures.verdicts += len(found)
            figures.told += sum(v.heard is not None for v in found)
            figures.wrong += sum(v.heard is (not truth) for v in found)
            figures.items += 1
            figures.misled += (not truth) in acted(found)
    return figures
