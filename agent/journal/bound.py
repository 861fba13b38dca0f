"""The journal's bound on disk: what goes when it is reached."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from agent.journal.medium import Medium, Write, reporting

DROP_SHARE: Final = 20
"""At the bound, a twentieth of the records goes at a time."""

log = logging.getLogger("loa.journal")


def keep_bound(medium: Medium, max_bytes: int, now: datetime) -> None:
    """At the bound, drop what the centre has, then showings, then the oldest records; a loss is logged.

    Raises:
        Retry: the medium refuses.
    """
    pages, free, size = (
        medium.read(f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
    )
    if (pages - free) * size <= max_bytes:
        return
    if medium.read("SELECT 1 FROM records WHERE seq <= ? LIMIT 1", (medium.stored,)):
        medium.write([("DELETE FROM records WHERE seq <= ?", (medium.stored,))])
        return
    share = medium.read("SELECT count(*) FROM records")[0][0] // DROP_SHARE + 1
    what = "showings"
    rows = medium.read("SELECT seq FROM records WHERE kind = 'show' ORDER BY seq LIMIT ?", (share,))
    if not rows:
        what = "records"
        rows = medium.read("SELECT seq FROM records ORDER BY seq LIMIT ?", (share,))
    if not rows:
        return
    dropped = [seq for (seq,) in rows]
    count, first, last = len(dropped), dropped[0], dropped[-1]
    text = f"full at {max_bytes // 1_000_000} MB: {count} {what} dropped, seq {first} to {last}"
    log.error("journal: %s", text)
    delete: Write = [("DELETE FROM records WHERE seq = ?", (seq,)) for seq in dropped]
    medium.write(delete + reporting(text, now))
