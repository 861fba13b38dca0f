"""From texts to media: speech, chime, music and recordings become measured targets of the feed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.feeds.trust import MOST_TEXT
from agent.files import write_atomically
from agent.screen.errors import Quarantine
from agent.screen.pictures import Wanted, decode
from agent.speech import NoVoice, Unspeakable, Voices
from agent.station.authoring import Texts, compose, session_s
from agent.station.board import bulletins, read_files
from agent.station.errors import Author
from agent.station.loudness import NotSound, measure
from agent.station.speech import Kitchen
from agent.station.texts import Announcement
from playlists.models.base import MAX_MEDIA_BYTES
from playlists.units import Decibel, Seconds

TRIED_AT = (64, 64)
"""Pixels. Pictures are decoded so large to see whether a board can."""
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"}


@dataclass(frozen=True)
class Medium:
    """A file to be published, and what a node is told of it."""

    path: Path
    gain_db: Decibel | None = None
    duration_s: Seconds | None = None
    title: str | None = None
    text: str | None = None
    """What is said in it: a board shows it while it sounds."""

    @property
    def custom(self) -> dict[str, str]:
        """As TUF metadata carries it: decimal strings, since canonical JSON has no fractions."""
        said = {
            "gain_db": None if self.gain_db is None else f"{self.gain_db:.2f}",
            "duration_s": None if self.duration_s is None else f"{self.duration_s:.4f}",
            "title": self.title,
            "text": self.text,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Composed:
    """Everything that an authoring folder says, ready to be signed."""

    schedule: dict[str, Any]
    """Without `version` and `published`."""
    media: dict[str, Medium]
    """By target path."""
    notes: tuple[str, ...]
    """What the author should know and may have meant."""


def prepare(texts: Texts, cache: Path, voices: Voices, now: datetime | None = None) -> Composed:
    """Render, measure and compose; `now` is for what is told of readings that are old.

    Raises:
        Author: languages without a voice, files that are not sound, sessions that are too long: all at once.
        Technician: espeak-ng, piper or ffmpeg is missing or fails.
    """
    cook = _Cook(texts, cache, voices)
    # the work is done by espeak-ng and ffmpeg, a process each: threads only wait for them
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = [pool.submit(cook.sound, name) for name in sorted(texts.sounds(), reverse=True)]
        jobs += [pool.submit(cook.spoken, announcement) for announcement in texts.spoken()]
        for job in jobs:
            job.result()
    cook.note_unspoken()
    for image in texts.announcements.image:
        cook.picture(image.file)
    shown = read_files(texts.board, texts.board_dir, texts.media_dir, cache, texts.timetable.timezone, now)
    cook.problems += shown.problems
    cook.notes += shown.notes
    cook.media |= {target: Medium(path) for target, path in shown.media.items()}
    limit_min = texts.timetable.policy.longest_session_min
    if not cook.problems and limit_min is not None:
        for programme in texts.timetable.programme:
            minutes = session_s(programme, cook.durations) / 60
            if minutes > limit_min:
                cook.problems.append(
                    f"timetable.toml: programme '{programme.id}': lasts {minutes:.1f} min, "
                    f"the longest session is {limit_min:g} min"
                )
    if cook.problems:
        raise Author(sorted(cook.problems))
    schedule = compose(texts, cook.targets, bulletins(texts.board, shown))
    return Composed(schedule, cook.media, tuple(sorted(cook.notes)))


class _Cook:
    """Collects media and mistakes."""

    def __init__(self, texts: Texts, cache: Path, voices: Voices) -> None:
        self._texts = texts
        self._cache = cache
        self._kitchen = Kitchen(cache, voices)
        self.targets: dict[str, str] = {}
        self.durations: dict[str, Seconds] = {}
        self.media: dict[str, Medium] = {}
        self.problems: list[str] = []
        self.notes: list[str] = []

    def sound(self, name: str) -> None:
        """`chime`, `music:…` or `media:FILE`."""
        kind, _, rest = name.partition(":")
        if kind == "chime":
            self._add(name, "media/chime.opus", self._kitchen.chime(), "")
        elif kind == "music":
            self._add(name, f"media/music-{rest}.opus", self._kitchen.music(Seconds(float(rest[:-1]))), "")
        else:
            self._add(name, f"media/{rest}", self._texts.media_dir / rest, f"media/{rest}")

    def spoken(self, announcement: Announcement) -> None:
        """An announcement: its recording, or its text by a voice of its language, and of no other."""
        name, where = f"announcement:{announcement.id}", f"announcements.toml: '{announcement.id}'"
        if announcement.recording:
            path = self._texts.media_dir / announcement.recording
            self._add(name, f"media/{announcement.recording}", path, where, announcement.title)
            self._words(f"media/{announcement.recording}", announcement, where)
            return
        try:
            path = self._kitchen.speech(announcement.spoken, announcement.language)
        except NoVoice:
            self.problems.append(
                f"{where} language: no voice here speaks {announcement.language!r}; give it "
                '`recording = "FILE"` (in authoring/media/), or have a piper model of that language put under '
                "[[voices]] in station.toml; to show it only, take it out of the programmes"
            )
            return
        except Unspeakable as error:
            self.problems.append(f"{where} text: {error}")
            return
        self._add(name, f"media/{announcement.id}.opus", path, where, announcement.title)
        self._words(f"media/{announcement.id}.opus", announcement, where)

    def _words(self, target: str, announcement: Announcement, where: str) -> None:
        """Let the medium carry what is said in it, if it is not too much for the metadata."""
        if target not in self.media:
            return  # it is no sound, which has been said
        if len(announcement.spoken) > MOST_TEXT:
            self.notes.append(
                f"{where}: boards will not show its words while it is spoken: {len(announcement.spoken)} "
                f"characters, at most {MOST_TEXT} go with a recording"
            )
            return
        self.media[target] = replace(self.media[target], text=announcement.spoken)

    def note_unspoken(self) -> None:
        """What is only shown, and could not be spoken either: its author may not know."""
        spoken = {announcement.id for announcement in self._texts.spoken()}
        for announcement in self._texts.announcements.announcement:
            if announcement.id not in spoken and not announcement.recording:
                reason = self._kitchen.silent(announcement.language)
                if reason:
                    self.notes.append(f"announcements.toml: '{announcement.id}' is only shown: {reason}")

    def picture(self, file: str) -> None:
        """A picture for the board, once it has been decoded as a board decodes it."""
        path = self._texts.media_dir / file
        if path.suffix.lower() not in PICTURES:
            self.problems.append(
                f"media/{file}: is no picture of a known kind ({', '.join(sorted(PICTURES))})"
            )
            return
        try:
            decode(Wanted(path, TRIED_AT, "contain", (0, 0, 0)))
        except Quarantine as error:
            reason = str(error).replace(str(path), path.name)
            self.problems.append(f"media/{file}: {reason}")
            return
        self.targets[f"media:{file}"] = f"media/{file}"
        self.media[f"media/{file}"] = Medium(path)

    def _add(self, name: str, target: str, path: Path, where: str, title: str | None = None) -> None:
        size = path.stat().st_size
        if size > MAX_MEDIA_BYTES:
            self.problems.append(f"{where}: is {size} bytes, nodes take at most {MAX_MEDIA_BYTES}")
            return
        try:
            medium = measured(path, self._cache, title)
        except NotSound as error:
            self.problems.append(f"{where}: {error}")
            return
        self.targets[name] = target
        self.media[target] = medium
        self.durations[name] = medium.duration_s or Seconds(0.0)


def measured(path: Path, cache: Path, title: str | None = None) -> Medium:
    """A sound file with gain and length; what was measured before is not measured again.

    Raises:
        NotSound: it holds nothing that can be heard.
        Technician: ffmpeg is missing.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    note = cache / f"loudness-{digest}.json"
    try:
        gain_db, duration_s = json.loads(note.read_bytes())
    except (OSError, ValueError):
        found = measure(path)
        gain_db, duration_s = found.gain_db, found.duration_s
        cache.mkdir(parents=True, exist_ok=True)
        write_atomically(note, json.dumps([gain_db, duration_s]).encode())
    return Medium(path, Decibel(gain_db), Seconds(duration_s), title)


def as_media(given: Mapping[str, Path | Medium], cache: Path) -> dict[str, Medium]:
    """Measure what is given as plain files; a file without sound (a picture) carries no gain.

    Raises:
        Technician: ffmpeg is missing.
    """
    media = {}
    for target, what in given.items():
        if isinstance(what, Medium):
            media[target] = what
            continue
        try:
            media[target] = measured(what, cache)
        except NotSound:
            media[target] = Medium(what)
    return media
