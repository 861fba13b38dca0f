"""Pictures and QR codes on the board, looked at as pixels."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agent.screen.content import Bulletin, ImagePart
from playlists.units import MonotonicS
from tests.agent.screen.conftest import BODY, SIZE, Bench, notice, zone
from tests.support.wait import wait_until


def wait_for(bench: Bench, showing: tuple[str, ...]) -> None:
    def shows() -> bool:
        bench.view.picture_ready(bench.now)
        bench.now = MonotonicS(bench.now + 0.01)
        bench.step()
        return bool(bench.showings()) and bench.showings()[-1].showing == showing

    wait_until(shows, 10, f"{showing} is shown")


@pytest.mark.parametrize("fit", ["contain", "cover"])
def test_a_picture_is_shown_whole_or_filling_its_zone(bench: Bench, tmp_path: Path, fit: str) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (200, 200), (200, 40, 160)).save(path)
    bench.show(zone(Bulletin("p", image=ImagePart(str(path), fit))))  # type: ignore[arg-type]
    wait_for(bench, ("p",))
    share = (bench.pixels() == (200, 40, 160)).all(axis=2).mean()
    assert share == pytest.approx(0.55 if fit == "contain" else 0.97, abs=0.03)


def test_the_caption_of_a_picture_lies_below_it(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (1600, 900), (200, 40, 160)).save(path)
    bench.show(
        zone(Bulletin("p", image=ImagePart(str(path), "cover", "Đường trục thôn 5, tháng 11 năm 2026")))
    )
    wait_for(bench, ("p",))
    rows = (bench.pixels() == (200, 40, 160)).all(axis=2).mean(axis=1)
    assert rows[: SIZE[1] // 2].min() >= 0 and rows[50:500].min() > 0.9
    assert rows[-40:-20].max() == 0


def test_a_broken_or_giant_picture_costs_that_bulletin_only(bench: Bench, tmp_path: Path) -> None:
    broken, giant, good = tmp_path / "broken.png", tmp_path / "giant.bmp", tmp_path / "good.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    giant.write_bytes(
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 5_000, 4_000, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    Image.new("RGB", (64, 36), (200, 40, 160)).save(good)
    bench.show(zone(*(Bulletin(p.stem, image=ImagePart(str(p))) for p in (broken, giant, good))))
    wait_for(bench, ("good",))
    reasons = dict(bench.failures())
    assert set(reasons) == {"broken", "giant"}
    assert "cannot be decoded" in reasons["broken"]
    assert "5000×4000 pixels" in reasons["giant"]


def test_a_qr_code_is_drawn_as_a_phone_reads_it(bench: Bench) -> None:
    import segno

    address = "https://xa.example/phan-anh"
    bench.show(zone(notice("a", body=BODY, qr=address)))
    card = (bench.pixels() == 255).all(axis=2)
    rows, columns = np.flatnonzero(card.sum(axis=1) > 120), np.flatnonzero(card.sum(axis=0) > 120)
    code = segno.make_qr(address, error="m")
    modules = code.symbol_size(border=4)[0]
    side = columns[-1] - columns[0] + 1
    module = side // modules
    assert module >= 3
    black = (bench.pixels()[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 0).all(axis=2)
    ys, xs = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
    inner = black[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    expected = np.array([[bool(m) for m in row] for row in code.matrix])
    assert (inner == np.kron(expected, np.ones((module, module), dtype=bool))).all()


def test_a_qr_code_without_room_is_left_out_and_the_text_stays(bench: Bench) -> None:
    bench.show(zone(notice("a", "Chữ", qr="https://xa.example/" + "x" * 900), at=(0, 0, 4, 2)))
    assert bench.showings()[-1].showing == ("a",)
    [(name, reason)] = bench.failures()
    assert name == "a" and reason.startswith("QR code left out: it needs")
