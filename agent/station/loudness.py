"""Loudness by EBU R 128, measured with ffmpeg, and the one gain that a node applies to an item."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agent.station.errors import Technician
from playlists.units import Decibel, Seconds

TARGET_LUFS = -16.0
CEILING_DBTP = -1.0
"""True peak that no item may exceed: beyond it, converters and amplifiers clip."""
SILENT_LUFS = -69.0
"""ebur128 gives -70 for silence, and for anything shorter than its 400 ms window."""
_RATE_HZ = 48_000
_DEADLINE_S = 600


class NotSound(ValueError):  # noqa: N818 - says what is the matter
    """Error raised for a file that decodes to nothing that can be heard. Remedy: its author."""


@dataclass(frozen=True)
class Loudness:
    """What was measured."""

    integrated_lufs: float
    peak_dbtp: float
    duration_s: Seconds
    """Exact: samples decoded, not what the file says of itself."""

    @property
    def gain_db(self) -> Decibel:
        """Brings the item to the target, unless its peak would pass the ceiling."""
        return Decibel(round(min(TARGET_LUFS - self.integrated_lufs, CEILING_DBTP - self.peak_dbtp, 20.0), 2))


def measure(path: Path) -> Loudness:
    """Decode a file whole and measure it.

    Raises:
        NotSound: it cannot be decoded, or is silent.
        Technician: ffmpeg is missing or hangs.
    """
    argv = ["ffmpeg", "-nostdin", "-hide_banner", "-i", f"file:{path}", "-map", "0:a:0", "-ac", "1"]
    argv += ["-ar", str(_RATE_HZ), "-af", "ebur128=peak=true:framelog=verbose", "-f", "s16le", "pipe:1"]
    done = run(argv, b"")
    log = done.stderr.decode(errors="replace")
    samples = len(done.stdout) // 2
    summary = log.rpartition("Summary:")[2]
    integrated = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)
    if done.returncode != 0 or samples == 0 or integrated is None or peak is None:
        reason = log.strip().splitlines()[-1] if log.strip() else f"code {done.returncode}"
        raise NotSound(f"holds no sound that can be decoded ({reason[:200]})")
    lufs = float(integrated[1])
    if lufs < SILENT_LUFS:
        raise NotSound("is silent, or shorter than 0.4 s")
    return Loudness(lufs, float(peak[1]), Seconds(round(samples / _RATE_HZ, 4)))


SPEECH_FILTER = "acompressor=threshold=-22dB:ratio=5:attack=1:release=60"
"""Evens a synthetic voice out: its lone peaks would otherwise keep the whole text below the target."""


def encode(pcm: bytes, rate_hz: int, target: Path, audio_filter: str = "anull") -> None:
    """Encode mono 16-bit samples as Opus: a minute takes 240 KB, which a SIM's data plan can bear.

    The same samples give the same bytes, so that publishing again changes nothing.

    Raises:
        Technician: ffmpeg is missing, hangs or cannot do Opus.
    """
    argv = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    argv += ["-f", "s16le", "-ar", str(rate_hz), "-ac", "1", "-i", "pipe:0"]
    argv += [
        "-af",
        audio_filter,
        "-c:a",
        "libopus",
        "-b:a",
        "32k",
        "-fflags",
        "+bitexact",
        "-flags:a",
        "+bitexact",
    ]
    argv += ["-map_metadata", "-1", "-f", "ogg", f"file:{target}"]
    done = run(argv, pcm)
    if done.returncode != 0:
        raise Technician(f"ffmpeg cannot encode: {done.stderr.decode(errors='replace').strip()[-200:]}")


def run(argv: list[str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run ffmpeg.

    Raises:
        Technician: it is missing or hangs.
    """
    try:
        return subprocess.run(argv, input=stdin, capture_output=True, timeout=_DEADLINE_S, check=False)
    except FileNotFoundError as error:
        raise Technician("ffmpeg is not installed: apt install ffmpeg") from error
    except subprocess.TimeoutExpired as error:
        raise Technician(f"ffmpeg did not finish within {_DEADLINE_S} s") from error
