"""Tries a version before it is put in force: beside the node that runs, without its hardware, feeds or broker.

Only what every version has is used: the commands `loa --version`, `loa check-config` and `loa run`, and
`python -m drivers.safe`.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.update.errors import Failed

USER = "loa"
COMMAND_WITHIN_S = 120.0
END_WITHIN_S = 30.0

_CONFIG = """\
[node]
id = "tryout"
site = "tryout"
[paths]
state = "state"
cache = "cache"
runtime = "run"
[audio]
output = "file"
device = "out.wav"
[hardware]
gpio = "fake"
[[relays]]
name = "amplifier"
pin = 17
active = "low"
[[zones]]
name = "all"
relays = ["amplifier"]
[screen]
enabled = {screen}
driver = "dummy"
size = [640, 360]
"""


def try_out(folder: Path, version: str, config: Path, *, screen: bool, ready_s: float) -> None:
    """See that a version starts, understands this node's configuration, becomes ready within `ready_s`, and ends.

    Raises:
        Failed: it does not; the text says what it said.
        OSError: there is no room to try it.
    """
    loa = folder / "bin/loa"
    said = _run([loa, "--version"], "does not start")
    if said.split()[-1:] != [version]:
        raise Failed(f"release {version} calls itself {said.strip()!r:.80}")
    _run([folder / "bin/python", "-m", "drivers.safe", "--help"], "cannot switch relays off")
    _run([loa, "check-config", "--config", config], "does not take this node's configuration")
    with tempfile.TemporaryDirectory(prefix="loa-tryout-") as name:
        place = Path(name)
        (place / "config.toml").write_text(_CONFIG.format(screen=str(screen).lower()), encoding="utf-8")
        _hand_over(place)
        _start(loa, place, ready_s)


def completion_of(folder: Path) -> str:
    """What the shell completes the words of `loa` with; empty if the version says nothing of the kind."""
    try:
        return _run([folder / "bin/loa"], "", {"_LOA_COMPLETE": "source_bash"})
    except Failed:
        return ""


def _start(loa: Path, place: Path, ready_s: float) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, (place / "log").open("w+b") as log:
        notify.bind(str(place / "notify"))
        _hand_over(place / "notify")
        node = subprocess.Popen(
            [loa, "run", "--config", place / "config.toml"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # LOA_ROOT: it must not take the update that tries it for one of its own
            **_as_user({"NOTIFY_SOCKET": str(place / "notify"), "HOME": str(place), "LOA_ROOT": str(place)}),
        )
        try:
            _await_ready(node, notify, ready_s)
            node.terminate()
            code = node.wait(END_WITHIN_S)
            if code != 0:
                raise Failed(f"the new version ends with code {code}: {_last_line(log)}")
        except subprocess.TimeoutExpired as error:
            raise Failed(f"the new version does not end within {END_WITHIN_S:.0f} s") from error
        except TimeoutError as error:
            raise Failed(f"the new version is not ready: {_last_line(log)}") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGKILL)
            node.wait()


def _await_ready(node: subprocess.Popen[bytes], notify: socket.socket, ready_s: float) -> None:
    """Wait for READY=1 (sd_notify(3)).

    Raises:
        TimeoutError: it did not come in time, or the node has ended.
    """
    waited_s = 0.0
    notify.settimeout(0.5)
    while waited_s < ready_s:
        try:
            if b"READY=1" in notify.recv(4_096).splitlines():
                return
        except TimeoutError:
            waited_s += 0.5
            if node.poll() is not None:
                raise
    raise TimeoutError


def _run(command: Sequence[str | Path], what: str, environment: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_WITHIN_S,
            **_as_user({"HOME": "/nonexistent", **(environment or {})}),
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"the new version {what}: no answer within {COMMAND_WITHIN_S:.0f} s") from error
    except OSError as error:
        raise Failed(f"the new version {what}: {error}") from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise Failed(f"the new version {what}: {lines[-1].strip() if lines else done.returncode!r:.300}")
    return str(done.stdout)


def _as_user(environment: dict[str, str]) -> dict[str, Any]:
    """How a process is started as the daemon's user, with little else of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LOA_ROOT") if name in os.environ}
    how: dict[str, Any] = {"env": {**kept, "PYTHONDONTWRITEBYTECODE": "1", **environment}, "cwd": "/"}
    if (user := _user()) is not None:
        groups = [group.gr_gid for group in grp.getgrall() if USER in group.gr_mem]
        how |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}
    return how


def _user() -> pwd.struct_passwd | None:
    """The daemon's account; None where we cannot become it."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return None


def _hand_over(path: Path) -> None:
    if (user := _user()) is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def _last_line(log: Any) -> str:
    log.seek(0)
    lines = [line for line in log.read()[-20_000:].decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it says nothing"
