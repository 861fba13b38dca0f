"""`python -m agent.player.tuner`: one stream, from an address to PCM on stdout, as it comes.

The order comes as one JSON line on stdin: `url`, `hosts` (what the configuration allows). Words go to stderr, a
JSON object a line: `link` (`opening`: it is being tried; `open`: bytes come), `reason`, `paced` (it comes as fast
as it sounds). Each is also a sign of life: opening is tried again in here, with a growing pause, because a new
process costs a small board a second of its time.

It ends when the stream does. Exit code 1: it cannot be had that way at all.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from agent.child import Voice, die_with_parent
from agent.player.tuner.errors import NotReceived, NotSound
from agent.player.tuner.formats import SNIFFED, begin_of, options, sniff
from agent.player.tuner.mpeg import from_first_frame
from playlists.streams import DATAGRAMS, Endpoint, StreamHosts, host_of, read_stream

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 3.0
"""Between two tries: a station that returns is back on air within 10 s, all told."""

NETWORK_CACHING_MS: Final = 150
"""For what libVLC opens by itself."""

_MODULES: Final = {
    "srt": ("access_srt", "; on Debian it is in vlc-plugin-access-extra"),
    "rtsp": ("live555", "; Debian builds libVLC without it"),
}


class Tuner:
    """Brings one stream in."""

    def __init__(self, url: str, hosts: StreamHosts, out: int, voice: Voice) -> None:
        self._url = url
        self._hosts = hosts
        self._out = out
        self._voice = voice

    def run(self) -> None:
        """Until the stream ends.

        Raises:
            NotReceived: it cannot be had, now or at all.
        """
        refusal = self._hosts.refusal(self._url)
        if refusal is not None:
            raise NotSound(refusal)
        where = read_stream(self._url)
        if where.scheme in DATAGRAMS:
            self._from_datagrams(where)
        elif where.scheme in _MODULES:
            self._from_libvlc(where.scheme)
        else:
            self._from_web()

    def _say(self, link: str, reason: str, paced: bool = True) -> None:
        self._voice.say({"link": link, "reason": reason, "paced": paced})

    def _from_web(self) -> None:
        from agent.player.tuner.web import Web  # noqa: PLC0415 - not for datagrams

        pause_s = FIRST_PAUSE_S
        while True:
            web = Web(self._hosts)
            try:
                incoming = web.open(self._url)
            except NotReceived as error:
                web.close()
                self._say("opening", str(error))
            else:
                self._say("open", f"{incoming.what} comes, and no sound in it", incoming.paced)
                self._decode(incoming.chunks, incoming.demux)
                return
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _from_libvlc(self, scheme: str) -> None:
        from agent.player.libvlc import has_module, transcode  # noqa: PLC0415 - not for datagrams

        module, hint = _MODULES[scheme]
        if not has_module(module):
            raise NotSound(f"libVLC has no module for {scheme}{hint}")
        self._say("opening", f"{host_of(self._url)} does not answer")
        options = [f"--network-caching={NETWORK_CACHING_MS}"]
        if transcode(self._url, f"/dev/fd/{self._out}", options):
            raise NotReceived(f"{host_of(self._url)} cannot be reached")

    def _from_datagrams(self, where: Endpoint) -> None:
        from agent.player.tuner import rtp  # noqa: PLC0415 - needs numpy, as nothing else here does
        from agent.player.tuner.datagrams import receive  # noqa: PLC0415

        self._say("opening", f"no packet has come to port {where.port}")
        datagrams = self._first(where, receive(where))
        if where.scheme == "udp":
            self._decode(datagrams, SNIFFED)
            return
        packets = (packet for packet in map(rtp.unpack, datagrams) if packet is not None)
        first = next(packets)
        if first.kind in (rtp.MPEG_AUDIO, rtp.MPEG_TS):
            audio = first.kind == rtp.MPEG_AUDIO
            payloads = (p.payload for p in _again(first, packets) if p.kind == first.kind)
            self._decode(map(rtp.mpeg_audio, payloads) if audio else payloads, "mp3" if audio else "ts")
            return
        row = rtp.Row(first.kind)
        for packet in _again(first, packets):
            samples = row.feed(packet, time.monotonic())
            if len(samples):
                _write(self._out, (samples * 32_767).astype("<i2").tobytes())

    def _first(self, where: Endpoint, found: Iterator[bytes | None]) -> Iterator[bytes]:
        """Datagrams, with a word when the first has come, and when none does."""
        come = False
        for datagram in found:
            if datagram is None:
                self._say("open" if come else "opening", f"no packet comes to port {where.port}")
                continue
            if not come:
                come = True
                self._say("open", f"packets come to port {where.port}, and no sound in them")
            yield datagram

    def _decode(self, chunks: Iterator[bytes], demux: str) -> None:
        """Let libVLC make sound of bytes. It reads them from a pipe, and has nothing else to open."""
        from agent.player.libvlc import transcode  # noqa: PLC0415 - PCM needs none of it

        whole: Iterable[bytes] = chunks
        if demux == SNIFFED:
            begin, whole = begin_of(chunks)
            demux = sniff(begin)
        if demux == "mp3":
            whole = from_first_frame(whole)
        read_end, write_end = os.pipe()
        broken: list[NotReceived] = []

        def pump() -> None:
            try:
                # libVLC has had enough of it when the pipe breaks: it will say so itself
                with suppress(BrokenPipeError):
                    for chunk in whole:
                        _write(write_end, chunk)
            except NotReceived as error:
                broken.append(error)
            finally:
                os.close(write_end)

        threading.Thread(target=pump, name="pump", daemon=True).start()
        transcode(f"fd://{read_end}", f"/dev/fd/{self._out}", options(demux))
        if broken:
            raise broken[0]


def _again(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def main() -> int:
    """Run the tuner; see the module."""
    die_with_parent()
    voice = Voice(os.dup(2))
    out = os.dup(1)
    os.dup2(2, 1)
    order = json.loads(sys.stdin.readline())
    tuner = Tuner(order["url"], StreamHosts.of(order["hosts"]), out, voice)
    try:
        tuner.run()
    except BrokenPipeError:
        return 0  # nobody listens any more
    except NotReceived as error:
        voice.say({"link": "opening", "reason": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    # threads of libVLC or of the pump may still hang in a read
    sys.stdout.flush()
    os._exit(code)
