"""From a board to the areas on the screen: each zone gets its box, and the largest one its controls."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.screen.clock import ClockArea
from agent.screen.content import Board, Zone
from agent.screen.controls import ControlsArea, with_controls
from agent.screen.grid import Box, place
from agent.screen.manner import Manner
from agent.screen.stage import Stage
from agent.screen.ticker import TickerArea
from agent.screen.wishes import Wishes, largest_zone
from agent.screen.zones import BulletinArea
from playlists.units import MonotonicS

ZoneArea = BulletinArea | TickerArea | ClockArea | ControlsArea


@dataclass
class Arrangement:
    """The areas of a board, and what residents ask them with."""

    areas: list[ZoneArea] = field(default_factory=list)
    wishes: Wishes | None = None
    controls: ControlsArea | None = None
    refused: list[str] = field(default_factory=list)
    """Zones that have no place, with the reason."""


def arrange(
    board: Board, size: tuple[int, int], stage: Stage, manner: Manner, now: MonotonicS
) -> Arrangement:
    """Give each zone of a board its place on a screen of `size` pixels."""
    placed, refused = place(board.zones, board.grid, size, stage.style.sizes.gap)
    found = Arrangement(
        refused=[f"zone {zone.id!r} overlaps zone {taken.id!r} and is left out" for zone, taken in refused]
    )
    largest = largest_zone(placed)
    for zone, place_ in placed:
        box, bar = place_, None
        if manner.touch and zone is largest:
            box, bar = with_controls(place_, size[1], stage.style.sizes.gap)
        area = _area(zone, box, stage, now)
        found.areas.append(area)
        if zone is largest and isinstance(area, BulletinArea):
            found.wishes = Wishes(area)
        if bar is not None and found.wishes is not None:
            found.controls = ControlsArea(bar, found.wishes, stage, now)
            found.areas.append(found.controls)
    return found


def _area(zone: Zone, box: Box, stage: Stage, now: MonotonicS) -> ZoneArea:
    if zone.kind == "ticker":
        return TickerArea(zone, box, stage, now)
    if zone.kind == "clock":
        return ClockArea(zone, box, stage, now, stage.timezone, known=stage.clock_known)
    return BulletinArea(zone, box, stage, now)
