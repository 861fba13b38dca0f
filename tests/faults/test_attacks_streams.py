"""Streams that attack: each is ended or refused, the node says why, and goes on.

One table (what is sent × how it must end), played on a node that sounds an announcement meanwhile: whatever a stream
does before its first sample, what sounds is not disturbed.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.support.broker import free_port
from tests.support.centre import CentreUnderTest
from tests.support.house import House, media, open_house, wait_until
from tests.support.pulse import Sink
from tests.support.sound import sine, write_wav
from tests.support.web import Handler, Host, drip_body, drip_headers, instead, redirect, stall

ENDS_WITHIN_S = 25.0
"""It is given 10 s to bring a first sample."""

SOCKETS_BYTES = sum(
    int(Path(f"/proc/sys/net/ipv4/tcp_{way}mem").read_text(encoding="ascii").split()[2]) for way in "rw"
)


@pytest.fixture(scope="module")
def node(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node that allows 127.0.0.1, and nobody else."""
    with open_house(centre, sink, tmp_path_factory.mktemp("streams"), id="pole-09") as house:
        yield house


@pytest.fixture
def host() -> Iterator[Host]:
    with Host({}) as host:
        yield host


def garbage(handler: Handler, _content: bytes | None) -> None:
    """Noise that is called MP3, for as long as somebody takes it."""
    chance = np.random.default_rng(1)
    handler.send_response(200)
    handler.send_header("Content-Type", "audio/mpeg")
    handler.end_headers()
    while not handler.server.stopping.is_set():
        # without a byte that could begin a frame
        handler.wfile.write(chance.integers(0, 0xF0, 65_536, dtype=np.uint8).tobytes())


def without_end(handler: Handler, _content: bytes | None) -> None:
    """A WAV of 4 GB, as fast as it is taken; the header says so and is right."""
    handler.send_response(200)
    handler.send_header("Content-Type", "audio/wav")
    handler.end_headers()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 2**32 - 1, b"WAVE", b"fmt ", 16, 1, 1, 48_000, 96_000, 2, 16,
                       b"data", 2**32 - 64)  # fmt: skip
    handler.wfile.write(head)
    sound = (np.random.default_rng(2).normal(0, 3_000, 48_000)).astype("<i2").tobytes()
    while not handler.server.stopping.is_set():
        handler.wfile.write(sound)
        handler.server.sent_bytes += len(sound)


@dataclass(frozen=True)
class Attack:
    """What a server does, and words of the receipt that must follow."""

    name: str
    does: Callable[[Handler, bytes | None], None]
    words: str

    def __str__(self) -> str:
        return self.name


REFUSED_OR_FAILED = [
    Attack("accepts and never answers", stall, "no answer within 5 s"),
    Attack("drips its headers", drip_headers, "no sound came from"),
    Attack("drips its body", drip_body, "no sound in it"),
    Attack("redirects in a circle", redirect("/circle"), "more than 5 redirects"),
    Attack(
        "redirects to a host that is not allowed",
        redirect("http://127.0.0.2:9/x"),
        "127.0.0.2 is not allowed",
    ),
    Attack("redirects to a file", redirect("file:///etc/passwd"), "leads from http to file"),
    Attack("sends garbage", garbage, "audio/mpeg comes, and no sound in it"),
    Attack(
        "sends a playlist of strangers",
        instead(b"#EXTM3U\nhttp://127.0.0.2:9/x\n", {"Content-Type": "audio/x-mpegurl"}),
        "127.0.0.2 is not allowed",
    ),
    Attack("sends a page", instead(b"<html>log in</html>", {"Content-Type": "text/html"}), "sends text/html"),
]


def test_what_never_brings_a_sample_is_refused_in_its_own_words_and_disturbs_nothing(
    node: House, host: Host
) -> None:
    """All rows at once: each takes its ten seconds."""
    under = node.announce(media("long"))
    began = time.monotonic()
    sent = []
    host.break_path("^/circle$", redirect("/circle"))
    for number, attack in enumerate(REFUSED_OR_FAILED):
        host.break_path(rf"^/{number}$", attack.does)
        sent.append(node.command("live", stream=f"{host.url}{number}", lease_s=60.0))
    for attack, command in zip(REFUSED_OR_FAILED, sent, strict=True):
        ended = node.ended(command, ENDS_WITHIN_S)
        assert (ended.state, attack.words in (ended.reason or "")) == ("failed", True), (attack.name, ended)
    assert node.ears.longest_silence(began, time.monotonic()) < 0.3
    assert node.sounds() is not None
    node.command("stop", programme=under.id)
    wait_until(lambda: tuners(node) == [], 10, "no tuner is left")


def test_a_host_that_is_not_allowed_is_refused_before_anything_is_opened(node: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_asked:
        never_asked.settimeout(0.5)
        port = never_asked.getsockname()[1]
        for url in (f"http://localhost:{port}/a", f"http://127.0.0.1@localhost:{port}/", f"rtp://@:{port}"):
            ended = node.ended(node.command("live", stream=url))
            assert ended.state == "refused"
            assert "policy:" in (ended.reason or "") and "not allowed" in (ended.reason or "")
        with pytest.raises(TimeoutError):
            never_asked.accept()


def test_a_stream_that_never_ends_is_taken_no_faster_than_it_sounds_and_ends_with_its_lease(
    node: House, host: Host
) -> None:
    host.break_path("/live", without_end)
    began = time.monotonic()
    command = node.command("live", stream=f"{host.url}live", lease_s=4.0)
    node.centre.wait_for_receipt(command, "started")
    ended = node.ended(command)
    assert (ended.state, ended.reason) == ("interrupted", "lease ended")
    took_s = time.monotonic() - began
    # what may have been sent at once and left out (30 s), what sounded, and what waits in the kernel's sockets
    assert host.sent_bytes < (30 + took_s) * 96_000 + SOCKETS_BYTES
    player = node.node.child("player")
    assert player.memory_info().rss < 200_000_000


def test_a_huge_recording_is_no_broadcast_and_is_played_from_its_beginning(
    node: House, host: Host, tmp_path: Path
) -> None:
    host.content = {
        "big.wav": write_wav(tmp_path / "big.wav", np.tile(sine(440, 0.5, 0.2), 240)).read_bytes()
    }
    command = node.command("live", stream=f"{host.url}big.wav", lease_s=3.0)
    node.centre.wait_for_receipt(command, "started")
    assert node.ended(command).reason == "lease ended"


def test_a_server_that_goes_quiet_in_the_middle_is_told_apart_and_reported(
    node: House, tmp_path: Path
) -> None:
    """It sends three seconds of sound as a broadcast does, and then holds the line."""
    port = free_port()
    wav = write_wav(tmp_path / "a.wav", np.random.default_rng(4).normal(0, 0.1, 3 * 48_000)).read_bytes()
    over = threading.Event()

    def serve(server: socket.socket) -> None:
        while not over.is_set():
            try:
                line, _ = server.accept()
            except OSError:
                return
            line.recv(4_096)
            line.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: audio/wav\r\n\r\n")
            for at in range(0, len(wav), 4_800):
                line.sendall(wav[at : at + 4_800])
                over.wait(0.05)
            over.wait(30)
            line.close()

    with socket.create_server(("127.0.0.1", port)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        command = node.command("live", stream=f"http://127.0.0.1:{port}/a", lease_s=60.0)
        node.centre.wait_for_receipt(command, "started")
        words = node.wait_for_fault(f"stream:127.0.0.1:{port}")
        assert "stalled" in words
        node.wait_for_moment("sound", command.id, "stream reconnecting")
        node.command("live-stop", live=command.id)
        node.ended(command)
        over.set()
        server.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: not node.faults(), 10, "its fault is gone")


def test_afterwards_the_node_is_well(node: House) -> None:
    announced = node.announce(media("low"))
    assert node.ended(announced).state == "finished"
    assert node.faults() == {}
    wait_until(lambda: tuners(node) == [], 10, "no tuner is left")


def tuners(node: House) -> list[psutil.Process]:
    """Processes of streams under the player."""
    found = []
    for child in node.node.child("player").children(recursive=True):
        try:
            if "agent.player.tuner" in child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
