"""The journal's promises: numbers, acknowledgement, open plays, bound, replays, receipts, state."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.journal import Journal, Technician
from agent.journal.journal import KEEP_STORED, MAX_RECEIPTS
from playlists.models.command import Receipt
from playlists.models.record import Record

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path):
    journal = Journal.open(tmp_path, max_mb=50)
    yield journal
    journal.close()


def text(number: int) -> Record:
    return Record(kind="system", text=f"record {number}")


def test_records_are_numbered_from_one_without_a_hole(journal):
    assert [journal.append(text(n)).seq for n in range(3)] == [1, 2, 3]
    assert [r.seq for r in journal.append_all([text(3), text(4)])] == [4, 5]
    batch = journal.batch(0, 100)
    assert (batch.first, batch.last, batch.epoch) == (1, 5, journal.epoch)
    assert [r.text for r in batch.records] == [f"record {n}" for n in range(5)]


def test_an_open_play_has_no_number_until_it_is_complete(journal):
    handle = journal.begin(Record(kind="play", programme="morning-news", planned=NOW))
    assert journal.batch(0, 10) is None
    journal.mark_started(handle, NOW)
    done = journal.complete(handle, outcome="finished", ended=NOW + timedelta(seconds=9), played_s=9.0)
    assert done.seq == 1
    assert journal.batch(0, 10).records == (done,)
    assert (done.programme, done.started, done.outcome) == ("morning-news", NOW, "finished")


def test_a_play_is_completed_only_once_and_only_with_fields_that_exist(journal):
    handle = journal.begin(Record(kind="play"))
    with pytest.raises(TypeError, match="colour"):
        journal.complete(handle, colour="red")
    journal.complete(handle, outcome="finished")
    with pytest.raises(KeyError):
        journal.complete(handle, outcome="finished")


def test_plays_left_open_are_found_at_the_next_start_with_what_was_known(tmp_path):
    journal = Journal.open(tmp_path, max_mb=50)
    handle = journal.begin(Record(kind="play", programme="news"))
    journal.mark_started(handle, NOW)
    assert journal.open_plays() == []
    journal.close()
    journal = Journal.open(tmp_path, max_mb=50)
    assert journal.open_plays() == [(handle, Record(kind="play", programme="news", started=NOW))]
    new = journal.begin(Record(kind="play", programme="other"))
    assert new != handle
    journal.complete(handle, outcome="lost-power")
    assert journal.open_plays() == []
    journal.close()


def test_epoch_and_numbers_go_on_after_a_restart(tmp_path):
    journal = Journal.open(tmp_path, max_mb=50)
    epoch = journal.epoch
    journal.append_all(text(n) for n in range(5))
    journal.stored(5)
    journal.close()
    journal = Journal.open(tmp_path, max_mb=50)
    assert (journal.epoch, journal.last, journal.stored_through) == (epoch, 5, 5)
    assert journal.append(text(5)).seq == 6
    journal.close()


def test_records_go_only_when_the_centre_has_stored_them(journal):
    journal.append_all(text(n) for n in range(10))
    journal.stored(4)
    assert [r.seq for r in journal.batch(0, 100).records] == [5, 6, 7, 8, 9, 10]
    assert journal.batch(4, 3).last == 7
    assert journal.batch(10, 3) is None


@pytest.mark.parametrize("through", [-1, 0, 11, 10**12])
def test_an_acknowledgement_of_numbers_never_given_is_ignored(journal, through):
    journal.append_all(text(n) for n in range(10))
    journal.stored(through)
    assert journal.stored_through == 0
    assert journal.batch(0, 100).last == 10


def test_an_acknowledgement_for_another_epoch_is_ignored(journal):
    journal.append(text(1))
    journal.stored(1, epoch="another")
    assert journal.batch(0, 10) is not None


def test_a_batch_claims_the_numbers_that_are_gone(journal):
    journal.append_all(text(n) for n in range(10))
    journal.stored(6)
    batch = journal.batch(0, 100)
    assert (batch.first, batch.last, len(batch.records)) == (1, 10, 4)


def test_the_newest_that_the_centre_has_can_still_be_looked_at_and_are_never_sent_again(journal):
    journal.append_all(text(n) for n in range(KEEP_STORED + 50))
    journal.stored(KEEP_STORED + 40)
    assert [r.seq for r in journal.newest(3)] == [KEEP_STORED + n for n in (48, 49, 50)]
    assert [r.seq for r in journal.newest(1_000)] == list(range(41, KEEP_STORED + 51))
    assert [r.seq for r in journal.batch(0, 1_000).records] == list(range(KEEP_STORED + 41, KEEP_STORED + 51))


def test_at_the_bound_what_the_centre_has_goes_first_and_nothing_is_reported(tmp_path, caplog):
    journal = Journal.open(tmp_path, max_mb=0.2)
    journal.append_all(Record(kind="play", text="x" * 500) for _ in range(240))
    journal.stored(240)
    journal.append_all(Record(kind="play", text="y" * 500) for _ in range(64))
    assert [r.seq for r in journal.newest(1_000)] == list(range(241, 305))
    assert "dropped" not in caplog.text
    journal.close()


def test_a_second_process_is_kept_out(tmp_path):
    first = Journal.open(tmp_path, max_mb=50)
    with pytest.raises(Technician, match="another agent"):
        Journal.open(tmp_path, max_mb=50)
    first.close()


def test_every_commit_is_synced(journal):
    assert journal._medium.read("PRAGMA synchronous") == [(2,)]
    assert journal._medium.read("PRAGMA journal_mode") == [("wal",)]


def test_writers_are_noticed(journal):
    noticed = []
    journal.listen(lambda: noticed.append(journal.last))
    journal.append(text(1))
    journal.complete(journal.begin(Record(kind="play")))
    assert noticed == [1, 2]


def test_at_the_bound_showings_go_first_then_the_oldest_and_it_is_said(tmp_path, caplog):
    journal = Journal.open(tmp_path, max_mb=1)
    journal.append_all(Record(kind="play", text=f"play {n}" * 10) for n in range(1_000))
    journal.append_all(Record(kind="show", text="x" * 500) for _ in range(1_000))
    for n in range(6_000):
        journal.append(Record(kind="play", text=f"later {n} " + "y" * 200))
    records = journal.batch(0, 100_000).records
    kinds = [record.kind for record in records]
    reports = [record.text for record in records if record.kind == "system"]
    assert "show" not in kinds
    assert "play 0play 0" not in (records[0].text or "")
    assert records[-1].text.startswith("later 5999")
    assert "showings dropped, seq 1001 to" in caplog.text
    assert caplog.text.index("showings dropped, seq 1859 to 2000") < caplog.text.index(
        "records dropped, seq 1 to"
    )
    assert any("records dropped" in report for report in reports)
    assert (tmp_path / "journal.db").stat().st_size < 1_500_000
    held = len(records)
    assert held > 2_000, "no more is dropped than the bound asks"
    journal.close()


def test_a_replayed_command_is_known_until_a_day_after_its_expiry(tmp_path):
    journal = Journal.open(tmp_path, max_mb=50)
    expires = NOW + timedelta(minutes=5)
    assert journal.remember_command("c1", expires, NOW)
    assert not journal.remember_command("c1", expires, NOW)
    journal.close()
    journal = Journal.open(tmp_path, max_mb=50)
    assert not journal.remember_command("c1", expires, NOW)
    journal.remember_command("c2", expires + timedelta(days=9), NOW + timedelta(days=2))
    rows = journal._medium.read("SELECT id FROM commands")
    assert rows == [("c2",)], "what has long expired is forgotten"
    journal.close()


def receipt(number: int) -> Receipt:
    return Receipt(command=f"c{number}", state="finished", at=NOW)


def test_receipts_wait_in_order_until_the_broker_has_them(tmp_path):
    journal = Journal.open(tmp_path, max_mb=50)
    for n in range(3):
        journal.keep_receipt(receipt(n))
    journal.close()
    journal = Journal.open(tmp_path, max_mb=50)
    waiting = journal.receipts(0, 10)
    assert [r.command for _, r in waiting] == ["c0", "c1", "c2"]
    journal.receipts_sent([waiting[0][0]])
    assert [r.command for _, r in journal.receipts(0, 1)] == ["c1"]
    journal.close()


def test_the_receipt_outbox_keeps_the_newest(journal, monkeypatch):
    monkeypatch.setattr("agent.journal.journal.MAX_RECEIPTS", 5)
    for n in range(12):
        journal.keep_receipt(receipt(n))
    assert [r.command for _, r in journal.receipts(0, 99)] == [f"c{n}" for n in range(7, 12)]
    assert MAX_RECEIPTS >= 100


def test_small_state_survives_and_can_be_removed(tmp_path):
    journal = Journal.open(tmp_path, max_mb=50)
    assert journal.get("mute") is None
    journal.put("mute", "until tomorrow")
    journal.put("mute", {"until": None, "zones": ["*"]})
    journal.put("volume", 3)
    journal.put("volume", None)
    journal.close()
    journal = Journal.open(tmp_path, max_mb=50)
    assert (journal.get("mute"), journal.get("volume")) == ({"until": None, "zones": ["*"]}, None)
    journal.close()


def test_a_discarded_play_leaves_nothing_behind(tmp_path):
    journal = Journal.open(tmp_path, max_mb=50)
    journal.discard(journal.begin(Record(kind="play")))
    journal.close()
    journal = Journal.open(tmp_path, max_mb=50)
    assert (journal.open_plays(), journal.last) == ([], 0)
    journal.close()


actions = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 30)),
        st.tuples(st.just("begin"), st.just(0)),
        st.tuples(st.just("complete"), st.integers(0, 5)),
        st.tuples(st.just("stored"), st.integers(0, 60)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_it_equals_a_plain_list_whatever_happens(tmp_path_factory, moves):
    directory = tmp_path_factory.mktemp("journal")
    journal = Journal.open(directory, max_mb=50)
    log: list[str] = []
    gone = 0
    opened: dict[int, str] = {}
    for step, (move, number) in enumerate(moves):
        if move == "append":
            journal.append_all(Record(kind="system", text=f"{step}.{n}") for n in range(number))
            log += [f"{step}.{n}" for n in range(number)]
        elif move == "begin":
            opened[journal.begin(Record(kind="play", text=f"play {step}"))] = f"play {step}"
        elif move == "complete" and opened:
            handle = sorted(opened)[number % len(opened)]
            journal.complete(handle)
            log.append(opened.pop(handle))
        elif move == "stored":
            journal.stored(number)
            gone = number if gone < number <= len(log) else gone
        elif move == "reopen":
            journal.close()
            journal = Journal.open(directory, max_mb=50)
            assert {handle: play.text for handle, play in journal.open_plays()} == opened
    batch = journal.batch(gone, 10_000)
    assert [r.text for r in batch.records] == log[gone:] if batch else log[gone:] == []
    assert (journal.last, journal.stored_through) == (len(log), gone)
    journal.close()
