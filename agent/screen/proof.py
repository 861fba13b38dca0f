"""Whether the screen shows what was drawn. Pure: it is shown samples of both and judges.

Two bad looks in a row make a verdict: one may fall between a drawing and its presentation. One good look
takes it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from playlists.units import MonotonicS, Seconds

State = Literal["well", "black", "frozen", "unplugged"]

DARK: Final = 10
"""No part of a colour is brighter where nothing is lit; the darkest ground of a theme is."""
NEAR: Final = 24
"""Colours that differ by less are the same one: a screen of 16 bits rounds."""
MOST_DIFFERENT: Final = 0.25
"""The share of all samples that may differ: something small may lie over the board, such as a cursor."""
LEAST_FRAMES_PER_S: Final = 1.0
AGAIN_S: Final = Seconds(2.0)
"""After a bad look, the next one comes so soon."""


@dataclass(frozen=True)
class Look:
    """What was seen at one moment. Samples are RGB, three bytes each."""

    at: MonotonicS
    lit: bool
    """Whether something should be seen at all."""
    meant: bytes | None
    """Samples of what was drawn; None where only that can be looked at."""
    seen: bytes
    """Samples, at the same places, of what is on the screen."""
    moving: bytes
    """Samples of the bands that should move."""
    frames: int
    """Frames presented so far."""
    plugged: bool = True
    """False: the kernel says that no screen hangs on the machine any more."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with the screen; `since` is the last moment that it was seen well."""

    state: State
    reason: str
    since: MonotonicS


class Proof:
    """Judges looks, one after the other."""

    def __init__(self, now: MonotonicS) -> None:
        self._last: Look | None = None
        self._suspect: State = "well"
        self._well_at = now
        self.state: State = "well"

    @property
    def suspicious(self) -> bool:
        """Whether the next look should come soon."""
        return self._suspect != self.state

    def judge(self, look: Look) -> Verdict | None:
        """Take in a look; a verdict when the state has changed."""
        state, reason = self._judge(look)
        repeated = state == self._suspect
        self._last, self._suspect = look, state
        if state == "well":
            self._well_at = look.at
        if state == self.state or (state != "well" and not repeated):
            return None
        self.state = state
        return Verdict(state, reason, self._well_at)

    def _judge(self, look: Look) -> tuple[State, str]:
        if not look.lit:
            return "well", ""
        if not look.plugged:
            return "unplugged", "no screen is plugged in any more"
        if max(look.seen, default=0) <= DARK:
            return "black", "the screen is black though there is something to be shown"
        return self._move(look)

    def _move(self, look: Look) -> tuple[State, str]:
        last = self._last
        if last is None or not last.lit or not look.moving or len(last.moving) != len(look.moving):
            return self._compare(look)
        lasted_s = look.at - last.at
        frames = look.frames - last.frames
        if 0 <= frames < LEAST_FRAMES_PER_S * lasted_s:
            return "frozen", f"{frames} frames were presented in {lasted_s:.1f} s, and the ticker should move"
        if last.moving == look.moving:
            return "frozen", f"the ticker should move and has not moved in {lasted_s:.1f} s"
        return self._compare(look)

    def _compare(self, look: Look) -> tuple[State, str]:
        if look.meant is None or look.meant == look.seen:
            return "well", ""
        points = len(look.seen) // 3
        differing = sum(
            max(
                abs(look.seen[i] - look.meant[i]),
                abs(look.seen[i + 1] - look.meant[i + 1]),
                abs(look.seen[i + 2] - look.meant[i + 2]),
            )
            > NEAR
            for i in range(0, 3 * points, 3)
        )
        share = differing / max(1, points)
        if share <= MOST_DIFFERENT:
            return "well", ""
        return "frozen", f"{share:.0%} of the screen shows something other than what was drawn"
