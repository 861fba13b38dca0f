from __future__ import annotations

import struct
import threading
import zlib
from pathlib import Path

import pytest
from PIL import Image

from agent.screen.errors import Quarantine
from agent.screen.pictures import MAX_JPEG_PIXELS, MAX_PIXELS, Pictures, Wanted, decode
from tests.support.wait import wait_until

GROUND = (10, 20, 30)


def wanted(path: Path, size: tuple[int, int] = (64, 36), fit: str = "contain") -> Wanted:
    return Wanted(path, size, fit, GROUND)  # type: ignore[arg-type]


def pixel(rgb: bytes, width: int, x: int, y: int) -> tuple[int, ...]:
    at = 3 * (y * width + x)
    return tuple(rgb[at : at + 3])


def giant_png(path: Path, width: int, height: int) -> Path:
    """A PNG that claims a size in its header and has no pixels to speak of."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 64)
    chunks = [header, data, b"IEND"]
    body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_contain_keeps_the_whole_picture_and_cover_fills_the_box(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("RGB", (400, 100), (200, 0, 0)).save(path)
    assert decode(wanted(path)).size == (64, 16)
    assert decode(wanted(path, fit="cover")).size == (64, 36)


def test_what_is_transparent_shows_the_board(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (64, 36), (255, 255, 255, 0)).save(path)
    assert pixel(decode(wanted(path)).rgb, 64, 5, 5) == GROUND


def test_a_photograph_taken_upright_is_shown_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: rotate by 90 degrees to view
    Image.new("RGB", (80, 40), (0, 0, 200)).save(path, exif=exif)
    assert decode(wanted(path, (100, 100))).size == (50, 100)


@pytest.mark.parametrize("size", [(MAX_PIXELS // 1_000 + 1, 1_000), (30_000, 30_000)])
def test_a_giant_is_refused_by_its_header(tmp_path: Path, size: tuple[int, int]) -> None:
    path = giant_png(tmp_path / "giant.png", *size)
    with pytest.raises(Quarantine, match=r"giant\.png"):
        decode(wanted(path))


def test_a_large_photograph_is_decoded_at_a_fraction(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("L", (6_000, 4_000), 128).save(path)
    assert MAX_PIXELS < 6_000 * 4_000 < MAX_JPEG_PIXELS
    assert decode(wanted(path)).size == (54, 36)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"GIF89a" + b"\xff" * 20, b"\xff\xd8\xff\xe0" + b"\0" * 50],
)
def test_a_broken_picture_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(Quarantine, match=r"picture broken\.png cannot be decoded: "):
        decode(wanted(path))


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    Image.effect_noise((200, 200), 50).save(path)
    path.write_bytes(path.read_bytes()[:5_000])
    with pytest.raises(Quarantine, match=r"cut\.png"):
        decode(wanted(path))


def test_a_missing_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Quarantine, match="No such file"):
        decode(wanted(tmp_path / "gone.png"))


def test_pictures_are_decoded_aside_and_handed_out_when_they_are_there(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    Image.new("RGB", (10, 10), (1, 2, 3)).save(path)
    woken = threading.Event()
    pictures = Pictures(woken.set)
    assert pictures.take(wanted(path)) is None
    assert woken.wait(10)
    taken = pictures.take(wanted(path))
    assert taken is not None
    assert taken.size == (36, 36)
    assert pictures.take(wanted(tmp_path / "gone.png")) is None

    def refused() -> bool:
        try:
            pictures.take(wanted(tmp_path / "gone.png"))
        except Quarantine:
            return True
        return False

    wait_until(refused, 10, "the missing picture is refused")
    pictures.close()


@pytest.mark.parametrize(("name", "kind"), [("shot.png", "PNG"), ("shot.jpg", "JPEG")])
def test_a_picture_is_written_whole_by_its_suffix(tmp_path: Path, name: str, kind: str) -> None:
    pictures = Pictures(lambda: None)
    said: list[str | None] = []
    pictures.write(b"\x80" * 30, (5, 2), tmp_path / name, said.append)
    pictures.write(b"\x80" * 30, (5, 2), tmp_path / "no-such-folder" / name, said.append)
    pictures.close()
    assert said[0] is None
    assert said[1] is not None
    assert "cannot write" in said[1]
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size) == (kind, (5, 2))
    assert [path.name for path in tmp_path.iterdir()] == [name]
