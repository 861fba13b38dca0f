"""libVLC in a process of its own: one medium, transcoded into a file or pipe of PCM.

libVLC transcodes into its own file output: unlike its audio callbacks that is not paced by a clock (3 s of Ogg in
0.13 s instead of 2 s, measured; a live stream goes through as its bytes come), and it has no callbacks that must
not call back.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agent.player.protocol import RATE

_QUIET: Final = ("--intf=dummy", "--no-video", "--no-spu", "--no-lua", "--no-sout-video", "--quiet")


def transcode(mrl: str, target: str, options: Sequence[str]) -> bool:
    """Run libVLC until the end of the medium; True when it reported an error.

    What comes out is signed 16-bit little-endian mono at 48 kHz.
    """
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


def has_module(name: str) -> bool:
    """Whether libVLC's plug-ins hold one of that name (`libNAME_plugin.so`); True where there is no telling."""
    import vlc  # noqa: F401, PLC0415 - loads the library, whose place is then known

    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    cores = [line.split(maxsplit=5)[5] for line in maps if "/libvlccore.so" in line]
    folder = Path(cores[0]).parent / "vlc" / "plugins" if cores else None
    if folder is None or not folder.is_dir():
        return True
    return any(folder.rglob(f"lib{name}_plugin.so"))
