"""Parts of a node as its configuration wants them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent import __version__
from agent.chores import Chores
from agent.clock import Clock
from agent.conductor.thinker import Think, Thinker
from agent.config import Config
from agent.config.voices import voices_of
from agent.control.server import ControlServer
from agent.feeds.feeds import Feeds
from agent.journal import Journal
from agent.library import Library
from agent.listener.link import listener_argv, listener_link
from agent.player.link import PlayerLink
from agent.recordings import STORE_BYTES, Recordings
from agent.screen.manner import Manner
from agent.screen.protocol import worker_command
from agent.screenpower import ScreenPower
from agent.speech import Voices
from agent.store import Store
from agent.uplink.gate import Gate
from agent.uplink.uplink import Uplink
from agent.worker import WorkerLink
from drivers.amplifier import Amplifier, RelayPlan, ZonePlan
from drivers.buttons import Button, ButtonPin, ButtonPressed, open_buttons
from drivers.display import open_display
from drivers.relays import Relay, RelayPin, open_relays
from drivers.sensors import read_board
from playlists.alert import Place
from playlists.models.health import Position, Readings, Status
from playlists.policy import EVERYWHERE, LoudnessHours, Policy

if TYPE_CHECKING:
    from agent.alerts.sources import AlertSources

Post = Callable[[Any], None]


@dataclass(frozen=True)
class Outside:
    """What of a node touches the world: disk, network, sound card, screen, relays. Tests put fakes here."""

    journal: Journal
    gate: Gate
    feeds: Feeds
    library: Library
    recordings: Recordings
    player: PlayerLink
    screen: WorkerLink | None
    screen_power: ScreenPower | None
    uplink: Uplink | None
    amplifier: Amplifier
    relays: Mapping[str, Relay]
    buttons: Mapping[str, Button]
    readings: Callable[[], Readings]
    control: ControlServer
    chores: Chores
    think: Think
    reboot: Callable[[], str | None]
    listener: WorkerLink | None = None
    alerts: AlertSources | None = None


def open_outside(config: Config, clock: Clock, post: Post, boot: str, player: PlayerLink) -> Outside:
    """Open the rest of it as the configuration wants; of this nothing runs yet.

    Raises:
        DriverError: a relay or a button cannot be opened.
        JournalError: another agent holds the journal.
        UplinkError: a file that `[broker]` names cannot be read.
        OSError: a folder cannot be written.
    """
    state, cache, runtime = config.paths.state, config.paths.cache, config.paths.runtime
    for folder in (state, cache, runtime):
        folder.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(state / "journal", config.limits.journal_mb)
    gate = Gate({}, config.node.id, frozenset(config.node.groups), journal, clock)
    store = Store(cache / "media", config.limits.cache_mb * 1_000_000)
    amplifier, relays = make_amplifier(config)
    library = Library(cache / "sounds", config.limits.pcm_mb * 1_000_000, post, refuge=runtime / "sounds")
    of_alerts = Store(cache / "alerts", STORE_BYTES)
    return Outside(
        journal=journal,
        gate=gate,
        feeds=Feeds(config.feeds, store, state, post, clock),
        library=library,
        recordings=Recordings(of_alerts, config.alerts.hosts, library, post),
        player=player,
        screen=make_screen(config, post),
        screen_power=make_screen_power(config, post),
        uplink=make_uplink(config, journal, gate, post, clock, boot),
        amplifier=amplifier,
        relays=relays,
        buttons=make_buttons(config, post),
        readings=lambda: Readings(**asdict(read_board(state))),
        control=ControlServer(runtime / "control.sock", cache / "by-hand", post),
        chores=Chores(post),
        think=Thinker(post).think,
        reboot=reboot,
        listener=make_listener(config, post),
        alerts=make_alerts(config, post, clock),
    )


def make_alerts(config: Config, post: Post, clock: Clock) -> AlertSources | None:
    """The sources of alerts besides commands; None, and nothing of them loaded, where there are none."""
    if not config.alert_sources:
        return None
    from agent.alerts.sources import AlertSources  # noqa: PLC0415 - most nodes have none

    return AlertSources(config.alert_sources, config.paths.state, post, clock)


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


def make_listener(config: Config, post: Post) -> WorkerLink | None:
    """The listener, not started yet; None on a node without a microphone."""
    if config.listener is None:
        return None
    device = config.listener.device
    return listener_link(listener_argv(None if device == "default" else device), post)


def make_screen(config: Config, post: Post) -> WorkerLink | None:
    """The screen, not started yet; None on a node without one."""
    screen = config.screen
    if not screen.enabled:
        return None
    driver = None if screen.driver == "auto" else screen.driver
    manner = Manner(
        rotate=screen.rotate,
        overscan_percent=screen.overscan_percent,
        shift_px=screen.shift_px,
        transitions=screen.transitions,
        touch=screen.touch,
        colours=screen.colours,
        emblem=str(screen.emblem) if screen.emblem is not None else None,
    )
    argv = worker_command(
        driver, screen.size, fullscreen=screen.fullscreen, theme=screen.theme, manner=manner
    )
    return WorkerLink("screen", argv, post)


def make_screen_power(config: Config, post: Post) -> ScreenPower | None:
    """What switches the display; None where nothing does. Nothing is switched yet."""
    display = open_display(config.screen.power) if config.screen.enabled else None
    return ScreenPower(display, post) if display is not None else None


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


def make_voices(config: Config) -> Voices:
    """Who speaks here."""
    return voices_of(config.voices)


def make_buttons(config: Config, post: Post) -> dict[str, Button]:
    """Buttons that post a `ButtonPressed`.

    Raises:
        DriverError: one cannot be opened.
    """
    pins = [
        ButtonPin(button.name, button.pin, "up" if button.active == "low" else "down")
        for button in config.buttons
    ]
    return open_buttons(pins, lambda name: post(ButtonPressed(name)), fake=config.hardware.gpio == "fake")


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
        tie_break=section.tie_break,
    )


def position_of(config: Config) -> Position | None:
    """Where the node stands."""
    position = config.node.position
    return Position(lat=position.lat, lon=position.lon) if position else None


def place_of(config: Config) -> Place:
    """Where the node stands, for alerts that hold for some places only."""
    position = config.node.position
    codes = (code.rpartition("=") for code in config.node.geocodes)
    return Place(
        (position.lat, position.lon) if position else None,
        frozenset((system.strip(), value.strip()) for system, _, value in codes),
    )


def pids_of(outside: Outside) -> dict[str, int | None]:
    """The processes of this node, by name; None for a worker that does not run now."""
    links = {"player": outside.player, "screen": outside.screen, "listener": outside.listener}
    return {"agent": os.getpid()} | {name: link.pid for name, link in links.items() if link is not None}


def broker_of(config: Config, state: dict[str, Any] | None) -> dict[str, Any] | None:
    """The broker and how the link to it stands, for the control socket."""
    broker = config.broker
    if broker is None or state is None:
        return None
    return {"host": broker.host, "port": broker.port, "tls": broker.tls, **state}


def feeds_of(config: Config, feeds: Feeds) -> dict[str, dict[str, Any]]:
    """Each feed, where it is fetched, how it stands and how soon its host answers, for the control socket."""
    states, latencies_s = feeds.state(), feeds.latencies_s()
    found = {}
    for feed in config.feeds:
        state, latency_s = states.get(feed.name), latencies_s.get(feed.name)
        found[feed.name] = {
            "host": urlsplit(feed.url).hostname,
            **(state.model_dump(mode="json") if state is not None else {}),
            "latency_ms": None if latency_s is None else round(latency_s * 1_000, 1),
        }
    return found


def reboot() -> str | None:
    """Ask systemd to restart the machine; returns why it will not. May take 5 s when systemd hangs."""
    try:
        done = subprocess.run(
            ["systemctl", "--no-block", "reboot"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd cannot be asked: {error}"
    return done.stderr.strip() or "systemctl refused" if done.returncode else None
