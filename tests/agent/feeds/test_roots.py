"""The trusted root that a technician installed: whom a node believes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.feeds.events import FeedChanged
from tests.agent.feeds.conftest import Bench
from tests.agent.feeds.repository import Repository, schedule
from tests.support import web


def test_a_missing_root_is_the_technicians_business(bench: Bench) -> None:
    bench.root.unlink()
    bench.start()
    bench.settled()
    assert bench.health[0] == "refused"
    assert str(bench.root) in bench.health[2]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda bench: b"<html>login</html>", "cannot be read: damaged, cut short, or another file"),
        (lambda bench: bench.repository.trusted_root[:-40], "cannot be read"),
        (lambda bench: bench.repository.files["metadata/timestamp.json"], "timestamp metadata, not a root"),
        (
            lambda bench: bench.repository.trusted_root.replace(b'"version":1', b'"version":7'),
            "is not signed by its own keys: damaged or changed",
        ),
    ],
    ids=["another file", "cut short", "other metadata", "changed"],
)
def test_a_wrong_root_is_named_with_its_file_and_nothing_comes_into_force(
    bench: Bench, harm: Callable[[Bench], bytes], said: str
) -> None:
    bench.repository.publish(schedule(1))
    bench.root.write_bytes(harm(bench))
    bench.start()
    bench.settled()
    assert bench.health[:2] == ("refused", None)
    assert bench.health[2].startswith(f"trusted root {bench.root}: ")
    assert said in bench.health[2]
    assert bench.host.requests == [], "whom it trusts it must know before it asks anybody"


def test_another_trusted_root_puts_the_old_schedule_out_of_force(bench: Bench) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.stop()
    bench.root.write_bytes(Repository(bench.clock.now()).trusted_root)
    bench.host.break_path("", web.status(503))
    bench.start()
    bench.settled()
    assert not bench.told(FeedChanged)
    assert bench.health[1] is None
