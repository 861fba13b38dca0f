"""QR codes, by segno."""

from __future__ import annotations

from typing import Final

import pygame

SMALLEST_MODULE_PX: Final = 3
"""Below this a phone does not read the code from arm's length."""
QUIET_MODULES: Final = 4
"""The empty border that ISO/IEC 18004 asks for."""


def qr_stamp(data: str, most: int) -> tuple[pygame.Surface | None, int, str | None]:
    """A code with its quiet zone, one pixel a module, to be enlarged by a whole factor.

    Returns:
        the code; the side in pixels, at most `most`, that it is to be drawn at; or None, 0 and why not.
    """
    import segno  # noqa: PLC0415 - 7 MB that a board without a code does not need

    try:
        code = segno.make_qr(data, error="m")
    except segno.DataOverflowError as error:
        return None, 0, f"QR code left out: {error}"
    rows = [bytes(255 if not dark else 0 for dark in row) for row in code.matrix_iter(border=QUIET_MODULES)]
    modules = len(rows)
    module_px = most // modules
    if module_px < SMALLEST_MODULE_PX:
        needed = modules * SMALLEST_MODULE_PX
        return None, 0, f"QR code left out: it needs {needed} pixels, its zone leaves {max(0, most)}"
    grey = b"".join(rows)
    stamp = pygame.image.frombuffer(bytes(b for v in grey for b in (v, v, v)), (modules, modules), "RGB")
    return stamp, modules * module_px, None
