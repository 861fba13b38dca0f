"""The part of the demo with streams: a station that fails and comes back, and a voice from a studio, live."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from agent.speech import Speech
from agent.speech.speaking import speak
from tests.support.centre import CentreUnderTest
from tests.support.icecast import BLOCK, RATE, Icecast, rtp_sender, udp_port
from tests.support.node import ROOT
from tests.support.sound import Samples

STATION = "Đây là đài phát thanh của tỉnh. Mời bà con theo dõi bản tin thời sự."
VOICE = "Kính thưa bà con, tôi đang nói trực tiếp từ nhà văn hóa thôn."
MOUNT = "dai-tinh"


@contextmanager
def station() -> Iterator[Icecast]:
    """A real Icecast2 that a station sends to."""
    with Icecast() as icecast, icecast.source(MOUNT, repeated(spoken(STATION, pause_s=0.5))):
        yield icecast


def go_live(centre: CentreUnderTest, seconds: float, began: Callable[[str], None]) -> None:
    """What the officer types while a microphone sends RTP; `began` is told the command's id.

    Raises:
        AssertionError: no node took it.
    """
    port = udp_port()
    argv = [sys.executable, "-m", "agent.cli", "station", "live", str(centre.folder.path)]
    argv += [f"rtp://127.0.0.1:{port}", "--title", "Trực tiếp từ nhà văn hóa", "--for", str(seconds)]
    with (
        rtp_sender(port, repeated(spoken(VOICE, pause_s=0.5))),
        subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as desk,
    ):
        assert desk.stdout is not None
        began(desk.stdout.readline().split(maxsplit=1)[0])
        rest = desk.stdout.read()
    assert desk.returncode == 0, f"loa station live: {rest}"


def spoken(text: str, pause_s: float) -> Samples:
    """A voice, with the noise of a room around it."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "speech.pcm"
        said = speak(Speech(text, "vi"), raw)
        samples = np.frombuffer(raw.read_bytes(), dtype="<i2") / 32_768
    at = np.arange(round(len(samples) * RATE / said.rate)) * said.rate / RATE
    voice = np.concatenate([np.interp(at, np.arange(len(samples)), samples), np.zeros(round(pause_s * RATE))])
    return (voice + np.random.default_rng(3).normal(0, 0.001, len(voice))).astype(np.float32)


def repeated(sound: Samples) -> Callable[[int], Samples]:
    """Blocks of a sound that begins anew at its end."""

    def block(first: int) -> Samples:
        return np.take(sound, range(first, first + BLOCK), mode="wrap")

    return block
