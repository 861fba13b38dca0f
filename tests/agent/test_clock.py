"""The clock's three states, the last good time, and jumps."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import clock as clock_module
from agent import kernel_clock
from agent.clock import BUILT, LAST_GOOD_FILE, Clock, ClockJumped, FakeClock, SystemClock
from playlists.models.base import ClockState
from tests.support.wait import wait_until

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, disciplined: bool, wall: datetime | None = None
) -> SystemClock:
    monkeypatch.setattr(clock_module, "discipline", lambda: (disciplined, 0.004 if disciplined else None))
    if wall is not None:
        monkeypatch.setattr(SystemClock, "now", lambda _: wall)
    return SystemClock(tmp_path)


def test_a_disciplined_clock_is_synchronised_and_tells_its_error(tmp_path, monkeypatch):
    clock = system_clock(tmp_path, monkeypatch, disciplined=True)
    assert clock.reading().model_dump(mode="json") == {"state": "synchronised", "error_s": 0.004}


def test_a_clock_that_nobody_disciplines_is_restored_and_its_error_is_unknown(tmp_path, monkeypatch):
    clock = system_clock(tmp_path, monkeypatch, disciplined=False)
    assert clock.reading().model_dump(mode="json") == {"state": "restored", "error_s": None}


def test_a_clock_that_the_technician_vouches_for_is_synchronised(tmp_path, monkeypatch):
    monkeypatch.setattr(clock_module, "discipline", lambda: (False, None))
    clock = SystemClock(tmp_path, vouched=True)
    assert (clock.state, clock.error_s) == (ClockState.SYNCHRONISED, None)


def test_a_clock_before_the_day_the_agent_was_written_is_unset_even_when_disciplined(tmp_path, monkeypatch):
    clock = system_clock(tmp_path, monkeypatch, disciplined=True, wall=LONG_AGO)
    assert clock.state is ClockState.UNSET
    assert clock.last_good >= BUILT


def test_a_clock_behind_the_saved_last_good_time_is_unset_after_a_restart(tmp_path, monkeypatch):
    wall = BUILT + timedelta(days=90)
    system_clock(tmp_path, monkeypatch, disciplined=True, wall=wall).save()
    clock = system_clock(tmp_path, monkeypatch, disciplined=False, wall=wall - timedelta(hours=1))
    assert clock.state is ClockState.UNSET
    assert clock.last_good >= wall


def test_a_clock_being_slewed_a_little_behind_stays_synchronised(tmp_path, monkeypatch):
    wall = BUILT + timedelta(days=90)
    system_clock(tmp_path, monkeypatch, disciplined=True, wall=wall).save()
    clock = system_clock(tmp_path, monkeypatch, disciplined=True, wall=wall - timedelta(seconds=1))
    assert clock.state is ClockState.SYNCHRONISED


def test_a_wrong_clock_that_nobody_disciplines_does_not_move_the_last_good_time(tmp_path, monkeypatch):
    clock = system_clock(tmp_path, monkeypatch, disciplined=False, wall=BUILT + timedelta(days=20_000))
    assert clock.state is ClockState.RESTORED
    assert clock.last_good - BUILT < timedelta(hours=1)


def test_a_time_server_that_once_says_2036_does_not_leave_the_node_unset_afterwards(tmp_path, monkeypatch):
    right = BUILT + timedelta(days=90)
    system_clock(tmp_path, monkeypatch, disciplined=True, wall=right).save()
    system_clock(tmp_path, monkeypatch, disciplined=True, wall=right + timedelta(days=3_650)).save()
    clock = system_clock(tmp_path, monkeypatch, disciplined=True, wall=right + timedelta(minutes=5))
    assert clock.state is ClockState.SYNCHRONISED


def test_the_last_good_time_goes_on_while_the_wall_clock_stands_still(tmp_path, monkeypatch):
    clock = system_clock(tmp_path, monkeypatch, disciplined=False, wall=LONG_AGO)
    before = clock.last_good
    wait_until(lambda: clock.last_good > before, 2, "the last good time moves with the monotonic clock")


@pytest.mark.parametrize("content", [b"", b"tomorrow\n", b"\xff\xfe\x00", b"2026-99-99T00:00:00+00:00\n"])
def test_a_damaged_last_good_time_begins_again_and_says_so(tmp_path, monkeypatch, caplog, content):
    (tmp_path / LAST_GOOD_FILE).write_bytes(content)
    clock = system_clock(tmp_path, monkeypatch, disciplined=True)
    assert clock.state is ClockState.SYNCHRONISED
    assert "last good time begins again" in caplog.text


def test_the_kernel_answers_whether_its_clock_is_disciplined():
    disciplined, error_s = kernel_clock.discipline()
    assert (error_s is not None) == disciplined
    assert error_s is None or 0 <= error_s <= 16


def test_the_kernel_arms_a_timer_that_tells_of_a_set_clock_and_is_quiet_until_then():
    timer = kernel_clock.SetTimer()
    try:
        assert not timer.was_set()
    finally:
        timer.close()


class _Timer(kernel_clock.SetTimer):
    """The kernel's timer with a pipe in its place: a byte in it stands for a clock that was set."""

    def __init__(self) -> None:
        self._fd, self.set = os.pipe()

    def was_set(self) -> bool:
        return os.read(self._fd, 1) == b"!"


def test_a_set_clock_is_told_at_once_each_time_and_no_more_after_stop():
    timer, told = _Timer(), []
    watch = kernel_clock.JumpWatch(told.append, timer)
    for count in (1, 2):
        os.write(timer.set, b"!")
        wait_until(lambda count=count: len(told) == count, 2, f"jump {count} is told")
    watch.stop()
    os.close(timer.set)
    assert len(told) == 2
    assert all(abs(by_s) < 60 for by_s in told)


def test_watching_the_machines_clock_starts_and_ends(tmp_path):
    clock = SystemClock(tmp_path)
    clock.watch_jumps(lambda jump: None)
    clock.close()
    clock.close()


def test_the_fake_keeps_the_contract_and_tells_its_jumps():
    clock: Clock = FakeClock()
    told: list[ClockJumped] = []
    clock.watch_jumps(told.append)
    before, monotonic = clock.now(), clock.monotonic()
    clock.advance(5)
    clock.jump(-3_600)
    assert told == [ClockJumped(-3_600)]
    assert clock.now() == before + timedelta(seconds=5 - 3_600)
    assert clock.monotonic() == monotonic + 5
    assert clock.state is ClockState.UNSET


def test_the_fake_does_not_let_time_pass_backwards():
    with pytest.raises(ValueError, match="jump"):
        FakeClock().advance(-1)


steps = st.lists(
    st.tuples(
        st.sampled_from(["advance", "jump", "become"]),
        st.floats(-(10**8), 10**8),
        st.sampled_from(list(ClockState)),
    )
)


@given(steps)
def test_the_last_good_time_never_runs_backwards(moves):
    clock = FakeClock()
    last = clock.last_good
    for move, seconds, state in moves:
        if move == "advance":
            clock.advance(abs(seconds))
        elif move == "jump":
            clock.jump(seconds)
        else:
            clock.become(state)
        assert clock.last_good >= last
        last = clock.last_good
        if clock.state is ClockState.SYNCHRONISED:
            assert clock.now() >= last - timedelta(seconds=2)


def test_expiry_is_judged_by_a_clock_that_is_disciplined_and_otherwise_by_what_has_certainly_passed() -> None:
    clock = FakeClock()
    began = clock.now()
    assert clock.judged == began
    clock.jump(86_400)
    assert clock.judged == clock.now() == began + timedelta(days=1)
    clock.become(ClockState.RESTORED)
    clock.jump(86_400)
    clock.advance(60)
    assert clock.judged == began + timedelta(days=1, minutes=1)
    clock.jump(-5 * 86_400)
    assert clock.state is ClockState.UNSET
    assert clock.judged == began + timedelta(days=1, minutes=1)
