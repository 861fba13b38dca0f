"""Streams over http and https: Icecast and its like, playlists that name one (m3u, pls), and HLS.

Redirects are followed here, never by a library, and each address is looked at before it is asked. None leads
from https to http: whoever sits between could speak then. No proxy of the environment is used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import requests
import urllib3

from agent import __version__
from agent.player.tuner.errors import NotAllowed, NotReceived, NotSound
from agent.player.tuner.formats import BY_TYPE, SNIFFED
from agent.player.tuner.hls import joined, segments
from playlists.streams import StreamHosts, host_of

MOST_HOPS: Final = 5
"""Redirects and playlists on the way to the sound."""

CONNECT_S: Final = 5.0
ANSWER_S: Final = 5.0
"""Longest wait for the next bytes."""

PLAYLIST_BYTES: Final = 256_000
SLOWEST_PLAYLIST_S: Final = 10.0
_CHUNK: Final = 8_192
_REDIRECTS: Final = {301, 302, 303, 307, 308}

_NO_SOUND: Final = {"text/html", "text/plain", "application/json", "application/xml", "text/xml"}
_LISTS: Final = {
    "audio/x-mpegurl",
    "audio/mpegurl",
    "application/x-mpegurl",
    "application/vnd.apple.mpegurl",
    "audio/x-scpls",
    "application/pls+xml",
}


@dataclass(frozen=True)
class Incoming:
    """Bytes of sound that have begun to come."""

    demux: str
    """libVLC's demultiplexer for it, or `SNIFFED`."""
    paced: bool
    """Comes as fast as it sounds; otherwise as fast as it is taken."""
    chunks: Iterator[bytes]
    what: str
    """For a reader."""


class Web:
    """Fetches for one stream. Close it at its end."""

    def __init__(self, hosts: StreamHosts) -> None:
        self._hosts = hosts
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(
            {"Accept-Encoding": "identity", "User-Agent": f"loa-agent/{__version__}", "Accept": "*/*"}
        )

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def open(self, url: str) -> Incoming:
        """Follow an address to its sound.

        Raises:
            NotAllowed: the way leads to a host that is not allowed.
            NotSound: what is there cannot be made to sound.
            NotReceived: it cannot be had now.
        """
        for _ in range(MOST_HOPS):
            answer = self._get(url)
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if answer.status_code in _REDIRECTS:
                url = self._aside(url, answer.headers.get("Location", ""))
            elif kind in _LISTS or re.search(r"\.(m3u8?|pls)$", urlsplit(url).path):
                text = self._text(answer)
                if "#EXT-X-" in text:
                    chunks = segments(url, text, self._fetch_text, self._fetch_chunks)
                    return Incoming(SNIFFED, False, chunks, "HLS")
                url = self._aside(url, _first_of(text))
            elif kind in _NO_SOUND:
                raise NotSound(f"{host_of(url)} sends {kind}, no sound")
            else:
                demux = BY_TYPE.get(kind, SNIFFED)
                paced = "Content-Length" not in answer.headers
                return Incoming(demux, paced, _chunks(answer), kind or "something without a type")
            answer.close()
        raise NotReceived(f"more than {MOST_HOPS} redirects and playlists")

    def _aside(self, url: str, to: str) -> str:
        """Where a redirect or playlist leads."""
        there = joined(url, to)
        old, new = urlsplit(url).scheme, urlsplit(there).scheme
        if new not in ("http", "https") or (old == "https" and new == "http"):
            raise NotAllowed(f"{host_of(url)} leads from {old} to {new or 'nothing'}")
        return there

    def _get(self, url: str) -> requests.Response:
        refusal = self._hosts.refusal(url)
        if refusal is not None:
            raise NotAllowed(refusal)
        try:
            answer = self._session.get(url, stream=True, allow_redirects=False, timeout=(CONNECT_S, ANSWER_S))
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            # also where it would be redirected to is read in there, and may be no address at all
            raise NotReceived(f"{host_of(url)}: {_plain(error)}") from error
        if answer.status_code not in (200, *_REDIRECTS):
            answer.close()
            raise NotReceived(f"{host_of(url)} answers {answer.status_code} {answer.reason}")
        return answer

    def _follow(self, url: str) -> tuple[str, requests.Response]:
        for _ in range(MOST_HOPS):
            answer = self._get(url)
            if answer.status_code not in _REDIRECTS:
                return url, answer
            url = self._aside(url, answer.headers.get("Location", ""))
            answer.close()
        raise NotReceived(f"more than {MOST_HOPS} redirects")

    def _fetch_text(self, url: str) -> tuple[str, str]:
        url, answer = self._follow(url)
        return url, self._text(answer)

    def _fetch_chunks(self, url: str) -> Iterator[bytes]:
        _, answer = self._follow(url)
        return _chunks(answer)

    def _text(self, answer: requests.Response) -> str:
        """A playlist; what is longer or slower than any real one is none."""
        found, until = b"", time.monotonic() + SLOWEST_PLAYLIST_S
        for chunk in _chunks(answer):
            found += chunk
            if len(found) > PLAYLIST_BYTES or time.monotonic() > until:
                answer.close()
                raise NotSound(f"a playlist of more than {PLAYLIST_BYTES} bytes or {SLOWEST_PLAYLIST_S:g} s")
        return found.decode("utf-8", errors="replace")


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """What has come, as soon as it has come."""
    try:
        with answer:
            while chunk := answer.raw.read1(_CHUNK):
                yield chunk
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise NotReceived(_plain(error)) from error


def _first_of(playlist: str) -> str:
    """The first address of an m3u or pls playlist."""
    for line in map(str.strip, playlist.splitlines()):
        if found := re.fullmatch(r"File\d+=(.+)", line, re.IGNORECASE):
            return found[1]
        if line and not line.startswith(("#", "[")) and "=" not in line.partition("://")[0]:
            return line
    raise NotSound("the playlist names no stream")


def _plain(error: Exception) -> str:
    """An error of the HTTP libraries in the words of its innermost cause."""
    text = str(error)
    for sign, words in (
        ("Connection refused", "connection refused"),
        ("timed out", f"no answer within {ANSWER_S:g} s"),
        ("Name or service not known", "its name is not known"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted"),
        ("Network is unreachable", "the network is unreachable"),
        ("Remote end closed", "it hung up without an answer"),
        ("Connection reset", "the connection was cut"),
        ("IncompleteRead", "the connection was cut"),
    ):
        if sign in text:
            return words
    return text[:200]
