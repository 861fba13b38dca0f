"""How findings are shown: by group, in 60 columns, what is wrong in full and what is well in a word."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from agent.doctor.checks import GROUPS
from agent.doctor.examine import Result
from agent.doctor.finding import Check, Finding, Verdict
from agent.words import N_, _, ngettext

COLUMNS: Final = 60

WORDS: Final[dict[Verdict, str]] = {
    Verdict.OK: N_("ok"),
    Verdict.WARNING: N_("warning"),
    Verdict.FAULT: N_("FAULT"),
    Verdict.ABSENT: N_("not here"),
}

COLOURS: Final[dict[Verdict, str]] = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAULT: "red",
    Verdict.ABSENT: "bright_black",
}

Paint = Callable[[str, str], str]
"""Gets a text and a colour."""

_WRONG: Final = (Verdict.WARNING, Verdict.FAULT)


def lines(results: Sequence[Result], *, all_of_it: bool, paint: Paint) -> Iterator[str]:
    """The report, line by line."""
    width = max(len(_(name)) for name in GROUPS.values())
    for group, name in GROUPS.items():
        mine = [result for result in results if result.check.group == group]
        if not mine:
            continue
        shown = [result for result in mine if all_of_it or result.finding.verdict in _WRONG]
        well = sum(result.finding.verdict is Verdict.OK for result in mine)
        looked = sum(result.finding.verdict is not Verdict.ABSENT for result in mine)
        count = f"{well}/{looked}" if looked else _(WORDS[Verdict.ABSENT])
        colour = COLOURS[worst(mine)]
        yield f"{_(name):<{width}}  {paint(count, colour)}"
        for result in shown:
            yield from entry(result.check.id, result.finding, paint, "  ")
    yield summary(results)


def entry(name: str, finding: Finding, paint: Paint, indent: str = "") -> Iterator[str]:
    """One finding: verdict, name and text, then the remedy."""
    word = _(WORDS[finding.verdict])
    head = f"{indent}{word} {name}: "
    body = textwrap.wrap(head + finding.text, COLUMNS, subsequent_indent=indent + "  ")
    body[0] = body[0].replace(word, paint(word, COLOURS[finding.verdict]), 1)
    yield from body
    if finding.remedy:
        yield from textwrap.wrap(
            finding.remedy,
            COLUMNS,
            initial_indent=indent + "  → ",
            subsequent_indent=indent + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def catalogue(checks: Sequence[Check[Any]]) -> Iterator[str]:
    """All checks by group, each with what it looks at."""
    for group, name in GROUPS.items():
        mine = [check for check in checks if check.group == group]
        if mine:
            yield _(name)
        for check in mine:
            head = f"  {check.id:<15} "
            yield from textwrap.wrap(head + _(check.looks_at), COLUMNS, subsequent_indent=" " * len(head))


def worst(results: Sequence[Result]) -> Verdict:
    """The gravest verdict."""
    order = (Verdict.FAULT, Verdict.WARNING, Verdict.OK)
    found = {result.finding.verdict for result in results}
    return next((verdict for verdict in order if verdict in found), Verdict.ABSENT)


def summary(results: Sequence[Result]) -> str:
    """One line."""
    counts = {verdict: sum(result.finding.verdict is verdict for result in results) for verdict in Verdict}
    faults = ngettext("{count} fault", "{count} faults", counts[Verdict.FAULT])
    warnings = ngettext("{count} warning", "{count} warnings", counts[Verdict.WARNING])
    return _("{faults}, {warnings}, {ok} ok, {absent} not here").format(
        faults=faults.format(count=counts[Verdict.FAULT]),
        warnings=warnings.format(count=counts[Verdict.WARNING]),
        ok=counts[Verdict.OK],
        absent=counts[Verdict.ABSENT],
    )


def document(results: Sequence[Result]) -> dict[str, Any]:
    """For scripts. Identifiers and verdicts are stable, texts are not."""
    return {
        "verdict": worst(results),
        "checks": [
            {
                "id": result.check.id,
                "group": result.check.group,
                "verdict": result.finding.verdict,
                "text": result.finding.text,
                "remedy": result.finding.remedy or None,
            }
            for result in results
        ],
    }
