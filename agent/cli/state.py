"""`loa status` and `loa faults`. No typer here: they are answered without it, see `agent.cli.main`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agent.cli import tell
from agent.cli.basics import EXIT_FAILED, local, paint, print_json, socket_path
from agent.cli.page import columns, rows, wrapped
from agent.cli.wrong import for_script
from agent.control.client import ControlError, ask
from agent.words import _, ngettext, retell


def status(*, as_json: bool) -> int:
    """Print how the node is; returns the exit code."""
    for_script(as_json)
    try:
        reply = ask(socket_path(), "status")
    except ControlError as error:
        return _say_why(error)
    found = tell.findings(reply)
    verdict = tell.verdict(found)
    if as_json:
        print_json(tell.document(reply, found))
        return tell.EXIT_CODES[verdict]
    width = columns()
    node = reply["node"]
    number = " · " + _("no. {number}").format(number=node["public_number"]) if node["public_number"] else ""
    title = f"{tell.MARKS[verdict]} {node['id']} ({node['site']}){number} · {node['agent']}"
    for line in wrapped(title, width):
        print(paint(line, tell.COLOURS[verdict], bold=True))
    for line in rows(_state(reply), width):
        print(line)
    _print_findings(found, width)
    return tell.EXIT_CODES[verdict]


def faults(*, as_json: bool) -> int:
    """Print the faults that stand; returns the exit code."""
    for_script(as_json)
    try:
        reply = ask(socket_path(), "status")
    except ControlError as error:
        return _say_why(error)
    found = [finding for finding in tell.findings(reply) if finding.verdict == "fault"]
    if as_json:
        print_json([{"code": f.code, "since": f.since, "text": f.text, "remedy": f.remedy} for f in found])
    elif not found:
        print(_("no fault stands"))
    else:
        _print_findings(found, columns())
    return EXIT_FAILED if found else 0


def _say_why(error: ControlError) -> int:
    from agent.cli.down import say_why

    return say_why(error)


def _state(reply: dict[str, Any]) -> Iterator[tuple[str, str]]:
    health = reply["health"]
    yield _("speaks"), tell.audio(health)
    yield _("shows"), tell.screen(health)
    yield _("link"), retell(reply["link"])
    yield _("clock"), tell.clock(health)
    yield from tell.feeds(reply)
    yield _("relays"), tell.relays(health)
    if (test := health.get("self_test")) is not None:
        yield _("tested"), f"{_(test['verdict'])}, {local(test['at'])}: {retell(test['text'])}"
    yield from tell.controls(health)
    waiting = health["log"]["last"] - health["log"]["stored_through"]
    text = ngettext("{count} record waits for the centre", "{count} records wait for the centre", waiting)
    yield _("log"), text.format(count=waiting)
    count = len(health["faults"])
    yield _("faults"), _("none") if count == 0 else str(count)


def _print_findings(found: Sequence[tell.Finding], width: int) -> None:
    for finding in found:
        since = ", " + _("since {moment}").format(moment=local(finding.since)) if finding.since else ""
        head = f"{tell.MARKS[finding.verdict]} {finding.code}{since}"
        print(paint(head, tell.COLOURS[finding.verdict], bold=True))
        for line in (
            *wrapped(finding.text, width, "  ", "  "),
            *wrapped(finding.remedy, width, "  → ", "    "),
        ):
            print(line)
