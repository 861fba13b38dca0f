"""A whole node with nothing real around it but its journal: player, feeds, library, time and relays are fakes.

Everything follows one clock that only moves when told, so that a day takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.assembly import Outside, make_amplifier, make_buttons
from agent.clock import FakeClock
from agent.conductor.loop import Conductor
from agent.config import parse
from agent.control.protocol import ControlRequest
from agent.feeds.events import FeedChanged, FeedRestored
from agent.feeds.feeds import MediaInfo
from agent.journal import Journal
from agent.library import Need, Prepared, Unplayable
from agent.life import Life
from agent.logs import RecentLines
from agent.node import Node
from agent.screenpower import ScreenPower
from agent.shelf import Pcm
from agent.speech import Speech
from agent.uplink.events import CommandVerified
from playlists.alert import Resource
from playlists.models.command import Command
from playlists.models.health import FeedHealth, Readings
from playlists.models.operators import Operators
from playlists.models.record import Record
from playlists.models.schedule import Schedule
from playlists.units import Decibel, MonotonicS, Seconds
from tests.agent.conductor.fake_player import FakePlayer, Heard
from tests.agent.conductor.fake_upstream import FakeGate, FakeUplink, Nothing

START = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)

CONFIG = """
[node]
id = "pole-07"
site = "xa-mau"
groups = ["hamlet-3"]
languages = ["vi", "en"]
timezone = "UTC"
{node}
[paths]
state = "{directory}/state"
cache = "{directory}/cache"
runtime = "{directory}/run"
[[feeds]]
name = "commune"
url = "https://example.test/"
root = "/nowhere/root.json"
level = 10
ceiling = "{ceiling}"
[[feeds]]
name = "province"
url = "https://example.test/p/"
root = "/nowhere/root.json"
level = 20
ceiling = "emergency"
[audio]
output = "portaudio"
device = "default"
[[relays]]
name = "preamp"
pin = 17
active = "low"
delay_s = 0.05
[[relays]]
name = "amplifier"
pin = 27
active = "low"
delay_s = 0.05
[[zones]]
name = "square"
relays = ["preamp", "amplifier"]
settle_s = 0.2
tail_s = 0.4
[[zones]]
name = "hamlet"
relays = ["preamp"]
settle_s = 0.2
tail_s = 0.4
[policy]
loudness = {loudness}
{policy}
{streams}
[screen]
enabled = true
{screen_keys}
[hardware]
gpio = "fake"
{extra}
"""


class FakeLibrary:
    """Makes everything at once; what is named in `failures` cannot be made.

    `needs` says how soon each text or file was said to be needed, each time.
    """

    def __init__(self) -> None:
        self.lengths: dict[str, float] = {"long.mp3": 600.0, "hour.mp3": 3_600.0}
        self.failures: dict[str, str] = {}
        self.voiceless: set[str] = set()
        """Languages that eSpeak NG does not speak."""
        self.held: set[str] = set()
        """Texts and files that are not made until `make`."""
        self.wanted: list[tuple[str, object]] = []
        self.needs: dict[str, list[Need]] = {}
        self.kept: set[str] = set()
        self.post: Callable[[object], None] = lambda _event: None
        self._made: dict[str, Pcm] = {}

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    def want(self, key: str, source: Any, need: Need = Need.AHEAD) -> None:
        self.wanted.append((key, source))
        name = source.name if isinstance(source, Path) else source.text
        self.needs.setdefault(name, []).append(need)
        if name in self.held:
            return
        by_espeak = isinstance(source, Speech) and source.voice.engine == "espeak-ng"
        if by_espeak and source.language in self.voiceless:
            self.post(Unplayable(key, f"no voice for {source.language}", lacks_voice=True))
            return
        if name in self.failures:
            self.post(Unplayable(key, self.failures[name]))
            return
        self._made[key] = Pcm(Path("/pcm") / name, Seconds(self.lengths.get(name, 2.0)))
        self.post(Prepared(key, self._made[key]))

    def release(self, name: str) -> None:
        """Make what was held."""
        self.held.discard(name)
        for key, source in list(self.wanted):
            if name == (source.name if isinstance(source, Path) else source.text):
                self.want(key, source)

    def pcm(self, key: str) -> Pcm | None:
        return self._made.get(key)

    def keep(self, keys: set[str]) -> None:
        self.kept = set(keys)


class FakeFeeds:
    """Has every recording, but those in `missing`."""

    def __init__(self) -> None:
        self.post: Callable[[object], None] = lambda _event: None
        self.missing: set[str] = set()
        self.texts: dict[str, str] = {}
        self.polled: list[str | None] = []
        self.looked_up = 0

    def start(self) -> None:
        for feed in ("commune", "province"):
            self.post(FeedRestored(feed))

    def stop(self, deadline_s: float = 2.0) -> None:
        """Nothing to stop."""

    def poll(self, name: str | None = None) -> None:
        self.polled.append(name)

    def state(self) -> dict[str, FeedHealth]:
        return {}

    def latencies_s(self) -> dict[str, Seconds | None]:
        return {}

    def media(self, feed: str, path: str) -> MediaInfo | None:
        self.looked_up += 1
        name = path.removeprefix("media/")
        if name.startswith("unknown"):
            return None
        here = None if name in self.missing else Path("/media") / name
        return MediaInfo(f"{feed}-{name}", here, Decibel(-3.0), None, None, self.texts.get(name))


class FakeRecordings:
    """Brings what is in `lengths` at once, holds what is in `held`, and has nothing else."""

    def __init__(self, library: FakeLibrary) -> None:
        self._library = library
        self.held: set[str] = set()
        """Addresses that do not answer until `release`."""
        self.wanted: list[Resource] = []
        self.kept: set[str] = set()

    def want(self, resource: Resource) -> None:
        self.wanted.append(resource)
        if resource.uri in self.held:
            return
        name = resource.uri.rpartition("/")[2]
        if name in self._library.lengths:
            self._library.want(resource.key, Path("/alerts") / name, Need.EMERGENCY)
        else:
            self._library.post(Unplayable(resource.key, "the host answers 404"))

    def release(self, uri: str) -> None:
        """Let it answer."""
        self.held.discard(uri)
        for resource in [one for one in self.wanted if one.uri == uri]:
            self.want(resource)

    def keep(self, keys: Iterable[str]) -> None:
        self.kept = set(keys)

    def stop(self) -> None:
        """Nothing to stop."""


class House:
    """One node on a fake clock; `run_for` lets time pass."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: FakeClock | None = None,
        boot: str = "boot-1",
        policy: str = "",
        node: str = "",
        loudness: str = "[]",
        ceiling: str = "emergency",
        lengths: Mapping[str, float] | None = None,
        extra: str = "",
        streams: str = '[streams]\nhosts = ["radio.example"]',
        screen: Any = None,
        screen_power: ScreenPower | None = None,
        screen_keys: str = "",
        listener: Any = None,
    ) -> None:
        self.clock = clock or FakeClock(START)
        self.directory = directory
        self.conductor = Conductor(self.clock)
        self.library = FakeLibrary()
        self.library.post = self.conductor.post
        self.library.lengths.update(lengths or {})
        self.recordings = FakeRecordings(self.library)
        self.feeds = FakeFeeds()
        self.feeds.post = self.conductor.post
        self.uplink = FakeUplink()
        self.gate = FakeGate()
        self.screen = screen
        self.player = FakePlayer(self.clock, self.library.lengths)
        self.player.post = self.conductor.post
        config = parse(
            CONFIG.format(
                directory=directory,
                policy=policy,
                node=node,
                loudness=loudness,
                ceiling=ceiling,
                extra=extra,
                streams=streams,
                screen_keys=screen_keys,
            )
        )
        amplifier, relays = make_amplifier(config)
        self.buttons = make_buttons(config, self.conductor.post)
        self.relays = relays
        self.player.relays_on = lambda: frozenset(n for n, relay in relays.items() if relay.is_on)
        self.journal = Journal.open(directory / "journal", 50, self.clock.now)
        self.rebooted = 0
        self.ready = 0
        self.fed = 0
        outside = Outside(
            journal=self.journal,
            gate=self.gate,  # type: ignore[arg-type]
            feeds=self.feeds,  # type: ignore[arg-type]
            library=self.library,  # type: ignore[arg-type]
            recordings=self.recordings,  # type: ignore[arg-type]
            player=self.player,  # type: ignore[arg-type]
            screen=screen,
            screen_power=screen_power,
            uplink=self.uplink,  # type: ignore[arg-type]
            amplifier=amplifier,
            relays=relays,
            buttons=self.buttons,
            readings=Readings,
            control=Nothing(),  # type: ignore[arg-type]
            chores=Nothing(),  # type: ignore[arg-type]
            think=lambda _subject, question, then: then(question()),
            reboot=self._reboot,
            listener=listener,
        )
        self.node = Node(
            config,
            self.clock,
            self.conductor,
            outside,
            RecentLines(),
            boot=boot,
            ready=self._is_ready,
            alive=self._is_alive,
        )
        self.life = Life(self.node, config, self.clock)
        self.life.begin()
        self._version = 0
        self._wake: float = self.now
        self.run_for(0.5)

    def _reboot(self) -> str | None:
        self.rebooted += 1
        return None

    def _is_ready(self) -> None:
        self.ready += 1

    def _is_alive(self) -> None:
        self.fed += 1

    # -- time

    @property
    def now(self) -> float:
        return float(self.clock.monotonic())

    def run_for(self, seconds: float) -> None:
        """Let time pass, event by event."""
        end = self.now + seconds
        turns = 0
        while True:
            self.player.run()
            wake = self.conductor.step()
            if self.conductor.stop_asked is not None:
                return
            turns += 1
            assert turns < 500 + 200 * seconds, "the conductor turns without end"
            following = min(wake, self.player.next_at or wake)
            if following > end:
                break
            self.clock.advance(max(0.0, following - self.now))
        self.clock.advance(max(0.0, end - self.now))
        self.player.run()
        self.conductor.step()

    def run_until(self, moment: datetime) -> None:
        """Let time pass until the wall clock shows `moment`."""
        self.run_for((moment - self.clock.now()).total_seconds())

    def jump(self, seconds: float) -> None:
        """Set the wall clock."""
        self.clock.jump(seconds)
        self.run_for(0.0)

    def stop(self) -> None:
        """End the node in order."""
        self.life.end()

    def crash(self) -> None:
        """End it as SIGKILL would: nothing more is written."""
        self.player.stop()
        self.journal.close()

    # -- what is given

    def schedule(self, *programmes: dict[str, Any], feed: str = "commune", **parts: Any) -> None:
        """Put a schedule in force."""
        self._version += 1
        document = {
            "format": "loa.schedule/1",
            "version": self._version,
            "published": START.isoformat(),
            "timezone": "UTC",
            "programmes": list(programmes),
            **parts,
        }
        schedule = Schedule.model_validate(document)
        operators = Operators.model_validate({"format": "loa.operators/1", "operators": []})
        self.conductor.post(FeedChanged(feed, schedule, operators, ()))
        self.run_for(0.0)

    def command(self, id_: str, sender: str = "commune", **do: Any) -> Command:
        """An operator's command, verified."""
        command = self.let_in(id_, sender, **do)
        self.conductor.post(CommandVerified(command))
        self.run_for(0.0)
        return command

    def let_in(self, id_: str, sender: str = "commune", **do: Any) -> Command:
        """An operator's command that has passed the gate, and the conductor has not heard of it yet."""
        now = self.clock.now()
        command = Command.model_validate(
            {
                "id": id_,
                "feed": sender,
                "issued": now,
                "expires": now + timedelta(minutes=5),
                "to": ["*"],
                "do": do,
            }
        )
        body = command.model_dump_json(by_alias=True)
        assert self.journal.remember_command(id_, command.expires, now, body)
        return command

    def announce(self, id_: str, *texts: str, **parts: Any) -> Command:
        """An announcement of spoken texts."""
        items = [{"speech": {"text": text, "language": "vi"}} for text in texts]
        return self.command(id_, **{"type": "announce", "items": items, **parts})

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """What the control socket answers."""
        request = ControlRequest(op, arguments, "tech", may_act=True)
        self.conductor.post(request)
        self.run_for(0.0)
        return request.wait(1.0)

    # -- what came of it

    def records(self, **where: Any) -> list[Record]:
        """Finished records with these values."""
        batch = self.journal.batch(0, 100_000)
        found = batch.records if batch else ()
        return [r for r in found if all(getattr(r, name) == value for name, value in where.items())]

    def plays(self, programme: str | None = None) -> list[Record]:
        """Finished play records."""
        where = {} if programme is None else {"programme": programme}
        return self.records(kind="play", **where)

    def receipts(self, command: str) -> list[str]:
        """States of a command's receipts."""
        return [receipt.state for receipt in self.uplink.receipts if receipt.command == command]

    def heard(self, id_: str) -> list[Heard]:
        """What was heard of a programme, command or alert."""
        return [heard for heard in self.player.heard if id_ in heard.id]

    def faults(self) -> set[str]:
        """Codes of the faults that stand."""
        return {fault.code for fault in self.node.faults.standing()}


def programme(id_: str, start: datetime, *media: str, **parts: Any) -> dict[str, Any]:
    """A programme of recordings."""
    items = [{"media": f"media/{name}"} for name in media or ("news.mp3",)]
    return {"id": id_, "start": start.strftime("%Y-%m-%dT%H:%M:%S"), "items": items, **parts}


def long(id_: str, start: datetime, **parts: Any) -> dict[str, Any]:
    """A programme of ten minutes."""
    return programme(id_, start, "long.mp3", **parts)


def monotonic(house: House, wall: datetime) -> MonotonicS:
    """The monotonic instant of a wall time."""
    return MonotonicS(house.now + (wall - house.clock.now()).total_seconds())
