"""Checks of the configuration: valid, its files there and readable by the daemon, secrets secret."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.config import Config, ConfigError
from agent.config.files import files_of_sources, named_files
from agent.doctor.account import own_account
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import ACCOUNT, Machine
from agent.words import N_, _, ngettext


@dataclass(frozen=True, slots=True)
class Loaded:
    """The file, and all that is wrong with it."""

    path: Path
    problems: Sequence[str]


def probe_config(machine: Machine) -> Loaded:
    """Read it as the daemon does.

    Raises:
        PermissionError: this user may not.
    """
    error = machine.config_error()
    if error is not None and isinstance(error.__cause__, PermissionError):
        raise error.__cause__
    return Loaded(machine.config_path, _lines(error))


def _lines(error: ConfigError | None) -> list[str]:
    return [str(problem) for problem in error.problems] if error is not None else []


def judge_config(found: Loaded) -> Finding:
    """All of it, or nothing."""
    if not found.problems:
        return ok(_("{path} is valid").format(path=found.path))
    more = len(found.problems) - 1
    text = found.problems[0] + (_(" (and {more} more)").format(more=more) if more else "")
    if not found.path.exists():
        return fault(_("{path} is not there").format(path=found.path), _("sudo loa setup"))
    return fault(text, _("see all of it: loa check-config"))


@dataclass(frozen=True, slots=True)
class File:
    """A file that the configuration names, as the daemon sees it."""

    section: str
    key: str
    path: Path
    wrong: str | None
    """`missing`, `empty`, `unreadable`, or `open`: a secret that others may read."""


def probe_files(machine: Machine) -> list[File]:
    """Look at each as the daemon's account would."""
    config, account = machine.config, machine.account or own_account()
    found = []
    wrong: str | None
    for file in [*named_files(config), *files_of_sources(config)]:
        try:
            state = file.path.stat()
            if state.st_size == 0:
                wrong = "empty"
            elif not account.may_read(file.path):
                wrong = "unreadable"
            else:
                wrong = "open" if file.secret and state.st_mode & stat.S_IRWXO else None
        except FileNotFoundError:
            wrong = "missing"
        found.append(File(file.section, file.key, file.path, wrong))
    return found


def judge_files(found: Sequence[File]) -> Finding:
    """One that is missing keeps the node from starting."""
    remedies = {
        "missing": (_("{path} is not there"), _("put it there: {section} {key} names it")),
        "empty": (_("{path} is empty"), _("put it there anew: {section} {key} names it")),
        "unreadable": (
            _("the agent may not read {path}"),
            _("sudo chgrp {account} {path}; sudo chmod g+r {path}"),
        ),
    }
    for file in found:
        if file.wrong in remedies:
            text, remedy = remedies[file.wrong]
            words = {"path": file.path, "section": file.section, "key": file.key, "account": ACCOUNT}
            return fault(text.format(**words), remedy.format(**words))
    if not found:
        return absent(_("names no file"))
    return ok(
        ngettext("{count} file is there", "{count} files are there", len(found)).format(count=len(found))
    )


def judge_secrets(found: Sequence[File]) -> Finding:
    """A password that everybody on the machine may read is none."""
    for file in found:
        if file.wrong == "open":
            return warning(
                _("others may read {path}").format(path=file.path),
                _("sudo chmod o= {path}").format(path=file.path),
            )
    return ok(_("secrets are for the agent only")) if found else absent(_("names no file"))


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the node could speak to, show on, and be reached by."""

    zones: int
    screen: bool
    feeds: int
    broker: bool


def probe_outputs(machine: Machine) -> Outputs:
    """From the configuration."""
    config: Config = machine.config
    return Outputs(len(config.zones), config.screen.enabled, len(config.feeds), config.broker is not None)


def judge_outputs(found: Outputs) -> Finding:
    """A configuration can be valid and mean nothing."""
    if not found.zones and not found.screen:
        return fault(
            _("no loudspeaker and no board: it can do nothing"), _("add [[zones]] or [screen]: loa setup")
        )
    if not found.feeds:
        return fault(
            _("it follows no feed: nothing is ever planned"), _("add [[feeds]]: loa enroll or loa setup")
        )
    if not found.broker:
        return warning(
            _("no broker: no announcements by hand, and nobody hears of faults"),
            _("add [broker]: loa enroll or loa setup"),
        )
    board = _(", and a board") if found.screen else ""
    zones = ngettext("{count} zone", "{count} zones", found.zones).format(count=found.zones)
    feeds = ngettext("{count} feed", "{count} feeds", found.feeds).format(count=found.feeds)
    return ok(f"{zones}, {feeds}{board}")


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("config", "configuration", N_("configuration is valid"), probe_config, judge_config),
    Check("config-files", "configuration", N_("files that it names"), probe_files, judge_files),
    Check("secrets", "configuration", N_("secrets are secret"), probe_files, judge_secrets),
    Check("outputs", "configuration", N_("something to speak to, and from"), probe_outputs, judge_outputs),
)
