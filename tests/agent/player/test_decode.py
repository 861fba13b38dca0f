"""The real decoder process: what it makes of good, broken and hostile files."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from agent.player.decoding import TooLong, Undecodable, decode_to_file
from tests.support.sound import level_dbfs, pitch, sine, write_wav
from tests.support.wait import wait_until

ROOM = 50_000_000


def encode(tmp_path: Path, name: str, seconds: float = 2.0, *options: str) -> Path:
    source = write_wav(tmp_path / "source.wav", sine(440, seconds, 0.5))
    target = tmp_path / name
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-i", source, *options, target], check=True)
    return target


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.flac", "a.m4a", "a.wav"])
def test_every_usual_format_is_decoded_whole_and_clean(tmp_path: Path, name: str) -> None:
    options = ["-af", "pan=stereo|c0=c0|c1=c0"] + ([] if name == "a.opus" else ["-ar", "44100"])
    target = tmp_path / "pcm"
    decoded = decode_to_file(encode(tmp_path, name, 2.0, *options), target, ROOM)
    samples = np.fromfile(target, "<i2").astype(np.float32) / 32_768
    assert decoded.duration_s == len(samples) / 48_000
    assert decoded.duration_s == pytest.approx(2.0, abs=0.035)
    assert decoded.peak == pytest.approx(0.5, abs=0.06)
    assert pitch(samples[9600:57_600]) == pytest.approx(440, abs=1)
    assert level_dbfs(samples[9600:57_600]) == pytest.approx(-6, abs=0.5)


def test_a_truncated_file_gives_what_is_there_with_its_true_length(tmp_path: Path) -> None:
    whole = encode(tmp_path, "a.ogg", 6.0, "-b:a", "96k")
    cut = tmp_path / "cut.ogg"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    target = tmp_path / "pcm"
    decoded = decode_to_file(cut, target, ROOM)
    assert 0.5 < decoded.duration_s < 5.0
    assert target.stat().st_size == round(decoded.duration_s * 48_000) * 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("random.mp3", os.urandom(40_000), "random.mp3"),
        ("empty.mp3", b"", "empty.mp3"),
        ("text.wav", "Kính thưa bà con".encode() * 100, "text.wav"),
        ("missing.ogg", None, "no such file"),
    ],
)
def test_what_is_not_sound_is_a_failure_with_a_reason(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    target = tmp_path / "pcm"
    with pytest.raises(Undecodable, match=reason):
        decode_to_file(path, target, ROOM)
    assert not target.exists()


def test_a_decoder_that_hangs_is_killed(tmp_path: Path) -> None:
    fifo = tmp_path / "hang.mp3"
    os.mkfifo(fifo)  # nobody ever writes to it
    began = time.monotonic()
    with pytest.raises(Undecodable, match="no progress for 1 s"):
        decode_to_file(fifo, tmp_path / "pcm", ROOM, stalled_after_s=1.0)
    assert time.monotonic() - began < 3
    assert not (tmp_path / "pcm").exists()


def test_a_stopped_decoder_is_killed(tmp_path: Path) -> None:
    source = encode(tmp_path, "a.mp3", 2.0)
    target = tmp_path / "pcm"

    def stop_it() -> None:
        pid = wait_until(lambda: _decoder_of(source), 5, "the decoder runs")
        os.kill(pid, signal.SIGSTOP)

    thread = threading.Thread(target=stop_it)
    thread.start()
    with pytest.raises(Undecodable, match="no progress"):
        decode_to_file(source, target, ROOM, stalled_after_s=1.0)
    thread.join()
    assert not _decoder_of(source)


def _decoder_of(source: Path) -> int | None:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(source).encode() in entry.read_bytes():
                return int(entry.parent.name)
        except OSError:
            continue
    return None


def test_more_sound_than_there_is_room_for_is_refused(tmp_path: Path) -> None:
    source = encode(tmp_path, "long.opus", 40.0, "-b:a", "8k")
    with pytest.raises(TooLong, match="more than 1000000 bytes"):
        decode_to_file(source, tmp_path / "pcm", 1_000_000)
    assert not (tmp_path / "pcm").exists()


def test_a_name_with_signs_in_it_is_only_a_name(tmp_path: Path) -> None:
    source = encode(tmp_path, "a.ogg")
    odd = tmp_path / "tin sáng '{},: #%41.ogg"
    source.rename(odd)
    target = tmp_path / "it's {here}"
    assert decode_to_file(odd, target, ROOM).duration_s == pytest.approx(2.0, abs=0.035)
