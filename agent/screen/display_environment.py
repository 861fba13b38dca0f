"""What SDL reads from the environment, set before pygame is imported."""

from __future__ import annotations

import os


def prepare_environment(driver: str | None) -> None:
    """Set what SDL reads from the environment. Call it before pygame is imported."""
    os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    # without a GPU the accelerated path goes through software GL: forty times the CPU, twice the memory
    os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
    os.environ.setdefault("SDL_VIDEO_MINIMIZE_ON_FOCUS_LOSS", "0")
    os.environ["SDL_AUDIODRIVER"] = "dummy"
    if driver:
        os.environ["SDL_VIDEODRIVER"] = driver
