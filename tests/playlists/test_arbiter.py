"""Who has the output, against a slow plain model, and over whole days of comings and goings."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.arbiter import Demand, Rank, Source, State, Verdict, arbitrate, place_of, settle
from playlists.models.base import BulletinClass
from playlists.models.schedule import OnConflict
from playlists.units import Level, MonotonicS, Seconds
from tests.playlists import plain_arbiter

NOON = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
ROUTINE, PRIORITY, EMERGENCY = BulletinClass


def demand(
    name: str,
    class_: BulletinClass = ROUTINE,
    priority: int = 0,
    on_conflict: OnConflict = "queue",
    state: State = State.WAITING,
    source: Source = Source.SCHEDULED,
    level: int = 1,
    start: datetime = NOON,
    place: int = 0,
) -> Demand:
    rank = Rank(class_, source, priority, Level(level), start, name, place)
    return Demand(rank, on_conflict, MonotonicS(0.0), state)


ranks = st.builds(
    Rank,
    class_=st.sampled_from(BulletinClass),
    source=st.sampled_from(Source),
    priority=st.integers(-2, 2),
    level=st.integers(0, 2).map(Level),
    # the clocks go back in this hour: the same wall times come twice, and only UTC keeps them in order
    start=st.integers(0, 8).map(
        lambda n: (datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=15 * n)).astimezone(
            ZoneInfo("Europe/Berlin")
        )
    ),
    id=st.sampled_from("abcdefgh"),
    place=st.integers(0, 2),
)
demands_of_a_moment = st.lists(
    st.builds(
        Demand,
        rank=ranks,
        on_conflict=st.sampled_from(("preempt", "queue", "skip")),
        since=st.just(MonotonicS(0.0)),
        state=st.sampled_from((State.WAITING, State.SUSPENDED)),
    ),
    unique_by=lambda d: d.id,
    max_size=6,
).flatmap(
    lambda ds: (
        st.one_of(st.just(ds), st.integers(0, len(ds) - 1).map(lambda n: _playing(ds, n)))
        if ds
        else st.just(ds)
    )
)


def _playing(demands: list[Demand], chosen: int) -> list[Demand]:
    return [
        Demand(d.rank, d.on_conflict, d.since, State.PLAYING) if n == chosen else d
        for n, d in enumerate(demands)
    ]


@given(ranks, ranks, ranks)
def test_the_order_is_total(a: Rank, b: Rank, c: Rank) -> None:
    assert not (a.outranks(b) and b.outranks(a)), "antisymmetric"
    if a.id != b.id:
        assert a.outranks(b) or b.outranks(a), "no ties between different ids"
    if a.outranks(b) and b.outranks(c):
        assert a.outranks(c), "transitive"
    assert not a.outranks(a)


@given(ranks, ranks)
def test_the_order_is_that_of_the_plain_model(a: Rank, b: Rank) -> None:
    assert a.outranks(b) == plain_arbiter.stronger(a, b)


@given(demands_of_a_moment)
def test_the_verdict_is_that_of_the_plain_model(demands: list[Demand]) -> None:
    verdict = arbitrate(demands)
    play, dropped = plain_arbiter.decide(demands)
    assert verdict.play == play
    assert {id_ for id_, _ in verdict.drop} == dropped


@given(demands_of_a_moment, st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_asking(
    demands: list[Demand], chance: random.Random
) -> None:
    shuffled = list(demands)
    chance.shuffle(shuffled)
    assert arbitrate(shuffled) == arbitrate(demands)


@given(demands_of_a_moment)
def test_nothing_of_a_lower_class_plays_while_an_emergency_waits(demands: list[Demand]) -> None:
    verdict = arbitrate(demands)
    if any(d.rank.class_ is EMERGENCY for d in demands):
        assert [d.rank.class_ for d in demands if d.id == verdict.play] == [EMERGENCY]


@given(demands_of_a_moment)
def test_a_verdict_once_carried_out_is_at_rest(demands: list[Demand]) -> None:
    verdict = arbitrate(demands)
    after = settle(demands, verdict, MonotonicS(1.0), Seconds(3.0))
    assert [d.id for d in after if d.state is State.PLAYING] == ([verdict.play] if verdict.play else [])
    assert arbitrate(after) == Verdict(play=verdict.play)


@given(demands_of_a_moment)
def test_who_stands_where_is_kept_unless_the_verdict_says_otherwise(demands: list[Demand]) -> None:
    verdict = arbitrate(demands)
    before = {d.id: d for d in demands}
    for d in settle(demands, verdict, MonotonicS(1.0), Seconds(3.0)):
        if d.id == verdict.suspend:
            assert (d.state, d.position_s, d.since) == (State.SUSPENDED, 3.0, 1.0)
        elif d.id == verdict.play:
            assert d.position_s == before[d.id].position_s
        else:
            assert d == before[d.id]


@given(
    st.lists(
        st.tuples(
            ranks, st.sampled_from(("preempt", "queue", "skip")), st.integers(0, 20), st.integers(1, 5)
        ),
        unique_by=lambda comer: comer[0].id,
        max_size=7,
    )
)
def test_in_a_day_everything_is_played_whole_or_dropped_with_a_reason(
    comers: list[tuple[Rank, OnConflict, int, int]],
) -> None:
    """A day in ticks of a second: each comer arrives at a tick and needs some ticks of sound."""
    length = {rank.id: ticks for rank, _, _, ticks in comers}
    sounded: dict[str, list[int]] = {rank.id: [] for rank, *_ in comers}
    dropped: dict[str, str] = {}
    demands: tuple[Demand, ...] = ()
    for tick in range(21 + sum(length.values())):
        now = MonotonicS(float(tick))
        demands += tuple(Demand(rank, conflict, now) for rank, conflict, at, _ in comers if at == tick)
        was = next((d for d in demands if d.state is State.PLAYING), None)
        verdict = arbitrate(demands)
        demands = settle(demands, verdict, now, Seconds(float(len(sounded[was.id]))) if was else Seconds(0.0))
        dropped |= dict(verdict.drop)
        playing = [d for d in demands if d.state is State.PLAYING]
        assert len(playing) <= 1
        assert len(playing) == (1 if demands else 0), "the output is not left silent while somebody wants it"
        for d in playing:
            if was is None or was.id != d.id:
                assert d.position_s == len(sounded[d.id]), "resumes where it was"
            sounded[d.id].append(len(sounded[d.id]))
            if len(sounded[d.id]) == length[d.id]:
                demands = tuple(other for other in demands if other.id != d.id)
    for rank, conflict, _, ticks in comers:
        if rank.id in dropped:
            assert conflict == "skip"
            assert "output was taken by" in dropped[rank.id]
            assert sounded[rank.id] == []
        else:
            assert sounded[rank.id] == list(range(ticks))


@pytest.mark.parametrize(
    ("strong", "weak"),
    list(
        pairwise(
            [
                demand("alert", EMERGENCY, source=Source.SCHEDULED, priority=-5, level=0),
                demand("voice", PRIORITY, source=Source.LIVE, priority=-5, level=0),
                demand("urgent", PRIORITY, priority=9, level=0),
                demand("province", PRIORITY, priority=8, level=3),
                demand("commune", PRIORITY, priority=8, level=1, start=NOON - timedelta(hours=1)),
                demand("later", PRIORITY, priority=8, level=1, start=NOON),
                demand("later-b", PRIORITY, priority=8, level=1, start=NOON),
                demand("mayor", ROUTINE, source=Source.LIVE, priority=0),
                demand("news", ROUTINE, priority=99),
                demand("music", ROUTINE, source=Source.FILLER, priority=100, level=9),
            ]
        )
    ),
    ids=lambda d: d.id,
)
def test_the_ladder_of_the_contract(strong: Demand, weak: Demand) -> None:
    assert strong.rank.outranks(weak.rank)
    assert arbitrate([weak, strong]).play == strong.id


FEEDS = ("commune", "province", "nation")
"""By level, from the lowest."""


def of_feed(feed: str, tie_break: tuple[str, ...], class_: BulletinClass, priority: int = 0) -> Demand:
    return demand(feed, class_, priority, level=FEEDS.index(feed), place=place_of(feed, tie_break))


@pytest.mark.parametrize(
    ("tie_break", "order"),
    [
        ((), ["nation", "province", "commune"]),
        (("commune",), ["commune", "nation", "province"]),
        (("province", "commune"), ["province", "commune", "nation"]),
    ],
)
def test_the_node_says_which_feeds_go_first_and_the_others_follow_by_level(
    tie_break: tuple[str, ...], order: list[str]
) -> None:
    ranked = sorted((of_feed(feed, tie_break, PRIORITY) for feed in FEEDS), key=lambda d: d.rank.key)
    assert [d.id for d in ranked] == order


def test_the_nodes_own_order_beats_neither_class_nor_priority_and_orders_no_emergency() -> None:
    own = ("commune",)
    assert of_feed("province", own, PRIORITY).rank.outranks(of_feed("commune", own, ROUTINE, 9).rank)
    assert of_feed("province", own, PRIORITY, 1).rank.outranks(of_feed("commune", own, PRIORITY).rank)
    assert of_feed("province", own, EMERGENCY).rank.outranks(of_feed("commune", own, EMERGENCY).rank)


@given(st.lists(st.sampled_from(FEEDS), unique=True), st.sampled_from([*FEEDS, None]))
def test_what_the_node_does_not_name_stands_behind_what_it_names(named: list[str], feed: str | None) -> None:
    ahead = [other for other in named if place_of(other, named) < place_of(feed, named)]
    assert ahead == (named[: named.index(feed)] if feed in named else named)


def test_with_nothing_wanted_nothing_plays() -> None:
    assert arbitrate([]) == Verdict(play=None)


def test_preempt_takes_over_what_it_outranks() -> None:
    verdict = arbitrate([demand("a", state=State.PLAYING), demand("b", priority=1, on_conflict="preempt")])
    assert (verdict.play, verdict.suspend) == ("b", "a")


def test_preempt_waits_for_what_is_stronger() -> None:
    verdict = arbitrate([demand("a", priority=1, state=State.PLAYING), demand("b", on_conflict="preempt")])
    assert verdict == Verdict(play="a")


def test_queue_waits_even_for_what_is_weaker() -> None:
    assert arbitrate([demand("a", state=State.PLAYING), demand("b", priority=9)]) == Verdict(play="a")


def test_skip_is_dropped_when_the_output_is_taken_and_says_by_whom() -> None:
    verdict = arbitrate([demand("a", state=State.PLAYING), demand("b", PRIORITY, on_conflict="skip")])
    assert verdict == Verdict(play="a", drop=(("b", "skipped: the output was taken by a"),))


def test_skip_plays_on_a_free_output() -> None:
    assert arbitrate([demand("b", on_conflict="skip")]) == Verdict(play="b")


def test_what_said_skip_and_was_interrupted_may_resume() -> None:
    interrupted = demand("b", on_conflict="skip", state=State.SUSPENDED)
    assert arbitrate([demand("a", EMERGENCY, state=State.PLAYING), interrupted]).drop == ()
    assert arbitrate([interrupted]).play == "b"


@pytest.mark.parametrize("on_conflict", ["queue", "skip", "preempt"])
def test_an_emergency_never_waits_for_a_lower_class_whatever_it_says(on_conflict: OnConflict) -> None:
    playing = demand("a", PRIORITY, priority=99, source=Source.LIVE, state=State.PLAYING)
    assert arbitrate([playing, demand("e", EMERGENCY, on_conflict=on_conflict)]).play == "e"


def test_between_emergencies_rank_and_on_conflict_decide() -> None:
    playing = demand("a", EMERGENCY, state=State.PLAYING)
    assert arbitrate([playing, demand("b", EMERGENCY, priority=1)]).play == "a"
    assert arbitrate([playing, demand("b", EMERGENCY, priority=1, on_conflict="preempt")]).play == "b"
    assert arbitrate([playing, demand("b", EMERGENCY, priority=-1, on_conflict="preempt")]).play == "a"


def test_when_the_output_changes_hands_the_strongest_of_all_gets_it() -> None:
    playing, patient = demand("a", state=State.PLAYING), demand("b", priority=9)
    assert arbitrate([playing, patient, demand("c", priority=5, on_conflict="preempt")]).play == "b"


def test_the_stronger_of_those_suspended_resumes_first() -> None:
    suspended = [demand("a", state=State.SUSPENDED), demand("b", priority=1, state=State.SUSPENDED)]
    assert arbitrate([*suspended, demand("c", priority=-1)]).play == "b"


def test_contradictory_states_are_a_callers_error() -> None:
    with pytest.raises(ValueError, match="share an id"):
        arbitrate([demand("a"), demand("a", priority=1)])
    with pytest.raises(ValueError, match="more than one plays"):
        arbitrate([demand("a", state=State.PLAYING), demand("b", state=State.PLAYING)])
    with pytest.raises(ValueError, match="no offset"):
        demand("a", start=datetime(2026, 11, 23, 12))  # noqa: DTZ001 - the missing zone is the case tested
