"""A real Icecast2 on a free port of the loopback, and senders: ffmpeg, fed with samples as a microphone does."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tests.support.broker import free_port
from tests.support.wait import wait_until

RATE = 48_000
BLOCK = 960
PASSWORD = "source"
Samples = NDArray[np.float32]

ENCODERS = {
    "mp3": ["-c:a", "libmp3lame", "-b:a", "64k", "-content_type", "audio/mpeg", "-f", "mp3"],
    "ogg": [
        "-c:a",
        "libopus",
        "-b:a",
        "64k",
        "-page_duration",
        "20000",
        "-content_type",
        "audio/ogg",
        "-f",
        "ogg",
    ],
    "aac": ["-c:a", "aac", "-b:a", "64k", "-content_type", "audio/aac", "-f", "adts"],
}
RTP = {
    "l16": ["-c:a", "pcm_s16be", "-ar", "44100", "-payload_type", "11"],
    "pcma": ["-c:a", "pcm_alaw", "-ar", "8000", "-payload_type", "8"],
    "mp3": ["-c:a", "libmp3lame", "-b:a", "64k", "-payload_type", "14"],
}


class Icecast:
    """A server that can be stopped and started again on its port."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="loa-icecast-")
        self._conf = Path(self._folder.name) / "icecast.xml"
        user = pwd.getpwuid(os.getuid()).pw_name
        # it does not run as root
        owner = (
            "<changeowner><user>nobody</user><group>nogroup</group></changeowner>" if user == "root" else ""
        )
        self._conf.write_text(
            f"""<icecast>
            <limits><clients>20</clients><sources>10</sources><source-timeout>10</source-timeout></limits>
            <authentication><source-password>{PASSWORD}</source-password><admin-user>admin</admin-user>
              <admin-password>admin</admin-password></authentication>
            <hostname>127.0.0.1</hostname>
            <listen-socket><port>{self.port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
            <paths><logdir>{self._folder.name}</logdir><webroot>/usr/share/icecast2/web</webroot>
              <adminroot>/usr/share/icecast2/admin</adminroot></paths>
            <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog></logging>
            <security><chroot>0</chroot>{owner}</security></icecast>"""
        )
        Path(self._folder.name).chmod(0o777)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def host(self) -> str:
        """As a configuration names it."""
        return f"127.0.0.1:{self.port}"

    def url(self, mount: str) -> str:
        """Where a mount is listened to."""
        return f"http://{self.host}/{mount}"

    def start(self) -> None:
        """Start it, and return when it listens."""
        null = subprocess.DEVNULL
        self._process = subprocess.Popen(["icecast2", "-c", str(self._conf)], stdout=null, stderr=null)
        wait_until(self._listens, 10, f"Icecast listens on {self.port}")

    def stop(self) -> None:
        """Cut it off, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def source(self, mount: str, sound: Callable[[int], Samples], codec: str = "mp3") -> Sender:
        """A source client that sends to a mount."""
        to = f"icecast://source:{PASSWORD}@127.0.0.1:{self.port}/{mount}"
        return Sender([*ENCODERS[codec], "-flush_packets", "1", to], sound)

    def _listens(self) -> bool:
        import socket

        assert self._process is not None and self._process.poll() is None, "Icecast has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Sender:
    """ffmpeg, fed at the pace of a microphone. It is started again when the server cuts it off."""

    def __init__(self, out: list[str], sound: Callable[[int], Samples]) -> None:
        """`sound(first)` gives the `BLOCK` samples from number `first` on."""
        self._out = out
        self._sound = sound
        self._stop = threading.Event()
        self.began = 0.0
        """The monotonic instant of sample 0."""
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._feed, daemon=True)

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        argv = ["ffmpeg", "-hide_banner", "-loglevel", "quiet", "-fflags", "nobuffer", "-probesize", "32"]
        argv += ["-analyzeduration", "0", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"]
        return subprocess.Popen(
            [*argv, *self._out], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0
        )

    def _feed(self) -> None:
        number = 0
        while not self._stop.is_set():
            if self._process is None:
                self._process = self._start()
            block = np.clip(self._sound(number), -1, 1)
            number += BLOCK
            wait_s = self.began + number / RATE - time.monotonic()
            if self._stop.wait(max(0.0, wait_s)):
                return
            if wait_s < -0.5:
                continue  # a new ffmpeg has taken time: what is past is past
            assert self._process.stdin is not None
            try:
                self._process.stdin.write((block * 32_767).astype("<i2").tobytes())
            except OSError:
                self._end()
                self._stop.wait(0.3)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            assert process.stdin is not None
            process.stdin.close()
            process.wait(5)


def rtp_sender(port: int, sound: Callable[[int], Samples], codec: str = "l16") -> Sender:
    """ffmpeg that sends RTP of a static payload type to a port of the loopback, 10 ms a packet."""
    to = f"rtp://127.0.0.1:{port}?pkt_size=894"
    return Sender([*RTP[codec], "-ac", "1", "-f", "rtp", to], sound)


def steady(hz: float, amplitude: float = 0.3) -> Callable[[int], Samples]:
    """A tone without end."""

    def sound(first: int) -> Samples:
        t = np.arange(first, first + BLOCK) / RATE
        return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)

    return sound


def udp_port() -> int:
    """A UDP port that is free."""
    import socket

    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
