"""The running node as the updater sees it: through systemd and the control socket."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.control.client import ControlError, NotRunning, ask
from agent.update.errors import Failed

UNIT = "loa-agent.service"
ASK_WITHIN_S = 15.0
LOOK_EACH_S = 1.0
MOST_STARTS = 3
"""A version that was started so often and did not stay is left before its time is over: an emergency may wait."""


@dataclass(frozen=True)
class Patience:
    """How long the updater waits."""

    tried_s: float = 120.0
    """For a version that is only tried to be ready: a small machine is building and speaking meanwhile."""
    quiet_s: float = 5 * 3_600.0
    """For the node to be quiet. The unit ends the whole update after six hours."""
    quiet_each_s: float = 5.0
    healthy_s: float = 120.0
    """From its start for the new version to be healthy."""
    steady_s: float = 20.0
    """A version is healthy when it has been ready, and the same process, for so long."""


def restart_when_quiet(
    socket: Path, version: str, move: Callable[[], None], back: Callable[[], None], patience: Patience
) -> None:
    """Move the link and let the node restart, at a moment when nobody is being spoken to.

    The node itself ends when it is asked to, or says why not: between its answer and its end no event comes, so an
    emergency either is spoken first or finds the node that comes after.

    Args:
        socket: the node's control socket.
        version: for the node's log.
        move: puts the new version in force.
        back: takes that back.
        patience: how long to wait.

    Raises:
        Failed: the node was never quiet, or the link cannot be moved.
    """
    deadline = time.monotonic() + patience.quiet_s
    while True:
        why = _ask_to_restart(socket, version, really=False)
        if why is None:
            move()
            why = _ask_to_restart(socket, version, really=True)
            if why is None:
                return
            back()
        if time.monotonic() > deadline:
            raise Failed(f"the node was not quiet for {patience.quiet_s / 3_600:.1f} h: {why}")
        time.sleep(patience.quiet_each_s)


def _ask_to_restart(socket: Path, version: str, *, really: bool) -> str | None:
    """Why the node does not restart now; None when it does, or does not run."""
    try:
        if really:
            reply = ask(socket, "update-restart", timeout_s=ASK_WITHIN_S, version=version)
        else:
            reply = ask(socket, "quiet", timeout_s=ASK_WITHIN_S)
    except NotRunning:
        if not really:
            return None
        # whatever it was doing, it does no more: systemd is to start what is in force now
        systemctl("restart", "--no-block", UNIT)
        return None
    except ControlError as error:
        return str(error)
    why = reply.get("why")
    return None if why is None else str(why)


def await_health(socket: Path, version: str, patience: Patience) -> None:
    """Wait until the node has been ready, in this version, for a while.

    Raises:
        Failed: it has not been; the text says how far it came.
    """
    deadline = time.monotonic() + patience.healthy_s
    started: list[str] = []
    steady_since = 0.0
    why = "it was not started"
    while time.monotonic() < deadline:
        state = _show()
        pid, active = state.get("MainPID", "0"), state.get("ActiveState", "")
        if pid != "0" and pid not in started:
            started.append(pid)
        if active == "failed":
            raise Failed(f"{version} ended and is not started again ({state.get('Result', '?')})")
        answer = _version_at(socket) if active == "active" else None
        if answer == version and started[-1:] == [pid]:
            steady_since = steady_since or time.monotonic()
            if time.monotonic() - steady_since >= patience.steady_s:
                return
        else:
            steady_since = 0.0
            why = f"systemd says {active or 'nothing'}, the node {answer or 'does not answer'}"
        if len(started) > MOST_STARTS:
            raise Failed(f"{version} was started {MOST_STARTS} times and did not stay")
        time.sleep(min(LOOK_EACH_S, patience.steady_s / 4))
    raise Failed(f"{version} was not healthy within {patience.healthy_s:.0f} s: {why}")


def systemctl(*arguments: str) -> None:
    """Ask systemd.

    Raises:
        Failed: it refuses.
    """
    done = subprocess.run(["systemctl", *arguments], check=False, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise Failed(f"systemctl {' '.join(arguments)}: {done.stderr.strip()[:300] or done.returncode}")


def _show() -> dict[str, str]:
    done = subprocess.run(
        ["systemctl", "show", "-p", "ActiveState", "-p", "MainPID", "-p", "Result", UNIT],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def _version_at(socket: Path) -> str | None:
    try:
        reply = ask(socket, "status", timeout_s=ASK_WITHIN_S)
        return str(reply["node"]["agent"])
    except (ControlError, KeyError, TypeError):
        return None
