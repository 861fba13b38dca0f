"""How sections and values are shown to a technician: short, as in the file, and never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.config.errors import Problem
from agent.config.lines import Place

Located = tuple[Place, Problem]

MASK = "***"
_SHOWN = 60
_SECRET = re.compile(r"pass(word|wd|phrase)?|secret|token|api_?key", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s\"]*@")


def is_secret(key: str) -> bool:
    """Whether a key of this name may hold a secret, so that its value must not be shown."""
    return bool(_SECRET.search(key)) and not key.endswith("_file")


def shown(key: str, value: Any) -> str:
    """The value as TOML writes it, shortened; `***` for what may be a secret."""
    if is_secret(key):
        return MASK
    text = without_userinfo(_toml(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def without_userinfo(text: str) -> str:
    """The text with `***` for user and password in URLs."""
    return _USERINFO.sub(MASK + "@", text)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {MASK if is_secret(key) else _toml(v)}" for key, v in value.items())
        return "{" + inner + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return str(value)


def located(
    document: Mapping[str, Any], section: str, index: int, key: str, message: str, *, hint: str = ""
) -> Located:
    """A problem with one key of `document`, with its value if it is there, and its place in the file."""
    part = document.get(section)
    name = f"[{section}]"
    if isinstance(part, list):
        entry = part[index] if index < len(part) else None
        title = entry.get("name") if isinstance(entry, Mapping) else None
        name = f"[[{section}]] " + (
            json.dumps(title, ensure_ascii=False) if isinstance(title, str) else f"number {index + 1}"
        )
        part = entry
    value = shown(key, part[key]) if isinstance(part, Mapping) and key in part else None
    return (section, index, key), Problem(name, key, value, message, hint)
