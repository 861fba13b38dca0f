"""JSON lines between the conductor and the screen worker: what each message holds, for both ends.

Conductor to screen (`op`): `board`, `takeover`, `clear`, `caption`, `picture`, `ping`, `quit`.
Screen to conductor (`event`): `ready`, `showing`, `shown`, `pong`, `picture`, `failed`.

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

from agent.screen.errors import Rejected
from playlists.units import Seconds

MAX_ZONES: Final = 32
MAX_CAPTION: Final = 1_000
"""Characters."""
DEFAULT_TURN_S: Final = Seconds(15.0)

ClassName = Literal["routine", "priority", "emergency"]
Status = Literal["Actual", "Exercise", "Test"]
ThemeName = Literal["dark", "light"]
Fit = Literal["contain", "cover"]

CLASSES: Final[tuple[ClassName, ...]] = ("routine", "priority", "emergency")
STATUSES: Final[tuple[Status, ...]] = ("Actual", "Exercise", "Test")
THEMES: Final[tuple[ThemeName, ...]] = ("dark", "light")
FITS: Final[tuple[Fit, ...]] = ("contain", "cover")


# -- conductor → screen ------------------------------------------------------------------------------


@dataclass(frozen=True)
class TextPart:
    """A notice to be set in type."""

    heading: str = ""
    body: str = ""
    qr: str | None = None


@dataclass(frozen=True)
class ImagePart:
    """A picture on disk."""

    path: str
    fit: Fit = "contain"
    caption: str = ""


@dataclass(frozen=True)
class Bulletin:
    """One bulletin of a zone; `duration_s` is the length of its turn, `weight` its share of the turns."""

    id: str
    class_: ClassName = "routine"
    language: str = "vi"
    duration_s: Seconds = DEFAULT_TURN_S
    weight: int = 1
    text: TextPart | None = None
    image: ImagePart | None = None


@dataclass(frozen=True)
class Zone:
    """A rectangle of the grid (column, row, width, height in cells) and what is shown in it."""

    id: str
    kind: str
    at: tuple[int, int, int, int]
    bulletins: tuple[Bulletin, ...] = ()


@dataclass(frozen=True)
class Board:
    """All that is to be seen while there is no takeover."""

    layout: str
    grid: tuple[int, int]
    zones: tuple[Zone, ...]
    timezone: str = "Asia/Ho_Chi_Minh"
    theme: ThemeName | None = None
    """None: the theme that the worker was started with."""
    clock_known: bool = True
    """False: the node does not know the time, and the clock says so instead of a wrong one."""


@dataclass(frozen=True)
class Takeover:
    """What covers everything: the words that are being spoken."""

    id: str
    class_: ClassName
    event: str
    headline: str
    text: str
    status: Status = "Actual"


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


Message = SetBoard | TakeOver | Clear | SetCaption | TakePicture | Ping | Quit


def worker_command(
    driver: str | None, size: tuple[int, int] | None, *, fullscreen: bool = True, theme: ThemeName = "dark"
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


Event = Ready | Showing | Shown | Pong | PictureTaken | Failed


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
        for pair in ("size", "showing"):
            if isinstance(fields.get(pair), list):
                fields[pair] = tuple(fields[pair])
        known: dict[Any, type[Event]] = {
            kind.event: kind for kind in (Ready, Showing, Shown, Pong, PictureTaken, Failed)
        }
        return known[name](**fields)
    except (KeyError, TypeError) as error:
        raise Rejected(f"event {name!r} is not understood: {error}") from error
