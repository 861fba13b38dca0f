"""`python -m agent.screen.film`: one film, decoded by libVLC into memory that the screen shares.

A process of its own, because libVLC may crash or hang on a film: that costs the film, not the board. The
frames go through libVLC's video callbacks (vmem), scaled by it to the size that is wanted, in the order
BGRX. Nothing here calls libVLC from a callback. It says on stdout, a line each:

    size WIDTH HEIGHT    the frames' size; at most what was asked for, or (cover) at least
    frame                another one stands in the memory
    end                  the film is over
    failed REASON

and obeys `run` and `pause` on stdin. It pauses by itself at its first frame.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import mmap
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from agent.child import die_with_parent
from agent.screen.filmstrip import FRAMES, HEADER, FilmSize, frame_bytes, most_bytes, scaled, write_header

PARSE_S: Final = 6.0
_ALONE: Final = ("--intf=dummy", "--no-audio", "--no-spu", "--no-lua", "--no-osd", "--quiet", "--no-stats")


def main() -> int:
    """Run the film until its end, or the end of stdin."""
    parser = argparse.ArgumentParser(prog="python -m agent.screen.film")
    parser.add_argument("--memory", type=int, required=True, help="descriptor of the shared memory")
    parser.add_argument("--size", type=int, nargs=2, required=True)
    parser.add_argument("--fit", choices=("contain", "cover"), default="contain")
    parser.add_argument("source", type=Path)
    args = parser.parse_args()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        failure = _Projector(args.memory, (args.size[0], args.size[1]), args.fit, args.source).show()
        _say("end" if failure is None else f"failed {failure}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class _Projector:
    """libVLC, its callbacks, and the thread that owns it."""

    def __init__(self, memory: int, wanted: tuple[int, int], fit: str, source: Path) -> None:
        self._wanted, self._fit, self._source = wanted, fit, source
        self._memory = mmap.mmap(memory, most_bytes(wanted))
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._front = 0
        self._count = 0
        self._size = FilmSize(0, 0)
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()

    def show(self) -> str | None:
        """Show it; why it could not be."""
        import vlc  # noqa: PLC0415 - not before the pipes are in order

        instance = vlc.Instance(_ALONE)
        medium = instance.media_new_path(str(self._source))
        found = self._measure(vlc, medium)
        if isinstance(found, str):
            return found
        self._size = found
        _say(f"size {found.width} {found.height}")
        player = instance.media_player_new()
        player.set_media(medium)
        # kept in variables: ctypes does not hold on to what C code calls back
        lock = vlc.CallbackDecorators.VideoLockCb(self._lock)
        display = vlc.CallbackDecorators.VideoDisplayCb(self._display)
        unlock = vlc.CallbackDecorators.VideoUnlockCb(lambda _opaque, _picture, _planes: None)
        player.video_set_callbacks(lock, unlock, display, None)
        player.video_set_format("RV32", found.width, found.height, found.width * 4)
        events = player.event_manager()
        kinds = vlc.EventType
        events.event_attach(kinds.MediaPlayerEndReached, lambda _event: self._events.put("end"))
        events.event_attach(kinds.MediaPlayerEncounteredError, lambda _event: self._events.put("error"))
        threading.Thread(target=self._listen, daemon=True).start()
        player.play()
        failure = self._obey(player)
        player.stop()
        return failure

    def _obey(self, player: Any) -> str | None:
        held = True
        while True:
            match self._events.get():
                case "first":
                    if held:
                        player.set_pause(1)
                    _say("frame")
                case "frame":
                    _say("frame")
                case "run":
                    held = False
                    player.set_pause(0)
                case "pause":
                    player.set_pause(1)
                case "end":
                    return None if self._count else "nothing in it can be decoded as a picture"
                case "error":
                    return None if self._count else "libVLC cannot play it"
                case _:
                    return None

    def _listen(self) -> None:
        for line in sys.stdin:
            self._events.put(line.strip())
        self._events.put("gone")

    def _measure(self, vlc: Any, medium: Any) -> FilmSize | str:
        if not self._source.is_file():
            return "no such file"
        medium.parse_with_options(vlc.MediaParseFlag.local, round(PARSE_S * 1_000))
        until = time.monotonic() + PARSE_S
        while _number(medium.get_parsed_status()) == 0:  # neither done nor given up
            if time.monotonic() > until:
                return f"libVLC does not find out within {PARSE_S:g} s what it is"
            time.sleep(0.01)
        for track in medium.tracks_get() or ():
            if _number(track.type) == _number(vlc.TrackType.video):
                # libvlc_media_track_t has a union there, which python-vlc takes for three pointers
                video = ctypes.cast(track.audio, ctypes.POINTER(vlc.VideoTrack)).contents
                shape = (video.width, video.height)
                if video.sar_num and video.sar_den:
                    shape = (max(1, round(video.width * video.sar_num / video.sar_den)), video.height)
                if _number(video.orientation) >= _TRANSPOSED:
                    shape = (shape[1], shape[0])
                if min(shape) < 1:
                    continue
                return scaled(shape, self._wanted, self._fit)
        return "there is no picture in it"

    # -- libVLC's threads: they touch memory and the queue, nothing else ----------------------------

    def _lock(self, _opaque: Any, planes: Any) -> int:
        number = (self._front + 1) % FRAMES
        planes[0] = self._base + HEADER + number * frame_bytes(self._size)
        return number

    def _display(self, _opaque: Any, _picture: Any) -> None:
        self._front = (self._front + 1) % FRAMES
        self._count += 1
        write_header(self._memory, self._front, self._count)
        self._events.put("first" if self._count == 1 else "frame")


def _number(value: Any) -> int:
    """Of an enumeration of python-vlc, whose classes know only the values of their own version."""
    return int(getattr(value, "value", value))


_TRANSPOSED: Final = 4
"""libvlc_video_orient_t: from here on width and height change places."""


if __name__ == "__main__":
    sys.exit(main())
