"""Makes stored things soundable ahead of time: recordings are decoded, texts are spoken.

Each lane has a thread of its own and works on one thing at a time: an emergency never waits behind a long
announcement, its words never behind a recording, what is asked for now never behind what is made ahead, nor speech
behind the decoding of an hour of music. What they made lies in a store of its own, under the key of what it was made
from, so that nothing is made twice, not even after a restart.
"""

from __future__ import annotations

import itertools
import json
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
from agent.speech import NoVoice, Speech, SpeechError, SpeechFailed
from agent.store import Store, StoreFull
from playlists.units import Seconds

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

_STOP: Final = "stop"


@dataclass(frozen=True)
class Pcm:
    """Raw signed 16-bit little-endian mono samples, ready to sound."""

    path: Path
    duration_s: Seconds
    rate: int = RATE


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
    """

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        post: Callable[[Any], None],
        stalled_after_s: float = STALLED_AFTER_S,
    ) -> None:
        self._store = Store(directory / "pcm", max_bytes, spare_bytes=max_bytes // _EMERGENCY_SHARE)
        self._facts = directory / "facts"
        self._facts.mkdir(parents=True, exist_ok=True)
        self._post = post
        self._stalled_after_s = stalled_after_s
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[Path | Speech, Need]] = {}
        self._order = itertools.count()
        self._lanes = {name: _Lane() for name in _LANES.values()}
        self._threads: list[threading.Thread] = []
        self._max_bytes = max_bytes

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
        path = self._store.path(key)
        if path is None:
            return None
        try:
            facts = json.loads(self._fact(key).read_bytes())
            rate = int(facts["rate"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # it is made again: cheaper than to guess
        return Pcm(path, Seconds(path.stat().st_size / 2 / rate), rate)

    def keep(self, keys: Iterable[str]) -> None:
        """Say what is needed: only the rest goes when room is wanted."""
        self._store.keep(set(keys))
        for fact in self._facts.iterdir():
            if self._store.path(fact.name) is None:
                fact.unlink(missing_ok=True)

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
                self._post(self._make(key, source, vital=need is Need.EMERGENCY))

    def _make(self, key: str, source: Path | Speech, *, vital: bool) -> Prepared | Unplayable:
        try:
            # two lanes may have been asked for it
            pcm = self.pcm(key) or self._store_made(key, source, vital)
        except (Undecodable, SpeechError, StoreFull, OSError) as error:
            log.warning("%s cannot be made to sound: %s", key, error)
            return Unplayable(key, str(error), isinstance(error, NoVoice | SpeechFailed))
        return Prepared(key, pcm)

    def _store_made(self, key: str, source: Path | Speech, vital: bool) -> Pcm:
        if isinstance(source, Speech):
            rate = self._speak(key, source, vital)
        else:
            rate = self._decode(key, source, vital)
        self._remember(key, rate)
        pcm = self.pcm(key)
        if pcm is None:
            raise FileNotFoundError(f"{key} was removed as soon as it was made")
        return pcm

    def _speak(self, key: str, speech: Speech, vital: bool) -> int:
        # both bring much with them that a node without words to speak never needs
        from agent.speech.reading import as_spoken  # noqa: PLC0415
        from agent.speech.speaking import speak  # noqa: PLC0415

        room = _SPEECH_BYTES_PER_CHARACTER * (len(as_spoken(speech.text, speech.language)) + 20)
        with self._store.aside(key, min(room, self._max_bytes // _OWN_ROOM), vital=vital) as path:
            return speak(speech, path).rate

    def _decode(self, key: str, source: Path, vital: bool) -> int:
        most = min(MAX_PCM_BYTES, self._max_bytes // _OWN_ROOM)
        size = source.stat().st_size
        for kilobits in _LIKELY_KBIT:
            room = min(most, 1_000_000 + int(size * 8 / (kilobits * 1000) * RATE * 2))
            try:
                with self._store.aside(key, room, vital=vital) as path:
                    decoded = decode_to_file(source, path, room, self._stalled_after_s)
                    if decoded.peak == 0.0:
                        raise Undecodable(f"{source.name}: {decoded.duration_s:.1f} s of digital silence")
            except TooLong:
                if room == most or kilobits == _LIKELY_KBIT[-1]:
                    raise
            else:
                break
        return RATE

    def _remember(self, key: str, rate: int) -> None:
        # not written for ever: without it the samples are made again
        fact = self._fact(key)
        aside = fact.with_name(f".{fact.name}")
        aside.write_text(json.dumps({"rate": rate}))
        aside.replace(fact)

    def _fact(self, key: str) -> Path:
        return self._facts / key.removeprefix("sha256:")
