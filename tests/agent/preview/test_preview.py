"""A commune's texts become pictures and warnings, by the commands that an officer types."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
from PIL import Image

from agent.preview import checks
from agent.preview.scene import board_of
from agent.preview.source import read
from agent.screen.errors import Quarantine
from agent.screen.grid import Box
from agent.screen.paint import Page, Text
from agent.screen.pictures import Wanted, decode
from agent.screen.theme import ALARMS, THEMES
from agent.station.folder import Folder
from agent.station.publish import init, publish
from tests.agent.station.conftest import COMMUNE, NOW, TIMETABLE, write
from tests.support.screen import grab, xvfb
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[3]
LONG = "Trạm y tế xã thông báo lịch tiêm chủng mở rộng cho trẻ em dưới hai tuổi tại trạm. " * 40
LAYOUTS = """
[[layout]]
id = "default"
grid = [16, 9]
zones = [{ id = "main", at = [0, 0, 16, 8] }, { id = "ticker", at = [0, 8, 13, 1], kind = "ticker" },
  { id = "clock", at = [13, 8, 3, 1], kind = "clock" }]
[[layout]]
id = "tall"
orientation = "portrait"
grid = [9, 16]
zones = [{ id = "main", at = [0, 0, 9, 14] }, { id = "clock", at = [0, 14, 9, 2], kind = "clock" },
  { id = "other", at = [3, 13, 3, 2] }]
"""
ANNOUNCEMENTS = f"""
[[announcement]]
id = "ngan"
title = "Họp thôn"
text = "Kính mời bà con đến họp lúc 19 giờ 30."
[[announcement]]
id = "dai"
title = "Lịch tiêm chủng"
text = "{LONG}"
[[announcement]]
id = "la"
title = "Lạ"
text = "Gọi ☎ 112 😀 nhé"
[[announcement]]
id = "arap"
title = "ا"
text = "السلام عليكم"
[[announcement]]
id = "khmer"
language = "km"
title = "សេចក្ដីជូនដំណឹង"
text = "ខ្ញុំស្រឡាញ់ភាសាខ្មែរ"
[[announcement]]
id = "sau-nay"
title = "Năm sau"
valid_from = 2036-01-01
text = "Chưa đến ngày."
[[image]]
id = "nho"
file = "nho.png"
[[image]]
id = "hong"
file = "hong.jpg"
[[image]]
id = "du"
file = "du.png"
fit = "cover"
[ticker]
text = "Đường dây nóng phòng chống thiên tai 112"
"""


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = init(tmp_path_factory.mktemp("preview") / "station", now=NOW)
    write(folder, COMMUNE + LAYOUTS, ANNOUNCEMENTS, TIMETABLE)
    media = folder.authoring / "media"
    Image.new("RGB", (200, 100), (200, 30, 30)).save(media / "nho.png")
    Image.new("RGB", (1920, 1080), (30, 200, 30)).save(media / "du.png")
    (media / "hong.jpg").write_bytes(b"not a picture at all")
    return folder.path


def loa(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    unset = {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "LANGUAGE", "LANG", "LC_ALL"}
    clean = {key: value for key, value in os.environ.items() if key not in unset}
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *arguments],
        cwd=ROOT, env={**clean, **env}, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


@pytest.fixture(scope="module")
def previewed(station: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("out")
    (out / "preview.json").write_text('{"shots": [{"file": "old.png"}, {"file": "../kept.png"}]}')
    (out / "old.png").touch()
    (out.parent / "kept.png").touch()
    (out / "mine.png").touch()
    done = loa(
        "board", "preview", str(station), "--out", str(out), "--size", "960x540",
        "--at", "2026-11-27T07:30", "--json",
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    return out, json.loads(done.stdout)


def shots(report: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return [one for one in report["shots"] if all(one[key] == value for key, value in fields.items())]


def warned(report: dict[str, Any], bulletin: str) -> dict[str, str]:
    return {one["kind"]: one["text"] for one in report["warnings"] if one["bulletin"] == bulletin}


def pixels(out: Path, shot: dict[str, Any]) -> np.ndarray:
    with Image.open(out / shot["file"]) as image:
        return np.asarray(image.convert("RGB"))


def test_every_page_of_every_bulletin_in_each_layout_and_orientation(
    previewed: tuple[Path, dict[str, Any]],
) -> None:
    out, report = previewed
    scenes = {(one["layout"], one["orientation"]) for one in shots(report, kind="board")}
    assert scenes == {("default", "landscape"), ("default", "portrait"), ("tall", "portrait")}
    for layout, orientation in scenes:
        here = shots(report, kind="page", layout=layout, orientation=orientation, zone="main")
        names = {one["bulletin"] for one in here}
        assert names == {"ngan", "dai", "la", "arap", "khmer", "sau-nay", "nho", "hong", "du"}
        long = [one for one in here if one["bulletin"] == "dai"]
        assert [one["page"] for one in long] == list(range(1, long[0]["pages"] + 1))
        assert long[0]["pages"] > 1 and all(one["stays_s"] >= 4 for one in long)
    for shot in report["shots"]:
        with Image.open(out / shot["file"]) as image:
            assert image.size == ((960, 540) if shot["orientation"] == "landscape" else (540, 960))
    assert shots(
        report, kind="page", zone="ticker", bulletin="ticker", layout="default", orientation="portrait"
    )


def test_a_page_looks_as_the_board_does_around_it(previewed: tuple[Path, dict[str, Any]]) -> None:
    out, report = previewed
    (whole,) = shots(report, kind="board", layout="default", orientation="landscape")
    (page,) = shots(report, kind="page", layout="default", orientation="landscape", bulletin="khmer")
    board, one = pixels(out, whole), pixels(out, page)
    edge = 540 * 8 // 9 + 2
    assert np.array_equal(board[edge:], one[edge:]), "ticker and clock are the same"
    assert not np.array_equal(board[:edge], one[:edge])
    text = np.array(THEMES["dark"].text)
    assert (one[:edge] == text).all(axis=2).sum() > 200, "letters in the theme's colour"
    ticker = one[edge:, : 960 * 13 // 16 - 20]
    assert (ticker == text).all(axis=2).any(axis=0).nonzero()[0].min() < 200, "the ticker has run in"


def test_a_takeover_is_shown_in_both_orientations(previewed: tuple[Path, dict[str, Any]]) -> None:
    out, report = previewed
    for orientation in ("landscape", "portrait"):
        pages = shots(report, kind="takeover", orientation=orientation)
        assert [one["page"] for one in pages] == list(range(1, pages[0]["pages"] + 1))
        assert tuple(pixels(out, pages[0])[0, 0]) == ALARMS["emergency"].ground


def test_what_an_officer_should_change_is_said(previewed: tuple[Path, dict[str, Any]]) -> None:
    _, report = previewed
    assert warned(report, "ngan") == warned(report, "khmer") == warned(report, "sau-nay") == {}
    assert set(warned(report, "dai")) == {"long"}
    assert "say it in fewer words" in warned(report, "dai")["long"]
    assert warned(report, "la") == {
        "glyph": "no font here has 😀 (U+1F600 GRINNING FACE); the board leaves them out"
    }
    assert "no font here for its script: ا (U+0627 ARABIC LETTER ALEF)" in warned(report, "arap")["language"]
    assert "nho.png has 200×100 pixels and is enlarged" in warned(report, "nho")["small-picture"]
    assert "hong.jpg cannot be decoded" in warned(report, "hong")["broken"]
    assert "du" not in {one["bulletin"] for one in report["warnings"]}
    assert warned(report, "") == {"not-shown": "zone other overlaps zone main and is left out"}


def test_the_page_for_a_browser_names_every_picture_and_warning(
    previewed: tuple[Path, dict[str, Any]],
) -> None:
    out, report = previewed
    page = (out / "index.html").read_text(encoding="utf-8")
    assert all(f'src="{one["file"]}"' in page for one in report["shots"])
    assert "GRINNING FACE" in page
    assert json.loads((out / "preview.json").read_text()) == report
    assert not (out / "old.png").exists(), "of the preview before"
    assert (out / "mine.png").exists() and (out.parent / "kept.png").exists(), "nobody else's file"


def test_a_node_s_own_colours_and_theme_are_those_of_the_preview(station: Path, tmp_path: Path) -> None:
    config = (ROOT / "config.example.toml").read_text()
    own, count = re.subn("(?m)^colours = .*", 'colours = { surface = "#004000" }', config)
    assert count == 1
    path = tmp_path / "config.toml"
    path.write_text(own)
    out = tmp_path / "out"
    done = loa(
        "board", "preview", str(station), "--out", str(out), "--size", "640x360", "-c", str(path), "--json"
    )
    (whole,) = shots(json.loads(done.stdout), kind="board", layout="default", orientation="landscape")
    assert tuple(pixels(out, whole)[20, 100]) == (0, 0x40, 0)


def test_a_published_picture_is_named_as_its_author_named_it(tmp_path: Path) -> None:
    stored = tmp_path / f"{'ab' * 32}.hong.jpg"
    stored.write_bytes(b"not a picture at all")
    wanted = Wanted(stored, (64, 64), "contain", (0, 0, 0))
    with pytest.raises(Quarantine) as broken:
        decode(wanted)
    said = checks.told(broken.value, wanted)
    assert said == "picture hong.jpg cannot be decoded: cannot identify image file 'hong.jpg'"


def test_a_line_that_does_not_stand_out_is_named() -> None:
    box = Box(0, 0, 200, 40)
    surface = pygame.Surface((200, 40))
    surface.fill((18, 27, 43))
    page = Page((Text(box, "Kính mời bà con", "regular", 20, (60, 70, 90)),))
    said = checks.illegible(page, surface)
    assert said == "low contrast: 1.8:1, at least 4.5:1 is legible: “Kính mời bà con”"
    assert checks.illegible(Page((replace(page.texts[0], colour=(242, 246, 252)),)), surface) is None


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The sample's board with a printed notice, a film, a picture and a text besides; published."""
    folder = init(tmp_path_factory.mktemp("everything") / "station", sample=True, now=NOW)
    texts, media = folder.authoring, folder.authoring / "media"
    film = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "color=c=0x20c020:s=320x180:d=1"]
    subprocess.run([*film, str(media / "film.mp4")], check=True)
    Image.new("RGB", (960, 540), (30, 200, 30)).save(media / "anh.png")
    Image.new("L", (827, 1170), 255).save(texts / "board" / "qd.pdf", "PDF", resolution=100)
    with (texts / "board.toml").open("a", encoding="utf-8") as board:
        board.write('[[document]]\nid = "qd"\nfile = "qd.pdf"\n[[video]]\nid = "phim"\nfile = "film.mp4"\n')
    words = (
        '[[announcement]]\nid = "a"\ntitle = "Họp"\ntext = "Mời bà con."\n'
        '[[image]]\nid = "b"\nfile = "anh.png"\n[ticker]\ntext = "Công an: 113"\n'
    )
    write(folder, COMMUNE, words, TIMETABLE)
    publish(folder.path, now=NOW)
    return folder


ALL_KINDS = {"a", "b", "ticker", "noi-quy", "lich-tiem", "thoi-tiet", "tet", "qd", "phim"}


def test_the_texts_are_previewed_as_the_feed_is_that_is_published_of_them(
    everything: Folder, tmp_path: Path
) -> None:
    found = []
    for directory in (everything.path, everything.feed):
        out = tmp_path / directory.name / "out"
        done = loa(
            "board", "preview", str(directory), "--out", str(out), "--size", "640x360",
            "--at", "2026-11-23T12:10", "--json",
        )  # fmt: skip
        report = json.loads(done.stdout)
        found.append({one["file"]: pixels(out, one).tobytes() for one in shots(report, kind="page")})
        assert {one["bulletin"] for one in shots(report, kind="page")} == ALL_KINDS
    assert found[0].keys() == found[1].keys()
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []


def test_the_window_has_all_kinds_of_bulletins_before_and_after_publishing(everything: Folder) -> None:
    at = NOW.astimezone()
    for directory in (everything.path, everything.feed):
        board, _ = board_of(read(directory, at), at, "dark", "landscape")
        shown = {bulletin.id for zone in board.zones for bulletin in zone.bulletins}
        assert shown == {f"preview/{name}" for name in ALL_KINDS}


def test_every_kind_of_bulletin_is_drawn_and_what_is_unknown_is_said(tmp_path: Path) -> None:
    folder = init(tmp_path / "station", now=NOW)
    film, readings = tmp_path / "film.mp4", tmp_path / "readings.json"
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "color=c=0x20c020:s=320x180:d=1", str(film)],
        check=True,
    )
    values = [{"id": "t", "name": "Nhiệt độ", "value": 23.5, "unit": "°C"}]
    readings.write_text(
        json.dumps(
            {"format": "loa.readings/1", "at": "2026-11-27T00:10:00Z", "source": "Trạm", "readings": values}
        )
    )
    contents: dict[str, Any] = {
        "markdown": {"text": {"heading": "Mang theo", "body": "- sổ\n- **thẻ**", "markup": "markdown"}},
        "table": {"table": {"heading": "Lịch", "head": ["Ngày"], "rows": [["3/12"], ["4/12"]]}},
        "readings": {"readings": {"media": "media/readings.json"}},
        "countdown": {"countdown": {"to": "2027-02-06T00:00:00", "heading": "Tết 🎉"}},
        "film": {"video": {"media": "media/film.mp4"}},
        "gone": {"video": {"media": "media/gone.mp4"}},
        "hologram": {"hologram": {"depth": 3}},
    }
    bulletins = [{"id": name, "zone": "main", "content": content} for name, content in contents.items()]
    publish(
        folder.path,
        schedule_json={"format": "loa.schedule/1", "bulletins": bulletins},
        media={"media/film.mp4": film, "media/readings.json": readings},
        now=NOW,
    )
    out = tmp_path / "out"
    done = loa(
        "board", "preview", str(folder.feed), "--out", str(out), "--size", "640x360",
        "--at", "2026-11-27T07:30", "--json",
    )  # fmt: skip
    report = json.loads(done.stdout)
    drawn = {one["bulletin"] for one in shots(report, kind="page")}
    assert drawn == {"markdown", "table", "readings", "countdown", "film"}
    (poster,) = shots(report, bulletin="film", orientation="landscape")
    middle = pixels(out, poster)[150, 320].astype(int)
    assert abs(middle - (0x20, 0xC0, 0x20)).max() < 12, "the film's first frame"
    assert {name: set(warned(report, name)) for name in contents if warned(report, name)} == {
        "countdown": {"glyph"},
        "gone": {"broken"},
        "hologram": {"not-shown"},
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "is neither a station's folder"),
        (("--at", "morgen"), "'morgen' is no time"),
        (("--size", "big"), "--size is WIDTHxHEIGHT"),
        (("--theme", "pink"), "'pink' is no theme; there are dark, light, contrast"),
        (("--alert", "/nowhere.xml"), "/nowhere.xml: No such file"),
    ],
)
def test_what_cannot_be_previewed_is_one_clear_line(
    station: Path, tmp_path: Path, arguments: Sequence[str], said: str
) -> None:
    directory = station if arguments else tmp_path
    done = loa("board", "preview", str(directory), "--out", str(tmp_path / "o"), *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("loa: ") and said in done.stderr and done.stderr.count("\n") == 1


def test_mistakes_in_the_texts_are_all_said(tmp_path: Path) -> None:
    folder = init(tmp_path / "station", now=NOW)
    write(folder, COMMUNE, '[[announcement]]\nid = "a"\n[[image]]\nid = "b"\nfile = "no.png"\n', TIMETABLE)
    done = loa("board", "preview", str(folder.path), "--out", str(tmp_path / "o"))
    assert done.returncode == 2
    assert "announcement 'a' text: Field required" in done.stderr


def test_what_is_only_shown_is_drawn_from_its_files_and_its_notes_are_told(tmp_path: Path) -> None:
    folder = init(tmp_path / "station", now=NOW)
    write(Folder(folder.path), COMMUNE, "", TIMETABLE)
    (folder.authoring / "board").mkdir(exist_ok=True)
    (folder.authoring / "board" / "lich.csv").write_text("Thôn,Ngày\nThôn 1,3/12\n", encoding="utf-8")
    board = '[[table]]\nid = "lich"\nfile = "lich.csv"\n[[countdown]]\nid = "qua"\nto = 2020-01-01T00:00:00\n'
    (folder.authoring / "board.toml").write_text(board, encoding="utf-8")
    command = (
        "board",
        "preview",
        str(folder.path),
        "--out",
        str(tmp_path / "out"),
        "--size",
        "640x360",
        "--json",
    )
    report = json.loads(loa(*command).stdout)
    assert {one["bulletin"] for one in shots(report, kind="page")} == {"lich", "qua"}
    assert "which is over" in warned(report, "")["note"]
    (folder.authoring / "board" / "lich.csv").unlink()
    done = loa(*command)
    assert done.returncode == 2 and "lich.csv" in json.loads(done.stdout)["error"]


def test_a_window_shows_the_board_as_at_the_time_that_is_asked_for(station: Path, tmp_path: Path) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("SDL_", "WAYLAND"))}
    with xvfb() as display:
        window = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "board", "show", str(station), "--at", "2026-11-27T07:30"],
            cwd=ROOT, env={**clean, "DISPLAY": display},
        )  # fmt: skip
        try:
            text = np.array(THEMES["dark"].text)

            def shown() -> Image.Image | None:
                image = grab(display, tmp_path / "window.png")
                there = (np.asarray(image) == text).all(axis=2)
                return image if there[:640].sum() > 500 and there[650:, 1050:].sum() > 50 else None

            image = wait_until(shown, 30, "the board and its clock are seen")
            assert image is not None and image.getpixel((20, 20)) == THEMES["dark"].surface
            assert window.poll() is None
        finally:
            window.terminate()
            window.wait(10)


def test_a_window_ends_when_its_time_is_over_and_needs_a_screen(station: Path) -> None:
    done = loa("board", "show", str(station), "--driver", "offscreen", "--size", "640x360", "--for", "0.5")
    assert (done.returncode, done.stderr) == (0, "")
    done = loa("board", "show", str(station), "--driver", "x11", "--for", "0.5")
    assert done.returncode == 1
    assert "no screen through x11" in done.stderr


def test_without_layouts_both_that_are_built_in_are_drawn_each_on_its_own_screen(tmp_path: Path) -> None:
    folder = init(tmp_path / "station", now=NOW)
    write(Folder(folder.path), COMMUNE, '[[announcement]]\nid = "a"\ntext = "Mời bà con."\n', TIMETABLE)
    out = tmp_path / "out"
    done = loa("board", "preview", str(folder.path), "--out", str(out), "--size", "640x360", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    boards = shots(json.loads(done.stdout), kind="board")
    assert [one["orientation"] for one in boards] == ["landscape", "portrait"]
    standing = pixels(out, boards[1])
    beside = standing[round(640 * 28 / 32) + 4 : round(640 * 30 / 32) - 4, 20:340]
    assert (beside == THEMES["dark"].text).all(axis=2).any(), "the clock stands above the ticker"
