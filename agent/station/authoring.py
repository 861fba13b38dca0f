"""From a folder of TOML texts to a schedule. Reading finds all mistakes at once; composing is pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.station.board import moment, reading_s
from agent.station.boardtexts import BoardTexts
from agent.station.errors import Author
from agent.station.texts import (
    Announcement,
    Announcements,
    Commune,
    Image,
    ProgrammeText,
    Shown,
    Timetable,
)
from playlists.board import BUILT_IN
from playlists.hours import hours_contain
from playlists.models.schedule import FORMAT, LayoutZone
from playlists.units import Seconds

MAX_TEXT_FILE_BYTES = 2_000_000
BOARD = "board.toml"
TICKER = "ticker"
_FILES = {"commune.toml": Commune, "announcements.toml": Announcements, "timetable.toml": Timetable}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ANCHOR = date(2024, 1, 1)
"""A Monday. Recurrences without `from` count from here, so that publishing again changes nothing."""

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Texts:
    """The files, and where recordings, pictures and what is only shown lie."""

    commune: Commune
    announcements: Announcements
    timetable: Timetable
    media_dir: Path
    board: BoardTexts = field(default_factory=BoardTexts)
    board_dir: Path = Path("board")

    @property
    def zones(self) -> list[LayoutZone]:
        """Of all layouts that a board may take, in their order."""
        layouts = self.commune.layout or BUILT_IN
        return [zone for layout in layouts for zone in layout.zones]

    def announcement(self, name: str) -> Announcement | None:
        """An announcement by id."""
        return next((a for a in self.announcements.announcement if a.id == name), None)

    def spoken(self) -> list[Announcement]:
        """Announcements that some programme speaks."""
        wanted = {item.partition(":")[2] for p in self.timetable.programme for item in p.items}
        return [a for a in self.announcements.announcement if a.id in wanted]

    def sounds(self) -> set[str]:
        """`chime`, `music:…` and `media:…` that programmes and fallbacks name."""
        named = {item for p in self.timetable.programme for item in p.items}
        named |= {relay.fallback for relay in self.commune.relays.values() if relay.fallback}
        return {item for item in named if item.partition(":")[0] in {"chime", "music", "media"}}


def read(directory: Path) -> Texts:
    """Read and check the authoring folder.

    Raises:
        Author: mistakes, all at once.
    """
    problems: list[str] = []
    parts: dict[str, Any] = {
        name: read_one(directory / name, model, problems) for name, model in _FILES.items()
    }
    board: BoardTexts | None = BoardTexts()
    if (directory / BOARD).exists():  # it came later than the other three
        board = read_one(directory / BOARD, BoardTexts, problems)
    if board is not None and all(part is not None for part in parts.values()):
        texts = Texts(
            parts["commune.toml"],
            parts["announcements.toml"],
            parts["timetable.toml"],
            directory / "media",
            board,
            directory / "board",
        )
        problems += _disagreements(texts)
        if not problems:
            return texts
    raise Author(problems)


def read_one(path: Path, model: type[T], problems: list[str]) -> T | None:
    """One file; None if it has mistakes, which are added to `problems`."""
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_TEXT_FILE_BYTES:
            raise ValueError(f"is {len(raw)} bytes, at most {MAX_TEXT_FILE_BYTES} are read")
        return model.model_validate(tomllib.loads(raw.decode("utf-8")))
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror or error}")
    except ValidationError as error:
        problems += [f"{path.name}: {line}" for line in _explain(error, tomllib.loads(raw.decode("utf-8")))]
    except ValueError as error:  # not UTF-8, not TOML, too big
        problems.append(f"{path.name}: {error}")
    return None


def _explain(error: ValidationError, document: Any) -> Iterator[str]:
    """One line a problem; entries of lists are named by their id or name where they have one."""
    for problem in error.errors(include_url=False):
        names, here = [], document
        for part in problem["loc"]:
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                here = None
            called = here.get("id", here.get("name")) if isinstance(here, dict) else None
            if isinstance(part, int):
                names.append(repr(called) if called else f"number {part + 1}")
            else:
                names.append(str(part).rstrip("_"))
        found = "" if problem["type"] == "missing" else f" (found {_short(problem['input'])})"
        yield f"{' '.join(names) or 'file'}: {problem['msg'].removeprefix('Value error, ')}{found}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _disagreements(texts: Texts) -> Iterator[str]:
    """Mistakes that no single table shows."""
    shown: list[Shown] = [*texts.announcements.announcement, *texts.announcements.image]
    programmes = texts.timetable.programme
    names = [entry.id for entry in shown]
    if texts.announcements.ticker is not None:
        names.append(TICKER)
    yield from (
        f"{BOARD}: '{entry.id}': id is used twice (also in announcements.toml)"
        for entry in texts.board.shown
        if entry.id in names
    )
    for file, what, ids in (
        ("announcements.toml", "announcement or image", [entry.id for entry in shown]),
        (BOARD, "bulletin", [entry.id for entry in texts.board.shown]),
        ("timetable.toml", "programme", [programme.id for programme in programmes]),
    ):
        yield from (
            f"{file}: {what} '{i}': id is used twice" for i in sorted({i for i in ids if ids.count(i) > 1})
        )
    zones = {zone.id for zone in texts.zones}
    for file, entry in [
        *(("announcements.toml", e) for e in shown),
        *((BOARD, e) for e in texts.board.shown),
    ]:
        if entry.zone not in zones:
            have = ", ".join(sorted(zones))
            yield f"{file}: '{entry.id}' zone: no layout has {entry.zone!r} (there: {have})"
    for entry in shown:
        needed: str | None = entry.file if isinstance(entry, Image) else getattr(entry, "recording", None)
        if needed and not (texts.media_dir / needed).is_file():
            yield f"announcements.toml: '{entry.id}': no file media/{needed}"
    for name, relay in texts.commune.relays.items():
        if relay.fallback:
            kind, _, rest = relay.fallback.partition(":")
            if kind not in {"music", "media"} or (kind == "media" and not (texts.media_dir / rest).is_file()):
                wanted = "music:SECONDSs or media:FILE"
                yield f"commune.toml: relays {name} fallback: needs {wanted} (found {relay.fallback!r})"
    for programme in programmes:
        yield from (
            f"timetable.toml: programme '{programme.id}' {line}" for line in _wrong_in(programme, texts)
        )


def _wrong_in(programme: ProgrammeText, texts: Texts) -> Iterator[str]:
    for item in programme.items:
        kind, _, rest = item.partition(":")
        if kind == "announcement" and texts.announcement(rest) is None:
            yield f"items: no announcement {rest!r} in announcements.toml"
        if kind == "relay" and rest.rpartition(":")[0] not in texts.commune.relays:
            have = ", ".join(sorted(texts.commune.relays)) or "none"
            name = rest.rpartition(":")[0]
            yield f"items: no station {name!r} under [relays] in commune.toml (there: {have})"
        if kind == "media" and not (texts.media_dir / rest).is_file():
            yield f"items: no file media/{rest}"
    hours = texts.timetable.policy.allowed_hours
    if not hours_contain(hours, datetime.combine(_ANCHOR, programme.start)):
        yield f"start: {programme.start:%H:%M} lies outside the allowed hours {', '.join(hours)}"
    if programme.until and programme.until < (programme.from_ or _ANCHOR):
        yield f"until: {programme.until} lies before it begins"


def compose(
    texts: Texts, media: Mapping[str, str], only_shown: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The schedule without `version` and `published`: the same texts give the same document.

    Args:
        texts: checked texts.
        media: target path of each sound and picture, by what the texts call it: `chime`, `music:120s`,
            `media:FILE`, `announcement:ID`.
        only_shown: bulletins of `board.toml`.
    """
    return {
        "format": FORMAT,
        "timezone": texts.timetable.timezone,
        "programmes": [entry for p in texts.timetable.programme for entry in _programme(p, texts, media)],
        "bulletins": [*_bulletins(texts, media), *only_shown],
        "layouts": [layout.model_dump(mode="json") for layout in texts.commune.layout],
    }


def session_s(programme: ProgrammeText, durations: Mapping[str, Seconds]) -> Seconds:
    """How long a programme sounds: by `length_s`, or all items in all loops with the gaps between loops."""
    if programme.length_s is not None:
        return Seconds(programme.length_s)
    once = sum(
        float(item.rpartition(":")[2][:-1]) if item.startswith("relay:") else durations[item]
        for item in programme.items
    )
    return Seconds(once * programme.loops + programme.gap_s * (programme.loops - 1))


def _programme(programme: ProgrammeText, texts: Texts, media: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    entry = {
        **programme.model_dump(
            mode="json",
            by_alias=True,
            include={
                "title", "language", "class_", "priority", "zones", "targets", "loops", "gap_s", "length_s",
                "on_conflict", "if_late", "grace_s", "volume_db",
            },
        ),
        "items": [_item(item, texts, media) for item in programme.items],
    }  # fmt: skip
    if programme.dates:
        for day in sorted(set(programme.dates)):
            name = programme.id if len(programme.dates) == 1 else f"{programme.id}.{day}"
            yield {"id": name, "start": _wall(day, programme.start), **entry}
        return
    wanted = sorted({_DAYS.index(day) for day in programme.days})
    first = programme.from_ or _ANCHOR
    while first.weekday() not in wanted:
        first += timedelta(days=1)
    rule = "FREQ=WEEKLY;BYDAY=" + ",".join(_DAYS[day][:2].upper() for day in wanted)
    if programme.until:
        rule += f";UNTIL={programme.until:%Y%m%d}T235959"
    exceptions = [_wall(day, programme.start) for day in sorted(set(programme.except_))]
    yield {
        "id": programme.id,
        "start": _wall(first, programme.start),
        "recurrence": rule,
        "exceptions": exceptions,
        **entry,
    }


def _item(item: str, texts: Texts, media: Mapping[str, str]) -> dict[str, Any]:
    kind, _, rest = item.partition(":")
    if kind != "relay":
        return {"media": media[item]}
    name, _, length = rest.rpartition(":")
    relay = texts.commune.relays[name]
    fallback = media[relay.fallback] if relay.fallback else None
    return {"relay": {"url": relay.url, "for_s": int(length[:-1]), "fallback": fallback}}


def _bulletins(texts: Texts, media: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for entry in texts.announcements.announcement:
        if entry.show:
            text = {"heading": entry.title, "body": entry.text, "qr": entry.qr}
            yield _bulletin(entry, {"text": text}, reading_s(entry.text))
    for image in texts.announcements.image:
        picture = {"media": media[f"media:{image.file}"], "fit": image.fit, "caption": image.caption}
        yield _bulletin(image, {"image": picture}, 15.0)
    ticker = texts.announcements.ticker
    zones = [zone.id for zone in texts.zones if zone.kind == "ticker"]
    if ticker is not None and zones:
        content = {"text": {"heading": "", "body": ticker.text, "qr": None}}
        yield {
            "id": TICKER,
            "zone": zones[0],
            "language": ticker.language,
            "class": "routine",
            "content": content,
        }


def _bulletin(entry: Shown, content: dict[str, Any], duration_s: float) -> dict[str, Any]:
    kept = entry.model_dump(
        mode="json",
        by_alias=True,
        include={"id", "title", "language", "class_", "zone", "targets", "hours", "weight"},
    )
    return {
        **kept,
        "valid_from": moment(entry.valid_from, time.min),
        "valid_until": moment(entry.valid_until, time.max.replace(microsecond=0)),
        "duration_s": entry.duration_s or duration_s,
        "content": content,
    }


def _wall(day: date, at: time) -> str:
    return datetime.combine(day, at).isoformat()
