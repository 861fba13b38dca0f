"""HTTP Live Streaming (RFC 8216): playlists of short files, one after the other. Read with the library m3u8.

The variant of the smallest bandwidth is taken: a horn has no use for more, and a SIM's data plan pays for it.
Segments are handed on as bytes in a row; MPEG-TS, packed audio and fragmented MP4 can be read so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urljoin

from agent.player.tuner.errors import NotReceived, NotSound

FROM_THE_END: Final = 3
"""A player begins no nearer to the live end, in segments (RFC 8216, 6.3.3)."""

MOST_FAILURES: Final = 3
"""Reloads in a row that may fail, or bring nothing new for so many target durations, before it has ended."""

_SHORTEST_WAIT_S: Final = 0.5

FetchText = Callable[[str], tuple[str, str]]
FetchChunks = Callable[[str], Iterator[bytes]]


def segments(
    url: str,
    text: str,
    fetch_text: FetchText,
    fetch_chunks: FetchChunks,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[bytes]:
    """The sound of a playlist, in chunks, until it ends.

    Args:
        url: where the playlist was found.
        text: the playlist.
        fetch_text: gets another playlist: where it was found in the end, and its text.
        fetch_chunks: gets a segment.
        sleep: waits between two looks at a live playlist.

    Raises:
        NotSound: it is encrypted, uses byte ranges, or names nothing.
        NotReceived: it cannot be had any more.
    """
    playlist = _parse(text)
    if playlist.is_variant:
        smallest = min(playlist.playlists, key=lambda p: p.stream_info.bandwidth or 0)
        url, text = fetch_text(joined(url, smallest.uri))
        playlist = _parse(text)
    following, failures, header = -1, 0, None
    while True:
        entries = [(playlist.media_sequence + i, s) for i, s in enumerate(playlist.segments)]
        if entries and (following < 0 or entries[-1][0] + 1 < following):  # new to us, or numbered anew
            begin = 0 if playlist.is_endlist else max(0, len(entries) - FROM_THE_END)
            following = entries[begin][0]
        news = [(number, segment) for number, segment in entries if number >= following]
        for number, segment in news:
            _look_at(segment)
            section = segment.init_section
            if section is not None and section.uri != header:
                header = section.uri
                yield from fetch_chunks(joined(url, header))
            yield from fetch_chunks(joined(url, segment.uri))
            following = number + 1
        if playlist.is_endlist:
            return
        failures = 0 if news else failures + 1
        if failures > 2 * MOST_FAILURES:
            raise NotReceived("the HLS playlist brings nothing new")
        target_s = float(playlist.target_duration or 6)
        # RFC 8216, 6.3.4 asks for a whole one after a change; what was read since then took the other half
        sleep(max(_SHORTEST_WAIT_S, target_s / 2))
        url, playlist = _reload(url, playlist, fetch_text, sleep, target_s)


def joined(base: str, to: str) -> str:
    """The address that `to` means at `base`. Raises NotSound where it means none."""
    try:
        return urljoin(base, to.strip())
    except ValueError as error:
        raise NotSound(f"{to[:60]!r} is no address: {error}") from error


def _reload(
    url: str, old: Any, fetch_text: FetchText, sleep: Callable[[float], None], target_s: float
) -> tuple[str, Any]:
    for attempt in range(MOST_FAILURES):
        try:
            url, text = fetch_text(url)
        except NotReceived:
            if attempt == MOST_FAILURES - 1:
                raise
            sleep(max(_SHORTEST_WAIT_S, target_s / 2))
        else:
            return url, _parse(text)
    return url, old


def _parse(text: str) -> Any:
    import m3u8  # noqa: PLC0415 - most streams are none of these

    try:
        playlist = m3u8.loads(text)
    except Exception as error:
        # the library lets through whatever its conversions raise
        raise NotSound(f"the HLS playlist cannot be read: {error}") from error
    if not playlist.is_variant and not playlist.segments and playlist.is_endlist:
        raise NotSound("the HLS playlist is empty")
    return playlist


def _look_at(segment: Any) -> None:
    if segment.key is not None and segment.key.method not in (None, "NONE"):
        raise NotSound(f"the HLS stream is encrypted ({segment.key.method})")
    if segment.byterange:
        raise NotSound("the HLS stream uses byte ranges, which are not supported")
