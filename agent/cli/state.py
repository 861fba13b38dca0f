"""`loa status` and `loa faults`. No typer here: they are answered without it, see `agent.cli.main`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from agent.cli import tell
from agent.cli.basics import EXIT_DENIED, EXIT_FAILED, EXIT_NOT_RUNNING, local, paint, print_json, socket_path
from agent.cli.page import columns, rows, wrapped
from agent.control.client import ControlError, Denied, NotRunning, ask
from agent.words import _, ngettext, retell


class NoAnswer(Exception):  # noqa: N818 - says what is the matter
    """Error raised when the agent gave no answer; why has been said."""

    def __init__(self, code: int) -> None:
        """`code` is what the command ends with."""
        super().__init__(code)
        self.code = code


def status(*, as_json: bool) -> int:
    """Print how the node is; returns the exit code."""
    try:
        reply = ask_or_say_why_not("status", as_json=as_json)
    except NoAnswer as error:
        return error.code
    found = tell.findings(reply)
    verdict = tell.verdict(found)
    if as_json:
        listed = [{"verdict": f.verdict, "code": f.code, "text": f.text, "remedy": f.remedy} for f in found]
        print_json({"running": True, "verdict": verdict, "findings": listed, **reply})
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
    try:
        reply = ask_or_say_why_not("status", as_json=as_json)
    except NoAnswer as error:
        return error.code
    found = [finding for finding in tell.findings(reply) if finding.verdict == "fault"]
    if as_json:
        print_json([{"code": f.code, "since": f.since, "text": f.text, "remedy": f.remedy} for f in found])
    elif not found:
        print(_("no fault stands"))
    else:
        _print_findings(found, columns())
    return EXIT_FAILED if found else 0


def ask_or_say_why_not(op: str, *, as_json: bool) -> dict[str, Any]:
    """Ask the daemon; where none runs, say since when, its last line, and what to do.

    Raises:
        NoAnswer: there is none; why has been printed.
    """
    try:
        return ask(socket_path(), op)
    except NotRunning:
        from agent.cli.down import find_out

        down = find_out()
        if as_json:
            print_json(down.to_json())
        else:
            first, *rest = down.lines()
            for line in (f"loa: {first}", *rest):
                print("\n".join(wrapped(line, columns(), "", "  ")), file=sys.stderr)
        raise NoAnswer(EXIT_NOT_RUNNING) from None
    except ControlError as error:
        print(f"loa: {retell(str(error))}", file=sys.stderr)
        raise NoAnswer(EXIT_DENIED if isinstance(error, Denied) else EXIT_FAILED) from None


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
