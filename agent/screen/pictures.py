"""Pictures in and out, by Pillow on a thread of their own: a slow one never holds up a ticker.

The dimensions stand in a picture's first bytes; they are checked before anything is decoded. A JPEG is
decoded at a fraction of its size where that is enough (`Image.draft`), so a photograph of 50 megapixels
costs no more memory than the screen. EXIF orientation is obeyed: phones rely on it.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.files import atomic_file
from agent.screen.content import Fit
from agent.screen.errors import Quarantine
from agent.screen.theme import Colour

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_FILE_BYTES: Final = 64_000_000
MAX_PIXELS: Final = 16_000_000
MAX_JPEG_PIXELS: Final = 50_000_000
"""A baseline JPEG is decoded at a fraction of this; a progressive one is held whole, as `MAX_PIXELS`."""
KEPT: Final = 2
"""Decoded pictures that are kept: the next one, and one more zone's."""


@dataclass(frozen=True)
class Wanted:
    """A picture for a box of `size` pixels; what is transparent shows `ground`."""

    path: Path
    size: tuple[int, int]
    fit: Fit
    ground: Colour
    crop: tuple[float, float] = (0.0, 1.0)
    """From where to where of its height, as shares."""


@dataclass(frozen=True)
class Decoded:
    """RGB, three bytes a pixel, at most as large as it was wanted."""

    rgb: bytes
    size: tuple[int, int]


class Pictures:
    """Decodes and writes pictures, one after the other."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called on the pictures' thread whenever something is done."""
        self._wake = wake
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._done: OrderedDict[Wanted, Decoded | Quarantine] = OrderedDict()
        self._under_way: set[Wanted] = set()
        self._thread: threading.Thread | None = None
        self._open = 0

    def take(self, wanted: Wanted) -> Decoded | None:
        """The picture, once; None while it is being decoded.

        Raises:
            Quarantine: it cannot be shown, with the reason.
        """
        with self._lock:
            found = self._done.pop(wanted, None)
            if found is None and wanted not in self._under_way:
                self._under_way.add(wanted)
                self._enqueue(lambda: self._decode(wanted))
        if isinstance(found, Quarantine):
            raise found
        return found

    @property
    def busy(self) -> bool:
        """Whether something is being done, or waits for it."""
        return self._open > 0

    def work(self, job: Callable[[], None]) -> None:
        """Do this on the pictures' thread, and wake the other one; it must not raise."""
        self._enqueue(job)

    def write(
        self, rgb: bytes, size: tuple[int, int], path: Path, done: Callable[[str | None], None]
    ) -> None:
        """Write a picture atomically, PNG or JPEG by its suffix; `done` gets None, or why it failed."""
        self._enqueue(lambda: done(_write(rgb, size, path)))

    def close(self) -> None:
        """Finish what is asked for, and stop."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(10.0)

    def _enqueue(self, job: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
            self._thread.start()
        with self._lock:
            self._open += 1
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._open -= 1
            self._wake()

    def _decode(self, wanted: Wanted) -> None:
        result: Decoded | Quarantine
        try:
            result = decode(wanted)
        except Quarantine as error:
            result = error
        with self._lock:
            self._under_way.discard(wanted)
            self._done[wanted] = result
            while len(self._done) > KEPT:
                self._done.popitem(last=False)


def decode(wanted: Wanted) -> Decoded:
    """Decode, turn upright and scale a picture.

    Raises:
        Quarantine: missing, broken, not a picture, or too large; the reason says which.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - a board without pictures does not need it

    name = wanted.path.name
    try:
        weight = wanted.path.stat().st_size
        if weight > MAX_FILE_BYTES:
            raise Quarantine(f"picture {name} has {weight} bytes, at most {MAX_FILE_BYTES} are decoded")
        with Image.open(wanted.path, formats=FORMATS) as image:
            _check_size(image, name)
            image.draft("RGB", _at_least(image.size, wanted.size, wanted.crop))
            upright = _cropped(ImageOps.exif_transpose(image), wanted.crop)
            return _scaled(_flat(upright, wanted.ground), wanted)
    except Quarantine:
        raise
    except Exception as error:  # a hostile file makes a decoder raise anything: OSError, SyntaxError, …
        raise Quarantine(f"picture {name} cannot be decoded: {error or type(error).__name__}") from error


def _check_size(image: Image, name: str) -> None:
    width, height = image.size
    baseline_jpeg = image.format == "JPEG" and not image.info.get("progressive")
    most = MAX_JPEG_PIXELS if baseline_jpeg else MAX_PIXELS
    if width * height > most:
        raise Quarantine(f"picture {name} has {width}×{height} pixels, at most {most} in all are decoded")


def _at_least(size: tuple[int, int], wanted: tuple[int, int], crop: tuple[float, float]) -> tuple[int, int]:
    """A size for the decoder that is enough for the box whichever way the picture turns."""
    side = max(wanted) / max(0.01, crop[1] - crop[0])
    scale = max(side / size[0], side / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _cropped(image: Image, crop: tuple[float, float]) -> Image:
    if crop == (0.0, 1.0):
        return image
    width, height = image.size
    top = min(height - 1, round(height * crop[0]))
    return image.crop((0, top, width, max(top + 1, round(height * crop[1]))))


def _flat(image: Image, ground: Colour) -> Image:
    from PIL import Image as Images  # noqa: PLC0415 - see `decode`

    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        seen = image.convert("RGBA")
        flat = Images.new("RGB", seen.size, ground)
        flat.paste(seen, mask=seen.getchannel("A"))
        return flat
    return image.convert("RGB")


def _scaled(image: Image, wanted: Wanted) -> Decoded:
    from PIL import Image as Images  # noqa: PLC0415 - see `decode`
    from PIL import ImageOps  # noqa: PLC0415

    if wanted.fit == "cover":
        image = ImageOps.fit(image, wanted.size, Images.Resampling.LANCZOS)
    else:
        image = ImageOps.contain(image, wanted.size, Images.Resampling.LANCZOS)
    return Decoded(image.tobytes(), image.size)


def _write(rgb: bytes, size: tuple[int, int], path: Path) -> str | None:
    from PIL import Image  # noqa: PLC0415 - see `decode`

    image = Image.frombytes("RGB", size, rgb)
    try:
        with atomic_file(path) as file:
            if path.suffix.lower() == ".png":
                image.save(file, "PNG", optimize=False)
            else:
                image.save(file, "JPEG", quality=85)
    except OSError as error:
        return f"cannot write {path}: {error.strerror or error}"
    return None
