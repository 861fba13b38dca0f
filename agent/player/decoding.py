"""The decoder, seen from its parent: one call, with a deadline on progress."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.files import must_have_room
from agent.player.protocol import PlayerError
from playlists.units import Seconds

STALLED_AFTER_S: Final = Seconds(10.0)
_LOOK_EVERY_S: Final = 0.05
_LOG_TAIL: Final = 300


class Undecodable(PlayerError, ValueError):  # noqa: N818 - says what is the matter
    """Error raised when a file cannot be made to sound. Remedy: reject it; publish another one."""


class TooLong(Undecodable):
    """Error raised when the sound in a file takes more room than there is for it."""


@dataclass(frozen=True)
class Decoded:
    """What came out of a file. `peak` is a factor of full scale."""

    duration_s: Seconds
    peak: float


def decode_to_file(
    source: Path, target: Path, max_bytes: int, stalled_after_s: float = STALLED_AFTER_S
) -> Decoded:
    """Decode a file to 48 kHz mono PCM in a process of its own; blocks until it is done.

    Raises:
        Undecodable: nothing could be decoded, the decoder crashed, or it made no progress for
            `stalled_after_s` and was killed. `target` is removed.
        TooLong: the PCM grew beyond `max_bytes`. `target` is removed.
        OSError: `target` cannot be written, or not to its end: the disk is full.
    """
    target.touch()  # where nothing can be written the recording is not to blame
    argv = [sys.executable, "-m", "agent.player.decode", str(source), str(target)]
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    ) as child:
        try:
            _watch(child, source, target, max_bytes, stalled_after_s)
            said, logged = child.communicate(timeout=stalled_after_s)
            must_have_room(target)
        except BaseException:
            child.kill()
            target.unlink(missing_ok=True)
            raise
    return _judge(child.returncode, said, logged, source, target)


def _watch(
    child: subprocess.Popen[bytes], source: Path, target: Path, max_bytes: int, stalled_after_s: float
) -> None:
    """Return when the child has ended; progress is that its output grows."""
    size, moved = -1, time.monotonic()
    while True:
        try:
            child.wait(_LOOK_EVERY_S)
            return
        except subprocess.TimeoutExpired:
            now = target.stat().st_size if target.exists() else 0
        if now > size:
            size, moved = now, time.monotonic()
        if size > max_bytes:
            raise TooLong(f"{source.name}: more than {max_bytes} bytes of sound")
        if time.monotonic() - moved > stalled_after_s:
            raise Undecodable(f"{source.name}: the decoder made no progress for {stalled_after_s:g} s")


def _judge(code: int, said: bytes, logged: bytes, source: Path, target: Path) -> Decoded:
    try:
        verdict = json.loads(said)
        if code == 0:
            return Decoded(Seconds(float(verdict["duration_s"])), float(verdict["peak"]))
        reason = str(verdict["reason"])
    except (ValueError, KeyError):
        tail = logged.decode(errors="replace").strip()[-_LOG_TAIL:]
        reason = f"{source.name}: the decoder ended with code {code} ({tail or 'no word'})"
    target.unlink(missing_ok=True)
    raise Undecodable(reason)
