"""From texts to a schedule, and every mistake at once."""

import json
from pathlib import Path

import pytest

from agent.station import authoring
from agent.station.errors import Author
from agent.station.folder import Folder
from playlists.board import board_at
from playlists.models.base import BulletinClass, ClockState
from playlists.models.schedule import parse_schedule
from playlists.timetable import FeedSchedule
from playlists.units import Level
from tests.agent.station.conftest import ANNOUNCEMENTS, COMMUNE, NOW, TIMETABLE, write

MEDIA = {"chime": "media/chime.opus"}
HEAD = {"version": 1, "published": "2026-11-23T05:00:00Z"}


def read(station: Path) -> authoring.Texts:
    return authoring.read(Folder(station).authoring)


def mistakes(station: Path) -> list[str]:
    with pytest.raises(Author) as caught:
        read(station)
    assert all(line in str(caught.value) for line in caught.value.problems)
    return caught.value.problems


def test_days_become_a_recurrence_that_does_not_depend_on_today(station: Path) -> None:
    [programme] = authoring.compose(read(station), {"chime": "media/chime.opus"})["programmes"]
    assert programme["recurrence"] == "FREQ=WEEKLY;BYDAY=MO,TU"
    assert programme["start"] == "2024-01-01T05:30:00"
    assert programme["items"] == [
        {"media": "media/chime.opus"},
        {"relay": {"url": "https://radio.example/vov1", "for_s": 900, "fallback": None}},
    ]


def test_from_until_and_except_bound_a_recurrence(station: Path) -> None:
    more = TIMETABLE + "from = 2026-11-25\nuntil = 2026-12-31\nexcept = [2026-12-01]\n"
    write(Folder(station), COMMUNE, ANNOUNCEMENTS, more)
    [programme] = authoring.compose(read(station), {"chime": "media/chime.opus"})["programmes"]
    assert programme["start"] == "2026-11-30T05:30:00", "the first Monday or Tuesday"
    assert programme["recurrence"] == "FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20261231T235959"
    assert programme["exceptions"] == ["2026-12-01T05:30:00"]


def test_dates_become_one_programme_each(station: Path) -> None:
    dated = TIMETABLE.replace('days = ["tue", "mon"]', "dates = [2026-11-28, 2026-11-27]")
    write(Folder(station), COMMUNE, ANNOUNCEMENTS, dated)
    programmes = authoring.compose(read(station), {"chime": "media/chime.opus"})["programmes"]
    assert [(p["id"], p["start"]) for p in programmes] == [
        ("sang.2026-11-27", "2026-11-27T05:30:00"),
        ("sang.2026-11-28", "2026-11-28T05:30:00"),
    ]


def test_announcements_and_ticker_become_bulletins(station: Path) -> None:
    text = (
        ANNOUNCEMENTS
        + 'valid_until = 2026-11-30\nqr = "https://xa.example"\n[ticker]\ntext = "Công an: 113"\n'
    )
    write(Folder(station), COMMUNE, text, TIMETABLE)
    notice, ticker = authoring.compose(read(station), {"chime": "media/chime.opus"})["bulletins"]
    assert notice["content"]["text"] == {
        "heading": "Họp thôn",
        "body": "Kính mời bà con đến họp.",
        "qr": "https://xa.example",
    }
    assert notice["valid_until"] == "2026-11-30T23:59:59"
    assert (ticker["zone"], ticker["content"]["text"]["body"]) == ("ticker", "Công an: 113")


def test_all_mistakes_come_at_once_with_file_entry_and_key(station: Path) -> None:
    write(
        Folder(station),
        COMMUNE.replace("2028-12-31", '"soon"'),
        ANNOUNCEMENTS + 'colour = "red"\nduration_s = 0\n',
        TIMETABLE.replace('"chime"', '"gong"').replace("05:30", "25:99"),
    )
    found = mistakes(station)
    assert len(found) == 5
    for line, words in zip(
        found,
        [
            ("commune.toml", "operator 'Cán bộ' expires", "'soon'"),
            ("announcements.toml", "announcement 'hop-thon' duration_s", "1", "(found 0)"),
            ("announcements.toml", "'hop-thon' colour", "red"),
            ("timetable.toml", "programme 'sang' start", "25:99"),
            ("timetable.toml", "programme 'sang' items", "'gong' is none of chime, music:"),
        ],
        strict=True,
    ):
        assert all(word in line for word in words), line


def test_what_is_named_must_exist(station: Path) -> None:
    timetable = TIMETABLE.replace('"chime"', '"announcement:nobody", "media:none.mp3", "relay:fm:1s"')
    announcements = ANNOUNCEMENTS + 'zone = "roof"\nrecording = "gone.ogg"\n' + ANNOUNCEMENTS
    write(Folder(station), COMMUNE, announcements, timetable)
    assert mistakes(station) == [
        "announcements.toml: announcement or image 'hop-thon': id is used twice",
        "announcements.toml: 'hop-thon' zone: no layout has 'roof' (there: clock, main, ticker)",
        "announcements.toml: 'hop-thon': no file media/gone.ogg",
        "timetable.toml: programme 'sang' items: no announcement 'nobody' in announcements.toml",
        "timetable.toml: programme 'sang' items: no file media/none.mp3",
        "timetable.toml: programme 'sang' items: "
        "no station 'fm' under [relays] in commune.toml (there: vov1)",
    ]


def test_a_start_outside_the_allowed_hours_is_a_mistake(station: Path) -> None:
    policy = '[policy]\nallowed_hours = ["16:30-18:30"]\n'
    write(Folder(station), COMMUNE, ANNOUNCEMENTS, policy + TIMETABLE.replace("timezone", "#"))
    assert mistakes(station) == [
        "timetable.toml: programme 'sang' start: 05:30 lies outside the allowed hours 16:30-18:30"
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[[", b"a" * 2_000_001])
def test_a_file_that_is_no_toml_is_named(station: Path, content: bytes) -> None:
    (Folder(station).authoring / "timetable.toml").write_bytes(content)
    assert mistakes(station)[0].startswith("timetable.toml: ")


def test_a_missing_file_is_named(station: Path) -> None:
    (Folder(station).authoring / "commune.toml").unlink()
    assert mistakes(station) == ["commune.toml: No such file or directory"]


@pytest.mark.parametrize("name", ["../secret.ogg", "/etc/passwd", ".hidden", "a b.ogg", "a\\b"])
def test_a_file_outside_the_media_folder_is_a_mistake(station: Path, name: str) -> None:
    write(Folder(station), COMMUNE, ANNOUNCEMENTS + f"recording = '{name}'\n", TIMETABLE)
    assert "recording" in mistakes(station)[0]


def test_what_is_shown_keeps_its_paragraphs_and_lists_and_is_spoken_in_one_breath(station: Path) -> None:
    text = (
        '[[announcement]]\nid = "hop"\ntext = """\nMời bà con\nđến họp.\n  \nMang theo:\n- sổ tiêm\n'
        '  của cháu\n* thẻ;\n\n1. Ký tên tháng\n11. Rồi\n2) Nộp\nTừ 3-5 tuổi\n"""\n'
    )
    write(Folder(station), COMMUNE, text, TIMETABLE)
    texts = authoring.read(Folder(station).authoring)
    body = authoring.compose(texts, MEDIA)["bulletins"][0]["content"]["text"]["body"]
    assert body == (
        "Mời bà con đến họp.\n\nMang theo:\n• sổ tiêm của cháu\n• thẻ;\n\n1. Ký tên tháng 11. Rồi\n2) Nộp Từ 3-5 tuổi"
    )
    assert texts.announcements.announcement[0].spoken == (
        "Mời bà con đến họp. Mang theo: sổ tiêm của cháu. thẻ; 1. Ký tên tháng 11. Rồi. 2) Nộp Từ 3-5 tuổi"
    )


def test_a_commune_without_layouts_leaves_them_to_the_board(station: Path) -> None:
    write(Folder(station), COMMUNE, ANNOUNCEMENTS + '[ticker]\ntext = "Công an: 113"\n', TIMETABLE)
    document = authoring.compose(authoring.read(Folder(station).authoring), MEDIA)
    assert document["layouts"] == []
    schedule, unknown = parse_schedule(json.dumps(HEAD | document).encode())
    assert unknown == []
    feeds = {"commune": FeedSchedule(schedule, Level(0), BulletinClass.EMERGENCY)}
    for orientation, grid in (("landscape", (16, 9)), ("portrait", (9, 32))):
        board, _ = board_at(
            feeds, NOW, ClockState.SYNCHRONISED, "pole", frozenset(), "Asia/Ho_Chi_Minh", orientation
        )
        assert board.grid == grid
        assert board.showing == ("commune/hop-thon", "commune/ticker")
