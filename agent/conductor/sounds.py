"""From an item of a programme to something the player can read: recording, words, station, tone or file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from agent.conductor.performance import (
    FileItem,
    OwnItem,
    Performance,
    RecordedItem,
    Sound,
    SpokenItem,
    ToneItem,
)
from agent.conductor.reception import Reception
from agent.faults import Faults
from agent.feeds.feeds import MediaInfo
from agent.library import Library, Need, Prepared, Unplayable
from agent.player.protocol import PcmSource, ToneSource
from agent.recordings import Recordings
from agent.shelf import Pcm
from agent.speech import Speech, Voices
from agent.tones import TONES
from playlists.alert import Resource
from playlists.identity import with_number
from playlists.models.base import BulletinClass
from playlists.models.items import Item, MediaItem, RelayItem, SpeechItem
from playlists.streams import without_secrets
from playlists.units import Seconds

FAULT = "speech:"
"""And the language."""

MOST_FAULTS = 16
"""Languages that are reported: whoever may announce could name any number of them."""

NOT_ASKED = -1
"""Less than any `Need`."""

FindMedia = Callable[[str, str], MediaInfo | None]


class Sounds:
    """Looks up what items need, and has it made ready. Runs on the conductor's thread only."""

    def __init__(
        self,
        find_media: FindMedia,
        library: Library,
        reception: Reception,
        recordings: Recordings,
        voices: Voices,
        faults: Faults,
        number: str,
    ) -> None:
        """`find_media(feed, target)` is what the feeds know of a recording; `recordings` are those of alerts.

        `number` is this node's own.
        """
        self._number = number
        self._find_media = find_media
        self._reception = reception
        self._library = library
        self._recordings = recordings
        self._voices = voices
        self._faults = faults
        self._languages: dict[str, str] = {}
        """Of the words that were asked for, by key."""
        self._asked: dict[str, int] = {}
        """What is being made or fetched, and how soon it was said to be needed."""
        self._failures: dict[str, str] = {}
        self._version = 0

    @property
    def version(self) -> tuple[int, int]:
        """Changes whenever `find` may answer otherwise than before."""
        return self._version, self._reception.version

    def find(self, p: Performance, item: Item | OwnItem, *, need: Need, due: bool) -> Sound:
        """What of `item` can sound now; what cannot yet is asked of the library.

        Before it is `due`, a recording that has not arrived may still do so.
        """
        match item:
            case ToneItem(tone):
                return Sound(title=tone, source=ToneSource(tone), length_s=TONES[tone].length_s)
            case FileItem(path):
                # the file has a name of its own only here: what it was called is the performance's
                sound = Sound(key=_key_of(Path(path)), title=p.title or path)
                return self._stored(sound, Path(path), need=need)
            case SpeechItem() | SpokenItem():
                return self._spoken(p, item, need=need)
            case RecordedItem(recording, spoken):
                # the words are made meanwhile: whatever becomes of the recording, they are there
                instead = self._spoken(p, spoken, need=need)
                words = spoken.words if isinstance(spoken, SpokenItem) else spoken
                told = self._as_spoken(p, self._words(words))
                return self._recorded(replace(told, key=recording.key), recording) or instead
            case RelayItem():
                return self._station(p, item, need=need, due=due)
            case _:
                return self._recording(p, item, need=need, due=due)

    def make_ready(self, feed: str, items: Sequence[Item]) -> set[str]:
        """Have items of a later programme made; returns the keys that must be kept for them."""
        needed: set[str] = set()
        for item in items:
            if isinstance(item, SpeechItem):
                words = self._words(item)
                self._want(words.key, words, need=Need.AHEAD)
                needed.add(words.key)
        for target in targets_of(items):
            info = self._find_media(feed, target)
            if info is not None and info.path is not None:
                self._want(info.key, info.path, need=Need.AHEAD)
                needed.add(info.key)
        return needed

    def note(self, event: Prepared | Unplayable) -> None:
        """The library has answered."""
        self._version += 1
        self._asked.pop(event.key, None)
        language = self._languages.pop(event.key, None)
        if isinstance(event, Unplayable):
            self._failures[event.key] = event.reason
            if language is not None and event.lacks_voice:
                self._voiceless(language, event.reason)
        else:
            self._failures.pop(event.key, None)
            if language is not None:
                self._faults.clear(FAULT + language)

    def forget_failures(self) -> None:
        """Try again what could not be made: a new schedule is in force."""
        self._version += 1
        self._failures.clear()
        for fault in self._faults.standing():
            if fault.code.startswith(FAULT):
                self._faults.clear(fault.code)

    def _voiceless(self, language: str, reason: str) -> None:
        standing = [fault.code for fault in self._faults.standing() if fault.code.startswith(FAULT)]
        if FAULT + language in standing or len(standing) < MOST_FAULTS:
            self._faults.raise_(FAULT + language, f"texts in {language} cannot be spoken here: {reason}")

    def arrived(self, feed: str, target: str, *, make: bool) -> str | None:
        """A target has come; if it is to be made at once, returns its key."""
        self._version += 1
        info = self._find_media(feed, target) if make else None
        if info is None or info.path is None:
            return None
        self._want(info.key, info.path, need=Need.AHEAD)
        return info.key

    def trouble(self, key: str) -> str | None:
        """Why it cannot be sounded, as far as that is known."""
        return self._failures.get(key)

    def length_s(self, key: str) -> Seconds | None:
        """How long it sounds; None while it cannot be sounded."""
        pcm = self._library.pcm(key)
        return None if pcm is None else pcm.duration_s

    def keep_recordings(self, keys: Iterable[str]) -> None:
        """Say which recordings of alerts are still needed."""
        self._recordings.keep(keys)

    def give_up(self, key: str, reason: str) -> None:
        """Do without it for now."""
        self._version += 1
        self._failures[key] = reason

    def try_again(self, p: Performance) -> None:
        """Ask anew for what of it could not be made or fetched before: it may be possible by now."""
        for item in p.items:
            spoken = item
            if isinstance(item, RecordedItem):
                self._failures.pop(item.recording.key, None)
                self._asked.pop(item.recording.key, None)  # what has not come yet is asked for once more
                spoken = item.words
            if isinstance(spoken, SpeechItem | SpokenItem):
                for words in self._choice(p, spoken):
                    self._failures.pop(words.key, None)

    def _words(self, item: SpeechItem) -> Speech:
        return self._voices.speech(with_number(item.speech.text, self._number), item.speech.language)

    def _as_spoken(self, p: Performance, words: Speech) -> Sound:
        """`text` is as it is written, for who reads it."""
        is_slow = words.voice.engine == "piper"
        return Sound(key=words.key, title=p.title, language=words.language, text=words.text, slow=is_slow)

    def _spoken(self, p: Performance, item: SpeechItem | SpokenItem, *, need: Need) -> Sound:
        """The first words that can be spoken, or may yet turn out so; why the first cannot where none can."""
        why_not: Sound | None = None
        for words in self._choice(p, item):
            found = self._stored(self._as_spoken(p, words), words, need=need)
            if found.failure is None:
                return found
            why_not = why_not or found
        return why_not or found

    def _choice(self, p: Performance, item: SpeechItem | SpokenItem) -> Iterator[Speech]:
        """What may be spoken for it, the best first."""
        for one in (item.words, *item.instead) if isinstance(item, SpokenItem) else (item,):
            yield from self._ways(p, one)

    def _ways(self, p: Performance, item: SpeechItem) -> tuple[Speech, ...]:
        """Who may speak it, the best first."""
        own = self._words(item)
        if p.class_ is BulletinClass.EMERGENCY and p.origin != "programme" and own.voice.engine == "piper":
            # in a storm the words follow the tone at once; late is better than never where only piper can
            return Speech(own.text, own.language), own
        return (own,)

    def _recorded(self, sound: Sound, recording: Resource) -> Sound | None:
        """The recording, while it may still come; None where there is none."""
        if recording.key in self._failures:
            return None
        pcm = self._library.pcm(recording.key)
        if pcm is None:
            if recording.key not in self._asked:
                self._asked[recording.key] = Need.EMERGENCY
                self._recordings.want(recording)
            return sound
        return sound.ready(_source(pcm), pcm.duration_s)

    def _recording(self, p: Performance, item: MediaItem, *, need: Need, due: bool) -> Sound:
        info = self._find_media(p.feed or "", item.media)
        if info is None:
            return Sound(title=item.media, failure=f"{item.media} is not in the feed {p.feed}")
        sound = Sound(key=info.key, title=info.title or item.media, text=info.text, gain_db=info.gain_db)
        if info.path is None:
            return sound.failed(f"{item.media} has not arrived") if due else sound
        return self._stored(sound, info.path, need=need)

    def _station(self, p: Performance, item: RelayItem, *, need: Need, due: bool) -> Sound:
        relay = item.relay
        sound = Sound(title=without_secrets(relay.url))
        forbidden = self._reception.forbids([item])
        if forbidden is not None:
            return sound.failed(f"policy: {forbidden}")
        fallback: str | None = None
        if relay.fallback is not None:
            stored = self._recording(p, MediaItem(media=relay.fallback), need=need, due=due)
            if not stored.settled:
                return sound
            fallback = stored.source.path if isinstance(stored.source, PcmSource) else None
        source = self._reception.source(p, item, fallback)
        if p.origin == "live" and (awaits := self._reception.awaited(source)) is not None:
            return replace(sound, awaits=awaits)
        return sound.ready(source, Seconds(relay.for_s))

    def _stored(self, sound: Sound, source: Path | Speech, *, need: Need) -> Sound:
        if sound.key is None:
            return sound.failed("it cannot be read", broken=True)
        pcm = self._library.pcm(sound.key)
        if pcm is not None:
            return sound.ready(_source(pcm), pcm.duration_s)
        if (reason := self._failures.get(sound.key)) is not None:
            return sound.failed(reason, broken=True)
        self._want(sound.key, source, need=need)
        return sound

    def _want(self, key: str, source: Path | Speech, *, need: Need) -> None:
        if self._library.pcm(key) is not None or key in self._failures:
            return
        if need > self._asked.get(key, NOT_ASKED):
            self._asked[key] = need
            if isinstance(source, Speech) and source.voice == self._voices.of(source.language):
                self._languages[key] = source.language.lower()
            self._library.want(key, source, need)


def targets_of(items: Iterable[Item]) -> Iterator[str]:
    """Recordings of the feed that items need."""
    for item in items:
        if isinstance(item, MediaItem):
            yield item.media
        elif isinstance(item, RelayItem) and item.relay.fallback is not None:
            yield item.relay.fallback


def _source(pcm: Pcm) -> PcmSource:
    return PcmSource(str(pcm.path), pcm.rate)


def _key_of(path: Path) -> str | None:
    """Names a local file as it is now; a kind of key of its own: it never stands for a feed's recording."""
    try:
        state = path.stat()
    except OSError:
        return None
    told = f"local file\0{path}\0{state.st_mtime_ns}\0{state.st_size}"
    return "sha256:" + hashlib.sha256(told.encode()).hexdigest()
