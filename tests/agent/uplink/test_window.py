"""The window over the log: bounded, patient, and whole over any line."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.uplink.limiter import Limiter
from agent.uplink.window import FIRST_PATIENCE_S, LONGEST_PATIENCE_S, SIZE, Window


def test_no_more_than_a_window_is_under_way():
    window = Window(0)
    for n in range(1, SIZE + 1):
        assert window.next_after == (n - 1) * 10
        window.sent(n * 10, 0.0)
    assert window.next_after is None
    window.stored(10, 1.0)
    assert window.next_after == SIZE * 10


def test_what_is_not_acknowledged_in_time_goes_again_with_growing_patience():
    window, now, gaps = Window(5), 0.0, []
    for _ in range(12):
        window.sent(10, now)
        assert not window.tick(window.deadline - 0.001)
        gaps.append(window.deadline - now)
        now = window.deadline
        assert window.tick(now)
        assert window.next_after == 5
    assert gaps[:3] == [FIRST_PATIENCE_S, 2 * FIRST_PATIENCE_S, 4 * FIRST_PATIENCE_S]
    assert gaps[-1] == LONGEST_PATIENCE_S
    window.sent(10, now)
    window.stored(10, now)
    window.sent(20, now)
    assert window.deadline - now == FIRST_PATIENCE_S


def test_nothing_under_way_means_nothing_to_wait_for():
    window = Window(0)
    assert window.deadline is None
    window.sent(10, 0.0)
    window.stored(10, 1.0)
    assert window.deadline is None


def test_an_echo_does_not_renew_patience():
    window = Window(10)
    window.sent(20, 0.0)
    before = window.deadline
    window.stored(10, 5.0)
    assert window.deadline == before


def test_a_centre_that_lost_its_memory_is_served_from_where_it_stands():
    window = Window(100)
    window.sent(110, 0.0)
    window.stored(40, 1.0)
    assert window.next_after == 40


@settings(max_examples=200)
@given(
    st.integers(1, 60), st.lists(st.sampled_from(["ok", "lose-batch", "lose-ack", "reorder"]), max_size=200)
)
def test_over_any_line_all_arrive_and_the_centre_never_skips(records, fates):
    """The centre's side is the collector's rule: it goes on only where a batch joins what it has."""
    window, now, through, have = Window(0), 0.0, 0, set()
    fates = iter([*fates, *["ok"] * 1_000])
    held: list[tuple[int, int]] = []
    for _ in range(2_000):
        if through == records and window.acked == records:
            break
        window.tick(now)
        after = window.next_after
        if after is None or after >= records:
            now = max(now + 1, window.deadline or 0)
            continue
        batch = (after + 1, min(after + 7, records))
        window.sent(batch[1], now)
        fate = next(fates)
        if fate == "reorder":
            held.append(batch)
            continue
        arriving = [] if fate == "lose-batch" else [batch, *held]
        held = held if fate == "lose-batch" else []
        for first, last in arriving:
            have.update(range(first, last + 1))
            if first <= through + 1:
                through = max(through, last)
        if arriving and fate != "lose-ack":
            window.stored(through, now)
    assert through == window.acked == records
    assert have == set(range(1, records + 1))


def test_a_limiter_lets_a_burst_through_then_one_at_a_time():
    limiter = Limiter(3, 10.0)
    assert [limiter.allows(0.0) for _ in range(5)] == [True, True, True, False, False]
    assert limiter.held_back == 2
    assert limiter.allows(10.0)
    assert not limiter.allows(10.1)
    assert [limiter.allows(1_000.0) for _ in range(4)] == [True, True, True, False]
    assert not limiter.allows(900.0), "a clock that runs backwards gives nothing"
