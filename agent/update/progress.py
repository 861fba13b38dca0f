"""The wish for an update, and the answer to it: two small files between a daemon without rights and root."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.files import write_atomically
from agent.update.archive import VersionText
from agent.update.errors import Refused
from agent.update.places import Places

_MOST_BYTES = 20_000
Outcome = Literal["updated", "unchanged", "refused", "failed"]
Step = Literal[
    "asked", "fetching", "building", "trying", "waiting", "starting", "watching", "going back", "over"
]


class Request(BaseModel):
    """What is wished for."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$")]
    feed: Annotated[str, Field(min_length=1, max_length=128)]
    release: VersionText | None = None
    """None: the newest."""
    command: Annotated[str, Field(max_length=128)] | None = None
    by: Annotated[str, Field(max_length=128)] = ""
    force: bool = False
    """Also an older one. Only root may wish so."""


class State(BaseModel):
    """How far an update is."""

    model_config = ConfigDict(frozen=True)

    request: Request
    before: str
    """The version that ran when it began."""
    release: str | None = None
    """The version it is about."""
    step: Step = "asked"
    text: str = ""
    began: datetime
    at: datetime
    outcome: Outcome | None = None


def wish(places: Places, request: Request) -> None:
    """Leave a wish where root looks for it; one that forces, where only root may.

    Raises:
        OSError: it cannot be written.
    """
    write_atomically(places.forced if request.force else places.request, request.model_dump_json().encode())


def waits(places: Places) -> bool:
    """Whether a wish lies there that nobody has taken up yet."""
    return places.request.exists() or places.forced.exists()


def take(places: Places) -> Request | None:
    """Take the wish away and return it, root's before the daemon's; None where there is none.

    Raises:
        Refused: it is malformed, is no file, or wishes what its writer may not.
        OSError: it cannot be read or taken away.
    """
    request = _take(places.forced)
    if request is not None:
        return request
    request = _take(places.request)
    # whoever owns the file: one of root's that once lay here could have been kept
    if request is not None and request.force:
        raise Refused("only root may wish for an older release: sudo loa update VERSION --force")
    return request


def _take(path: Path) -> Request | None:
    try:
        # the folder is the daemon's: what lies there may be anything, also a link to something of root's
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Refused(f"{path}: cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        raw = file.read(_MOST_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
    path.unlink(missing_ok=True)
    if len(raw) > _MOST_BYTES:
        raise Refused(f"{path}: has more than {_MOST_BYTES} bytes")
    try:
        return Request.model_validate_json(raw)
    except ValidationError as error:
        raise Refused(f"{path}: is malformed: {error.errors()[0]['msg']}") from error


class Progress:
    """Writes down how far the update is. The file outlives a power cut, and all may read it."""

    def __init__(self, places: Places, request: Request, before: str) -> None:
        """Begin.

        Raises:
            OSError: it cannot be written.
        """
        self._places = places
        now = datetime.now(UTC)
        self.state = State(request=request, before=before, release=request.release, began=now, at=now)
        places.settled.unlink(missing_ok=True)
        write_atomically(places.busy, b"", mode=0o644)
        self._write()

    def step(self, step: Step, text: str = "", release: str | None = None) -> None:
        """It has come so far.

        Raises:
            OSError: it cannot be written.
        """
        print(f"{step}: {text}" if text else step, flush=True)  # into the system's journal
        update: dict[str, object] = {"step": step, "text": text, "at": datetime.now(UTC)}
        if release is not None:
            update["release"] = release
        self.state = self.state.model_copy(update=update)
        self._write()

    def end(self, outcome: Outcome, text: str) -> None:
        """It is over.

        Raises:
            OSError: it cannot be written.
        """
        self.state = self.state.model_copy(update={"outcome": outcome})
        self.step("over", text)
        self._places.busy.unlink(missing_ok=True)

    def _write(self) -> None:
        write_atomically(self._places.progress, self.state.model_dump_json(indent=1).encode(), mode=0o644)


@dataclass(frozen=True)
class Seen:
    """What a reader sees of the newest update."""

    state: State
    outcome: Outcome | None
    """None while it is under way."""
    text: str


def look(places: Places) -> Seen | None:
    """How the newest update stands; None where there was none, or nothing of it can be read."""
    state = _read_state(places.progress)
    if state is None:
        return None
    if state.outcome is not None:
        return Seen(state, state.outcome, state.text)
    try:
        return Seen(state, "failed", places.settled.read_text(encoding="utf-8").strip()[:1_000])
    except (OSError, UnicodeDecodeError):
        return Seen(state, None, state.text)


def _read_state(path: Path) -> State | None:
    try:
        return State.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
