"""JSON lines between the conductor and the screen worker: what each message holds, for both ends.

Conductor to screen (`op`): `board`, `takeover`, `clear`, `caption`, `picture`, `ping`, `quit`, `rest`, `act`, `film`,
`break`.
Screen to conductor (`event`): `ready`, `showing`, `shown`, `pong`, `picture`, `failed`, `seen`, `touched`,
`film`.

The conductor builds messages with the `…_message` functions and reads events with `read_event`; the worker
reads messages with `agent.screen.reading.read_message`. Nothing here needs pydantic or pygame: the
worker stays small.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from agent.screen.content import Board, ClassName, ThemeName
from agent.screen.errors import Rejected
from agent.screen.manner import Manner
from playlists.units import Seconds

MAX_ZONES: Final = 32
MAX_CAPTION: Final = 1_000
"""Characters."""

Status = Literal["Actual", "Exercise", "Test"]
Action = Literal["read", "next", "back", "language", "useful", "useless"]
"""What a resident may do at the board."""

STATUSES: Final[tuple[Status, ...]] = ("Actual", "Exercise", "Test")
ACTIONS: Final[tuple[Action, ...]] = ("read", "next", "back", "language", "useful", "useless")


# -- conductor → screen ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """A takeover's words in one language."""

    language: str
    event: str
    headline: str
    text: str


@dataclass(frozen=True)
class Takeover:
    """What covers everything: the words that are being spoken."""

    id: str
    class_: ClassName
    event: str
    headline: str
    text: str
    status: Status = "Actual"
    language: str = "vi"
    """Of the words above."""
    more: tuple[Words, ...] = ()
    """The same in other languages: they are shown in turn."""

    @property
    def blocks(self) -> tuple[Words, ...]:
        """Its words in every language, in the order in which they are shown."""
        return (Words(self.language, self.event, self.headline, self.text), *self.more)


@dataclass(frozen=True)
class Caption:
    """Words that are being spoken, and how long the voice takes for them."""

    text: str
    lasts_s: Seconds


@dataclass(frozen=True)
class SetBoard:
    """Show this board; what is unchanged in it stays as it is."""

    board: Board


@dataclass(frozen=True)
class TakeOver:
    """Cover everything, now."""

    takeover: Takeover


@dataclass(frozen=True)
class Clear:
    """End the takeover: the board comes back where it was."""


@dataclass(frozen=True)
class SetCaption:
    """Show these words in place of the last ones; None: nothing is spoken any more."""

    caption: Caption | None


@dataclass(frozen=True)
class TakePicture:
    """Write what is shown to `path` (.png, .jpg), scaled down to `width` pixels where given."""

    request: str
    path: Path
    width: int | None = None


@dataclass(frozen=True)
class Ping:
    """Prove that you live."""

    n: int


@dataclass(frozen=True)
class Quit:
    """Report what was shown, and end."""


@dataclass(frozen=True)
class Rest:
    """Black from now on, or no longer; a takeover is shown all the same."""

    resting: bool


@dataclass(frozen=True)
class Act:
    """Do what a resident asked for at a button."""

    action: Action


@dataclass(frozen=True)
class RunFilm:
    """Let the film of this bulletin run at a monotonic instant; None: at once, nothing sounds."""

    bulletin: str
    at: float | None


@dataclass(frozen=True)
class Break:
    """For tests: the screen goes black or freezes; None heals it."""

    breakage: Literal["black", "frozen"] | None


Message = SetBoard | TakeOver | Clear | SetCaption | TakePicture | Ping | Quit | Rest | Act | RunFilm | Break


def worker_command(
    driver: str | None,
    size: tuple[int, int] | None,
    *,
    fullscreen: bool = True,
    theme: ThemeName = "dark",
    manner: Manner | None = None,
) -> list[str]:
    """The command line that starts the worker.

    Args:
        driver: SDL video driver (`x11`, `wayland`, `kmsdrm`, `offscreen`, `dummy`); None lets SDL choose.
        size: width and height in pixels; None takes the screen's own.
    """
    command = [sys.executable, "-m", "agent.screen", "--theme", theme]
    if driver:
        command += ["--driver", driver]
    if size:
        command += ["--size", f"{size[0]}x{size[1]}"]
    if not fullscreen:
        command.append("--window")
    if manner is not None:
        command += ["--manner", manner.to_json()]
    return command


def board_message(board: Mapping[str, Any]) -> dict[str, Any]:
    """`board`: `layout` (id), `grid` [columns, rows], `zones`, `timezone`, `theme`, `clock` (clock state).

    A zone is `id`, `kind`, `at` [column, row, width, height], `bulletins`; a bulletin is `id`, `class`,
    `language`, `duration_s`, `weight`, and `text` {heading, body, qr} or `image` {path, fit, caption} or
    `video`.
    """
    return {"op": "board", "board": dict(board)}


def takeover_message(takeover: Takeover) -> dict[str, Any]:
    """Cover everything, now."""
    fields = asdict(takeover)
    fields["class"] = fields.pop("class_")
    return {"op": "takeover", "takeover": fields}


def clear_message() -> dict[str, Any]:
    """End the takeover."""
    return {"op": "clear"}


def caption_message(caption: Caption | None) -> dict[str, Any]:
    """Show words that are being spoken, from now on; None ends them."""
    return {"op": "caption", "caption": None if caption is None else asdict(caption)}


def picture_message(request: str, path: Path, width: int | None = None) -> dict[str, Any]:
    """Write what is shown to `path`; its suffix, .png or .jpg, says how."""
    return {"op": "picture", "request": request, "path": str(path), "width": width}


def ping_message(n: int) -> dict[str, Any]:
    """Ask for a `pong` with the same number."""
    return {"op": "ping", "n": n}


def rest_message(*, resting: bool) -> dict[str, Any]:
    """Be black from now on, or no longer."""
    return {"op": "rest", "resting": resting}


def act_message(action: Action) -> dict[str, Any]:
    """Do what a resident asked for."""
    return {"op": "act", "action": action}


def film_message(bulletin: str, at: float | None) -> dict[str, Any]:
    """Let a film run at this monotonic instant, when its sound comes; None: without sound."""
    return {"op": "film", "bulletin": bulletin, "at": at}


def break_message(breakage: str | None) -> dict[str, Any]:
    """For tests: go `black` or be `frozen`; None heals it."""
    return {"op": "break", "as": breakage}


def quit_message() -> dict[str, Any]:
    """Ask the worker to report and end."""
    return {"op": "quit"}


# -- screen → conductor ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """The screen is open; or, with a `reason` and without driver and size, it is not, and will be retried."""

    event: ClassVar[str] = "ready"
    driver: str | None
    size: tuple[int, int] | None
    reason: str | None = None
    retry_s: Seconds | None = None
    canvas: tuple[int, int] | None = None
    """Of the picture as people read it: turned and without what the screen cuts off."""


@dataclass(frozen=True)
class Showing:
    """What is seen has changed. `showing` are bulletin ids, zone by zone; empty under a takeover."""

    event: ClassVar[str] = "showing"
    layout: str | None
    showing: tuple[str, ...]
    takeover: str | None


@dataclass(frozen=True)
class Shown:
    """A sum: since `since` (wall time) the bulletin came up `count` times and was seen for `seconds`."""

    event: ClassVar[str] = "shown"
    bulletin: str
    since: str
    seconds: Seconds
    count: int


@dataclass(frozen=True)
class Pong:
    """The worker lives; it has presented so many frames, `late` of the ticker's after their time."""

    event: ClassVar[str] = "pong"
    n: int
    frames: int
    late: int = 0


@dataclass(frozen=True)
class PictureTaken:
    """The picture is on disk; or, with a `reason`, it is not."""

    event: ClassVar[str] = "picture"
    request: str
    path: str
    size: tuple[int, int] | None
    reason: str | None = None


@dataclass(frozen=True)
class Failed:
    """Something could not be shown: a bulletin, or, with `bulletin` None, what the reason names."""

    event: ClassVar[str] = "failed"
    bulletin: str | None
    reason: str


@dataclass(frozen=True)
class Seen:
    """Whether the screen shows what was drawn, else what it does instead, and why that is thought."""

    event: ClassVar[str] = "seen"
    state: Literal["well", "black", "frozen", "unplugged"]
    reason: str = ""


@dataclass(frozen=True)
class Touched:
    """A resident did something at the board, while this bulletin was on show."""

    event: ClassVar[str] = "touched"
    action: Action
    bulletin: str | None


@dataclass(frozen=True)
class FilmWaits:
    """A film with sound has come up and waits, for a moment, to be told when to run; or it has left."""

    event: ClassVar[str] = "film"
    bulletin: str
    waits: bool


Event = Ready | Showing | Shown | Pong | PictureTaken | Failed | Seen | Touched | FilmWaits


def event_message(event: Event) -> dict[str, Any]:
    """What goes over the pipe for an event."""
    fields = asdict(event)
    if isinstance(event, Shown):
        fields["from"] = fields.pop("since")
    return {"event": event.event, **fields}


def read_event(message: Mapping[str, Any]) -> Event:
    """Understand one event of the worker.

    Raises:
        Rejected: an unknown event, or fields that do not belong to it.
    """
    fields = {key: value for key, value in message.items() if key != "event"}
    name = message.get("event")
    try:
        if name == "shown":
            fields["since"] = fields.pop("from")
        for pair in ("size", "showing", "canvas"):
            if isinstance(fields.get(pair), list):
                fields[pair] = tuple(fields[pair])
        known: dict[Any, type[Event]] = {
            kind.event: kind
            for kind in (Ready, Showing, Shown, Pong, PictureTaken, Failed, Seen, Touched, FilmWaits)
        }
        return known[name](**fields)
    except (KeyError, TypeError) as error:
        raise Rejected(f"event {name!r} is not understood: {error}") from error
