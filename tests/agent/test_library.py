"""Sounds are ready ahead of time, urgent ones first, and nothing is made twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.library import Library, Need, Prepared, Unplayable
from agent.speech import Speech, speaking
from tests.support.disk import fill, read_only, small_disk
from tests.support.sound import sine, write_wav
from tests.support.wait import wait_until

SPEECH = Speech("Thông báo khẩn.", "vi")


class Posted:
    def __init__(self) -> None:
        self.all: list[Any] = []

    def __call__(self, event: Any) -> None:
        self.all.append(event)

    def about(self, key: str) -> Any:
        return next((event for event in self.all if event.key == key), None)


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def library(tmp_path: Path, posted: Posted) -> Iterator[Library]:
    made = Library(tmp_path / "cache", 60_000_000, posted, stalled_after_s=1.0)
    made.start()
    yield made
    made.stop(5.0)


def key_of(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_recording_becomes_samples_of_its_length(library: Library, posted: Posted, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", sine(440, 1.5))
    key = key_of(source)
    library.want(key, source)
    event = wait_until(lambda: posted.about(key), 10, "an answer")
    assert isinstance(event, Prepared)
    assert event.pcm.duration_s == pytest.approx(1.5, abs=0.03)
    assert event.pcm.path.stat().st_size == round(event.pcm.duration_s * event.pcm.rate) * 2
    assert library.pcm(key) == event.pcm


def test_a_text_becomes_samples_and_is_not_spoken_twice_even_after_a_restart(
    library: Library, posted: Posted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.want(SPEECH.key, SPEECH)
    event = wait_until(lambda: posted.about(SPEECH.key), 10, "an answer")
    assert isinstance(event, Prepared)
    library.stop(5.0)

    def never(*_args: Any) -> Any:
        raise AssertionError("spoken twice")

    monkeypatch.setattr(speaking, "speak", never)
    again = Posted()
    other = Library(tmp_path / "cache", 60_000_000, again)
    other.want(SPEECH.key, SPEECH)
    assert again.all == [event]


@pytest.mark.parametrize("content", [os.urandom(20_000), b""], ids=["random", "empty"])
def test_what_cannot_be_decoded_is_told_with_its_reason(
    library: Library, posted: Posted, tmp_path: Path, content: bytes
) -> None:
    source = tmp_path / "news.mp3"
    source.write_bytes(content)
    library.want(key_of(source), source)
    event = wait_until(lambda: posted.about(key_of(source)), 10, "an answer")
    assert isinstance(event, Unplayable)
    assert "news.mp3" in event.reason
    assert library.pcm(key_of(source)) is None


def test_a_recording_of_nothing_but_silence_is_a_failure(
    library: Library, posted: Posted, tmp_path: Path
) -> None:
    source = write_wav(tmp_path / "quiet.wav", sine(440, 1.0, 0.0))
    library.want(key_of(source), source)
    event = wait_until(lambda: posted.about(key_of(source)), 10, "an answer")
    assert isinstance(event, Unplayable)
    assert "silence" in event.reason


def test_a_missing_file_and_a_language_without_a_voice_are_told(
    library: Library, posted: Posted, tmp_path: Path
) -> None:
    missing, hmong = "sha256:" + "0" * 64, Speech("Nyob zoo", "hmn")
    library.want(missing, tmp_path / "nowhere.mp3")
    library.want(hmong.key, hmong)
    wait_until(lambda: len(posted.all) == 2, 10, "two answers")
    assert "nowhere.mp3" in posted.about(missing).reason
    assert posted.about(hmong.key) == Unplayable(hmong.key, "no voice for hmn", lacks_voice=True)
    assert not posted.about(missing).lacks_voice


def test_a_text_without_words_is_told_and_is_no_lack_of_a_voice(library: Library, posted: Posted) -> None:
    silent = Speech("😀", "vi")
    library.want(silent.key, silent)
    event = wait_until(lambda: posted.about(silent.key), 10, "an answer")
    assert event == Unplayable(silent.key, "the text holds nothing that can be spoken")


def test_a_number_that_is_long_to_read_has_room(library: Library, posted: Posted) -> None:
    number = Speech("777777777 " * 40, "vi")
    library.want(number.key, number)
    assert isinstance(wait_until(lambda: posted.about(number.key), 20, "an answer"), Prepared)


def test_speech_does_not_wait_behind_a_decoder_that_hangs(
    library: Library, posted: Posted, tmp_path: Path
) -> None:
    fifo = tmp_path / "hang.mp3"
    os.mkfifo(fifo)
    hung = "sha256:" + "1" * 64
    library.want(hung, fifo)
    library.want(SPEECH.key, SPEECH, Need.NOW)
    wait_until(lambda: len(posted.all) == 2, 10, "both answers")
    assert [event.key for event in posted.all] == [SPEECH.key, hung]
    assert "no progress" in posted.about(hung).reason


@pytest.mark.parametrize("need", [Need.NOW, Need.EMERGENCY])
def test_words_of_an_emergency_wait_behind_no_announcement_and_no_recording(
    library: Library, posted: Posted, tmp_path: Path, need: Need
) -> None:
    fifo = tmp_path / "hang.mp3"
    os.mkfifo(fifo)
    hung = "sha256:" + "1" * 64
    library.want(hung, fifo, need)
    library.want(SPEECH.key, SPEECH, Need.EMERGENCY)
    wait_until(lambda: len(posted.all) == 2, 10, "both answers")
    assert [event.key for event in posted.all] == [SPEECH.key, hung]


def test_what_turns_out_to_be_an_emergency_overtakes_and_is_made_once(
    tmp_path: Path, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str] = []
    speak = speaking.speak
    monkeypatch.setattr(
        speaking, "speak", lambda words, path: spoken.append(words.text) or speak(words, path)
    )
    library = Library(tmp_path / "cache", 60_000_000, posted)
    for need in (Need.AHEAD, Need.NOW, Need.EMERGENCY):
        library.want(SPEECH.key, SPEECH, need)
    library.start()
    wait_until(lambda: posted.all, 10, "an answer")
    library.stop(5.0)
    assert (spoken, len(posted.all)) == ([SPEECH.text], 1)


def test_what_is_urgent_does_not_wait_behind_a_long_text(tmp_path: Path, posted: Posted) -> None:
    library = Library(tmp_path / "cache", 600_000_000, posted)
    long = Speech("Trạm y tế xã thông báo lịch tiêm chủng mở rộng. " * 400, "vi")
    library.want(long.key, long)
    library.start()
    library.want(SPEECH.key, SPEECH, Need.NOW)
    wait_until(lambda: len(posted.all) == 2, 30, "both answers")
    library.stop(5.0)
    assert [event.key for event in posted.all] == [SPEECH.key, long.key]


def test_speech_in_a_row_is_made_in_its_order(tmp_path: Path, posted: Posted) -> None:
    library = Library(tmp_path / "cache", 60_000_000, posted)
    texts = [Speech(f"tin số {number}", "vi") for number in range(4)]
    for text in texts:
        library.want(text.key, text)
    library.start()
    wait_until(lambda: len(posted.all) == 4, 10, "all answers")
    library.stop(5.0)
    assert [event.key for event in posted.all] == [text.key for text in texts]


def test_when_it_is_full_of_what_is_needed_the_rest_is_refused(tmp_path: Path, posted: Posted) -> None:
    library = Library(tmp_path / "cache", 3_600_000, posted)
    library.start()
    first, second = (write_wav(tmp_path / f"{hz}.wav", sine(hz, 14.0)) for hz in (300, 400))
    third = write_wav(tmp_path / "500.wav", sine(500, 14.0))
    for source in (first, second):
        library.want(key_of(source), source)
        library.keep([key_of(first), key_of(second)])
        assert isinstance(wait_until(lambda s=source: posted.about(key_of(s)), 10, "an answer"), Prepared)
    library.want(key_of(third), third)
    event = wait_until(lambda: posted.about(key_of(third)), 10, "an answer")
    assert isinstance(event, Unplayable)
    library.keep([key_of(second)])
    posted.all.clear()
    library.want(key_of(third), third)
    assert isinstance(wait_until(lambda: posted.about(key_of(third)), 10, "an answer"), Prepared)
    assert library.pcm(key_of(first)) is None
    assert library.pcm(key_of(second)) is not None
    library.stop(5.0)


def test_a_store_full_of_what_is_needed_still_has_room_for_an_emergency(
    posted: Posted, tmp_path: Path
) -> None:
    library = Library(tmp_path / "cache", 4_000_000, posted)
    library.start()
    songs = []
    for number in range(2):
        source = write_wav(tmp_path / f"{number}.wav", sine(200 + number, 15))
        songs.append(key_of(source))
        library.want(songs[-1], source)
        wait_until(lambda: isinstance(posted.about(songs[-1]), Prepared), 30, "a song")
        library.keep(songs)
    everyday, storm = (
        Speech(f"{what} ở thôn Mẫu, mời bà con theo dõi.", "vi") for what in ("Họp dân", "Bão lớn")
    )
    library.want(everyday.key, everyday, Need.NOW)
    assert isinstance(wait_until(lambda: posted.about(everyday.key), 10, "an answer"), Unplayable)
    library.want(storm.key, storm, Need.EMERGENCY)
    assert isinstance(wait_until(lambda: posted.about(storm.key), 10, "an answer"), Prepared)
    assert all(library.pcm(key) for key in songs)
    library.stop(5.0)


@pytest.mark.parametrize("harm", ["full", "read-only"])
def test_what_is_needed_now_is_made_in_memory_when_the_card_cannot_be_written_and_the_rest_is_told(
    tmp_path: Path, posted: Posted, harm: str
) -> None:
    card, refuge = tmp_path / "card", tmp_path / "run"
    sources = [write_wav(tmp_path / f"{hz}.wav", sine(hz, 1.5)) for hz in (300, 400, 500)]
    with small_disk(card, 400):
        library = Library(card, 60_000_000, posted, refuge=refuge)
        if harm == "full":
            fill(card)
        else:
            read_only(card)
        library.start()
        try:
            for need, source in zip(Need, sources, strict=True):
                words = Speech(f"Thông báo số {need + 1}.", "vi")
                for key, wanted in ((words.key, words), (key_of(source), source)):
                    library.want(key, wanted, need)
                    said = wait_until(lambda key=key: posted.about(key), 20, "an answer")
                    if need is Need.AHEAD:
                        assert isinstance(said, Unplayable), "memory is for what is needed now"
                    else:
                        assert isinstance(said, Prepared), said
                        assert said.pcm.path.is_relative_to(refuge)
                        assert library.pcm(key) == said.pcm
            library.keep([])
        finally:
            library.stop(5.0)


def test_of_memory_one_half_is_for_emergencies_and_both_reasons_are_told(
    tmp_path: Path, posted: Posted
) -> None:
    card, refuge = tmp_path / "card", tmp_path / "run"
    texts = {n: Speech(f"{n} " + "nước sông đang lên " * 120, "vi") for n in range(8)}
    with small_disk(card, 400):
        library = Library(card, 60_000_000, posted, refuge=refuge)
        read_only(card)
        library.keep(words.key for words in texts.values())
        library.start()
        try:
            said: Any = None
            for words in texts.values():
                library.want(words.key, words, Need.NOW)
                said = wait_until(lambda key=words.key: posted.about(key), 30, "an answer")
                if isinstance(said, Unplayable):
                    break
            assert isinstance(said, Unplayable)
            assert "Read-only" in said.reason
            assert "in memory neither" in said.reason
            library.want(SPEECH.key, SPEECH, Need.EMERGENCY)
            assert isinstance(wait_until(lambda: posted.about(SPEECH.key), 20, "an answer"), Prepared)
        finally:
            library.stop(5.0)


def test_what_a_power_cut_left_beside_the_samples_stops_nothing(tmp_path: Path, posted: Posted) -> None:
    facts = tmp_path / "cache/facts"
    facts.mkdir(parents=True)
    left = [facts / f".{'ab' * 32}", facts / f".aside-{'cd' * 32}-1", facts / ("ef" * 32)]
    for file in left:
        file.touch()
    library = Library(tmp_path / "cache", 60_000_000, posted)
    library.keep([])
    assert not left[1].exists()
    assert not left[2].exists()
