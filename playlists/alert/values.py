"""Single values of a CAP message, from the text of their elements. Each raises ValueError for what is none."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)


def one_of(values: type[E]) -> Callable[[str], E]:
    """A reader of the words of an enumeration."""

    def read(text: str) -> E:
        if text not in list(values):
            raise ValueError(f"is none of {', '.join(values)}")
        return values(text)

    return read


def language(text: str) -> str:
    """A language tag (RFC 3066 in the standard)."""
    tag = text.replace("_", "-")
    if len(tag) > 35 or not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", tag):
        raise ValueError("is not a language tag")
    return tag


def moment(text: str) -> datetime:
    """A date and time with its offset."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("needs an offset to UTC")
    if not 2000 <= found.year < 2200:
        raise ValueError("lies outside the years 2000 to 2199")
    return found


def point(text: str) -> tuple[float, float]:
    """Latitude and longitude in degrees, WGS 84."""
    latitude, longitude = (float(part) for part in text.split(","))
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("a point lies outside the globe")
    return latitude, longitude


def polygon(text: str) -> tuple[tuple[float, float], ...]:
    """Points, the last of them the first."""
    points = tuple(point(part) for part in text.split())
    if len(points) < 4 or points[0] != points[-1]:
        raise ValueError("a polygon has at least four points and ends where it began")
    return points


def circle(text: str) -> tuple[tuple[float, float], float]:
    """Centre, and radius in kilometres."""
    centre, radius = text.split()
    if not 0 <= float(radius) < 50_000:
        raise ValueError("a radius is a number of kilometres")
    return point(centre), float(radius)


def content(text: str) -> bytes:
    """What base64 text stands for; white space is layout."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"is not base64: {error}") from error


def feet(text: str) -> float:
    """A height."""
    height = float(text)
    if not -2_000 <= height <= 1_000_000:
        raise ValueError("is not a height in feet")
    return height


def byte_count(text: str) -> int:
    """A size; the standard calls it approximate."""
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError("is not a number of bytes")
    return int(text)


def names(text: str) -> tuple[str, ...]:
    """Names that are parted by space; one with a space in it stands in double quotes (§3.2.1)."""
    return tuple(quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', text))
