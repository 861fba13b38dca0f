"""Where MPEG audio's frames begin: real MP3 of every kind, cut anywhere."""

from __future__ import annotations

import subprocess
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.tuner.mpeg import frame_length, from_first_frame

KINDS = [
    ("libmp3lame", 48_000, "64k"),
    ("libmp3lame", 44_100, "128k"),  # padding comes and goes
    ("libmp3lame", 32_000, "320k"),
    ("libmp3lame", 22_050, "32k"),  # MPEG 2
    ("libmp3lame", 8_000, "16k"),  # MPEG 2.5
    ("mp2", 48_000, "192k"),
    ("mp2", 16_000, "64k"),
]


def encoded(codec: str, rate: int, bits: str) -> bytes:
    """Two seconds of noise, without a tag before it."""
    noise = (np.random.default_rng(1).normal(0, 3_000, 2 * rate)).astype("<i2").tobytes()
    argv = ["ffmpeg", "-loglevel", "error", "-f", "s16le", "-ar", str(rate), "-ac", "1", "-i", "-"]
    argv += ["-c:a", codec, "-b:a", bits, "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", "-"]
    if codec == "mp2":
        argv = [word for word in argv if word not in ("-write_xing", "0", "-id3v2_version")]
        argv[-2] = "mp2"
    return subprocess.run(argv, input=noise, capture_output=True, check=True).stdout


def begins(data: bytes) -> list[int]:
    """Where frames begin, one after the other."""
    at, found = 0, []
    while (length := frame_length(data[at : at + 4])) is not None:
        found.append(at)
        at += length
    return found


@pytest.mark.parametrize(("codec", "rate", "bits"), KINDS)
def test_frames_follow_each_other_to_the_end_and_any_cut_goes_on_at_the_next(
    codec: str, rate: int, bits: str
) -> None:
    data = encoded(codec, rate, bits)
    at = begins(data)
    samples = 576 if codec == "libmp3lame" and rate < 32_000 else 1_152
    assert len(at) == pytest.approx(2 * rate / samples, abs=4)
    for before, after in pairwise(at[:12]):
        for cut in (before + 1, (before + after) // 2, after - 1):
            assert b"".join(from_first_frame([data[cut:]])) == data[after:]


def test_the_bytes_may_come_in_any_pieces_and_after_any_junk() -> None:
    data = encoded(*KINDS[0])
    junk = b"ID3\x04\x00\x00" + b"\xff" * 9_000 + b"<html>" * 2_000
    pieces = [(junk + data)[at : at + 700] for at in range(0, len(junk + data), 700)]
    assert b"".join(from_first_frame(pieces)) == data


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_whatever_comes_what_passes_is_the_end_of_it(chunks: list[bytes]) -> None:
    passed = b"".join(from_first_frame(chunks))
    assert b"".join(chunks).endswith(passed)


@given(st.binary(max_size=6))
def test_no_header_is_a_frame_without_a_length(header: bytes) -> None:
    length = frame_length(header)
    assert length is None or 4 < length <= 2_881
