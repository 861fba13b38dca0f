"""What a picture of the screen shows, in shares of its pixels."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

Colour = tuple[int, int, int]


def pixels(source: Path | bytes) -> NDArray[np.uint8]:
    """Height × width × RGB of a PNG."""
    import pygame

    surface = pygame.image.load(io.BytesIO(source) if isinstance(source, bytes) else str(source))
    return np.transpose(pygame.surfarray.array3d(surface), (1, 0, 2))


def share(picture: NDArray[np.uint8], colour: Colour, slack: int = 6) -> float:
    """How much of a picture has a colour, 0 to 1."""
    near = np.abs(picture.astype(int) - np.array(colour)) <= slack
    return float(np.mean(np.all(near, axis=2)))
