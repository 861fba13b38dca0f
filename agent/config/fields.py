"""Types of single keys: units, bounds, and messages that a technician can act on.

TOML has types of its own, so nothing is guessed: `port = "8883"` is an error, not a number.
"""

from __future__ import annotations

import datetime as dt
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo

from playlists.streams import StreamHosts

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""Name of a node, feed, relay …: safe in a topic, a path and a shell line."""

Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]

_HOURS = re.compile(r"^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$")


def _hours(text: str) -> str:
    if not _HOURS.match(text):
        raise ValueError('must be a range of wall time like "05:00-21:00", from 00:00 to 24:00')
    begin, end = text.split("-")
    if begin in (end, "24:00"):
        raise ValueError(f'is an empty range; the whole day is "00:00-24:00" (found {text!r})')
    return text


Hours = Annotated[str, AfterValidator(_hours)]
"""`HH:MM-HH:MM` in the node's time zone: end excluded, may cross midnight."""


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError('must be a wall time like "09:00", from 00:00 to 23:59')
    return text


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
"""`HH:MM` in the node's time zone."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError('must be an IANA time zone like "Asia/Ho_Chi_Minh"') from error
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ValueError("must be a URL that begins with https:// or http:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not carry a user or password: secrets are kept in files of their own")
    return text


def _secure_address(text: str) -> str:
    parts = urlsplit(_address(text))
    if parts.scheme != "https" and not _is_own_machine(parts.hostname or ""):
        raise ValueError("must begin with https://; http:// is taken for a host on this machine only")
    return text


def _is_own_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


SecureAddress = Annotated[str, AfterValidator(_secure_address)]
"""Where one document is fetched: over https, or from this machine."""


def _url(text: str) -> str:
    parts = urlsplit(_address(text))
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or fragment: file names are appended to it")
    return text.rstrip("/")


Url = Annotated[str, AfterValidator(_url)]
"""Where a tree of files begins."""


def _link(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or len(text) > 300:
        raise ValueError("must be a URL of 300 characters at most that begins with https:// or http://")
    rest = text.replace("{node}", "").replace("{bulletin}", "")
    if "{" in rest or "}" in rest:
        raise ValueError("may hold {node} and {bulletin}, and no other braces")
    return text


Link = Annotated[str, AfterValidator(_link)]
"""A URL for residents; `{node}` and `{bulletin}` stand for what is filled in."""


def _stream_host(entry: str) -> str:
    StreamHosts.of((entry,))
    return entry


StreamHost = Annotated[str, AfterValidator(_stream_host)]
"""Who may send a stream, as `playlists.streams` reads it."""


def _path(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\x00" in value:
        raise ValueError("must be a path")
    base = (info.context or {}).get("base")
    path = Path(value)
    return base / path if base is not None else path


FilePath = Annotated[Path, BeforeValidator(_path)]
"""A path; a relative one starts at the folder of the configuration file."""


def _day(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else ""
    try:
        # a leap year, so that every year's 02-29 is a day as well
        dt.date.fromisoformat(text if len(text) == 10 else f"2028-{text}")
    except ValueError as error:
        raise ValueError('must be a day like "2027-06-28", or "06-28" for every year') from error
    return value


Day = Annotated[str, BeforeValidator(_day)]
"""`YYYY-MM-DD`, or `MM-DD` for every year; a TOML date is taken as well."""


def _geocode(text: str) -> str:
    system, _, value = text.rpartition("=")
    if not system.strip() or not value.strip():
        raise ValueError(f'must be a code and its system like "commune=16777" (found {text!r})')
    return text


Geocode = Annotated[str, AfterValidator(_geocode)]
"""`system=value`, as alerts name the area; the system may have an equals sign in it."""


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\]", text):
        raise ValueError(
            f"must be the name or address of a host, without scheme, port and path (found {text!r})"
        )
    return text.lower()


Host = Annotated[str, AfterValidator(_host)]


def _repeat(seconds: float) -> float:
    if 0 < seconds < 30:
        raise ValueError("must be 0, which tells an alert once, or at least 30 seconds")
    return seconds


Repeat = Annotated[float, Field(strict=True, ge=0, le=86_400), AfterValidator(_repeat)]
"""Seconds from one telling to the next; 0 for none."""
