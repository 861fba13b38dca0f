"""`loa --help` without the parser of command lines, which takes four times as long to load as this takes.

What it says lies in `agent/cli/summaries.py`, which `./dev words` makes from the commands; a test holds that both
ways print the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from textwrap import TextWrapper

from agent.cli.summaries import COMMANDS, HELP, OPTIONS, USAGE
from agent.words import _, width

WIDEST_COLUMNS = 100
NARROWEST_COLUMNS = 50
LEFT_COLUMNS = 22
"""As the parser's own help has it."""


def help_text() -> str:
    """The help of `loa` itself, as wide as the terminal."""
    columns = max(min(shutil.get_terminal_size().columns, WIDEST_COLUMNS) - 2, NARROWEST_COLUMNS)
    return "\n".join(_lines(columns))


def _lines(columns: int) -> Iterator[str]:
    head = _("Usage: ") + "loa "
    usage = " ".join(_(part) for part in USAGE)
    yield from TextWrapper(columns, initial_indent=head, subsequent_indent=" " * width(head)).wrap(usage)
    yield ""
    yield from TextWrapper(columns, initial_indent="  ", subsequent_indent="  ").wrap(_(HELP))
    for title, rows in ((_("Options"), OPTIONS), (_("Commands"), COMMANDS)):
        yield ""
        yield f"{title}:"
        left = min(max(width(name) for name, _text in rows), LEFT_COLUMNS) + 2
        for name, text in rows:
            words = TextWrapper(max(columns - left - 2, 10)).wrap(_(text))
            if width(name) > left - 2:
                yield f"  {name}"
            else:
                words[0] = name + " " * (left - width(name)) + words[0]
                yield f"  {words.pop(0)}"
            yield from (" " * (left + 2) + line for line in words)
