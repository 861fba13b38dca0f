"""Which of libVLC's demultiplexers reads a stream. Pure.

libVLC is told one by name. It would guess by itself, and may then take for a playlist what was sent as sound, and
open what that names; and its guess for MP3 from a pipe reads seconds ahead (1.2 to 4.2 s late instead of 0.3,
measured). AAC has to go through libavformat, which does the same; there, too, the one format is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

SNIFFED: Final = ""
"""The bytes themselves have to tell."""

BY_TYPE: Final = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/x-mp3": "mp3",
    "audio/aac": "aac",
    "audio/aacp": "aac",
    "audio/x-aac": "aac",
    "audio/ogg": "ogg",
    "application/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/vorbis": "ogg",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "video/mp2t": "ts",
}

_ENOUGH: Final = 400
"""Bytes that tell; two packets of MPEG-TS."""


def sniff(begin: bytes) -> str:
    """The demultiplexer for what begins with these bytes; what is like nothing is searched for MP3."""
    if (
        begin[:3] == b"ID3" and len(begin) >= 10
    ):  # https://id3.org/id3v2.4.0-structure, 3.1: seven bits a byte
        size = begin[6] << 21 | begin[7] << 14 | begin[8] << 7 | begin[9]
        begin = begin[10 + size :] or begin
    for demux, sign, at in (("ogg", b"OggS", 0), ("flac", b"fLaC", 0), ("wav", b"RIFF", 0)):
        if begin[at : at + len(sign)] == sign:
            return demux
    if begin[4:8] in (b"ftyp", b"styp", b"moof", b"sidx"):
        return "mp4"
    if begin[:1] == b"G" and begin[188:189] in (b"G", b""):
        return "ts"
    # ISO/IEC 13818-7, 6.2: twelve bits of sync, and a layer of 0, which no MPEG audio has
    if len(begin) >= 2 and begin[0] == 0xFF and begin[1] & 0xF6 == 0xF0:
        return "aac"
    return "mp3"


def options(demux: str) -> tuple[str, ...]:
    """libVLC's options. Without "none" it would go on to try everything it has, its readers of playlists included."""
    if demux == "aac":
        return ("--demux=avformat,none", "--avformat-format=aac", "--file-caching=0")
    return (f"--demux={demux},none", "--file-caching=0")


def begin_of(chunks: Iterator[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """The first bytes, and all of it, them included."""
    begin = b""
    for chunk in chunks:
        begin += chunk
        if len(begin) >= _ENOUGH:
            break
    return begin, chain([begin], chunks)
