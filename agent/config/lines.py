"""Where in the file a key stands. tomllib does not tell, and a parser that does is too heavy for the daemon's
start, so this is a search: lines that it cannot place (dotted keys, exotic quoting) it leaves out."""

from __future__ import annotations

import re

Place = tuple[str, int, str]
"""Section, position in the array of tables (0 for a plain table), key; an empty key is the header."""

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*(?:([A-Za-z0-9_-]+)|"([^"]+)"|'([^']+)')\s*=""")


def find_lines(text: str) -> dict[Place, int]:
    """Line numbers, counted from 1, of section headers and of the keys right below them."""
    lines: dict[Place, int] = {}
    count: dict[str, int] = {}
    section, index = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = header[2]
            index = count.get(section, -1) + 1 if header[1] == "[[" else 0
            count[section] = index
            lines.setdefault((section, index, ""), number)
        elif key := _KEY.match(line):
            lines.setdefault((section, index, next(filter(None, key.groups()))), number)
    return lines
