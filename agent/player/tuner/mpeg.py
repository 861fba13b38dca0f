"""Where the frames of MPEG audio begin (ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-3; MPEG 2.5). Pure.

Whoever joins a station comes in the middle of a frame, and libVLC's reader, told that it is MP3, takes only what
begins with one (measured: not a sample of a stream that is cut anywhere else).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

_KBITS: Final = {
    # version 1 or later, layer: by index; "free" and "bad" have none
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HZ: Final = (44_100, 48_000, 32_000)
_SLOWER: Final = {3: 1, 2: 2, 0: 4}
"""By the version's two bits: MPEG 1, 2 and 2.5, and what its rates are divided by."""

_HEADER: Final = 4
_SAME: Final = 0xFF_FE_0C_00
"""What no header of a stream changes: sync, version, layer, rate."""

_LONGEST: Final = 2_881
"""Bytes of the longest frame there is: layer II, 160 kbit/s at 8 kHz, and one of padding."""


def frame_length(header: bytes) -> int | None:
    """Bytes of the frame that begins with these four; None where none begins."""
    if len(header) < _HEADER or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    slower = _SLOWER.get(header[1] >> 3 & 3)
    layer = 4 - (header[1] >> 1 & 3)
    index, rate = header[2] >> 4, header[2] >> 2 & 3
    if slower is None or layer == 4 or index in (0, 15) or rate == 3:
        return None
    kbits = _KBITS[(1, layer) if slower == 1 else (2, min(layer, 2))][index]
    hz, padding = _HZ[rate] // slower, header[2] >> 1 & 1
    if layer == 1:
        return (12_000 * kbits // hz + padding) * 4
    return (72_000 if layer == 3 and slower > 1 else 144_000) * kbits // hz + padding


def from_first_frame(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, without those before the first frame that another one follows."""
    waiting, found = b"", False
    for chunk in chunks:
        if found:
            yield chunk
            continue
        waiting += chunk
        at = _first_frame(waiting)
        if at is None:
            waiting = waiting[-(_LONGEST + _HEADER) :]
        else:
            found = True
            yield waiting[at:]


def _first_frame(data: bytes) -> int | None:
    at = data.find(b"\xff")
    while at >= 0:
        length = frame_length(data[at : at + _HEADER])
        if length is not None and _alike(data[at : at + _HEADER], data[at + length : at + length + _HEADER]):
            return at
        at = data.find(b"\xff", at + 1)
    return None


def _alike(first: bytes, second: bytes) -> bool:
    if frame_length(second) is None:
        return False
    return (int.from_bytes(first) ^ int.from_bytes(second)) & _SAME == 0
