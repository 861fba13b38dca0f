"""Looks at what is on the screen: the window as SDL has it, and under X what the server really shows.

Under X the root window is read where our window lies, so that a window over ours is seen too (X11 protocol,
GetImage; xcffib). Wayland lets no program look at the screen, and of KMSDRM's planes only their owner, SDL,
knows: there the window's own memory is all there is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import pygame

from agent.screen.grid import Box

COLUMNS: Final = 64
ROWS: Final = 36

log = logging.getLogger("loa.screen")

ReadRows = Callable[[Box, list[int]], list[bytes]]
"""Rows of a box of the window, given by their height in it: four bytes a pixel, BGRX."""


def samples(window: pygame.Surface, box: Box) -> bytes:
    """Colours of `box` at `COLUMNS` × `ROWS` places, RGB."""
    lines = pygame.Surface((box.width, ROWS)).convert(window)
    for number, y in enumerate(_heights(box)):
        lines.blit(window, (0, number), (box.x, box.y + y, box.width, 1))
    return _thin(lines)


def samples_of_rows(read: ReadRows, box: Box) -> bytes:
    """The same, through somebody who reads rows."""
    data = b"".join(read(box, _heights(box)))
    return _thin(pygame.image.frombuffer(data, (box.width, ROWS), "BGRA"))


def _heights(box: Box) -> list[int]:
    return [(2 * number + 1) * box.height // (2 * ROWS) for number in range(ROWS)]


def _thin(lines: pygame.Surface) -> bytes:
    return pygame.image.tobytes(pygame.transform.scale(lines, (COLUMNS, ROWS)), "RGB")


class XSight:
    """Reads the X server's screen, over a connection of its own."""

    def __init__(self, connection: Any, root: int, origin: tuple[int, int]) -> None:
        """Use `open_x_sight`."""
        self._connection = connection
        self._root = root
        self._origin = origin

    def rows(self, box: Box, heights: list[int]) -> list[bytes]:
        """See `ReadRows`.

        Raises:
            OSError: the server did not answer with a picture.
        """
        from xcffib import ConnectionException, ProtocolException, xproto  # noqa: PLC0415 - see below

        get = self._connection.core.GetImage
        left, top = self._origin
        try:
            asked = [
                get(
                    xproto.ImageFormat.ZPixmap,
                    self._root,
                    left + box.x,
                    top + box.y + y,
                    box.width,
                    1,
                    0xFFFFFFFF,
                )
                for y in heights
            ]
            return [bytes(one.reply().data.buf()) for one in asked]
        except (ConnectionException, ProtocolException) as error:
            raise OSError(f"the X server gives no picture: {error!r}") from error

    def close(self) -> None:
        """Hang up."""
        self._connection.disconnect()


def open_x_sight(size: tuple[int, int]) -> XSight | None:
    """An eye on the window that is open; None where the server shows nothing that could be read."""
    try:
        import xcffib  # noqa: PLC0415 - 5 MB that only a screen under X needs
        from xcffib import xproto  # noqa: PLC0415

        connection: Any = xcffib.Connection()  # type: ignore[no-untyped-call]  # xcffib has no types
    except Exception as error:  # noqa: BLE001 - xcffib's own errors have no class in common
        log.warning("what X shows cannot be looked at: %r", error)
        return None
    try:
        setup = connection.get_setup()
        root = setup.roots[0]
        bits = {form.depth: form.bits_per_pixel for form in setup.pixmap_formats}
        if bits.get(root.root_depth) != 32 or setup.image_byte_order != xproto.ImageOrder.LSBFirst:
            raise OSError(f"pixels of {root.root_depth} bits")
        window = int(pygame.display.get_wm_info()["window"])
        at = connection.core.TranslateCoordinates(window, root.root, 0, 0).reply()
        visible = (
            at.dst_x >= 0
            and at.dst_y >= 0
            and at.dst_x + size[0] <= root.width_in_pixels
            and at.dst_y + size[1] <= root.height_in_pixels
        )
        if not visible:
            raise OSError("the window reaches beyond the screen")
        return XSight(connection, root.root, (at.dst_x, at.dst_y))
    except Exception as error:  # noqa: BLE001 - as above: without an eye the board is shown all the same
        log.warning("what X shows cannot be looked at: %r", error)
        connection.disconnect()
        return None
