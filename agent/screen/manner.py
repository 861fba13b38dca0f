"""How a screen hangs and what its owner wants of it: set once, for the worker's whole life. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Final

from agent.screen.errors import Rejected
from playlists.units import Seconds

TURNS: Final = (0, 90, 180, 270)
LOOK_EACH_S: Final = Seconds(10.0)


@dataclass(frozen=True)
class Manner:
    """What the worker is started with, besides driver and size."""

    rotate: int = 0
    """Degrees clockwise that the picture is turned, because the screen is mounted so: 0, 90, 180 or 270."""
    overscan_percent: float = 0.0
    """Share of each side that the television cuts off; nothing is drawn there."""
    shift_px: int = 0
    """How far the picture wanders, each few minutes, against burn-in; 0: it stays."""
    transitions: bool = True
    touch: bool = False
    """Whether residents can press the glass: then there are controls on it."""
    colours: Mapping[str, str] = field(default_factory=dict)
    """Colours of the theme that are the owner's own, by their names in `Theme`, as `#rrggbb`."""
    emblem: str | None = None
    """Path of the picture that stands at the head of the ticker."""
    look_each_s: Seconds = LOOK_EACH_S
    """How often it is looked whether the screen shows what was drawn."""

    def to_json(self) -> str:
        """What stands on the worker's command line."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_manner(text: str) -> Manner:
    """Understand what `Manner.to_json` wrote.

    Raises:
        Rejected: it is something else.
    """
    try:
        values = json.loads(text)
        unknown = set(values) - {one.name for one in fields(Manner)}
        manner = Manner(**values)
    except (ValueError, TypeError) as error:
        raise Rejected(f"manner: {error}") from error
    if unknown or manner.rotate not in TURNS:
        raise Rejected(f"manner: rotate is one of {TURNS}, found {manner.rotate!r}")
    return manner
