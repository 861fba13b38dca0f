"""What systemd knows of a daemon that does not answer: since when, how it ended, its last line."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from agent.cli.basics import EXIT_DENIED, EXIT_FAILED, EXIT_NOT_RUNNING, local
from agent.cli.wrong import tell
from agent.control.client import ControlError, Denied, NotRunning
from agent.words import _, retell

UNIT = "loa-agent"
PATIENCE_S = 3.0
EXIT_CONFIG = 2
"""`loa run` ends so when the configuration is wrong."""


@dataclass(frozen=True, slots=True)
class Down:
    """What could be found out; None for what could not."""

    state: str | None = None
    """ActiveState of systemd: inactive, failed, activating, …"""
    installed: bool | None = None
    since: str | None = None
    exit_code: int | None = None
    last_line: str | None = None

    @property
    def remedy(self) -> str:
        """What to do now."""
        if self.installed is False:
            return _("it is not installed as a service: sudo ./systemd/install.sh")
        if self.exit_code == EXIT_CONFIG:
            return _("the configuration is wrong: loa check-config; then: sudo systemctl start loa-agent")
        if self.state in ("activating", "failed"):
            return _("it ends again and again; see why: journalctl -u loa-agent -n 50")
        if self.state == "active":
            return _("systemd says that it runs, yet it does not answer: journalctl -u loa-agent -n 50")
        return _("start it: sudo systemctl start loa-agent")

    @property
    def text(self) -> str:
        """What is the matter."""
        text = _("the agent is not running")
        if self.since is not None:
            text = _("the agent is not running since {moment}").format(moment=local(self.since))
        if self.exit_code:
            text += " " + _("(it ended with code {code})").format(code=self.exit_code)
        return text

    @property
    def last(self) -> list[str]:
        """The last line that it wrote, where it is known."""
        return [_("last line: {line}").format(line=retell(self.last_line))] if self.last_line else []

    def lines(self) -> list[str]:
        """For a person: what is the matter, the last line, what to do."""
        return [self.text, *self.last, f"→ {self.remedy}"]

    def facts(self) -> dict[str, Any]:
        """For a script."""
        return {"running": False, "verdict": "not-running", **asdict(self)}


def why_not(error: ControlError) -> list[str]:
    """Why the daemon gave no answer, and what to do, as lines for a person."""
    if not isinstance(error, NotRunning):
        return [f"✗ {retell(str(error))}"]
    first, *rest = find_out().lines()
    return [f"✗ {first}", *rest]


def say_why(error: ControlError) -> int:
    """Tell why the daemon gave no answer, and what to do; returns what the command ends with."""
    if isinstance(error, NotRunning):
        down = find_out()
        tell(down.text, down.remedy, details=down.last, facts=down.facts())
        return EXIT_NOT_RUNNING
    tell(str(error))
    return EXIT_DENIED if isinstance(error, Denied) else EXIT_FAILED


def find_out() -> Down:
    """Ask systemd and journald; what they do not know stays unknown."""
    shown = _output(
        "systemctl", "show", UNIT, "--timestamp=unix",
        "-p", "LoadState,ActiveState,InactiveEnterTimestamp,ExecMainExitTimestamp,ExecMainStatus",
    )  # fmt: skip
    unit = dict(line.partition("=")[::2] for line in (shown or "").splitlines())
    if not unit.get("LoadState"):
        return Down()
    ended = _moment(unit.get("InactiveEnterTimestamp")) or _moment(unit.get("ExecMainExitTimestamp"))
    status = unit.get("ExecMainStatus", "")
    return Down(
        state=unit.get("ActiveState"),
        installed=unit["LoadState"] != "not-found",
        since=ended,
        exit_code=int(status) if ended and status.isdigit() else None,
        last_line=_last_line(),
    )


def _last_line() -> str | None:
    text = _output("journalctl", "-u", UNIT, "-n", "1", "-o", "json", "--output-fields=MESSAGE", "--no-pager")
    try:
        message = json.loads(text or "null")
    except ValueError:
        return None
    said = message.get("MESSAGE") if isinstance(message, dict) else None
    return " ".join(said.split())[:300] if isinstance(said, str) else None


def _moment(text: str | None) -> str | None:
    """A moment of `--timestamp=unix`, which systemd writes as `@1795873632`."""
    try:
        return datetime.fromtimestamp(int((text or "").removeprefix("@"))).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _output(*argv: str) -> str | None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None
