"""A printed notice (PDF) as pictures of its pages, by pypdfium2, with the gaps between its lines.

The library is Google's PDFium, the one in Chromium; Poppler's and MuPDF's bindings are under the GPL and the AGPL.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.files import write_atomically
from agent.station.errors import Technician

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PAGES: Final = 40
MOST_BYTES: Final = 50_000_000
UPRIGHT_PX: Final = 1_600
"""Width of a page that is higher than wide: on a screen in landscape it is shown nearly as wide as that."""
ACROSS_PX: Final = 1_900
MOST_TIMES: Final = 4
"""A page is at most so many times as high as it is wide."""
NEARLY_ALIKE: Final = 48
"""Of 255. Pixels beside each other that differ less are paper, or its shadow; print stands out more."""
BESIDE_PX: Final = 64
"""So many pixels lie beside each other: a scan may be darker at one side than at the other."""
SIDE: Final = 0.02
"""So much at either side of a page is not looked at, as a share of its width: scanners leave black edges there."""
LEAST_GAP: Final = 0.004
"""A gap is at least so high, as a share of the page: between lines, not between a letter and its mark."""
WHEN_JPEG: Final = 1.6
"""A page is kept as PNG unless that is so much larger than JPEG: letters stay sharp."""
VERSION: Final = 2
"""Of what is kept in the cache."""


class NotPrinted(ValueError):  # noqa: N818 - like `NotSound`
    """Error raised when a file cannot be made into pictures; the message says why."""


@dataclass(frozen=True)
class Printed:
    """One page."""

    path: Path
    size: tuple[int, int]
    gaps: tuple[float, ...]


def pages_of(pdf: Path, cache: Path) -> list[Printed]:
    """The pages of a PDF as pictures in `cache`; what was made before is not made again.

    Raises:
        NotPrinted: it is no PDF, broken, encrypted, or too large.
        Technician: pypdfium2 is not installed.
    """
    size = pdf.stat().st_size
    if size > MOST_BYTES:
        raise NotPrinted(f"is {size} bytes, at most {MOST_BYTES} are read")
    with pdf.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = cache / f"pdf-{digest}-{VERSION}"
    note = folder / "pages.json"
    try:
        said = json.loads(note.read_bytes())
        return [Printed(folder / name, (w, h), tuple(gaps)) for name, (w, h), gaps in said]
    except (OSError, ValueError):
        pass
    folder.mkdir(parents=True, exist_ok=True)
    made = _render(pdf, folder)
    write_atomically(note, json.dumps([[one.path.name, one.size, one.gaps] for one in made]).encode())
    return made


def _render(pdf: Path, folder: Path) -> list[Printed]:
    try:
        import pypdfium2  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise Technician(
            "pypdfium2 is missing, which makes pictures of printed notices: install loa-agent[station]"
        ) from error
    try:
        document: Any = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        asked = "password" in str(error).casefold()
        reason = "is locked with a password" if asked else f"is no PDF that can be read ({error})"
        raise NotPrinted(reason) from error
    try:
        count = len(document)
        if not 0 < count <= MOST_PAGES:
            raise NotPrinted(f"has {count} pages, 1 to {MOST_PAGES} are published")
        document.init_forms()  # or what was filled in is not drawn
        return [_page(document[number], number, folder) for number in range(count)]
    except pypdfium2.PdfiumError as error:
        raise NotPrinted(f"cannot be drawn: {error}") from error
    finally:
        document.close()


def _page(page: Any, number: int, folder: Path) -> Printed:
    width, height = page.get_size()
    if width <= 0 or height <= 0 or not 1 / MOST_TIMES <= height / width <= MOST_TIMES:
        raise NotPrinted(
            f"page {number + 1} is {width:.0f}×{height:.0f} points: no page that a board can show"
        )
    wide = UPRIGHT_PX if height > width else ACROSS_PX
    image: Image = page.render(scale=wide / width).to_pil().convert("RGB")
    gaps = gaps_of(image)
    suffix, data = _encoded(image)
    path = folder / f"page-{number + 1:02}{suffix}"
    write_atomically(path, data)
    return Printed(path, image.size, gaps)


def gaps_of(image: Image) -> tuple[float, ...]:
    """Heights at which nothing is printed, as shares of the page's: the middles of gaps between lines.

    Nothing is printed where a row of pixels is nearly alike, once specks are wiped off: paper of a scan is grainy.
    """
    import numpy as np
    from PIL import ImageFilter

    grey = np.asarray(image.convert("L").filter(ImageFilter.MedianFilter(3)))
    side = round(grey.shape[1] * SIDE)
    grey = grey[:, side : grey.shape[1] - side]
    blank = np.ones(len(grey), dtype=bool)
    for begins in (0, BESIDE_PX // 2):  # strips overlap by half: no edge falls between two of them unseen
        strips = [grey[:, x : x + BESIDE_PX] for x in range(begins, grey.shape[1], BESIDE_PX)]
        for strip in strips:
            blank &= np.ptp(strip, axis=1) <= NEARLY_ALIKE
    edges = np.flatnonzero(np.diff(np.concatenate(([False], blank, [False])).astype(np.int8)))
    height = len(blank)
    return tuple(
        round(float(top + bottom) / 2 / height, 4)
        for top, bottom in zip(edges[::2], edges[1::2], strict=True)
        if top > 0 and bottom < height and bottom - top >= LEAST_GAP * height
    )[:500]


def _encoded(image: Image) -> tuple[str, bytes]:
    """PNG, in grey where there is no colour; or JPEG, where the page is a photograph."""
    from PIL import ImageChops

    red, green, blue = image.split()
    coloured = ImageChops.difference(red, green).getbbox() or ImageChops.difference(red, blue).getbbox()
    kept = image.quantize(64) if coloured else image.convert("L").quantize(16)
    png, jpeg = io.BytesIO(), io.BytesIO()
    kept.save(png, "PNG", optimize=True)
    image.save(jpeg, "JPEG", quality=82)
    if png.tell() > WHEN_JPEG * jpeg.tell():
        return ".jpg", jpeg.getvalue()
    return ".png", png.getvalue()
