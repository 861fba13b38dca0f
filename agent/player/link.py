"""The player, as the conductor has it: a child that is kept alive, orders in, reports out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from agent.player.messages import encode
from agent.player.protocol import Order, Ping, Quit
from agent.worker import WorkerLink, WorkerSaid
from playlists.units import MonotonicS, Seconds

if TYPE_CHECKING:
    from agent.config import Config

NAME: Final = "player"
LATENCY: Final = Seconds(0.02)


def player_argv(
    output: str, device: str | None = None, latency_s: Seconds = LATENCY, *, tap: bool = False
) -> list[str]:
    """The command of a player worker; `output` is `portaudio` or `file` (then `device` is its path).

    With `tap` it tells what leaves, for a listener.
    """
    argv = [sys.executable, "-m", "agent.player", "--output", output, "--latency-ms", f"{latency_s * 1000:g}"]
    if tap:
        argv.append("--tap")
    return [*argv, "--device", device] if device else argv


def player_of(config: Config, post: Callable[[Any], None]) -> PlayerLink:
    """The player that the configuration wants; it is not started yet."""
    audio = config.audio
    device = None if audio.output == "portaudio" and audio.device == "default" else audio.device
    latency_s = Seconds(audio.latency_ms / 1_000)
    return PlayerLink(player_argv(audio.output, device, latency_s, tap=config.listener is not None), post)


class PlayerLink:
    """A player worker and the way to it.

    Posts `WorkerStarted`, `WorkerSaid` and `WorkerDied` with the name `player`; what `WorkerSaid` may carry
    is listed at `agent.player.protocol.Report`. A new player knows nothing: on `WorkerStarted` the conductor
    tells it again what should sound.
    """

    def __init__(self, argv: Sequence[str], post: Callable[[Any], None]) -> None:
        self._post = post
        self._pings = 0
        self._pong = 0
        self.pong_at: MonotonicS | None = None
        """When the last `ping` was answered."""
        # numpy's thread pool would cost memory for nothing: blocks are small
        env = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        self._link = WorkerLink(NAME, argv, self._hear, env)

    def start(self) -> None:
        """Start the player, and keep it started."""
        self._link.start()

    def send(self, order: Order) -> bool:
        """Give an order; never waits. False when there is no player: it is told again when one is."""
        return self._link.send(encode(order))

    def ping(self) -> int:
        """Ask for a sign of life; answered in `pong_at` and by a `pong` event. Returns the ping's number."""
        self._pings += 1
        self.send(Ping(self._pings))
        return self._pings

    def unanswered(self) -> int:
        """How many pings wait for their answer."""
        return self._pings - self._pong

    def kill(self, reason: str) -> None:
        """End a player that is stuck; another one follows."""
        self._link.kill(reason)

    def stop(self, deadline_s: float = 1.0) -> None:
        """End the player for good: silent at once."""
        self.send(Quit())
        self._link.stop(deadline_s)

    @property
    def alive(self) -> bool:
        """Whether a player runs now."""
        return self._link.alive

    @property
    def pid(self) -> int | None:
        """The process id of the player that runs now."""
        return self._link.pid

    def _hear(self, event: Any) -> None:
        match event:
            case WorkerSaid(message={"event": "pong", "n": int(n)}):
                self._pong = n
                self.pong_at = MonotonicS(time.monotonic())
            case WorkerSaid():
                pass
            case _:
                self._pings = self._pong = 0
        self._post(event)
