"""The wizard as plain questions, for a terminal that can do no more: one line in, a few lines out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.config import ConfigError
from agent.setup.questions import KEEP, Interview, Question
from agent.setup.telling import found
from agent.setup.trying import Outcome, Tryer
from agent.words import _

Read = Callable[[str], str]
"""Shows a prompt and gives a line; raises EOFError at the end of input."""
Write = Callable[[str], None]
Review = Callable[[Mapping[str, Any]], list[str]]
"""The difference that the changes make, as lines; raises ConfigError where they are not right."""

BACK = "<"
TRY = "!"


def converse(interview: Interview, tryer: Tryer, review: Review, read: Read, write: Write) -> bool:
    """Ask everything; whether the answers are to be written.

    Raises:
        EOFError: nobody answers any more.
    """
    for line in found(interview.machine):
        write(f"  {line}")
    write(
        _("{back} goes back, {try_} tries an answer, Ctrl+C leaves without writing.").format(
            back=BACK, try_=TRY
        )
    )
    while True:
        question = interview.question
        if question is not None:
            _ask(interview, question, tryer, read, write)
            continue
        if _review(interview, review, read, write):
            return True
        interview.back()


def _ask(interview: Interview, question: Question, tryer: Tryer, read: Read, write: Write) -> None:
    place, count = interview.place
    begin = interview.suggestion()
    write("")
    write(f"[{place}/{count}] {question.title}")
    write(question.text)
    keys = _keys(question)
    for key, option in zip(keys, question.options, strict=True):
        write(f"{'>' if option.value == begin else ' '}{key:>4}  {option.label}")
    shown = _shown(question, begin)
    hints = f" ({TRY}: {question.try_label})" if question.try_label else ""
    said = read(f"{hints.strip()} [{shown}]: ".lstrip()).strip()
    if said == BACK:
        interview.back()
        return
    if question.try_label and said.startswith(TRY):
        write(_try(question, _value(question, said[1:].strip(), begin), tryer, write))
        return
    problem = interview.answer(_value(question, said, begin))
    if problem is not None:
        write(f"! {problem}")


def _value(question: Question, said: str, begin: str) -> str:
    if not said:
        return begin
    if said == "-" and not question.options:
        return ""
    keys = _keys(question)
    return question.options[keys.index(said)].value if said in keys else said


def _shown(question: Question, begin: str) -> str:
    values = [option.value for option in question.options]
    return _keys(question)[values.index(begin)] if begin in values else begin


def _keys(question: Question) -> list[str]:
    """What is typed for each option: numbers of pins, degrees and the like as they are, others counted."""
    values = [option.value for option in question.options]
    if all(value.isdigit() or value == KEEP for value in values):
        return ["=" if value == KEEP else value for value in values]
    return [str(number) for number in range(1, len(values) + 1)]


def _try(question: Question, value: str, tryer: Tryer, write: Write) -> str:
    trial = question.trial(value) if question.problem(value) is None else None
    if trial is None:
        return _("there is nothing to try of this answer")
    write(_("trying …"))
    return told(tryer.try_(trial))


def told(outcome: Outcome) -> str:
    """An outcome as one line."""
    return ("✓ " if outcome.ok else "✗ ") + outcome.text


def _review(interview: Interview, review: Review, read: Read, write: Write) -> bool:
    write("")
    try:
        lines = review(interview.changes())
    except ConfigError as error:
        write(str(error))
        read(_("Enter goes back: "))
        return False
    for line in lines or [_("nothing changes")]:
        write(line)
    return read(_("Write this? Enter: yes, {back}: back ").format(back=BACK)).strip() != BACK
