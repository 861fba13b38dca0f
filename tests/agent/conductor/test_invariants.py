"""Whatever happens, in whatever order: what must always hold of a node."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.clock import FakeClock
from playlists.models.base import BulletinClass, ClockState
from tests.agent.conductor.fakes import START, House, programme

FINAL = {"finished", "interrupted", "failed", "refused"}
ALLOWED = "05:00-05:20"
CLASSES = st.sampled_from(["routine", "priority", "emergency"])
CONFLICTS = st.sampled_from(["preempt", "queue", "skip"])
MEDIA = st.lists(
    st.sampled_from(["a.mp3", "long.mp3", "silent.mp3", "broken.mp3", "missing.mp3", "bad.mp3"]),
    min_size=1,
    max_size=3,
)


class AnyDay(RuleBasedStateMachine):
    """Schedules, commands, deaths and leaps at random."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="loa-any-day-", dir=_memory()))
        clock = FakeClock(START - timedelta(days=30), ClockState.RESTORED)
        clock.jump(30 * 86_400 + 17 * 60)  # the hours end in a few minutes
        self.lengths = {"long.mp3": 90.0, "silent.mp3": 8.0}
        self.house = self._build(clock)
        self.commands: list[str] = []
        self.receipts: list[tuple[str, str]] = []
        self.heard: list[tuple[str, int, float, float | None, float]] = []
        self.programmes: list[dict] = []
        self.number = 0

    def _build(self, clock: FakeClock) -> House:
        house = House(
            self.directory, clock=clock, policy=f'allowed_hours = ["{ALLOWED}"]', lengths=self.lengths
        )
        house.feeds.missing.add("missing.mp3")
        house.library.failures["bad.mp3"] = "no sound in it"
        return house

    # -- what may happen

    @rule(seconds=st.floats(0, 90))
    def time_passes(self, seconds: float) -> None:
        self.house.run_for(round(seconds, 2))

    @rule(
        starts_in_s=st.integers(-60, 120),
        class_=CLASSES,
        conflict=CONFLICTS,
        media=MEDIA,
        priority=st.integers(0, 2),
        late=st.sampled_from(["join", "full", "skip"]),
        keep=st.integers(0, 4),
    )
    def a_schedule_comes(self, starts_in_s, class_, conflict, media, priority, late, keep) -> None:
        self.number += 1
        start = self.house.clock.now() + timedelta(seconds=starts_in_s)
        added = programme(
            f"p{self.number}", start, *media, on_conflict=conflict, priority=priority, if_late=late
        )
        self.programmes = [*self.programmes[-keep:], {**added, "class": class_}]
        self.house.schedule(*self.programmes)

    @rule(class_=CLASSES, conflict=CONFLICTS, texts=st.integers(1, 3))
    def an_announcement_comes(self, class_, conflict, texts) -> None:
        self.number += 1
        self.commands.append(f"c{self.number}")
        words = [f"lời {self.number}-{n}" for n in range(texts)]
        self.house.announce(f"c{self.number}", *words, on_conflict=conflict, **{"class": class_})

    @rule(name=st.sampled_from(["*", "p1", "c2"]))
    def somebody_stops_it(self, name: str) -> None:
        self.number += 1
        self.house.command(f"s{self.number}", type="stop", programme=name)

    @rule(seconds=st.integers(1, 60))
    def somebody_mutes(self, seconds: int) -> None:
        self.number += 1
        until = self.house.clock.now() + timedelta(seconds=seconds)
        self.house.command(f"m{self.number}", type="mute", until=until.isoformat(), zones=["square"])

    @rule()
    def the_player_dies(self) -> None:
        self.house.player.kill("ended by SIGKILL")

    @rule()
    def the_player_hangs(self) -> None:
        self.house.player.hung = True

    @rule(by_s=st.sampled_from([-600.0, -20.0, 5.0, 30.0, 90_000.0]))
    def the_clock_leaps(self, by_s: float) -> None:
        self.house.jump(by_s)

    @rule()
    def the_agent_is_killed(self) -> None:
        self._collect()
        self.house.crash()
        clock = self.house.clock
        clock.advance(1.0)
        version = self.house._version
        self.house = self._build(clock)
        self.house._version = version
        self.house.schedule(*self.programmes)

    # -- what must hold

    def _collect(self) -> None:
        player = self.house.player
        player._end_heard()
        self.heard += [(h.run, h.cue, h.began, h.ended, h.position_s) for h in player.heard]
        self.receipts += [(r.command, r.state) for r in self.house.uplink.receipts]

    @invariant()
    def at_most_one_thing_sounds_and_its_relays_are_on(self) -> None:
        heard = self.house.player.heard
        for before, after in pairwise(heard):
            assert before.ended is not None
            assert before.ended <= after.began + 1e-6
        for stretch in heard:
            assert stretch.relays, f"{stretch} sounded with its amplifier off"
        playing = [p for p in self.house.node.voice.performances.values() if p.phase.value == "playing"]
        assert len(playing) <= 1

    @invariant()
    def nothing_is_broken(self) -> None:
        assert not {code for code in self.house.faults() if code.startswith("defect")}

    @invariant()
    def every_open_record_belongs_to_something_that_is_not_over(self) -> None:
        runs = self.house.node.playback._runs.values()
        handles = Counter(handle for run in runs for handle in run.handles.values())
        assert all(count == 1 for count in handles.values())
        assert set(self.house.journal._medium.open_plays) == set(handles)

    @invariant()
    def only_emergencies_sound_outside_allowed_hours(self) -> None:
        p = self.house.node.voice.playing
        if p is None or p.class_ is BulletinClass.EMERGENCY:
            return
        wall = max(self.house.clock.now(), p.planned)
        assert self.house.node.rules.policy.may_start(p.class_, wall) is None

    def teardown(self) -> None:
        self.house.run_for(1_500)  # all is said and done by then
        self._collect()
        performances = self.house.node.voice.performances
        try:
            self.at_most_one_thing_sounds_and_its_relays_are_on()
            self.every_open_record_belongs_to_something_that_is_not_over()
            assert not [p.id for p in performances.values() if p.planned <= self.house.clock.now()]
            assert not any(relay.is_on for relay in self.house.relays.values())
            for command in self.commands:
                states = [state for name, state in self.receipts if name == command]
                assert states, f"{command} was never answered"
                assert states[-1] in FINAL, f"{command}: {states}"
                assert states.count("finished") + states.count("failed") + states.count("refused") <= 1
            seqs = [record.seq for record in self.house.records()]
            assert seqs == sorted(set(seqs))
            for record in self.house.plays():
                assert record.outcome is not None
            self._nothing_began_twice()
        finally:
            self.house.crash()
            shutil.rmtree(self.directory)

    def _nothing_began_twice(self) -> None:
        begun = Counter(
            run.rpartition("#")[0]
            for run, cue, began, ended, position_s in self.heard
            if cue == 0 and position_s == 0 and "@" in run and (ended is None or ended - began > 0.1)
        )
        assert all(count == 1 for count in begun.values()), begun


def _memory() -> str | None:
    """A file system in memory, where there is one: hundreds of days are written."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


AnyDay.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# fifty days take ten seconds of an idle core; a failing one is then made shorter, which takes five minutes
TestAnyDay = pytest.mark.timeout(480)(AnyDay.TestCase)
