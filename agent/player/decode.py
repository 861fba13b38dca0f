"""The decoder: a short-lived process around libVLC, killed by its parent when it hangs.

    python -m agent.player.decode --to-file SRC DST    whole file, as fast as it goes; then one JSON line
    python -m agent.player.decode --to-pipe URL        a station, PCM on stdout as it comes

Both give signed 16-bit little-endian mono at 48 kHz. libVLC transcodes into its own file output: unlike its
audio callbacks that is not paced by a clock (3 s of Ogg in 0.13 s instead of 2 s, measured), and it has no
callbacks that must not call back. Files go through avformat and avcodec: libVLC's own demultiplexers lost
up to 80 ms at either end there (measured: WAV, FLAC, Opus). The last packet is still lost where a format has
no packetizer of its own in libVLC: 20 ms of Opus, up to 200 ms of WAV. Therefore PCM in a WAV file, which
needs no decoder, is read without libVLC (`agent.player.waves`).

Exit codes: 0 decoded, 1 not decodable (the reason is in the JSON line), 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

from agent.child import die_with_parent
from agent.player.protocol import RATE
from agent.player.waves import read_wave

_CHUNK: Final = 1 << 20
_QUIET: Final = ("--intf=dummy", "--no-video", "--no-spu", "--no-lua", "--no-sout-video", "--quiet")
_THOROUGH: Final = ("--demux=avformat,any", "--codec=avcodec,any")
_NETWORK_CACHING_MS: Final = 300


def main(argv: list[str] | None = None) -> int:
    """Run the decoder; see the module."""
    parser = argparse.ArgumentParser(prog="agent.player.decode")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--to-file", nargs=2, metavar=("SRC", "DST"))
    what.add_argument("--to-pipe", metavar="URL")
    args = parser.parse_args(argv)
    die_with_parent()
    if args.to_file:
        return decode_file(Path(args.to_file[0]), Path(args.to_file[1]))
    return decode_pipe(args.to_pipe)


def decode_file(source: Path, target: Path) -> int:
    """Decode a whole file, measure what came out, and say so on stdout."""
    if not source.is_file() and not source.is_fifo():
        return _verdict({"reason": f"{source.name}: no such file"})
    read = source.is_file() and read_wave(source, target)
    error = not read and _transcode(source.absolute().as_uri(), str(target), _THOROUGH)
    frames = target.stat().st_size // 2 if target.exists() else 0
    if frames == 0:
        why = "libVLC cannot open it" if error else "nothing in it can be decoded as sound"
        return _verdict({"reason": f"{source.name}: {why}"})
    peak = _peak(target)
    return _verdict({"duration_s": frames / RATE, "blocks": frames // 480, "peak": peak})


def decode_pipe(url: str) -> int:
    """Decode a station to stdout until it ends or the reader goes away."""
    out = os.dup(1)
    os.dup2(2, 1)
    failed = _transcode(url, f"/dev/fd/{out}", (f"--network-caching={_NETWORK_CACHING_MS}",))
    return 1 if failed else 0


def _transcode(mrl: str, target: str, options: tuple[str, ...]) -> bool:
    """Run libVLC until the end of the medium; True when it reported an error."""
    import vlc  # noqa: PLC0415 - not before the process is known to be needed

    instance = vlc.Instance([*_QUIET, *options])
    quoted = target.replace("\\", "\\\\").replace("'", "\\'")
    medium = instance.media_new(
        mrl,
        f":sout=#transcode{{acodec=s16l,samplerate={RATE},channels=1}}"
        f":std{{access=file,mux=dummy,dst='{quoted}'}}",
    )
    player = instance.media_player_new()
    player.set_media(medium)
    over = threading.Event()
    # latched here: get_state() forgets an error (measured), and libVLC must not be called from a callback
    errors: list[bool] = []

    def failed(_event: Any) -> None:
        errors.append(True)
        over.set()

    events = player.event_manager()
    events.event_attach(vlc.EventType.MediaPlayerEndReached, lambda _event: over.set())
    events.event_attach(vlc.EventType.MediaPlayerEncounteredError, failed)
    player.play()
    over.wait()
    player.stop()  # writes what is still in the chain
    player.release()
    medium.release()
    instance.release()
    return bool(errors)


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
