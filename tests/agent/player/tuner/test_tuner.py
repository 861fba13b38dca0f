"""The tuner as a process: every format through a real Icecast2, RTP of every type, and who may send."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.icecast import Icecast, rtp_sender, steady, udp_port
from tests.support.node import ROOT
from tests.support.sound import RATE, Samples, pitch, sine
from tests.support.wait import wait_until
from tests.support.web import Host, instead

HZ = 500.0


class Tuned:
    """A tuner at work: what it says, and what it brings."""

    def __init__(self, url: str, *hosts: str) -> None:
        pipe = subprocess.PIPE
        argv = [sys.executable, "-m", "agent.player.tuner"]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"url": url, "hosts": hosts}).encode() + b"\n")
        self.words: list[dict[str, object]] = []
        self._raw = bytearray()
        self._threads = [threading.Thread(target=read, daemon=True) for read in (self._listen, self._hear)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Tuned:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()
            for thread in self._threads:
                thread.join(5)

    @property
    def samples(self) -> Samples:
        raw = bytes(self._raw)
        return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32_768

    @property
    def reasons(self) -> list[str]:
        return [str(word["reason"]) for word in self.words]

    def wait_for(self, seconds: float, timeout_s: float = 15.0) -> Samples:
        wait_until(lambda: len(self.samples) >= seconds * RATE, timeout_s, f"{seconds} s of it: {self.words}")
        return self.samples

    def wait_for_word(self, words: str, timeout_s: float = 10.0) -> None:
        wait_until(
            lambda: any(words in reason for reason in self.reasons), timeout_s, f"{words}: {self.words}"
        )

    def _listen(self) -> None:
        assert self.process.stdout is not None
        while data := self.process.stdout.read(65_536):
            self._raw += data

    def _hear(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith(b"{"):
                self.words.append(json.loads(line))


@pytest.fixture(scope="module")
def icecast() -> Iterator[Icecast]:
    with Icecast() as icecast:
        yield icecast


@pytest.mark.parametrize("codec", ["mp3", "ogg", "aac"])
def test_what_icecast_carries_is_brought_as_it_comes(icecast: Icecast, codec: str) -> None:
    with icecast.source(codec, steady(HZ), codec), Tuned(icecast.url(codec), icecast.host) as tuned:
        heard = tuned.wait_for(1.5)
        assert pitch(heard[-RATE:]) == pytest.approx(HZ, abs=2)
        assert tuned.words[-1] == {"link": "open", "reason": tuned.reasons[-1], "paced": True}


@pytest.mark.parametrize("codec", ["l16", "pcma", "mp3"])
def test_rtp_of_static_types_is_brought(codec: str) -> None:
    port = udp_port()
    with Tuned(f"rtp://127.0.0.1:{port}", "127.0.0.1") as tuned, rtp_sender(port, steady(HZ), codec):
        heard = tuned.wait_for(1.0)
    assert pitch(heard[-RATE // 2 :]) == pytest.approx(HZ, abs=4)


def test_rtp_comes_from_the_sender_that_is_named_and_from_nobody_else() -> None:
    """The same packets by two ways: from 127.0.0.1, and from an address that the stream does not name."""
    port = udp_port()
    packet = b"\x80\x0b\0\0" + bytes(8) + bytes(882)
    with Tuned(f"rtp://127.0.0.1:{port}", "127.0.0.1") as tuned:
        tuned.wait_for_word("no packet has come")
        with (
            socket.socket(type=socket.SOCK_DGRAM) as stranger,
            socket.socket(type=socket.SOCK_DGRAM) as studio,
        ):
            stranger.bind(("127.0.0.2", 0))
            for _ in range(20):
                stranger.sendto(packet, ("127.0.0.1", port))
                time.sleep(0.01)
            assert not len(tuned.samples) and len(tuned.words) == 1
            for number in range(200):
                stamp = (441 * number).to_bytes(4, "big")
                studio.sendto(packet[:4] + stamp + packet[8:], ("127.0.0.1", port))
                time.sleep(0.005)
            tuned.wait_for(0.5)


def test_a_multicast_group_is_joined() -> None:
    port = udp_port()
    with Tuned(f"rtp://@239.255.7.7:{port}", "239.255.7.7") as tuned:
        tuned.wait_for_word("no packet has come")
        with socket.socket(type=socket.SOCK_DGRAM) as studio:
            studio.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
            try:
                studio.sendto(b"\x80\x0b" + bytes(10) + bytes(882), ("239.255.7.7", port))
            except OSError:
                # no route for multicast here: then nothing can come, and it is told
                tuned.wait_for_word(f"no packet comes to port {port}")
                return
        tuned.wait_for(0.005)


def test_a_type_that_needs_an_sdp_is_refused_by_name() -> None:
    port = udp_port()
    with Tuned(f"rtp://127.0.0.1:{port}", "127.0.0.1") as tuned:
        tuned.wait_for_word("no packet has come")
        with socket.socket(type=socket.SOCK_DGRAM) as studio:
            studio.sendto(b"\x80\x61" + bytes(30), ("127.0.0.1", port))
        assert tuned.process.wait(10) == 1
        tuned.wait_for_word("RTP payload type 97 means what an SDP says")


def test_a_host_that_is_not_allowed_is_not_even_asked() -> None:
    with Host({}) as host, Tuned(f"{host.url}live", "radio.example") as tuned:
        assert tuned.process.wait(10) == 1
        assert tuned.reasons == ["host 127.0.0.1 is not allowed"]
        assert host.requests == []


def test_a_module_that_is_missing_is_named() -> None:
    with Tuned("rtsp://127.0.0.1:9/a", "127.0.0.1") as tuned:
        assert tuned.process.wait(15) == 1
        assert tuned.reasons == ["libVLC has no module for rtsp; Debian builds libVLC without it"]


def test_a_server_that_refuses_is_tried_again_by_the_same_process(icecast: Icecast) -> None:
    with Tuned(icecast.url("later"), icecast.host) as tuned:
        tuned.wait_for_word("answers 404")
        with icecast.source("later", steady(HZ)):
            tuned.wait_for(0.5)


def test_a_playlist_that_is_sent_as_sound_leads_nowhere() -> None:
    """libVLC would read it as one, and ask whom it names."""
    with Host({"a.mp3": b""}) as elsewhere, Host({}) as host:
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{elsewhere.url}a.ts\n#EXT-X-ENDLIST\n" * 30
        for number, kind in enumerate(("audio/mpeg", "audio/aac", "application/octet-stream")):
            host.break_path(f"/{number}$", instead(text.encode(), {"Content-Type": kind}))
            with Tuned(f"{host.url}{number}", f"127.0.0.1:{host.server_address[1]}") as tuned:
                tuned.process.wait(15)
                assert not len(tuned.samples)
        assert elsewhere.requests == []


def test_hls_is_brought_as_fast_as_it_is_taken(tmp_path: pytest.TempPathFactory) -> None:
    """Segments as ffmpeg makes them."""
    from pathlib import Path

    from tests.support.sound import write_wav

    folder = Path(str(tmp_path))
    wav = write_wav(folder / "a.wav", sine(HZ, 6.0))
    argv = ["ffmpeg", "-loglevel", "error", "-i", str(wav), "-c:a", "aac", "-f", "hls", "-hls_time", "2"]
    subprocess.run([*argv, "-hls_list_size", "0", str(folder / "a.m3u8")], check=True)
    with Host(folder) as host, Tuned(f"{host.url}a.m3u8", "127.0.0.1") as tuned:
        heard = tuned.wait_for(5.5)
        assert pitch(heard[-RATE:]) == pytest.approx(HZ, abs=2)
        assert tuned.words[-1]["paced"] is False
