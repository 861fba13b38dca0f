"""A folder of texts becomes a feed that a node follows."""

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agent.clock import FakeClock
from agent.feeds import Feeds
from agent.feeds.events import FeedChanged, FeedEvent, MediaArrived
from agent.feeds.trust import MOST_TEXT
from agent.speech import Voices
from agent.station import keys, loudness
from agent.station.errors import Author, Technician
from agent.station.folder import Folder
from agent.station.prepare import Medium, _Cook
from agent.station.publish import Published, compose, init, publish, renew
from agent.station.repository import Repository
from agent.station.texts import Announcement
from agent.station.web import FeedServer
from agent.store import Store
from playlists.models.schedule import parse_schedule
from playlists.recurrence import check_schedule
from tests.agent.feeds.conftest import Settings
from tests.agent.station.conftest import ANNOUNCEMENTS, COMMUNE, NOW, TIMETABLE, write
from tests.support.tiny_voice import tiny_voice
from tests.support.wait import wait_until


def document(station: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_by_age(station, "*.schedule.json")[-1].read_bytes())
    return found


def _by_age(station: Path, pattern: str) -> list[Path]:
    return sorted((station / "feed" / "targets").glob(pattern), key=lambda path: path.stat().st_mtime_ns)


class Node:
    """The feed room of a node that follows the station."""

    def __init__(self, station: Path, directory: Path, clock: FakeClock) -> None:
        self.events: list[FeedEvent] = []
        self.web = FeedServer(station / "feed")
        self.web.start()
        settings = [Settings("commune", self.web.url, station / "root.json")]
        store = Store(directory / "cache", 10_000_000)
        self.feeds = Feeds(settings, store, directory / "state", self.events.append, clock)
        self.feeds.start()

    def wait_for_version(self, version: int) -> None:
        wait_until(
            lambda: self.feeds.state()["commune"].version == version, 10, f"version {version} is in force"
        )

    def poll(self) -> tuple[str, str | None]:
        rounds = self.feeds.rounds("commune")
        self.feeds.poll()
        wait_until(lambda: self.feeds.rounds("commune") > rounds, 10, "a round")
        health = self.feeds.state()["commune"]
        return health.state, health.reason

    def close(self) -> None:
        self.feeds.stop()
        self.web.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def follow(tmp_path: Path, clock: FakeClock) -> Iterator[Any]:
    nodes: list[Node] = []

    def start(station: Path) -> Node:
        nodes.append(Node(station, tmp_path / "node", clock))
        return nodes[-1]

    yield start
    for node in nodes:
        node.close()


def test_a_node_gets_the_whole_sample_commune(sample: tuple[Path, Published], follow: Any) -> None:
    station, published = sample
    node = follow(station)
    node.wait_for_version(1)
    arrived = lambda: [e for e in node.events if isinstance(e, MediaArrived)]  # noqa: E731
    wait_until(lambda: len(arrived()) == published.targets - 2, 15, "all media arrived")
    [changed] = [e for e in node.events if isinstance(e, FeedChanged)]
    assert changed.unknown_fields == ()
    assert {p.id for p in changed.schedule.programmes} == {
        "buoi-sang", "buoi-chieu", "trua-thu-bay.2026-11-27", "trua-thu-bay.2026-11-28",
    }  # fmt: skip
    assert len(changed.schedule.bulletins) == 7 + 4
    [operator] = changed.operators.operators
    assert operator.keyid == keys.load(Folder(station), "officer").public_key.keyid
    info = node.feeds.media("commune", "media/lua-dao.opus")
    assert info is not None
    assert info.title == "Cảnh báo lừa đảo qua điện thoại"
    assert info.duration_s is not None
    assert 10 < info.duration_s < 60
    assert (info.text or "").startswith("Công an xã cảnh báo: gần đây")
    chime = node.feeds.media("commune", "media/chime.opus")
    assert chime is not None
    assert chime.text is None


def test_what_the_sample_says_is_valid_and_levelled(sample: tuple[Path, Published]) -> None:
    station, published = sample
    schedule, unknown = parse_schedule(json.dumps(document(station)).encode())
    check_schedule(schedule)
    assert unknown == []
    assert published.notes == ("announcements.toml: 'thong-bao-mong' is only shown: no voice for hmn",)
    for path in (station / "feed" / "targets" / "media").glob("*.opus"):
        found = loudness.measure(path)
        assert found.integrated_lufs + found.gain_db <= loudness.TARGET_LUFS + 0.1
        assert found.peak_dbtp + found.gain_db <= loudness.CEILING_DBTP + 0.1
        assert found.integrated_lufs + found.gain_db >= loudness.TARGET_LUFS - 6


def test_publishing_again_changes_nothing_and_a_new_text_gives_the_next_version(station: Path) -> None:
    first = publish(station, now=NOW)
    assert (first.version, first.changed) == (1, True)
    before = {path: path.stat().st_mtime_ns for path in (station / "feed").rglob("*")}
    again = publish(station, now=NOW + timedelta(hours=1))
    assert (again.version, again.changed) == (1, False)
    assert {path: path.stat().st_mtime_ns for path in (station / "feed").rglob("*")} == before
    write(Folder(station), COMMUNE, ANNOUNCEMENTS.replace("đến họp", "đến dự họp"), TIMETABLE)
    assert publish(station, now=NOW).version == 2


def test_a_new_recording_under_an_old_name_gives_the_next_version(station: Path) -> None:
    chime = publish_with_recording(station)
    assert publish(station, now=NOW).version == 1
    chime.write_bytes(other_sound(station))
    done = publish(station, now=NOW)
    assert (done.version, done.changed) == (2, True)


def publish_with_recording(station: Path) -> Path:
    composed = compose(station)
    recording = station / "authoring" / "media" / "tin.opus"
    recording.write_bytes(composed.media["media/chime.opus"].path.read_bytes())
    write(Folder(station), COMMUNE, ANNOUNCEMENTS, TIMETABLE.replace('"chime"', '"media:tin.opus"'))
    assert publish(station, now=NOW).version == 1
    return recording


def other_sound(station: Path) -> bytes:
    path = station / "other.opus"
    loudness.encode(bytes(range(256)) * 400, 48_000, path)
    return path.read_bytes()


def test_a_language_without_a_voice_is_refused_and_never_read_by_another(station: Path) -> None:
    hmong = ANNOUNCEMENTS + 'language = "hmn"\n'
    spoken = TIMETABLE.replace('"chime"', '"announcement:hop-thon"')
    write(Folder(station), COMMUNE, hmong, spoken)
    with pytest.raises(
        Author, match=r"'hop-thon' language: no voice here speaks 'hmn'; give it `recording"
    ) as told:
        publish(station, now=NOW)
    assert "a piper model of that language put under [[voices]] in station.toml" in str(told.value)
    assert not (station / "feed" / "metadata" / "timestamp.json").exists(), "nothing was published"
    write(Folder(station), COMMUNE, hmong + 'voice = "vi"\n', spoken)
    with pytest.raises(Author, match="'hop-thon' voice: Extra inputs are not permitted"):
        publish(station, now=NOW)


def test_with_a_recording_or_only_shown_the_same_text_is_published(station: Path) -> None:
    hmong = ANNOUNCEMENTS + 'language = "hmn"\n'
    write(Folder(station), COMMUNE, hmong, TIMETABLE)
    assert publish(station, now=NOW).notes == (
        "announcements.toml: 'hop-thon' is only shown: no voice for hmn",
    )
    spoken = TIMETABLE.replace('"chime"', '"announcement:hop-thon"')
    (station / "authoring" / "media" / "mong.opus").write_bytes(other_sound(station))
    write(Folder(station), COMMUNE, hmong + 'recording = "mong.opus"\n', spoken)
    assert publish(station, now=NOW).notes == ()


def test_a_character_that_no_font_has_is_named_at_publishing(station: Path) -> None:
    odd = re.sub('text = ".*"', 'text = "Họp ☎ ភាសាខ្មែរ 😀 \u05d0 😀"', ANNOUNCEMENTS)
    write(Folder(station), COMMUNE, odd, TIMETABLE)
    assert publish(station, now=NOW).notes == (
        "bulletin 'hop-thon': no font here has 😀 (U+1F600 GRINNING FACE), א (U+05D0 HEBREW LETTER ALEF); "
        "a box stands for each letter",
    )
    write(Folder(station), COMMUNE, odd.replace("\u05d0", "112"), TIMETABLE)
    assert publish(station, now=NOW).notes == (
        "bulletin 'hop-thon': no font here has 😀 (U+1F600 GRINNING FACE); the board leaves them out",
    )


def test_a_text_without_words_is_refused_at_publishing(station: Path) -> None:
    empty = re.sub('text = ".*"', 'text = "😀 🎉"', ANNOUNCEMENTS)
    write(Folder(station), COMMUNE, empty, TIMETABLE.replace('"chime"', '"announcement:hop-thon"'))
    with pytest.raises(Author, match="'hop-thon' text: the text holds nothing that can be spoken"):
        publish(station, now=NOW)


def test_a_picture_that_no_board_can_decode_is_refused_by_its_own_name(station: Path) -> None:
    media = Folder(station).authoring / "media"
    media.mkdir(exist_ok=True)
    (media / "hong.jpg").write_bytes(b"not a picture at all")
    Image.new("1", (5_000, 4_000)).save(media / "to.png")
    Image.new("RGB", (800, 600), (9, 99, 9)).save(media / "dut.jpg", quality=90)
    (media / "dut.jpg").write_bytes((media / "dut.jpg").read_bytes()[:900])
    Image.new("RGB", (800, 600)).save(media / "anh.png")
    names = ("hong.jpg", "to.png", "dut.jpg", "anh.png")
    images = "".join(f'[[image]]\nid = "{name[:-4]}"\nfile = "{name}"\n' for name in names)
    write(Folder(station), COMMUNE, images, TIMETABLE)
    with pytest.raises(Author) as refused:
        publish(station, now=NOW)
    cut, broken, large = refused.value.problems
    assert cut.startswith("media/dut.jpg: picture dut.jpg cannot be decoded: ")
    assert broken.startswith("media/hong.jpg: picture hong.jpg cannot be decoded: ")
    assert large.startswith("media/to.png: picture to.png has 5000×4000 pixels, at most 16000000")
    assert str(media) not in str(refused.value)


def test_the_station_s_own_voices_speak(station: Path) -> None:
    write(Folder(station), COMMUNE, ANNOUNCEMENTS, TIMETABLE.replace('"chime"', '"announcement:hop-thon"'))
    usual = compose(station).media["media/hop-thon.opus"].duration_s or 0.0
    settings = station / "station.toml"
    tiny_voice(station / "vi.onnx")
    settings.write_text('[[voices]]\nlanguage = "vi"\nrate_wpm = 100\n')
    assert (compose(station).media["media/hop-thon.opus"].duration_s or 0.0) > 1.2 * usual
    settings.write_text('[[voices]]\nlanguage = "vi"\nmodel = "vi.onnx"\n')
    assert (compose(station).media["media/hop-thon.opus"].duration_s or 0.0) > 0.5
    settings.write_text('[[voices]]\nlanguage = "vi"\nmodel = "other.onnx"\n[[voices]]\nlanguage = "hmn"\n')
    with pytest.raises(Technician) as told:
        compose(station)
    assert "other.onnx cannot be read" in str(told.value)
    assert 'number 2 language = "hmn": no voice for hmn' in str(told.value)
    settings.write_text('[[voices]]\nlanguage = "vi"\nspeed = 3\n')
    with pytest.raises(Technician, match=r"voices\.0\.speed: Extra inputs"):
        compose(station)


def test_words_too_long_for_the_metadata_are_left_out_and_the_author_is_told(tmp_path: Path) -> None:
    cook = _Cook(object(), tmp_path, Voices())  # type: ignore[arg-type]  # the texts are not asked here
    for name, length in (("short", MOST_TEXT), ("long", MOST_TEXT + 1)):
        cook.media[f"media/{name}.opus"] = Medium(tmp_path / name)
        said = Announcement(id=name, title=name, text="x" * length, language="vi")
        cook._words(f"media/{name}.opus", said, f"'{name}'")
    assert cook.media["media/short.opus"].custom["text"] == "x" * MOST_TEXT
    assert "text" not in cook.media["media/long.opus"].custom
    assert [note.partition(":")[0] for note in cook.notes] == ["'long'"]


def test_a_recording_that_is_no_sound_is_refused_and_what_was_published_stays(station: Path) -> None:
    publish(station, now=NOW)
    (station / "authoring" / "media" / "noise.mp3").write_bytes(os.urandom(10_000))
    write(Folder(station), COMMUNE, ANNOUNCEMENTS, TIMETABLE.replace('"chime"', '"media:noise.mp3"'))
    with pytest.raises(Author, match=r"media/noise\.mp3: holds no sound"):
        publish(station, now=NOW)
    assert document(station)["version"] == 1


def test_a_session_longer_than_the_policy_allows_is_refused(station: Path) -> None:
    timetable = "[policy]\nlongest_session_min = 10\n" + TIMETABLE.replace("timezone", "#")
    write(Folder(station), COMMUNE, ANNOUNCEMENTS, timetable)
    with pytest.raises(Author, match=r"'sang': lasts 15\.0 min, the longest session is 10 min"):
        publish(station, now=NOW)


def test_any_document_can_be_published_for_a_test_or_a_demo(station: Path, follow: Any) -> None:
    composed = compose(station)
    soon = dict(composed.schedule, programmes=[dict(composed.schedule["programmes"][0], title="Soon")])
    assert publish(station, schedule_json=soon, media=composed.media, now=NOW).version == 1
    node = follow(station)
    node.wait_for_version(1)
    assert publish(station, schedule_json=b"{broken", media={}, now=NOW).version is None
    state, reason = node.poll()
    assert state == "refused"
    assert "is not JSON" in (reason or "")
    assert publish(station, now=NOW).version == 1
    assert node.poll() == ("current", None)


def test_renewal_signs_only_what_is_due_and_a_node_stays_current(
    station: Path, follow: Any, clock: FakeClock
) -> None:
    publish(station, now=NOW)
    node = follow(station)
    node.wait_for_version(1)
    assert renew(station, now=NOW + timedelta(days=3)) == []
    assert renew(station, now=NOW + timedelta(days=4)) == ["timestamp"]
    clock.advance(timedelta(days=10).total_seconds())
    assert node.poll()[0] == "current"
    assert renew(station, now=NOW + timedelta(days=16)) == ["snapshot", "timestamp"]
    assert renew(station, now=NOW + timedelta(days=91)) == ["targets", "snapshot", "timestamp"]
    clock.advance(timedelta(days=85).total_seconds())
    assert node.poll()[0] == "current"
    assert len([e for e in node.events if isinstance(e, FeedChanged)]) == 1


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_a_node_follows_a_new_key_and_refuses_the_old_one(station: Path, follow: Any, role: str) -> None:
    publish(station, now=NOW)
    node = follow(station)
    node.wait_for_version(1)
    old = keys.path_of(Folder(station), role).read_bytes()
    assert Repository(Folder(station), NOW).rotate(role) == 2
    assert node.poll() == ("current", None)
    if role != "root":
        keys.path_of(Folder(station), role).write_bytes(old)
        write(Folder(station), COMMUNE, ANNOUNCEMENTS.replace("đến", "tới"), TIMETABLE)
        publish(station, now=NOW)
        assert node.poll()[0] == "refused"


def test_an_interrupted_publication_leaves_the_old_feed_whole(
    station: Path, follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(station, now=NOW)
    node = follow(station)
    node.wait_for_version(1)
    write(Folder(station), COMMUNE, ANNOUNCEMENTS.replace("đến", "tới"), TIMETABLE)
    with monkeypatch.context() as broken:
        broken.setattr(
            Repository, "_sign_timestamp", lambda self: (_ for _ in ()).throw(OSError("power cut"))
        )
        with pytest.raises(OSError, match="power cut"):
            publish(station, now=NOW)
    assert node.poll() == ("current", None)
    assert publish(station, now=NOW).version == 2
    assert node.poll() == ("current", None)
    node.wait_for_version(2)


def test_what_no_state_names_any_more_is_removed(station: Path) -> None:
    for number in range(4):
        write(Folder(station), COMMUNE, ANNOUNCEMENTS.replace("họp", f"họp {number}"), TIMETABLE)
        publish(station, now=NOW)
    assert len(_by_age(station, "*.schedule.json")) == 2
    names = {path.name for path in (station / "feed" / "metadata").iterdir()}
    assert names == {
        "1.root.json", "3.targets.json", "4.targets.json",
        "3.snapshot.json", "4.snapshot.json", "timestamp.json",
    }  # fmt: skip


def test_a_second_station_in_the_same_folder_is_refused(station: Path) -> None:
    with pytest.raises(Technician, match="exist already"):
        init(station)


def test_an_operator_whose_key_lies_elsewhere_is_listed(station: Path) -> None:
    public = keys.load(Folder(station), "officer").public_key.keyval["public"]
    write(
        Folder(station), COMMUNE.replace('key = "officer"', f'public = "{public}"'), ANNOUNCEMENTS, TIMETABLE
    )
    publish(station, now=NOW)
    [path] = _by_age(station, "*.operators.json")
    [operator] = json.loads(path.read_bytes())["operators"]
    assert operator["keyid"] == keys.load(Folder(station), "officer").public_key.keyid
    assert operator["actions"] == ["announce"]
