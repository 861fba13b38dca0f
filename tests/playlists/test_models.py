from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.errors import Rejected
from playlists.models.base import (
    MAX_DOCUMENT_BYTES,
    MAX_NAME,
    MAX_PROGRAMMES,
    MAX_UNKNOWN,
    BulletinClass,
    read_json,
)
from playlists.models.command import NEEDS, Announce, Command
from playlists.models.items import MediaItem, RelayItem, SpeechItem
from playlists.models.operators import parse_operators
from playlists.models.schedule import parse_schedule

# the example of contract §2
CONTRACT: dict[str, Any] = {
    "format": "loa.schedule/1",
    "version": 42,
    "published": "2026-11-23T05:00:00+07:00",
    "timezone": "Asia/Ho_Chi_Minh",
    "programmes": [
        {
            "id": "morning-news",
            "title": "Bản tin sáng",
            "language": "vi",
            "class": "routine",
            "priority": 0,
            "zones": ["*"],
            "targets": ["*"],
            "start": "2026-11-23T05:30:00",
            "recurrence": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20271231T000000",
            "exceptions": ["2027-01-01T05:30:00"],
            "loops": 1,
            "gap_s": 5,
            "length_s": None,
            "on_conflict": "queue",
            "if_late": "join",
            "grace_s": 120,
            "volume_db": 0,
            "items": [
                {"media": "media/chime.ogg"},
                {"media": "media/news-1123.mp3"},
                {"speech": {"text": "Kính mời bà con đến nhà văn hóa thôn lúc 19 giờ.", "language": "vi"}},
                {"relay": {"url": "https://radio.example/vov1", "for_s": 900, "fallback": "media/music.mp3"}},
            ],
        }
    ],
    "bulletins": [
        {
            "id": "vaccination",
            "title": "Lịch tiêm chủng",
            "language": "vi",
            "class": "routine",
            "zone": "main",
            "valid_from": "2026-11-23T00:00:00",
            "valid_until": "2026-11-30T00:00:00",
            "hours": ["05:00-22:00"],
            "duration_s": 15,
            "weight": 1,
            "content": {
                "text": {"heading": "Lịch tiêm chủng", "body": "…", "qr": "https://xa.example/phan-anh"}
            },
        }
    ],
    "layouts": [
        {
            "id": "default",
            "grid": [16, 9],
            "zones": [
                {"id": "main", "at": [0, 0, 16, 8]},
                {"id": "ticker", "at": [0, 8, 13, 1], "kind": "ticker"},
                {"id": "clock", "at": [13, 8, 3, 1], "kind": "clock"},
            ],
        }
    ],
}


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(json.dumps(CONTRACT))
    change(document)
    return json.dumps(document).encode()


def programme(**fields: object) -> bytes:
    return changed(lambda document: document["programmes"][0].update(fields))


def bulletin(**fields: object) -> bytes:
    return changed(lambda document: document["bulletins"][0].update(fields))


def problems(raw: bytes) -> list[str]:
    with pytest.raises(Rejected) as refusal:
        parse_schedule(raw)
    assert refusal.value.where == "schedule.json"
    return refusal.value.problems


def test_the_example_of_the_contract_is_understood_whole() -> None:
    schedule, unknown = parse_schedule(json.dumps(CONTRACT).encode())
    assert unknown == []
    (news,) = schedule.programmes
    assert news.class_ is BulletinClass.ROUTINE
    assert [type(item) for item in news.items] == [MediaItem, MediaItem, SpeechItem, RelayItem]
    assert schedule.media() == {"media/chime.ogg", "media/news-1123.mp3", "media/music.mp3"}
    assert schedule.zone.key == "Asia/Ho_Chi_Minh"


def test_the_media_of_a_schedule_includes_pictures() -> None:
    raw = bulletin(content={"image": {"media": "media/board/map.png"}})
    assert "media/board/map.png" in parse_schedule(raw)[0].media()


def test_unknown_fields_are_ignored_and_named_once() -> None:
    def add(document: dict[str, Any]) -> None:
        document["colour"] = "red"
        document["programmes"][0]["mood"] = "calm"
        document["programmes"][0]["items"][2]["speech"]["pitch"] = 3
        document["programmes"].append({**document["programmes"][0], "id": "again"})
        document["bulletins"][0]["content"]["text"]["font"] = "serif"

    assert parse_schedule(changed(add))[1] == [
        "bulletins.content.text.font",
        "colour",
        "programmes.items.speech.pitch",
        "programmes.mood",
    ]


def test_names_of_unknown_fields_are_safe_to_print_and_bounded() -> None:
    raw = changed(lambda d: d.update({"\ud800": 1, "x" * 9_000: 1, **{f"k{n}": n for n in range(5_000)}}))
    unknown = parse_schedule(raw)[1]
    assert len(unknown) == MAX_UNKNOWN
    assert unknown[0] == "\\ud800"
    assert max(map(len, parse_schedule(changed(lambda d: d.update({"x" * 9_000: 1})))[1])) == MAX_NAME


@pytest.mark.parametrize("field", ["items", "exceptions", "targets", "zones"])
def test_a_million_bad_parts_make_a_few_problems(field: str) -> None:
    assert len(problems(programme(**{field: [{}] * 1_000_000}))) <= 2


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "is not JSON"),
        (b"[]", "must be a JSON object, found list"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b" " * (MAX_DOCUMENT_BYTES + 1), f"is {MAX_DOCUMENT_BYTES + 1} bytes, at most {MAX_DOCUMENT_BYTES}"),
        (changed(lambda d: d.update(format="loa.schedule/2")), "format: 'loa.schedule/1' is understood here"),
        (changed(lambda d: d.pop("format")), "found None"),
        (
            changed(lambda d: d.update(programmes=[0] * (MAX_PROGRAMMES + 1))),
            "programmes: at most 10000 are accepted, found 10001",
        ),
        (
            changed(lambda d: d.update(timezone="Asia/Hanoi_City")),
            "timezone: Value error, is not an IANA time zone",
        ),
        (changed(lambda d: d.update(timezone="../../etc/passwd")), "timezone: Value error, is not an IANA"),
        (changed(lambda d: d.update(published="2026-11-23T05:00:00")), "published: "),
        (changed(lambda d: d.update(version=0)), "version: "),
        (
            changed(lambda d: d["programmes"].append(d["programmes"][0])),
            "programme id 'morning-news' is used twice",
        ),
        (programme(id="a/b"), "programmes.0.id: "),
        (programme(id="loa\n"), "programmes.0.id: "),
        (programme(**{"class": "urgent"}), "programmes.0.class: "),
        (programme(items=[]), "programmes.0.items: "),
        (programme(items=[{"video": "media/a.mp4"}]), "an item has one of the fields media, speech, relay"),
        (programme(items=[{"media": "media/../keys"}]), "programmes.0.items.0.media.media: "),
        (programme(items=[{"media": "/etc/passwd"}]), "programmes.0.items.0.media.media: "),
        (
            programme(items=[{"relay": {"url": "file:///etc/passwd", "for_s": 9}}]),
            "programmes.0.items.0.relay",
        ),
        (programme(items=[{"relay": {"url": "http://a", "for_s": 0}}]), "programmes.0.items.0.relay"),
        (programme(length_s=0), "programmes.0.length_s: "),
        (programme(loops=0), "programmes.0.loops: "),
        (programme(volume_db=90), "programmes.0.volume_db: "),
        (programme(grace_s=1e308), "programmes.0.grace_s: "),
        (programme(on_conflict="fight"), "programmes.0.on_conflict: "),
        (programme(start="half past five"), "programmes.0.start: "),
        (bulletin(hours=["05:00-24:30"]), "bulletins.0.hours.0: "),
        (bulletin(hours=["5-22"]), "bulletins.0.hours.0: "),
        (bulletin(content={}), "countdown; found none"),
        (bulletin(content={"text": {}, "image": {"media": "media/a.png"}}), "found text, image"),
        (
            changed(lambda d: d["layouts"][0]["zones"][0].update(at=[0, 0, 17, 1])),
            "zone 'main' at [0, 0, 17, 1] lies outside the grid [16, 9]",
        ),
    ],
)
def test_a_schedule_that_breaks_the_contract_is_refused_in_words(raw: bytes, says: str) -> None:
    assert any(says in problem for problem in problems(raw)), problems(raw)


def test_all_problems_are_told_at_once() -> None:
    found = problems(programme(loops=0, priority="high", items=[]))
    assert [problem.split(":")[0] for problem in found] == [
        "programmes.0.priority",
        "programmes.0.loops",
        "programmes.0.items",
    ]


def test_a_whole_day_may_be_written_as_hours() -> None:
    assert parse_schedule(bulletin(hours=["00:00-24:00"]))[0].bulletins[0].hours == ("00:00-24:00",)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
PLACES = (
    ("programmes",),
    ("bulletins",),
    ("layouts",),
    ("published",),
    ("timezone",),
    *(("programmes", 0, name) for name in CONTRACT["programmes"][0]),
    *(("bulletins", 0, name) for name in CONTRACT["bulletins"][0]),
    *(("layouts", 0, name) for name in CONTRACT["layouts"][0]),
    ("programmes", 0, "items", 2, "speech"),
    ("programmes", 0, "items", 3, "relay", "url"),
)


@given(place=st.sampled_from(PLACES), value=json_values)
def test_whatever_stands_in_a_field_is_read_or_refused(place: tuple[str | int, ...], value: Any) -> None:
    def put(document: Any) -> None:
        for step in place[:-1]:
            document = document[step]
        document[place[-1]] = value

    try:
        parse_schedule(changed(put))
    except Rejected as refusal:
        assert refusal.problems


@given(st.binary(max_size=200))
def test_whatever_the_bytes_they_are_read_or_refused(raw: bytes) -> None:
    try:
        read_json("document", raw)
    except Rejected as refusal:
        assert str(refusal).startswith("document: ")


def test_a_refusal_names_the_first_problems_and_counts_the_rest() -> None:
    assert str(Rejected("schedule.json", ["a", "b", "c", "d", "e"])) == "schedule.json: a; b; c (and 2 more)"


def command(**fields: object) -> dict[str, object]:
    return {
        "id": "0193",
        "feed": "commune",
        "issued": "2026-11-23T05:00:00Z",
        "expires": "2026-11-23T05:05:00Z",
        "to": ["*"],
        "do": {"type": "announce", "items": [{"speech": {"text": "Mời bà con", "language": "vi"}}]},
        **fields,
    }


def test_a_command_is_addressed_to_a_node_a_group_or_all() -> None:
    groups = frozenset({"hamlet-3"})
    for to, meant in (
        (["*"], True),
        (["node:pole-07"], True),
        (["group:hamlet-3"], True),
        (["node:pole-08", "group:hamlet-3"], True),
        (["node:hamlet-3"], False),
        (["group:pole-07"], False),
        (["node:pole-08"], False),
    ):
        assert Command.model_validate(command(to=to)).addresses("pole-07", groups) is meant


def test_the_kind_of_a_command_is_told_by_its_type() -> None:
    assert isinstance(Command.model_validate(command()).do, Announce)


def test_each_type_of_command_says_what_it_needs() -> None:
    schema = Command.model_json_schema()["properties"]["do"]["discriminator"]["mapping"]
    assert set(NEEDS) == set(schema)


def test_operators_are_read_or_refused_whole() -> None:
    operator = {
        "keyid": "ab",
        "name": "Văn phòng xã",
        "key": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "0" * 64}},
        "actions": ["announce"],
        "expires": "2027-01-01T00:00:00Z",
    }
    document = {"format": "loa.operators/1", "operators": [operator]}
    assert parse_operators(json.dumps(document).encode()).operators[0].name == "Văn phòng xã"
    operator["actions"] = ["announce", "rule the world"]
    with pytest.raises(Rejected, match=r"operators\.json: operators\.0\.actions\.1"):
        parse_operators(json.dumps(document).encode())


def test_classes_are_ranked() -> None:
    assert sorted(BulletinClass, key=lambda c: c.rank) == ["routine", "priority", "emergency"]
