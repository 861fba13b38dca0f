"""`./dev bench [NAME …] [--json]`: measures, prints each figure beside what is to be reached."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

NAMES = (
    "timetable",
    "cli",
    "journal",
    "heard",
    "ready",
    "idle",
    "screen",
    "week",
    "listener",
    "captions",
    "speech",
    "air",
    "preempt",
    "source",
    "cancel",
    "ontime",
    "live",
    "back",
    "fault",
)
"""In this order when none is named: the cheap ones first."""


def machine() -> dict[str, Any]:
    """What the figures were read on."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.split(":", 1)[1].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2),
        "date": time.strftime("%Y-%m-%d"),
    }


def main() -> int:
    """Run the benches that are asked for; 1 when a figure is missed."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default all")
    parser.add_argument("--json", action="store_true", help="only JSON on standard output")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}")
    out = sys.stderr if asked.json else sys.stdout
    results: dict[str, Any] = {"machine": machine()}
    missed = 0
    for name in asked.names or NAMES:
        print(f"{name} …", file=sys.stderr, flush=True)
        module = importlib.import_module(f"bench.{name}")
        begun = time.monotonic()
        figures = module.run()
        results[name] = figures
        print(f"{name} ({time.monotonic() - begun:.0f} s)", file=out)
        for key, value in figures.items():
            target = module.TARGETS.get(key)
            verdict = ""
            if target is not None:
                reached = value <= target
                missed += not reached
                verdict = f"  to reach ≤ {target}: {'yes' if reached else 'MISSED'}"
            shown = f"{value:.3f}" if isinstance(value, float) else str(value)
            print(f"  {key:<28} {shown:>12}{verdict}", file=out, flush=True)
    print(json.dumps(results, indent=None if asked.json else 2))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
