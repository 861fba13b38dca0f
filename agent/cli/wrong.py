"""What went wrong, told in one way by every command: wrapped for a person, one JSON object for a script.

No typer here: `loa status` is answered without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from agent.cli.basics import print_json
from agent.cli.page import NARROWEST_COLUMNS, WIDEST_COLUMNS, wrapped
from agent.words import retell

_SCRIPT: ContextVar[bool] = ContextVar("loa_script", default=False)


def for_script(asked: bool) -> bool:
    """Remember, for what this process tells from now on, whether a script asked (`--json`); returns `asked`."""
    _SCRIPT.set(asked)
    return asked


def script_asked() -> bool:
    """Whether a script asked: standard output is one JSON document then, also of what went wrong."""
    return _SCRIPT.get()


def tell(
    text: str, remedy: str = "", *, details: Sequence[str] = (), facts: dict[str, Any] | None = None
) -> None:
    """Say what is wrong, in the reader's language where the catalogue knows the sentence.

    A person reads `text`, `details` and `remedy` on standard error, as wide as the terminal there. A script gets one
    object on standard output: `error`, `remedy` (null for none) and the `facts`.
    """
    text, remedy = retell(text), retell(remedy)
    if script_asked():
        print_json({"error": text, "remedy": remedy or None, **(facts or {})})
        return
    lines = [f"loa: {text}", *details, *([f"→ {remedy}"] if remedy else [])]
    sys.stderr.write("".join(f"{line}\n" for line in fitted("\n".join(lines), _columns())))


def fitted(text: str, columns: int | None) -> list[str]:
    """The lines of `text`, each wrapped below itself; as they are where `columns` is None."""
    if columns is None:
        return text.splitlines()
    lines: list[str] = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines += wrapped(line.lstrip(), columns, indent, indent + "  ")
    return lines


def _columns() -> int | None:
    """How wide the terminal is that shows what is wrong ($COLUMNS goes first); None for none: in a log, a message is
    one line."""
    try:
        wide = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stderr.fileno()).columns)
    except (OSError, ValueError):  # no terminal, or what stands for one in a test
        return None
    return max(NARROWEST_COLUMNS, min(WIDEST_COLUMNS, wide))
