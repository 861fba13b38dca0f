"""The node's health: readings, feeds, what plays and shows, faults; sent each minute and when it changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from agent.clock import Clock
from agent.conductor.hearing import Hearing
from agent.conductor.playback import Playback
from agent.conductor.reception import Reception
from agent.conductor.voice import Voice
from agent.faults import Faults
from playlists.models.health import (
    AudioNow,
    FeedHealth,
    Health,
    LogState,
    Now,
    Position,
    Readings,
    ScreenNow,
    SelfTest,
    VolumeNow,
)
from playlists.policy import Controls
from playlists.units import MonotonicS

AT_MOST_EACH_S = 1.0
"""Changes that follow each other faster are sent together: a SIM's data plan pays for each."""


def what_sounds(voice: Voice, playback: Playback, reception: Reception, hearing: Hearing) -> AudioNow | None:
    """What sounds now, how loud, whether it is heard, and how its stream stands if it is one."""
    p = voice.playing
    if p is None:
        return None
    cue = playback.current.cue if playback.current is not None else None
    item = p.cues[cue].item if cue is not None else None
    heard, heard_dbfs = hearing.now
    return AudioNow(
        programme=p.programme,
        command=p.command,
        alert=p.alert,
        title=p.title or None,
        item=item,
        level_dbfs=playback.level_dbfs,
        heard=heard,
        heard_dbfs=heard_dbfs,
        stream=reception.now(p, item),
    )


class Wellbeing:
    """Builds health and says when it is to be sent."""

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        *,
        public_number: str | None,
        position: Position | None,
        readings: Callable[[], Readings],
        feeds: Callable[[], Mapping[str, FeedHealth]],
        audio: Callable[[], AudioNow | None],
        screen: Callable[[], ScreenNow | None],
        relays: Callable[[], dict[str, bool]],
        controls: Callable[[], Controls],
        log_state: Callable[[], LogState],
        self_test: Callable[[], SelfTest | None],
        publish: Callable[[Health], None],
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._public_number = public_number
        self._position = position
        self._readings = readings
        self._feeds = feeds
        self._audio = audio
        self._screen = screen
        self._relays = relays
        self._controls = controls
        self._log_state = log_state
        self._self_test = self_test
        self._publish = publish
        self._sent = ""
        self._sent_at: MonotonicS | None = None
        self.readings = Readings()

    def measure(self) -> None:
        """Read the sensors, and raise the faults that follow from them."""
        self.readings = found = self._readings()
        disk_mb = found.disk_free_mb
        low = disk_mb is not None and disk_mb < 200
        self._faults.set("disk-full", f"only {disk_mb:.0f} MB are free; the node plays on" if low else None)
        self._faults.set("under-voltage", "the supply voltage is too low" if found.under_voltage else None)
        hot = found.cpu_temperature_c is not None and found.cpu_temperature_c > 80
        self._faults.set("hot", f"the CPU is at {found.cpu_temperature_c} °C" if hot else None)

    def build(self) -> Health:
        """Health as it is now."""
        controls = self._controls()
        return Health(
            at=self._clock.now().astimezone(),
            clock=self._clock.reading(),
            public_number=self._public_number,
            position=self._position,
            readings=self.readings,
            feeds=dict(self._feeds()),
            now=Now(audio=self._audio(), screen=self._screen()),
            relays=self._relays(),
            muted=dict(controls.muted_until),
            volumes={
                zone: VolumeNow(gain_db=volume.gain_db, until=volume.until)
                for zone, volume in controls.volumes.items()
            },
            faults=self._faults.standing(),
            log=self._log_state(),
            self_test=self._self_test(),
        )

    def beat(self) -> None:
        """The heartbeat: measure, and send whatever there is."""
        self.measure()
        self._send(self.build())

    def last_word(self) -> None:
        """At the end, when all is silent and off: what the centre keeps must not claim otherwise."""
        self._send(self.build())

    def turn(self) -> MonotonicS | None:
        """Send if something that matters has changed; returns when to ask again."""
        health = self.build()
        if self._essence(health) == self._sent:
            return None
        now = self._clock.monotonic()
        if self._sent_at is not None and now < self._sent_at + AT_MOST_EACH_S:
            return MonotonicS(self._sent_at + AT_MOST_EACH_S)
        self._send(health)
        return None

    def _send(self, health: Health) -> None:
        self._sent = self._essence(health)
        self._sent_at = self._clock.monotonic()
        self._publish(health)

    @staticmethod
    def _essence(health: Health) -> str:
        """What of it is worth a message at once: not figures that always move."""
        audio = health.now.audio
        showing = health.now.screen
        essence: dict[str, Any] = {
            "clock": health.clock.state,
            "feeds": {name: (feed.version, feed.state) for name, feed in health.feeds.items()},
            "audio": (audio.programme, audio.command, audio.alert, audio.item) if audio else None,
            "stream": audio.stream.state if audio and audio.stream else None,
            "takeover": showing.takeover if showing else None,
            "relays": health.relays,
            "self_test": health.self_test.at if health.self_test else None,
            "controls": (health.muted, {zone: str(volume) for zone, volume in health.volumes.items()}),
            "faults": [(fault.code, fault.text) for fault in health.faults],
        }
        return json.dumps(essence, sort_keys=True, default=str)
