"""What SDL reads from the environment, set before pygame is imported."""

from __future__ import annotations

import os
from typing import Final

ACCELERATION: Final = "SDL_FRAMEBUFFER_ACCELERATION"
"""Whether SDL draws a window through a renderer (`1`) or into plain memory (`0`), which some drivers do not have."""


def prepare_environment(driver: str | None) -> None:
    """Set what SDL reads from the environment. Call it before pygame is imported."""
    os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    # without a GPU the accelerated path goes through software GL: forty times the CPU, twice the memory
    os.environ.setdefault(ACCELERATION, "0")
    os.environ.setdefault("SDL_VIDEO_MINIMIZE_ON_FOCUS_LOSS", "0")
    os.environ["SDL_AUDIODRIVER"] = "dummy"
    if driver:
        os.environ["SDL_VIDEODRIVER"] = driver
