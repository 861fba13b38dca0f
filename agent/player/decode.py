"""The decoder: a short-lived process around libVLC, killed by its parent when it hangs.

    python -m agent.player.decode SRC DST    whole file, as fast as it goes; then one JSON line

It gives signed 16-bit little-endian mono at 48 kHz. Files go through avformat and avcodec: libVLC's own
demultiplexers lost up to 80 ms at either end (measured: WAV, FLAC, Opus). The last packet is still lost where a
format has no packetizer of its own in libVLC: 20 ms of Opus, up to 200 ms of WAV. Therefore PCM in a WAV file,
which needs no decoder, is read without libVLC (`agent.player.waves`).

Exit codes: 0 decoded, 1 not decodable (the reason is in the JSON line), 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from agent.child import die_with_parent
from agent.player.libvlc import transcode
from agent.player.protocol import RATE
from agent.player.waves import read_wave

_CHUNK: Final = 1 << 20
_THOROUGH: Final = ("--demux=avformat,any", "--codec=avcodec,any")


def main(argv: list[str] | None = None) -> int:
    """Run the decoder; see the module."""
    parser = argparse.ArgumentParser(prog="agent.player.decode")
    parser.add_argument("source", type=Path, metavar="SRC")
    parser.add_argument("target", type=Path, metavar="DST")
    args = parser.parse_args(argv)
    die_with_parent()
    return decode_file(args.source, args.target)


def decode_file(source: Path, target: Path) -> int:
    """Decode a whole file, measure what came out, and say so on stdout."""
    if not source.is_file() and not source.is_fifo():
        return _verdict({"reason": f"{source.name}: no such file"})
    read = source.is_file() and read_wave(source, target)
    error = not read and transcode(source.absolute().as_uri(), str(target), _THOROUGH)
    frames = target.stat().st_size // 2 if target.exists() else 0
    if frames == 0:
        why = "libVLC cannot open it" if error else "nothing in it can be decoded as sound"
        return _verdict({"reason": f"{source.name}: {why}"})
    peak = _peak(target)
    return _verdict({"duration_s": frames / RATE, "blocks": frames // 480, "peak": peak})


def _peak(pcm: Path) -> float:
    import numpy as np  # noqa: PLC0415 - only now needed

    peak = 0
    with pcm.open("rb") as file:
        while data := file.read(_CHUNK):
            samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int32)
            peak = max(peak, int(np.max(np.abs(samples), initial=0)))
    return peak / 32_768


def _verdict(verdict: dict[str, Any]) -> int:
    sys.stdout.write(json.dumps(verdict, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    return 1 if "reason" in verdict else 0


if __name__ == "__main__":
    sys.exit(main())
