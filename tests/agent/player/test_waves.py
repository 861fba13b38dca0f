"""WAV files are read to the last sample, whatever their rate, width and channels."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from agent.player.waves import read_wave
from tests.support.sound import pitch, sine, write_wav

SECONDS = 2.03


def read(path: Path) -> np.ndarray:
    target = path.with_suffix(".pcm")
    assert read_wave(path, target)
    return np.frombuffer(target.read_bytes(), "<i2").astype(np.float32) / 32_768


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le"])
@pytest.mark.parametrize(
    ("rate", "channels"), [(8_000, 1), (22_050, 1), (44_100, 2), (48_000, 2), (96_000, 1)]
)
def test_all_of_it_is_there_and_at_its_pitch(tmp_path: Path, codec: str, rate: int, channels: int) -> None:
    path = tmp_path / "a.wav"
    tone = f"sine=frequency=440:duration={SECONDS}:sample_rate={rate}"
    # ffmpeg writes the extensible header for what is wider than 16 bit or faster than 48 kHz
    argv = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", tone, "-ac", str(channels), "-c:a", codec]
    subprocess.run([*argv, str(path)], check=True)
    target = tmp_path / "a.pcm"
    if not read_wave(path, target):
        assert codec in {"pcm_s24le", "pcm_s32le"} or rate > 48_000  # its header is for libVLC
        assert not target.exists()
        return
    samples = np.frombuffer(target.read_bytes(), "<i2").astype(np.float32) / 32_768
    assert len(samples) == pytest.approx(SECONDS * 48_000, abs=8)
    assert pitch(samples[4_800:-4_800]) == pytest.approx(440, abs=1)
    assert np.abs(samples[-48:]).max() > 0.05
    assert np.abs(np.diff(samples[100:-100])).max() < 0.02


def test_at_48_khz_every_sample_is_as_it_was(tmp_path: Path) -> None:
    tone = sine(440, SECONDS)
    path = write_wav(tmp_path / "a.wav", tone)
    assert np.abs(read(path) - tone).max() < 1.6 / 32_768


def test_a_file_that_was_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", sine(440, SECONDS))
    path.write_bytes(path.read_bytes()[: 44 + 2 * 24_000 + 1])
    assert len(read(path)) == 24_000


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"ID3" + bytes(500)])
def test_what_is_no_wav_file_is_left_to_others(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert not read_wave(path, tmp_path / "a.pcm")
    assert not (tmp_path / "a.pcm").exists()
