"""The sequencer against a plain slow model, and the promises it makes to loudspeakers and neighbours.

Times are whole seconds here, so that the model can take every one of them in turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.amplifier import Action, Amplifier, RelayPlan, ZonePlan

LONGEST_S = 50
NAMES = ("mains", "preamp", "horns")


@dataclass
class Plan:
    relays: list[RelayPlan]
    zones: list[ZonePlan]
    longest_s: int = LONGEST_S

    def amplifier(self) -> Amplifier:
        return Amplifier(self.relays, self.zones, self.longest_s)


TWO = Plan(
    [RelayPlan("mains", 0), RelayPlan("horns", 2)],
    [ZonePlan("square", ("mains", "horns"), settle_s=3, tail_s=5)],
)
SHARED = Plan(
    [RelayPlan("mains", 1), RelayPlan("north", 1), RelayPlan("south", 1)],
    [ZonePlan("north", ("mains", "north"), 2, 4), ZonePlan("south", ("mains", "south"), 2, 4)],
)


@dataclass
class SlowModel:
    """The rules, second by second, with counters instead of instants."""

    plan: Plan
    on_for: dict[str, int] = field(default_factory=dict)
    tail_left: dict[str, int] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()
    since_edge: int = 10_000
    last: str = ""
    last_on: bool = True
    overrun: bool = False
    coming_down: bool = False

    def pass_a_second(self) -> None:
        self.since_edge += 1
        self.on_for = {name: seconds + 1 for name, seconds in self.on_for.items()}
        self.tail_left = {name: left - 1 for name, left in self.tail_left.items() if left > 1}

    def want(self, zones: frozenset[str]) -> None:
        if not zones:
            self.release()
        else:
            self.wanted = zones
            self.tail_left = {}

    def release(self) -> None:
        self.overrun = False
        for zone in self.plan.zones:
            if zone.name in self.wanted:
                for name in zone.relays:
                    self.tail_left[name] = max(self.tail_left.get(name, 0), int(zone.tail_s))
        self.wanted = frozenset()

    def tick(self) -> list[Action]:
        if not self.overrun and not self.coming_down:
            self.overrun = self.coming_down = any(s >= self.plan.longest_s for s in self.on_for.values())
            if self.overrun:
                self.tail_left = {}
        actions: list[Action] = []
        while (action := self.step()) is not None:
            actions.append(action)
            self.since_edge, self.last, self.last_on = 0, action.relay, action.on
            if action.on:
                self.on_for[action.relay] = 0
            else:
                del self.on_for[action.relay]
                self.tail_left.pop(action.relay, None)
                if not self.on_for:
                    self.coming_down = False
        return actions

    def step(self) -> Action | None:
        needed = {name for zone in self.plan.zones if zone.name in self.wanted for name in zone.relays} | {
            name for name, left in self.tail_left.items() if left > 0 and name in self.on_for
        }
        if self.overrun or self.coming_down:
            needed = set()
        delays = {relay.name: relay.delay_s for relay in self.plan.relays}
        for name, delay_s in delays.items():
            if name in needed and name not in self.on_for:
                return Action(name, True) if self.since_edge >= delay_s else None
        for name in reversed(delays):
            if name in self.on_for and name not in needed:
                pause_s = 0 if self.last_on else delays[self.last]
                return Action(name, False) if self.since_edge >= pause_s else None
        return None


def plans(longest_s: tuple[int, ...] = (13, LONGEST_S), shortest_tail_s: int = 0) -> st.SearchStrategy[Plan]:
    length = st.integers(0, 4)
    relays = st.tuples(*(st.builds(RelayPlan, st.just(name), length) for name in NAMES)).map(list)
    used = st.sets(st.sampled_from(NAMES)).map(lambda names: tuple(n for n in NAMES if n in names))
    zones = st.tuples(
        *(
            st.builds(ZonePlan, st.just(name), used, length, st.integers(shortest_tail_s, 6))
            for name in ("a", "b")
        )
    ).map(list)
    return st.builds(Plan, relays, zones, st.sampled_from(longest_s))


STEPS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from([frozenset("a"), frozenset("b"), frozenset("ab"), frozenset(), "release"]),
    ),
    max_size=12,
)
Trace = list[tuple[int, Action]]


def play(plan: Plan, steps: list[tuple[int, frozenset[str] | str]], rest_s: int = 80) -> Trace:
    """Edges of a session; the sequencer is called only at its own instants and when told something."""
    amplifier = plan.amplifier()
    trace: Trace = []
    now, next_at = 0, math.inf

    def tick() -> None:
        nonlocal next_at
        actions, due = amplifier.tick(now)
        trace.extend((now, action) for action in actions)
        assert due is None or due > now, "a tick that is due at once would spin"
        next_at = math.inf if due is None else due

    for pause, what in [*steps, (rest_s, "nothing")]:
        until = now + pause
        while next_at <= until:
            now = int(next_at)
            tick()
        now = until
        if what == "release":
            amplifier.release(now)
        elif isinstance(what, frozenset):
            amplifier.want(what, now)
        tick()
    return trace


def play_slowly(plan: Plan, steps: list[tuple[int, frozenset[str] | str]], rest_s: int = 80) -> Trace:
    model = SlowModel(plan)
    trace: Trace = []
    now = 0
    for pause, what in [*steps, (rest_s, "nothing")]:
        for _ in range(pause):
            now += 1
            model.pass_a_second()
            trace.extend((now, action) for action in model.tick())
        if what == "release":
            model.release()
        elif isinstance(what, frozenset):
            model.want(what)
        trace.extend((now, action) for action in model.tick())
    return trace


@settings(max_examples=300)
@given(plans(), STEPS)
def test_the_sequencer_does_what_the_slow_model_does(plan: Plan, steps: list) -> None:
    assert play(plan, steps) == play_slowly(plan, steps)


@given(plans(), STEPS)
def test_the_relays_of_a_zone_close_in_order_and_open_in_reverse(plan: Plan, steps: list) -> None:
    same = [ZonePlan(zone.name, NAMES, zone.settle_s, zone.tail_s) for zone in plan.zones]
    closed: list[str] = []
    for _, action in play(Plan(plan.relays, same, plan.longest_s), [*steps, (0, "release")]):
        if action.on:
            closed.append(action.relay)
        else:
            assert closed.pop() == action.relay
        assert tuple(closed) == NAMES[: len(closed)]
    assert closed == [], "after a release and its tail everything is open"


@given(plans(), STEPS)
def test_a_relay_closes_its_delay_after_the_switching_before_it(plan: Plan, steps: list) -> None:
    delays = {relay.name: relay.delay_s for relay in plan.relays}
    trace = play(plan, steps)
    for (before, _), (now, action) in pairwise(trace):
        assert not action.on or now - before >= delays[action.relay]


@given(st.lists(st.floats(0, 3), min_size=6, max_size=6), st.floats(0, 1e7), st.floats(0.1, 50))
def test_a_tick_at_the_named_instant_always_moves_on(lengths: list, now: float, longest_s: float) -> None:
    relays = [RelayPlan("mains", lengths[0]), RelayPlan("horns", lengths[1])]
    zones = [
        ZonePlan("a", ("mains", "horns"), lengths[2], lengths[3]),
        ZonePlan("b", ("horns",), 0, lengths[4]),
    ]
    amplifier = Amplifier(relays, zones, longest_s)
    for zones_wanted, pause in (
        ({"a", "b"}, lengths[5]),
        ({"b"}, 0.3),
        (set(), 0),
        ({"a"}, 100),
        (set(), 100),
    ):
        amplifier.want(zones_wanted, now)
        until, next_at = now + pause, now
        for _ in range(50):
            _, due = amplifier.tick(next_at)
            assert due is None or due > next_at
            if due is None or due > until:
                break
            next_at = due
        else:
            raise AssertionError("it never comes to rest")
        now = until
    assert amplifier.closed == frozenset()


@given(plans(), STEPS)
def test_nothing_stays_closed_beyond_the_longest_time(plan: Plan, steps: list) -> None:
    slack = sum(relay.delay_s for relay in plan.relays)
    since: dict[str, int] = {}
    for now, action in play(plan, steps):
        if action.on:
            since[action.relay] = now
        else:
            assert now - since.pop(action.relay) <= plan.longest_s + slack
    assert since == {}


@settings(max_examples=300)
@given(plans(), STEPS, st.sampled_from([frozenset("a"), frozenset("b"), frozenset("ab")]))
def test_sound_never_begins_before_every_wanted_relay_has_settled(
    plan: Plan, steps: list, zones: frozenset[str]
) -> None:
    amplifier = plan.amplifier()
    now, closed_at = 0, {}

    def tick(at: int) -> None:
        for relay, on in amplifier.tick(at)[0]:
            closed_at.pop(relay, None)
            if on:
                closed_at[relay] = at

    for pause, what in steps:
        for _ in range(pause):
            now += 1
            tick(now)
        amplifier.release(now) if what == "release" else amplifier.want(what, now)  # type: ignore[arg-type]
        tick(now)
    amplifier.release(now)
    amplifier.want(zones, now)
    ready_at = amplifier.ready_at(now)
    if ready_at == math.inf:
        assert any(now + 40 >= at + plan.longest_s for at in closed_at.values())
        return
    asked = now
    while now < ready_at:
        tick(now)
        now += 1
    tick(now)
    settled = [
        closed_at[relay] + zone.settle_s for zone in plan.zones if zone.name in zones for relay in zone.relays
    ]
    assert ready_at == max([asked, *settled]), "not before, and no later than it must be"


@given(
    plans((LONGEST_S,)),
    st.sampled_from([frozenset("a"), frozenset("b"), frozenset("ab")]),
    st.integers(0, 20),
)
def test_the_lead_is_enough_from_rest_and_in_the_middle_of_anything(
    plan: Plan, zones: frozenset[str], pause: int
) -> None:
    amplifier = plan.amplifier()
    amplifier.want({"a"}, 0)
    for now in range(pause + 1):
        amplifier.tick(now)
    amplifier.want(zones, pause)
    assert amplifier.ready_at(pause) <= pause + amplifier.lead_s(zones)


@given(plans((LONGEST_S,), shortest_tail_s=1), st.integers(0, 5), st.integers(1, 5))
def test_relays_do_not_chatter_between_neighbours(plan: Plan, gap: int, count: int) -> None:
    gap = min(gap, *(int(zone.tail_s) - 1 for zone in plan.zones))
    performance = [(0, frozenset("ab")), (1, "release"), (gap, frozenset("ab"))]
    alone = [action for _, action in play(plan, performance[:1], rest_s=40)]
    assert [action for _, action in play(plan, performance * count, rest_s=14)] == alone


def test_two_relays_close_in_sequence_and_open_in_reverse() -> None:
    assert play(TWO, [(10, frozenset({"square"})), (20, "release")]) == [
        (10, Action("mains", True)),
        (12, Action("horns", True)),
        (35, Action("horns", False)),
        (37, Action("mains", False)),
    ]


def test_sound_may_begin_when_the_last_relay_has_settled() -> None:
    amplifier = TWO.amplifier()
    amplifier.want({"square"}, 10)
    assert amplifier.ready_at(10) == 15
    amplifier.tick(10)
    assert amplifier.ready_at(11) == 15
    amplifier.tick(12)
    assert amplifier.ready_at(12) == 15
    amplifier.tick(20)
    assert amplifier.ready_at(20) == 20


def test_what_is_wanted_again_within_its_tail_is_ready_at_once() -> None:
    amplifier = TWO.amplifier()
    amplifier.want({"square"}, 0)
    for now in (0, 2, 10):
        amplifier.tick(now)
    amplifier.release(10)
    assert amplifier.tick(10) == ([], 15)
    amplifier.want({"square"}, 14)
    assert amplifier.ready_at(14) == 14
    assert amplifier.tick(15)[0] == []


def test_a_late_tick_never_shortens_the_delay_between_two_relays() -> None:
    amplifier = TWO.amplifier()
    amplifier.want({"square"}, 0)
    assert amplifier.tick(7) == ([Action("mains", True)], 9)
    assert amplifier.tick(9)[0] == [Action("horns", True)]


def test_wanting_nothing_in_mid_sequence_opens_only_what_was_closed() -> None:
    steps: list[tuple[int, frozenset[str] | str]] = [(0, frozenset({"square"})), (1, "release")]
    assert play(TWO, steps) == [(0, Action("mains", True)), (6, Action("mains", False))]


def test_wanting_again_in_mid_opening_closes_only_what_was_opened() -> None:
    steps: list[tuple[int, frozenset[str] | str]] = [
        (0, frozenset({"square"})), (5, "release"), (6, frozenset({"square"})), (10, "release")
    ]  # fmt: skip
    trace = play(TWO, steps)
    assert [action for now, action in trace if now < 15] == [
        Action("mains", True), Action("horns", True), Action("horns", False), Action("horns", True)
    ]  # fmt: skip
    assert trace[3][0] == 12, "two seconds after it opened"


def test_the_shared_relay_stays_closed_when_the_next_performance_goes_to_another_zone() -> None:
    trace = play(SHARED, [(0, frozenset({"north"})), (10, frozenset({"south"}))], rest_s=5)
    assert trace == [
        (0, Action("mains", True)), (1, Action("north", True)),
        (10, Action("south", True)), (10, Action("north", False)),
    ]  # fmt: skip


def test_a_zone_hears_nothing_that_is_not_meant_for_it() -> None:
    amplifier = SHARED.amplifier()
    amplifier.want({"north"}, 0)
    for now in range(10):
        amplifier.tick(now)
    amplifier.release(10)
    amplifier.want({"south"}, 10)
    ready_at = amplifier.ready_at(10)
    while now < ready_at:
        now += 1
        amplifier.tick(now)
    assert amplifier.closed == {"mains", "south"}


def test_a_zone_without_relays_is_always_ready() -> None:
    amplifier = Amplifier([], [ZonePlan("kiosk", (), settle_s=3, tail_s=5)], 100)
    amplifier.want({"kiosk"}, 7)
    assert amplifier.ready_at(7) == 7
    assert amplifier.tick(7) == ([], None)


def test_overrun_opens_everything_and_nothing_closes_until_released() -> None:
    amplifier = TWO.amplifier()
    amplifier.want({"square"}, 0)
    for now in (0, 2):
        amplifier.tick(now)
    assert amplifier.tick(49) == ([], 50)
    assert amplifier.tick(50) == ([Action("horns", False)], 52)
    assert amplifier.overrun == {"mains"}
    assert amplifier.tick(52) == ([Action("mains", False)], None)
    amplifier.want({"square"}, 60)
    assert amplifier.tick(60) == ([], None)
    assert amplifier.ready_at(60) == math.inf
    amplifier.release(61)
    assert amplifier.overrun == frozenset()
    amplifier.want({"square"}, 62)
    assert amplifier.tick(62)[0] == [Action("mains", True)]


def test_an_emergency_that_follows_an_overrun_at_once_sounds_after_all_has_been_open() -> None:
    amplifier = TWO.amplifier()
    amplifier.want({"square"}, 0)
    for now in (0, 2, 50):
        amplifier.tick(now)
    amplifier.release(50)
    amplifier.want({"square"}, 50)
    assert amplifier.ready_at(50) == 52 + 0 + 2 + 3
    assert amplifier.tick(52)[0] == [Action("mains", False), Action("mains", True)]
    assert amplifier.tick(54)[0] == [Action("horns", True)]
    assert amplifier.overrun == frozenset()


def test_an_unknown_zone_is_refused_and_changes_nothing() -> None:
    amplifier = TWO.amplifier()
    amplifier.want({"square"}, 0)
    with pytest.raises(ValueError, match="no zone is named 'market'; there are"):
        amplifier.want({"market"}, 1)
    assert amplifier.wanted == {"square"}


@pytest.mark.parametrize(
    ("relays", "zones", "longest_s", "message"),
    [
        ([], [ZonePlan("z", ("horns",))], 10, "needs relay 'horns', which is not there"),
        ([RelayPlan("a"), RelayPlan("a")], [], 10, "two relays have the same name"),
        ([RelayPlan("a", -1)], [], 10, "negative"),
        ([], [ZonePlan("z", (), math.inf)], 10, "without end"),
        ([], [], math.nan, "without end"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(
    relays: list[RelayPlan], zones: list[ZonePlan], longest_s: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Amplifier(relays, zones, longest_s)
