"""Bad content costs that bulletin, never the board: one real worker is shown all of it, one after the other.

Bad films are in test_show.py.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile

from agent.screen.manner import Manner
from agent.screen.protocol import picture_message, ping_message
from tests.agent.screen.test_worker import OFFSCREEN, TICKER
from tests.support.screen import Child, board, worker

NUMBERS = count(1)
FONT = Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf")


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """A worker that lives through all of it."""
    with worker(*OFFSCREEN, "--manner", Manner(transitions=False).to_json()) as child:
        child.heard("ready")
        yield child
        assert child.process.poll() is None, "it has lived through all of it"


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **more)
    return data.getvalue()


def photo() -> Image.Image:
    return Image.effect_noise((320, 240), 60).convert("RGB")


def giant(kind: str) -> bytes:
    """100 megapixels in a small file."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    block, ImageFile.MAXBLOCK = ImageFile.MAXBLOCK, 1 << 26
    try:
        return saved(Image.new("L", (10_000, 10_000), 200), kind)
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.MAXBLOCK = limit, block


PICTURES: dict[str, tuple[Callable[[], bytes], str]] = {
    "noise.jpg": (lambda: bytes(range(256)) * 40, "cannot be decoded"),
    "empty.png": (lambda: b"", "cannot be decoded"),
    "cut.png": (lambda: saved(photo(), "PNG")[:20_000], "cannot be decoded"),
    "cut.jpg": (lambda: saved(photo(), "JPEG")[:3_000], "cannot be decoded"),
    "words.png": (lambda: b"day khong phai la anh", "cannot be decoded"),
    "font.png": (FONT.read_bytes, "cannot be decoded"),
    "giant.png": (lambda: giant("PNG"), "10000×10000 pixels"),
    "giant.jpg": (lambda: giant("JPEG"), "10000×10000 pixels"),
    "program.svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be decoded"),
}


def shown_beside(child: Child, content: dict[str, Any], *, seen: bool) -> list[str]:
    """Show it in turn with a good notice, over a ticker; why it failed, if it did."""
    number = next(NUMBERS)
    name, good = f"bad-{number}", f"good-{number}"
    notice = {"id": good, "duration_s": 1, "text": {"heading": "Vẫn hiện"}}
    bad = {"id": name, "duration_s": 1, **content}
    main = {"id": "main", "kind": "bulletins", "at": [0, 0, 16, 8], "bulletins": [bad, notice]}
    child.send(board(main, TICKER))
    if seen:
        child.heard("showing", showing=[name, "t"])
    else:
        child.heard("failed", bulletin=name)
        child.heard("showing", showing=[good, "t"])
    child.send(ping_message(number))
    child.heard("pong", n=number)
    return [said["reason"] for said in child.said if said["event"] == "failed" and said["bulletin"] == name]


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("kind", ["image", "document"])
def test_a_picture_that_is_none_costs_its_turn(child: Child, tmp_path: Path, name: str, kind: str) -> None:
    make, reason = PICTURES[name]
    path = tmp_path / name
    path.write_bytes(make())
    part = {"path": str(path)} if kind == "image" else {"pages": [{"path": str(path)}, {"path": str(path)}]}
    (told,) = shown_beside(child, {kind: part}, seen=False)
    assert reason in told and name in told


def test_a_picture_that_is_not_there_costs_its_turn(child: Child, tmp_path: Path) -> None:
    (told,) = shown_beside(child, {"image": {"path": str(tmp_path / "none.jpg")}}, seen=False)
    assert "none.jpg" in told


def test_a_photograph_of_fifty_megapixels_is_shown(child: Child, tmp_path: Path) -> None:
    image = Image.new("RGB", (8_000, 6_000), (200, 80, 40))
    (tmp_path / "big.jpg").write_bytes(saved(image, "JPEG"))
    assert shown_beside(child, {"image": {"path": str(tmp_path / "big.jpg")}}, seen=True) == []


TEXTS = {
    "endless": "Bà con chú ý theo dõi. " * 900,
    "without a space": "ấ" * 20_000,
    "of marks": "e" + "\u0301\u0323\u0302" * 6_000,
    "from right to left": "\u202eThông báo\u202c \u2067xin chào\u2069 שלום مرحبا",
    "of emoji": "Xin chào 👋🏽 👨‍👩‍👧‍👦 🇻🇳 ❤️",
    "of halves of pairs": "Thông báo \ud83d \udc4b",
    "of control characters": "a\x00b\x07c\x1b[31md\u200be\ufeff",
    "of newlines": "\n" * 20_000,
    "of nothing that is seen": "\u200b\u2060\u00ad",
    "of stars": "*" * 20_000,
    "of brackets": "[" * 10_000 + "](x)" * 2_000,
    "of quotations": ">" * 20_000,
    "of lists": "\n".join("  " * depth + "- mục" for depth in range(300)),
    "of columns": "|a" * 3_000 + "|\n" + "|-" * 3_000 + "|\n" + "|b" * 3_000 + "|",
    "of tables": "|a|b|\n|-|-|\n|c|d|\n\n" * 900,
    "of unclosed marks": "**đậm *nghiêng `mã [liên kết](" * 500,
}


@pytest.mark.parametrize("markup", ["plain", "markdown"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_any_kind_is_shown(child: Child, name: str, markup: str) -> None:
    text = {"heading": "Thông báo", "body": TEXTS[name], "markup": markup}
    assert shown_beside(child, {"text": text}, seen=True) == []


def test_what_turns_letters_round_leaves_them_as_they_are(child: Child, tmp_path: Path) -> None:
    pictures = []
    for number, body in enumerate(["\u202eThông báo\u202c", "Thông báo"]):
        shown_beside(child, {"text": {"body": body}}, seen=True)
        path = tmp_path / f"{number}.png"
        child.send(picture_message(f"rtl-{number}", path, 640))
        child.heard("picture", request=f"rtl-{number}", reason=None)
        with Image.open(path) as image:
            pictures.append(image.convert("RGB").crop((0, 0, 640, 300)).tobytes())
    assert pictures[0] == pictures[1]


OTHERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "a table of 500 rows": ({"table": {"rows": [["a"] * 12] * 500, "head": ["Cột"] * 12}}, None),
    "a table of giant words": ({"table": {"rows": [["x" * 500] * 12]}}, None),
    "a table without rows": ({"table": {"rows": [], "heading": "Trống"}}, None),
    "readings without a value": ({"readings": {"values": []}}, "no readings"),
    "readings of giant names": ({"readings": {"values": [{"name": "x" * 60, "value": "9" * 60}]}}, None),
    "readings from the future": (
        {"readings": {"values": [{"name": "Nhiệt độ", "value": "1", "at": "9999-12-31T23:59:59+00:00"}]}},
        None,
    ),
    "readings of the first year": (
        {"readings": {"values": [{"name": "Nhiệt độ", "value": "1", "at": "0001-01-01T00:00:00+00:00"}]}},
        None,
    ),
    "a countdown to the last year": ({"countdown": {"to": "9999-12-31T23:59:59+00:00"}}, None),
    "a countdown from the first year": ({"countdown": {"to": "0001-01-01T00:00:00+00:00", "after": "Xong"}}, None),
    "a kind that nobody knows": ({"hologram": {"depth": 3}}, "no content that this version knows"),
    "a code that is too long": ({"text": {"body": "Mã", "qr": "x" * 4_000}}, "QR code left out"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_content_of_any_kind_is_shown_or_costs_its_turn(child: Child, name: str) -> None:
    content, reason = OTHERS[name]
    told = shown_beside(child, content, seen=reason is None or "left out" in reason)
    assert len(told) == (reason is not None)
    assert reason is None or reason in told[0]


def test_a_board_that_is_no_board_is_refused_and_the_one_before_stays(child: Child) -> None:
    shown_beside(child, {"text": {"body": "Vẫn đây"}}, seen=True)
    count_before = len(child.said)
    child.send({"op": "board", "board": {"layout": "x", "grid": [0, 0], "zones": []}})
    child.send({"op": "board", "board": {"layout": "x", "grid": [16, 9], "zones": [{"id": "m", "at": [0]}]}})
    child.send(ping_message(-1))
    child.heard("pong", n=-1)
    later = child.said[count_before:]
    assert sum(said["event"] == "failed" for said in later) == 2
    assert all(said.get("layout") == "default" for said in later if said["event"] == "showing")
