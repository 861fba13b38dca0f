"""The page of `loa top`: what the daemon answers as rows of a screen. Pure: no terminal, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.cli import tell
from agent.cli.basics import local
from agent.cli.connection import amount
from agent.cli.page import clean, cut
from agent.words import _, ngettext, retell
from agent.words import width as cells

QUIETEST_DBFS = -60.0
METER_CELLS = 24
FEWEST_LOG_ROWS = 3
MOST_FAULTS = 3

_LOGGED = re.compile(r"[-\d]{10} ([:\d]{8}),\d+ ([A-Z]+) (?:loa\.)?(.*)", re.DOTALL)
_LEVELS = {"WARNING": "! ", "ERROR": "✗ ", "CRITICAL": "✗ "}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it says, and how: `plain`, `head`, `dim`, or the name of a verdict."""

    text: str
    look: str = "plain"


def overview(
    reply: dict[str, Any], before: dict[str, Any] | None, width: int, height: int, *, now: str
) -> list[Row]:
    """At most `height` rows of at most `width` columns. `before` is an earlier reply: CPU is what was used since."""
    found = tell.findings(reply)
    verdict = tell.verdict(found)
    node = reply["node"]
    number = " · " + _("no. {number}").format(number=node["public_number"]) if node["public_number"] else ""
    title = f"{tell.MARKS[verdict]} {node['id']} ({node['site']}){number}"
    title = cut(clean(title), width - cells(now) - 1)
    head = [Row(title + " " * (width - cells(title) - cells(now)) + now, verdict)]
    pairs = [*_pairs(reply, before), *_trouble(found)]
    left = max(cells(clean(label)) for label, _text, _look in pairs) + 2
    coming = _coming(reply)
    # what comes next gets more rows where there are more
    room = height - len(head) - len(pairs) - 1 - FEWEST_LOG_ROWS - 1
    shown = coming[: max(1, min(len(coming), room // 2 + 1))]
    labelled = [(_("next") if place == 0 else "", text, "plain") for place, text in enumerate(shown)]
    after = next((place for place, (label, *_rest) in enumerate(pairs) if label == _("relays")), len(pairs))
    body = [_row(*pair, left, width) for pair in (*pairs[:after], *labelled, *pairs[after:])]
    rows = [*head, *body][: height - 1]
    log_rows = height - len(rows) - 2
    if log_rows > 0:
        lines = [Row(cut(clean(_short(line)), width), "dim") for line in reply["lines"][-log_rows:]]
        rows += [Row("─" * width, "dim"), *lines]
    rows += [Row("")] * (height - 1 - len(rows))
    return [*rows, Row(cut(_("q: quit"), width), "dim")]


def _row(label: str, text: str, look: str, left: int, width: int) -> Row:
    label = clean(label)
    return Row(cut(label + " " * (left - cells(label)) + clean(text), width), look)


def _pairs(reply: dict[str, Any], before: dict[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    health = reply["health"]
    sounds = health["now"]["audio"] or {}
    yield _("speaks"), tell.audio(health), "plain"
    yield _("output"), meter(sounds.get("level_dbfs")), "plain"
    if "listener" in reply["workers"]:
        yield (
            _("heard"),
            meter(sounds.get("heard_dbfs")),
            "fault" if sounds.get("heard") is False else "plain",
        )
    yield _("shows"), tell.screen(health), "plain"
    yield _("relays"), tell.relays(health), "plain"
    for label, text in tell.controls(health):
        yield label, text, "warning"
    yield _("link"), _link(reply), "plain"
    yield _("clock"), tell.clock(health), "plain"
    yield _("work"), _workers(reply, before), "plain"


def _trouble(found: list[tell.Finding]) -> Iterator[tuple[str, str, str]]:
    for place, finding in enumerate(found[:MOST_FAULTS]):
        label = _("faults") if place == 0 else ""
        yield label, f"{finding.code}: {finding.text}", finding.verdict
        yield "", f"→ {finding.remedy}", "plain"
    if len(found) > MOST_FAULTS:
        more = len(found) - MOST_FAULTS
        text = ngettext("and {count} more: loa status", "and {count} more: loa status", more)
        yield "", text.format(count=more), "warning"


def meter(level_dbfs: float | None) -> str:
    """A bar from −60 dBFS to full scale, and the figure."""
    if level_dbfs is None:
        return "·" * METER_CELLS + "  –"
    share = 1.0 - max(QUIETEST_DBFS, min(0.0, level_dbfs)) / QUIETEST_DBFS
    full = round(share * METER_CELLS)
    return "█" * full + "·" * (METER_CELLS - full) + f"  {level_dbfs:.0f} dBFS"


def _link(reply: dict[str, Any]) -> str:
    parts = [retell(reply["link"])]
    broker = reply["broker"]
    if broker and broker["connected"] and broker["latency_ms"] is not None:
        parts.append(f"{broker['latency_ms']:.0f} ms")
    waiting = reply["waiting"]["records"]
    if waiting:
        parts.append(ngettext("{count} waits", "{count} wait", waiting).format(count=waiting))
    today = reply["today"]
    parts.append(f"↓{amount(today['received_bytes'])} ↑{amount(today['sent_bytes'])}")
    return " · ".join(parts)


def _workers(reply: dict[str, Any], before: dict[str, Any] | None) -> str:
    return " · ".join(_worker(name, reply, before) for name in reply["workers"])


def _worker(name: str, reply: dict[str, Any], before: dict[str, Any] | None) -> str:
    now = reply["workers"][name]
    if now is None:
        return f"{name} " + _("is down")
    memory = f"{now['memory_mb']:.0f} MB"
    then = (before or {}).get("workers", {}).get(name)
    passed_s = reply["at"] - before["at"] if before else 0.0
    if not then or then["pid"] != now["pid"] or passed_s <= 0:
        return f"{name} {memory}"
    return f"{name} {100.0 * (now['cpu_s'] - then['cpu_s']) / passed_s:.0f}% {memory}"


def _coming(reply: dict[str, Any]) -> list[str]:
    found = []
    for entry in reply["upcoming"]:
        note = f" ({retell(entry['refused'])})" if entry["refused"] else ""
        found.append(f"{local(entry['planned'], seconds=False)} {entry['title'] or entry['id']}{note}")
    return found or [_("nothing is planned")]


def _short(line: str) -> str:
    """A line of the agent's log (`2026-11-28 14:07:39,123 INFO loa.node: …`) shortened."""
    found = _LOGGED.fullmatch(line)
    return line if found is None else f"{found[1]} {_LEVELS.get(found[2], '')}{found[3]}"
