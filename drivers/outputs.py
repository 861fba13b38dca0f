"""Which screens are plugged in, as the kernel's graphics drivers say.

Source: Linux, Documentation/ABI (sysfs), /sys/class/drm/card*-*/status.
"""

from __future__ import annotations

from pathlib import Path


def connected_outputs(root: Path = Path("/")) -> frozenset[str] | None:
    """Names of the outputs that have a screen plugged in, such as `card1-HDMI-A-1`; None where nobody says."""
    states = {}
    for status in sorted(root.glob("sys/class/drm/card*-*/status")):
        try:
            states[status.parent.name] = status.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
    if not states:
        return None
    return frozenset(name for name, state in states.items() if state == "connected")
