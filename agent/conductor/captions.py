"""What is spoken is shown, in step: the words of the item that sounds, sentence by sentence, for the screen.

It only looks at what sounds and since when; nothing is told to it. So a change-over, an interruption or a player
that died ends a caption by themselves.
"""

from __future__ import annotations

from agent.clock import Clock
from agent.conductor.playback import Playback
from agent.conductor.stage import Stage
from agent.screen.protocol import Caption as Words
from playlists.captions import Caption, captions
from playlists.units import MonotonicS, Seconds

OVERDUE_S = 0.001
"""The conductor wakes this much after a boundary, never just before it."""


class Captions:
    """Keeps the screen's caption true to the sound. Runs on the conductor's thread only."""

    def __init__(self, clock: Clock, playback: Playback, stage: Stage) -> None:
        self._clock = clock
        self._playback = playback
        self._stage = stage
        self._item: tuple[str, int] | None = None
        self._captions: tuple[Caption, ...] = ()

    def turn(self) -> MonotonicS | None:
        """Show what is being spoken; returns when the next words come."""
        run = self._playback.current
        now = self._clock.monotonic()
        if run is None or run.cue is None or run.cue_started is None:
            self._item, self._captions = None, ()
            self._stage.caption(None, None)
            return None
        cue = run.cues[run.cue]
        if self._item != (run.id, run.cue):
            self._item = (run.id, run.cue)
            sound = run.performance.sounds[cue.item]
            known = sound.text is not None and sound.length_s is not None
            self._captions = captions(sound.text or "", sound.length_s or Seconds(0.0)) if known else ()
        begun = run.cue_started - cue.seek_s
        position_s = now - begun
        spoken = next((c for c in self._captions if c.begins_s <= position_s < c.ends_s), None)
        if spoken is None:
            self._stage.caption(None, None)
        else:
            words = Words(spoken.text, Seconds(spoken.ends_s - position_s))
            self._stage.caption((*self._item, spoken.begins_s), words)
        edges = [c.begins_s for c in self._captions] + [c.ends_s for c in self._captions[-1:]]
        following = next((edge for edge in edges if edge > position_s), None)
        return None if following is None else MonotonicS(begun + following + OVERDUE_S)
