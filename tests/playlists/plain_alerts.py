"""Alerts, said plainly and slowly: which are in force, and whether a polygon has a point inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction

from playlists.alert import Alert


def in_force(received: Iterable[Alert], now: datetime) -> set[str]:
    """Identifiers of the alerts in force, whatever the order in which `received` came."""
    told = [
        m for m in received if m.status in ("Actual", "Exercise") and m.kind in ("Alert", "Update", "Cancel")
    ]
    return {
        one.identifier
        for one in told
        if one.kind != "Cancel"
        and one.infos
        and one.expires > now
        and not any(
            (one.sender, one.identifier) == (r.sender, r.identifier)
            for m in told
            if m.status == one.status and m.sender == one.sender and m.level >= one.level
            for r in m.references
        )
    }


def winds_around(point: tuple[int, int], polygon: Sequence[tuple[int, int]]) -> bool:
    """Whether a polygon in the plane winds around a point an odd number of times; exact, no point on an edge.

    The half-line from the point to the east is tilted upwards by less than any vertex could notice.
    """
    y, x = Fraction(point[0]), Fraction(point[1])
    crossed = 0
    for (y1, x1), (y2, x2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if y1 == y2 or not min(y1, y2) <= y < max(y1, y2):
            continue
        crossed += Fraction(x1) + (y - y1) * Fraction(x2 - x1, y2 - y1) > x
    return crossed % 2 == 1
