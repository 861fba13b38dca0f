"""Parts of a node as its configuration wants them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from agent import __version__
from agent.clock import Clock
from agent.config import Config
from agent.journal import Journal
from agent.player.link import PlayerLink, player_argv
from agent.screen.protocol import worker_command
from agent.uplink.gate import Gate
from agent.uplink.uplink import Uplink
from agent.worker import WorkerLink
from drivers.amplifier import Amplifier, RelayPlan, ZonePlan
from drivers.relays import Relay, RelayPin, open_relays
from playlists.models.health import Position, Status
from playlists.policy import EVERYWHERE, LoudnessHours, Policy
from playlists.units import Seconds

Post = Callable[[Any], None]


def make_uplink(
    config: Config, journal: Journal, gate: Gate, post: Post, clock: Clock, boot: str
) -> Uplink | None:
    """The way to the centre; None without a broker.

    Raises:
        UplinkError: a file that `[broker]` names cannot be read.
    """
    if config.broker is None:
        return None
    status = Status(
        state="offline", epoch=journal.epoch, boot=boot, agent=__version__, since=clock.now().astimezone()
    )
    return Uplink(config, config.node.id, journal, gate, post, status, clock)


def make_player(config: Config, post: Post) -> PlayerLink:
    """The player; it is not started yet."""
    audio = config.audio
    device = None if audio.output == "portaudio" and audio.device == "default" else audio.device
    return PlayerLink(player_argv(audio.output, device, Seconds(audio.latency_ms / 1_000)), post)


def make_screen(config: Config, post: Post) -> WorkerLink | None:
    """The screen, not started yet; None on a node without one."""
    screen = config.screen
    if not screen.enabled:
        return None
    driver = None if screen.driver == "auto" else screen.driver
    argv = worker_command(driver, screen.size, fullscreen=screen.fullscreen, theme=screen.theme)
    return WorkerLink("screen", argv, post)


def make_amplifier(config: Config) -> tuple[Amplifier, dict[str, Relay]]:
    """The sequencer and its relays.

    Raises:
        DriverError: a relay cannot be opened.
    """
    pins = [RelayPin(relay.name, relay.pin, relay.active == "high") for relay in config.relays]
    plans = [RelayPlan(relay.name, relay.delay_s) for relay in config.relays]
    zones = [ZonePlan(zone.name, tuple(zone.relays), zone.settle_s, zone.tail_s) for zone in config.zones]
    # without named zones there is one, which is always on
    amplifier = Amplifier(plans, zones or [ZonePlan(EVERYWHERE)], config.amplifier.longest_on_s)
    return amplifier, open_relays(pins, fake=config.hardware.gpio == "fake")


def make_policy(config: Config) -> Policy:
    """The node's own rules."""
    section = config.policy
    return Policy(
        timezone=config.node.timezone,
        allowed_hours=section.allowed_hours,
        longest_session_s=section.longest_session_s,
        loudness=tuple(LoudnessHours(hours=part.hours, gain_db=part.gain_db) for part in section.loudness),
        quiet_days=tuple(str(day) for day in section.quiet_days),
        resume_within_s=section.resume_within_s,
    )


def position_of(config: Config) -> Position | None:
    """Where the node stands."""
    position = config.node.position
    return Position(lat=position.lat, lon=position.lon) if position else None


def reboot() -> str | None:
    """Ask systemd to restart the machine; returns why it will not."""
    try:
        done = subprocess.run(
            ["systemctl", "--no-block", "reboot"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd cannot be asked: {error}"
    return done.stderr.strip() or "systemctl refused" if done.returncode else None
