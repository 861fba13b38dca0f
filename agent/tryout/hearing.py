"""Microphone: a level meter for a few seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

from agent.doctor.finding import Finding, absent, fault, ok, warning
from agent.tryout.tried import Bench, Tried
from agent.words import _, retell

SECONDS: Final = 4.0
OPENS_WITHIN_S: Final = 8.0
DEAD_DBFS: Final = -100.0
CLIPS_DBFS: Final = -1.0
SOFT_DBFS: Final = -60.0
"""Below this, speech beside it is not heard either."""


def try_microphone(bench: Bench) -> Iterator[Tried]:
    """Open it beside the agent, which opens it only while something sounds."""
    listener = bench.config.listener
    if listener is None:
        yield Tried("mic", absent(_("no listener is configured")))
        return
    levels, peaks, problem = [], [], None
    for message in _meter(listener.device):
        if "error" in message:
            problem = str(message["error"])
            break
        levels.append(float(message["level_dbfs"]))
        peaks.append(float(message["peak_dbfs"]))
        bench.meter(levels[-1])
    facts = {
        "seconds": round(len(levels) / 5, 1),
        "loudest_dbfs": max(levels, default=None),
        "quietest_dbfs": min(levels, default=None),
        "peak_dbfs": max(peaks, default=None),
    }
    yield Tried("mic", judge_microphone(problem, facts), facts)


def judge_microphone(problem: str | None, facts: dict[str, Any]) -> Finding:
    """Dead, driven too hard, too soft, or right."""
    if problem is not None:
        return fault(retell(problem), _("loa doctor listener"))
    loudest = facts["loudest_dbfs"]
    if loudest is None:
        return fault(_("nothing came from it"), _("loa doctor listener"))
    if loudest <= DEAD_DBFS:
        return fault(
            _("only silence without any noise: it is muted, or not plugged in"), _("unmute it: alsamixer, F4")
        )
    if facts["peak_dbfs"] >= CLIPS_DBFS:
        return warning(
            _("it is driven too hard ({peak:.0f} dBFS)").format(peak=facts["peak_dbfs"]),
            _("turn its gain down: alsamixer, F4"),
        )
    text = _("{quietest:.0f} to {loudest:.0f} dBFS in {seconds:.0f} s").format(
        quietest=facts["quietest_dbfs"], loudest=loudest, seconds=facts["seconds"]
    )
    if loudest < SOFT_DBFS:
        return warning(
            text + _(": very soft"), _("speak beside it; if that is as soft, turn its gain up: alsamixer, F4")
        )
    return ok(text)


def _meter(device: str) -> Iterator[dict[str, Any]]:
    """What a process of its own hears."""
    argv = [sys.executable, "-P", "-m", "agent.tryout.meter", str(SECONDS), device]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stderr is not None  # noqa: S101 - pipes were asked for
        watchdog = threading.Timer(SECONDS + OPENS_WITHIN_S, child.kill)
        watchdog.start()
        try:
            for line in child.stdout:
                message: dict[str, Any] = json.loads(line)
                yield message
            code = child.wait()
            if code:
                last = child.stderr.read().strip().splitlines()
                yield {"error": last[-1] if last and code > 0 else _("it does not answer")}
        finally:
            watchdog.cancel()
            child.kill()
