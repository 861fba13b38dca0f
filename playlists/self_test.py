"""What a self-test says: the tones that came back, against those of the day of installation.

Compared is the gain of the way from output to microphone, not the level: the hour's loudness does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from statistics import median

from playlists.models.health import SelfTestVerdict
from playlists.units import DbFs, Decibel

PRESENT_DB = 10.0
"""A tone that stands out of the noise by so much has come back."""

WEAKER_DB = -4.0
"""One of two equal horns that falls silent costs 6 dB where their sound adds up, and 3 to 6 elsewhere."""

LOUDER_DB = 6.0
BROKEN_DB = -12.0
"""A single tone that lost so much: something is broken, loose or full of water."""

TAKE_ANEW = "take the reference anew: loa self-test --reference"


@dataclass(frozen=True, slots=True)
class ToneMeasured:
    """One tone: how loud it went out, how loud it came back, and how loud its frequency was in silence."""

    hz: float
    put_out_dbfs: DbFs
    heard_dbfs: DbFs
    noise_dbfs: DbFs

    @property
    def present(self) -> bool:
        """Whether it came back."""
        return self.heard_dbfs >= self.noise_dbfs + PRESENT_DB

    @property
    def gain_db(self) -> Decibel:
        """Of the way from output to microphone."""
        return Decibel(self.heard_dbfs - self.put_out_dbfs)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the tones say, in one word and in a sentence. `changes_db` has the tones that can be compared."""

    verdict: SelfTestVerdict
    text: str
    change_db: Decibel | None = None
    changes_db: Mapping[float, Decibel] | None = None

    @property
    def came_back(self) -> bool:
        """Whether the loudspeakers were heard."""
        return self.verdict in ("good", "weaker", "changed", "clipped", "no-reference")

    @property
    def fault(self) -> str | None:
        """What a technician should do; None where nothing is wrong, or nothing is known."""
        return self.text if self.verdict in ("weaker", "changed", "silent", "clipped") else None


def judge(
    tones: Sequence[ToneMeasured], reference: Mapping[float, Decibel] | None, *, clipped: bool = False
) -> Judgement:
    """Judge what came back; `reference` is the gain of each tone when all was well."""
    if clipped:
        return Judgement("clipped", "the microphone is driven too hard: turn its gain down")
    here = [tone for tone in tones if tone.present]
    known = reference or {}
    expected = [tone for tone in tones if tone.hz in known]
    hidden = [
        tone
        for tone in expected
        if not tone.present and tone.put_out_dbfs + known[tone.hz] < tone.noise_dbfs + PRESENT_DB
    ]
    if not here:
        if expected and len(hidden) == len(expected):
            return Judgement("unclear", "too much noise: the tones would not be heard through it")
        return Judgement("silent", "no tone came back: are the loudspeakers, or the microphone, silent?")
    if not expected:
        missing = [tone for tone in tones if not tone.present]
        which = f", but not {_names(missing)}" if missing else ""
        return Judgement("no-reference", f"tones came back{which}; when all is well, {TAKE_ANEW}")
    return _compared(tones, known, [tone.hz for tone in hidden])


def _compared(
    tones: Sequence[ToneMeasured], known: Mapping[float, Decibel], hidden: Sequence[float]
) -> Judgement:
    changes = {
        tone.hz: Decibel(round(tone.gain_db - known[tone.hz], 1))
        for tone in tones
        if tone.present and tone.hz in known
    }
    missing = [tone for tone in tones if not tone.present and tone.hz in known and tone.hz not in hidden]
    if not changes:
        return Judgement("silent", "no tone of the reference came back: are the loudspeakers silent?")
    change = Decibel(round(median(changes.values()), 1))
    broken = [tone for tone in tones if changes.get(tone.hz, 0.0) <= BROKEN_DB]
    if change <= WEAKER_DB:
        text = (
            f"{-change:.0f} dB softer than at installation: is a horn silent, or the amplifier turned down?"
        )
        return Judgement("weaker", text, change, changes)
    if missing or broken:
        text = f"{_names([*missing, *broken])} lost: is a loudspeaker broken, or its lead loose?"
        return Judgement("weaker", text, change, changes)
    if change >= LOUDER_DB:
        text = f"{change:.0f} dB louder than at installation: if somebody changed that, {TAKE_ANEW}"
        return Judgement("changed", text, change, changes)
    return Judgement("good", f"all tones came back as at installation ({change:+.1f} dB)", change, changes)


def path_gain_db(gains: Mapping[float, Decibel]) -> Decibel | None:
    """One gain for the whole of the sound: the mean of the tones' powers."""
    if not gains:
        return None
    return Decibel(round(10.0 * log10(sum(10.0 ** (gain / 10.0) for gain in gains.values()) / len(gains)), 1))


def _names(tones: Sequence[ToneMeasured]) -> str:
    return "the tones of " + ", ".join(f"{tone.hz:.0f}" for tone in tones) + " Hz"
