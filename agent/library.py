"""Makes stored things soundable ahead of time: recordings are decoded, texts are spoken.

Each lane has a thread of its own and works on one thing at a time: an emergency never waits behind a long
announcement, its words never behind a recording, what is asked for now never behind what is made ahead, nor speech
behind the decoding of an hour of music. What they made lies in a store of its own, under the key of what it was made
from, so that nothing is made twice, not even after a restart.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from agent.player.decoding import STALLED_AFTER_S, TooLong, Undecodable, decode_to_file
from agent.player.protocol import RATE
from agent.shelf import Pcm, Shelf
from agent.speech import NoVoice, Speech, SpeechError, SpeechFailed
from agent.store import Store, StoreFull

log = logging.getLogger("loa.library")

MAX_PCM_BYTES: Final = 700_000_000
"""Two hours. A longer recording is refused."""

_SPEECH_BYTES_PER_CHARACTER: Final = 12_000
"""More than a quarter of a second of 22 kHz sound for each letter."""

_LIKELY_KBIT: Final = (32, 5)
"""Room is made for a recording of so many kbit/s; if it turns out denser, for the densest there is."""

_OWN_ROOM: Final = 2
"""One thing may take half of the store."""

_EMERGENCY_SHARE: Final = 8
"""An eighth of the store is left free for emergencies: a full timetable must not leave an alert without its words."""

REFUGE_BYTES: Final = 30_000_000
"""Eleven minutes of speech, half of it for emergencies alone. It is memory."""

_STOP: Final = "stop"


@dataclass(frozen=True)
class Prepared:
    """What was wanted can sound now."""

    key: str
    pcm: Pcm


@dataclass(frozen=True)
class Unplayable:
    """What was wanted will not sound, and why; wanting it again tries again."""

    key: str
    reason: str
    lacks_voice: bool = False
    """The words are fine: no voice, or no engine that works, is here to speak them."""


class Need(IntEnum):
    """How soon something is needed; a bigger one waits for none of a smaller one."""

    AHEAD = 0
    """For later."""
    NOW = 1
    """Asked for now."""
    EMERGENCY = 2


_Lane = queue.PriorityQueue[tuple[int, int, str]]

_LANES: Final = {
    (Need.EMERGENCY, True): "emergency-speech",
    (Need.EMERGENCY, False): "emergency",
    (Need.NOW, True): "now",
    (Need.NOW, False): "now",
    (Need.AHEAD, True): "speech",
    (Need.AHEAD, False): "recordings",
}
"""The lane of a need, for speech (True) and for recordings."""


class Library:
    """Prepares sounds on threads of its own; safe to use from several threads.

    Args:
        directory: where the samples lie.
        max_bytes: bound of everything in it.
        post: gets `Prepared` and `Unplayable`, on one of the library's threads.
        stalled_after_s: a decoder without progress for so long is killed.
        refuge: where the samples of what is needed now lie when `directory` cannot be written: in memory, so that a
            card that is full, read-only or broken silences nobody.
    """

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        post: Callable[[Any], None],
        stalled_after_s: float = STALLED_AFTER_S,
        refuge: Path | None = None,
    ) -> None:
        self._shelf = Shelf(directory, max_bytes, max_bytes // _EMERGENCY_SHARE)
        self._refuge = None if refuge is None else Shelf(refuge, REFUGE_BYTES, REFUGE_BYTES // 2)
        self._post = post
        self._stalled_after_s = stalled_after_s
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[Path | Speech, Need]] = {}
        self._order = itertools.count()
        self._lanes = {name: _Lane() for name in _LANES.values()}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to work."""
        if not self._threads:
            for name, lane in self._lanes.items():
                thread = threading.Thread(
                    target=self._work, args=(lane,), name=f"library-{name}", daemon=True
                )
                thread.start()
                self._threads.append(thread)

    def stop(self, deadline_s: float = 2.0) -> None:
        """End after the things in hand; what was not made is forgotten."""
        for lane in self._lanes.values():
            lane.put((-1, next(self._order), _STOP))
        until = time.monotonic() + deadline_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def want(self, key: str, source: Path | Speech, need: Need = Need.AHEAD) -> None:
        """Ask for something; answered by an event, at once (on this thread) when it is there already.

        Args:
            key: `sha256:…` of the recording, or `Speech.key`.
            source: the recording, or the text.
            need: how soon. Wanting again may only raise it.
        """
        pcm = self.pcm(key)
        if pcm is not None:
            self._post(Prepared(key, pcm))
            return
        with self._lock:
            before = self._wanted.get(key)
            self._wanted[key] = (source, max(need, before[1]) if before else need)
        lane = self._lanes[_LANES[need, isinstance(source, Speech)]]
        lane.put((0, next(self._order), key))

    def pcm(self, key: str) -> Pcm | None:
        """The samples of a key, if they are ready."""
        return self._shelf.pcm(key) or (self._refuge.pcm(key) if self._refuge else None)

    def keep(self, keys: Iterable[str]) -> None:
        """Say what is needed: only the rest goes when room is wanted."""
        needed = set(keys)
        self._shelf.keep(needed)
        if self._refuge:
            self._refuge.keep(needed)

    # -- on the library's threads --------------------------------------------------------------

    def _work(self, lane: _Lane) -> None:
        while True:
            _, _, key = lane.get()
            if key == _STOP:
                return
            with self._lock:
                wanted = self._wanted.pop(key, None)
            if wanted is not None:  # else it was asked for twice, and is made
                source, need = wanted
                self._post(self._make(key, source, need=need))

    def _make(self, key: str, source: Path | Speech, *, need: Need) -> Prepared | Unplayable:
        try:
            # two lanes may have been asked for it
            pcm = self.pcm(key) or self._put_on_a_shelf(key, source, need)
        except (Undecodable, SpeechError, StoreFull, OSError) as error:
            log.warning("%s cannot be made to sound: %s", key, error)
            return Unplayable(key, str(error), isinstance(error, NoVoice | SpeechFailed))
        except Exception as error:  # the lane must outlive whatever a file or a text does to it
            log.exception("%s", key)
            return Unplayable(key, f"unexpected {type(error).__name__}: {error}")
        return Prepared(key, pcm)

    def _put_on_a_shelf(self, key: str, source: Path | Speech, need: Need) -> Pcm:
        vital = need is Need.EMERGENCY
        try:
            return self._put_on(self._shelf, key, source, vital)
        except (StoreFull, OSError) as error:
            if need is Need.AHEAD or self._refuge is None:
                raise
            log.warning("%s: %s; it is made in %s", key, error, self._refuge.store.directory)
            try:
                return self._put_on(self._refuge, key, source, vital)
            except (StoreFull, OSError) as also:
                raise StoreFull(f"{error}; in memory neither: {also}") from also

    def _put_on(self, shelf: Shelf, key: str, source: Path | Speech, vital: bool) -> Pcm:
        if isinstance(source, Speech):
            return shelf.remember(key, self._speak(shelf.store, key, source, vital))
        return shelf.remember(key, self._decode(shelf.store, key, source, vital))

    def _speak(self, store: Store, key: str, speech: Speech, vital: bool) -> int:
        # both bring much with them that a node without words to speak never needs
        from agent.speech.reading import as_spoken  # noqa: PLC0415
        from agent.speech.speaking import speak  # noqa: PLC0415

        room = _SPEECH_BYTES_PER_CHARACTER * (len(as_spoken(speech.text, speech.language)) + 20)
        with store.aside(key, min(room, store.max_bytes // _OWN_ROOM), vital=vital) as path:
            return speak(speech, path).rate

    def _decode(self, store: Store, key: str, source: Path, vital: bool) -> int:
        most = min(MAX_PCM_BYTES, store.max_bytes // _OWN_ROOM)
        size = source.stat().st_size
        for kilobits in _LIKELY_KBIT:
            room = min(most, 1_000_000 + int(size * 8 / (kilobits * 1000) * RATE * 2))
            try:
                with store.aside(key, room, vital=vital) as path:
                    decoded = decode_to_file(source, path, room, self._stalled_after_s)
                    if decoded.peak == 0.0:
                        raise Undecodable(f"{source.name}: {decoded.duration_s:.1f} s of digital silence")
            except TooLong:
                if room == most or kilobits == _LIKELY_KBIT[-1]:
                    raise
            else:
                break
        return RATE
