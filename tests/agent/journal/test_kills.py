"""SIGKILL at random moments: what was confirmed is there, and nothing is doubled."""

import multiprocessing
import random
import time
from collections import Counter
from pathlib import Path

from agent.journal import Journal
from tests.agent.journal.writer import write_until_killed
from tests.support.wait import wait_until

KILLS = 60


def test_what_was_confirmed_survives_every_kill_and_nothing_is_doubled(tmp_path):
    confirmations = tmp_path / "confirmed"
    confirmations.touch()
    _kill_writers(tmp_path / "journal", confirmations)

    confirmed: dict[str, int] = {}
    begun: set[str] = set()
    acknowledged = 0
    # a kill may cut the last line of a life in two
    for line in confirmations.read_text().splitlines():
        match line.split():
            case ["begin", name, "0"]:
                begun.add(name)
            case ["stored", "-", number]:
                acknowledged = max(acknowledged, int(number))
            case [_, name, number]:
                confirmed[name] = int(number)
    assert len(confirmed) > 2 * KILLS  # so many at least, however busy the machine is

    journal = Journal.open(tmp_path / "journal", max_mb=50)
    assert journal.damage is None
    batch = journal.batch(journal.stored_through, 1_000_000)
    records = batch.records
    left = Counter(play.programme for _, play in journal.open_plays())
    journal.close()

    # dense: no number is missing, none is given twice
    assert [record.seq for record in records] == list(range(batch.first, batch.last + 1))
    assert journal.stored_through >= acknowledged
    held = {record.programme or record.text: record.seq for record in records}
    assert len(held) == len(records), "a record is doubled"
    for name, seq in confirmed.items():
        assert held.get(name) == seq or seq <= journal.stored_through, name
    assert max(left.values()) == 1
    assert not left.keys() & held.keys(), "a play is both open and finished"
    for name in begun - left.keys() - held.keys():
        # killed between a record and its confirmation: its number is the next after what its life wrote before
        seq = confirmed.get(name) or confirmed[f"s{name}"] + 1
        assert seq <= journal.stored_through, f"{name} was written before its sound and is gone"


def _kill_writers(directory: Path, confirmations: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.agent.journal.writer"])
    chance = random.Random(7)
    for run in range(KILLS):
        size = confirmations.stat().st_size
        child = context.Process(target=write_until_killed, args=(str(directory), run, str(confirmations)))
        child.start()
        wait_until(lambda size=size: confirmations.stat().st_size > size, 20, f"life {run} writes")
        time.sleep(chance.uniform(0, 0.03))  # the moment of the kill, not a hope that something happened
        child.kill()
        child.join(10)
        child.close()
