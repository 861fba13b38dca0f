"""PCM in WAV files, to the last sample: read, mixed to mono, brought to 48 kHz."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.player.protocol import RATE
from agent.player.resample import Resampler

Samples = NDArray[np.float32]


def read_wave(source: Path, target: Path) -> bool:
    """Write the sound of `source` to `target`, signed 16-bit little-endian mono at 48 kHz.

    Returns:
        False, and nothing is written, when it is no WAV file or holds something else than PCM. A file that
        was cut short gives what is there.

    Raises:
        OSError: one of them cannot be read or written.
    """
    try:
        file = wave.open(str(source), "rb")  # noqa: SIM115 - whether it can be opened is the question
    except (wave.Error, EOFError):
        return False
    with file, target.open("wb") as out:
        blocks = _mono(file)
        rate = file.getframerate()
        for block in blocks if rate == RATE else _resampled(blocks, rate):
            out.write(np.clip(np.rint(block * 32_768), -32_768, 32_767).astype("<i2").tobytes())
    return True


def _mono(file: wave.Wave_read) -> Iterator[Samples]:
    """About a second at a time, all channels mixed."""
    width, channels = file.getsampwidth(), file.getnchannels()
    while data := file.readframes(file.getframerate()):
        whole = data[: len(data) // (width * channels) * width * channels]
        yield _floats(whole, width).reshape(-1, channels).mean(axis=1, dtype=np.float32)


def _floats(data: bytes, width: int) -> Samples:
    """Samples of that many bytes as numbers from -1 to 1."""
    if width == 1:
        return (np.frombuffer(data, np.uint8) / 128.0 - 1.0).astype(np.float32)
    raw = np.frombuffer(data, np.uint8).reshape(-1, width)
    wide = np.zeros((len(raw), 4), np.uint8)
    wide[:, 4 - width :] = raw
    samples: Samples = (wide.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    return samples


def _resampled(blocks: Iterator[Samples], rate: int) -> Iterator[Samples]:
    """The same at 48 kHz."""
    resampler = Resampler(rate)
    yield from map(resampler.feed, blocks)
    yield resampler.end()
