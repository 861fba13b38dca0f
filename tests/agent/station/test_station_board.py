"""What is only shown: read, looked at, refused or warned of before it is signed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from agent.station import authoring
from agent.station.board import bulletins, read_files
from agent.station.errors import Author
from agent.station.folder import Folder
from agent.station.printed import NotPrinted, pages_of
from agent.station.publish import compose, publish
from playlists.models.schedule import parse_schedule
from tests.agent.station.conftest import NOW

READINGS = {
    "format": "loa.readings/1",
    "at": "2026-11-23T11:50:00+07:00",
    "readings": [{"id": "t", "name": "Nhiệt độ", "value": 17.5, "unit": "°C"}],
}


class Desk:
    """An officer's folder for the board."""

    def __init__(self, station: Path) -> None:
        self.station = station
        self.folder = Folder(station).authoring / "board"

    def write(self, toml: str, **files: bytes | str) -> None:
        (self.folder.parent / "board.toml").write_text(toml)
        for name, content in files.items():
            path = self.folder / name.replace("_", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self) -> tuple[dict[str, dict[str, Any]], list[str], list[str]]:
        """Contents by bulletin, problems, notes."""
        texts = authoring.read(Folder(self.station).authoring)
        found = read_files(
            texts.board,
            texts.board_dir,
            texts.media_dir,
            Folder(self.station).cache,
            texts.timetable.timezone,
            NOW,
        )
        told = {bulletin["id"]: bulletin["content"] for bulletin in bulletins(texts.board, found)}
        return told, found.problems, found.notes


@pytest.fixture
def desk(station: Path) -> Desk:
    return Desk(station)


def printed(pages: int = 2, lines: int = 12, size: tuple[int, int] = (827, 1170)) -> bytes:
    """A PDF of black bars on white paper, like lines of print."""
    images = []
    for _ in range(pages):
        image = Image.new("L", size, 255)
        draw = ImageDraw.Draw(image)
        for line in range(lines):
            edge, each = size[0] // 10, (size[1] * 4 // 5) // lines
            top = size[1] // 10 + line * each
            draw.rectangle((edge, top, size[0] - edge, top + each // 2), fill=20)
        images.append(image)
    data = io.BytesIO()
    images[0].save(data, "PDF", save_all=True, append_images=images[1:], resolution=100)
    return data.getvalue()


def test_everything_that_an_officer_may_show_becomes_a_bulletin(desk: Desk) -> None:
    desk.write(
        """
        [[notice]]
        id = "noi-quy"
        title = "Nội quy"
        file = "noi-quy.md"
        [[table]]
        id = "lich"
        title = "Lịch tiêm"
        file = "lich.csv"
        [[document]]
        id = "qd"
        title = "Quyết định"
        file = "qd.pdf"
        [[readings]]
        id = "gio"
        title = "Thời tiết"
        file = "gio.json"
        show = ["t"]
        stale_after_min = 30
        [[countdown]]
        id = "tet"
        title = "Đến Tết"
        to = 2027-02-06T00:00:00
        valid_until = 2027-02-10
        """,
        **{
            "noi-quy_md": "## Giờ\n\n- sáng",
            "lich_csv": "Thôn,Ngày\n1,3/12\n",
            "qd_pdf": printed(),
            "gio_json": json.dumps(READINGS),
        },
    )
    told, problems, notes = desk.read()
    assert (problems, notes) == ([], [])
    assert told["noi-quy"]["text"] == {
        "heading": "Nội quy",
        "body": "## Giờ\n\n- sáng",
        "markup": "markdown",
        "qr": None,
    }
    assert (told["lich"]["table"]["head"], told["lich"]["table"]["rows"]) == (
        ["Thôn", "Ngày"],
        [["1", "3/12"]],
    )
    pages = told["qd"]["document"]["pages"]
    assert [page["media"] for page in pages] == ["media/qd/page-01.png", "media/qd/page-02.png"]
    assert all(len(page["gaps"]) == 11 and page["size"][0] == 1_600 for page in pages)
    assert told["gio"]["readings"]["stale_after_s"] == 1_800
    assert told["tet"]["countdown"]["to"] == "2027-02-06T00:00:00"


def test_what_is_published_is_taken_by_a_node_as_it_is(desk: Desk) -> None:
    desk.write('[[document]]\nid = "qd"\nfile = "qd.pdf"\n', **{"qd_pdf": printed(3)})
    published = publish(desk.station, now=NOW)
    targets = {path.name.partition(".")[2] for path in (Folder(desk.station).feed / "targets").rglob("*.png")}
    assert targets == {"page-01.png", "page-02.png", "page-03.png"}
    assert published.changed
    again = publish(desk.station, now=NOW)
    assert not again.changed, "the pages are the same as before"
    schedule = json.dumps(compose(desk.station).schedule | {"version": 1, "published": NOW.isoformat()})
    parsed, unknown = parse_schedule(schedule.encode())
    assert unknown == []
    assert len(parsed.media()) == 3 + 1, "and the chime"


@pytest.mark.parametrize(
    ("toml", "files", "where", "why"),
    [
        ('[[notice]]\nid="a"\nfile="a.md"', {}, "'a' file", "no file board/a.md"),
        ('[[notice]]\nid="a"\nfile="a.md"', {"a_md": b"\xff\xfe"}, "'a' file", "not UTF-8"),
        ('[[notice]]\nid="a"\nfile="a.md"', {"a_md": "x " * 12_000}, "'a' text", "at most 20000"),
        ('[[table]]\nid="a"\nfile="a.csv"', {"a_csv": "A,B\n"}, "'a' file", "no rows below its head"),
        ('[[table]]\nid="a"\nfile="a.csv"', {"a_csv": "A\n" + "x" * 501}, "rows.0.0", "500"),
        ('[[table]]\nid="a"\nfile="a.csv"', {"a_csv": ",".join("a" * 13) + "\n1"}, "head", "12"),
        ('[[document]]\nid="a"\nfile="a.pdf"', {"a_pdf": b"%PDF-1.4 nothing"}, "'a' file", "is no PDF"),
        ('[[document]]\nid="a"\nfile="a.pdf"', {"a_pdf": printed(41, 1, (80, 120))}, "'a' file", "41 pages"),
        (
            '[[document]]\nid="a"\nfile="a.pdf"',
            {"a_pdf": printed(1, 1, (200, 2_000))},
            "'a' file",
            "no page that a board",
        ),
        ('[[readings]]\nid="a"\nfile="a.json"', {"a_json": "{"}, "'a' file", "is not JSON"),
        ('[[readings]]\nid="a"\nfile="a.json"', {"a_json": '{"format": "x"}'}, "'a' file", "loa.readings/1"),
        (
            '[[readings]]\nid="a"\nfile="a.json"\nshow=["river"]',
            {"a_json": json.dumps(READINGS)},
            "'a' show",
            "no reading 'river'",
        ),
        ('[[video]]\nid="a"\nfile="a.mp4"', {}, "'a' file", "no file media/a.mp4"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(
    desk: Desk, toml: str, files: dict[str, bytes | str], where: str, why: str
) -> None:
    desk.write(toml, **files)
    told, problems, _ = desk.read()
    assert told == {}
    assert any(where in line and why in line for line in problems), problems
    with pytest.raises(Author, match=r"board\.toml"):
        compose(desk.station)


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ('[[notice]]\nid="a"', "no text, no file and no title"),
        ('[[notice]]\nid="a"\ntext="x"\nfile="a.md"', "both text and file"),
        ('[[video]]\nid="a"\nfile="a.exe"', "file"),
        ('[[table]]\nid="a"\nfile="../a.csv"', "file"),
        ('[[countdown]]\nid="a"\nto="soon"', "to"),
        ('[[notice]]\nid="a"\ntitle="x"\nzone="attic"', "no layout has 'attic'"),
        ('[[notice]]\nid="hop-thon"\ntitle="x"', "also in announcements.toml"),
        ('[[notice]]\nid="a"\ntitle="x"\n[[countdown]]\nid="a"\nto=2027-01-01T00:00:00', "used twice"),
        ('[[poem]]\nid="a"', "poem"),
    ],
)
def test_a_table_of_the_file_that_is_wrong_is_refused(desk: Desk, toml: str, why: str) -> None:
    desk.write(toml)
    with pytest.raises(Author, match=r"board\.toml") as error:
        authoring.read(Folder(desk.station).authoring)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("toml", "files", "why"),
    [
        ('[[notice]]\nid="a"\ntext="![x](y.png) chữ"', {}, "leaves out a picture in the text"),
        ('[[notice]]\nid="a"\ntext="~~chữ~~ số"', {}, "shows struck words (~~chữ~~) as typed"),
        ('[[notice]]\nid="a"\ntext="' + "chữ " * 500 + '"', {}, "few stand before a board"),
        ('[[table]]\nid="a"\nfile="a.csv"', {"a_csv": "a;b;c;d;e;f;g\n1;2;3;4;5;6;7"}, "table of 7 columns"),
        ('[[table]]\nid="a"\nfile="a.csv"', {"a_csv": "a\tb\n1\t2\t3"}, "row 2 has more cells than the head"),
        ('[[document]]\nid="a"\nfile="a.pdf"', {"a_pdf": printed(9, 9, (83, 117))}, "9 pages"),
        ('[[document]]\nid="a"\nfile="a.pdf"', {"a_pdf": printed(1, 1, (83, 117))}, "looks like a scan"),
        (
            '[[readings]]\nid="a"\nfile="a.json"\nstale_after_min=5',
            {"a_json": json.dumps(READINGS)},
            "'Nhiệt độ' is old",
        ),
        ('[[countdown]]\nid="a"\nto=2026-01-01T00:00:00', {}, "which is over"),
    ],
)
def test_what_its_author_may_not_have_meant_is_a_note(
    desk: Desk, toml: str, files: dict[str, bytes | str], why: str
) -> None:
    desk.write(toml, **files)
    told, problems, notes = desk.read()
    assert "a" in told
    assert problems == []
    assert any(why in line for line in notes), notes


def test_a_printed_notice_is_drawn_once(tmp_path: Path) -> None:
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(printed(1))
    first = pages_of(pdf, tmp_path / "cache")
    made = first[0].path.stat().st_mtime_ns
    assert pages_of(pdf, tmp_path / "cache") == first
    assert first[0].path.stat().st_mtime_ns == made
    with Image.open(first[0].path) as image:
        assert image.size == first[0].size
        assert image.mode in {"P", "L"}, "print needs few colours"


def scanned(
    lines: int = 12, size: tuple[int, int] = (1654, 2339)
) -> tuple[Image.Image, list[tuple[int, int]]]:
    """A page as a scanner sees it: grey, grainy, darker at one side, with a black edge; and where its lines lie."""
    page = Image.new("L", size, 222)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf", size[0] // 40)
    each, boxes = size[1] * 4 // 5 // lines, []
    for line in range(lines):
        at = (size[0] // 10, size[1] // 10 + line * each)
        words = "Kính mời đại diện các hộ đến nhà văn hóa ạ"
        draw.text(at, words, fill=70, font=font)
        box = draw.textbbox(at, words, font=font)
        boxes.append((round(box[1]), round(box[3])))
    shade = np.linspace(-60, 0, size[0])[None, :]
    grain = np.random.default_rng(1).normal(0, 6, (size[1], size[0]))
    seen = np.asarray(page.filter(ImageFilter.GaussianBlur(1))).astype(float) + shade + grain
    seen[:, : size[0] // 100] = 10
    return Image.fromarray(seen.clip(0, 255).astype(np.uint8)), boxes


def test_a_scan_is_cut_between_its_lines(tmp_path: Path) -> None:
    page, boxes = scanned()
    page.save(tmp_path / "scan.pdf", "PDF", resolution=200)
    (seen,) = pages_of(tmp_path / "scan.pdf", tmp_path)
    assert len(seen.gaps) >= 11
    height = page.height
    for gap in seen.gaps:
        assert not any(top <= gap * height <= bottom for top, bottom in boxes), f"{gap} goes through a line"


def test_a_page_in_landscape_is_wider(tmp_path: Path) -> None:
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(printed(1, 5, (1_170, 827)))
    assert pages_of(pdf, tmp_path)[0].size[0] == 1_900


def test_a_photograph_is_kept_as_one(tmp_path: Path) -> None:
    noise = Image.effect_noise((800, 1_100), 90).convert("RGB")
    noise.save(tmp_path / "a.pdf", "PDF")
    (page,) = pages_of(tmp_path / "a.pdf", tmp_path / "cache")
    assert page.gaps == ()
    assert page.path.suffix in {".jpg", ".png"}


def test_a_locked_pdf_says_so(tmp_path: Path) -> None:
    """A document that asks for a password: an encryption dictionary with keys that fit none."""
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(LOCKED)
    with pytest.raises(NotPrinted, match="password"):
        pages_of(pdf, tmp_path)


LOCKED = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]>>endobj\n"
    b"4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>endobj\n"
    b"trailer<</Root 1 0 R/Size 5/Encrypt 4 0 R/ID[<" + b"43" * 16 + b"><" + b"43" * 16 + b">]>>\n%%EOF\n"
)


def test_the_sample_has_something_of_every_kind(sample: tuple[Path, Any]) -> None:
    station, _ = sample
    kinds = {next(iter(b["content"])) for b in compose(station).schedule["bulletins"]}
    assert {"text", "table", "readings", "countdown"} <= kinds


def test_a_station_made_before_board_toml_goes_on(station: Path) -> None:
    (Folder(station).authoring / "board.toml").unlink()
    assert authoring.read(Folder(station).authoring).board.shown == []
