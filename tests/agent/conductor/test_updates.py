"""What a node makes of a wish for another release of itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.update.places import Places
from agent.update.progress import Progress, take
from tests.agent.conductor.fakes import START, House, programme
from tests.agent.conductor.test_alarms import cap
from tests.agent.conductor.test_requests import ask

RELEASES = '[update]\nfeed = "commune"\n'


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A machine on which a version is installed."""
    monkeypatch.setenv("LOA_ROOT", str(tmp_path))
    found = Places(tmp_path)
    (found.opt / "1.0").mkdir(parents=True)
    (found.opt / "current").symlink_to("1.0")
    found.request.parent.mkdir(parents=True)
    found.state.mkdir(parents=True)
    return found


@pytest.fixture
def house(places: Places, build: Callable[..., House]) -> House:
    return build(extra=RELEASES)


def begun(places: Places) -> Progress:
    """The updater has taken the wish."""
    request = take(places)
    assert request is not None
    return Progress(places, request, "1.0")


def quiet(house: House) -> str | None:
    why: str | None = ask(house, "quiet", may_act=False)["why"]
    return why


class TestWishes:
    def test_a_command_is_passed_on_and_answered_when_it_is_known_what_became_of_it(
        self, house: House, places: Places
    ) -> None:
        house.command("u1", type="update", feed="commune", release="1.1")
        assert house.receipts("u1") == []
        progress = begun(places)
        assert (progress.state.request.release, progress.state.request.command) == ("1.1", "u1")
        house.run_for(3)
        assert house.receipts("u1") == ["started"]
        progress.end("updated", "1.1 runs; before it 1.0")
        house.run_for(3)
        assert house.receipts("u1") == ["started", "finished"]
        (record,) = [r for r in house.records(kind="command", command="u1") if "updated" in (r.text or "")]
        assert record.text == "update to 1.1: updated: 1.1 runs; before it 1.0"

    @pytest.mark.parametrize(
        ("outcome", "state", "reason"),
        [
            ("failed", "failed", "it crashed; back to 1.0"),
            ("refused", "refused", "policy: it crashed; back to 1.0"),
            ("unchanged", "finished", "it crashed; back to 1.0"),
        ],
    )
    def test_each_outcome_has_its_receipt(
        self, house: House, places: Places, outcome: Any, state: str, reason: str
    ) -> None:
        house.command("u1", type="update", feed="commune", release="1.1")
        begun(places).end(outcome, "it crashed; back to 1.0")
        house.run_for(3)
        assert [(r.state, r.reason) for r in house.uplink.receipts] == [(state, reason)]

    def test_the_agent_that_comes_after_tells_what_the_one_before_has_begun_once(
        self, house: House, places: Places, build: Callable[..., House]
    ) -> None:
        house.command("u1", type="update", feed="commune", release="1.1")
        progress = begun(places)
        house.run_for(3)
        house.crash()
        progress.end("updated", "1.1 runs; before it 1.0")
        after = build(extra=RELEASES, clock=house.clock)
        assert after.receipts("u1") == ["finished"]
        after.crash()
        assert build(extra=RELEASES, clock=house.clock).receipts("u1") == []

    def test_what_was_cut_off_is_told_with_the_reason_that_was_left(
        self, house: House, places: Places
    ) -> None:
        house.command("u1", type="update", feed="commune", release="1.1")
        begun(places)
        places.settled.write_text("the power failed; back to 1.0\n", encoding="utf-8")
        house.run_for(3)
        assert (house.uplink.receipts[-1].state, house.uplink.receipts[-1].reason) == (
            "failed",
            "the power failed; back to 1.0",
        )

    def test_only_the_feed_that_is_configured_for_it_brings_releases(
        self, house: House, places: Places
    ) -> None:
        house.command("u1", type="update", feed="province", release="1.1")
        (receipt,) = house.uplink.receipts
        assert receipt.state == "refused"
        assert "the feed commune, not province" in (receipt.reason or "")
        assert not places.request.exists()

    @pytest.mark.parametrize("release", ["../1.1", "1.1/..", "one", ""])
    def test_what_is_no_version_is_refused(self, house: House, places: Places, release: str) -> None:
        assert ask(house, "update", release=release)["ok"] is False
        assert not places.request.exists()

    def test_one_update_at_a_time(self, house: House, places: Places) -> None:
        assert ask(house, "update")["ok"] is True
        assert "under way already" in ask(house, "update")["error"]
        progress = begun(places)
        assert "under way already" in ask(house, "update")["error"]
        progress.end("unchanged", "1.0 runs already")
        assert ask(house, "update")["ok"] is True

    def test_who_only_looks_may_not_update_nor_restart(self, house: House, places: Places) -> None:
        for op in ("update", "update-restart"):
            assert ask(house, op, may_act=False)["denied"] is True
        assert not places.request.exists()
        assert house.conductor.stop_asked is None

    def test_a_node_that_was_not_installed_is_not_updated(self, house: House, places: Places) -> None:
        (places.opt / "current").unlink()
        assert "not installed by install.sh" in ask(house, "update")["error"]

    def test_a_folder_that_cannot_be_written_is_told(self, house: House, places: Places) -> None:
        places.request.parent.rmdir()
        house.command("u1", type="update", feed="commune", release="1.1")
        assert house.receipts("u1") == ["failed"]


class TestRestart:
    def test_a_quiet_node_ends_to_be_started_again(self, house: House) -> None:
        assert quiet(house) is None
        assert ask(house, "update-restart", version="1.1")["why"] is None
        assert house.conductor.stop_asked is not None
        assert house.conductor.stop_asked.then == "restart"

    def test_never_while_something_sounds_waits_or_is_soon_to_begin(self, house: House) -> None:
        house.schedule(programme("news", START + timedelta(seconds=200)))
        assert quiet(house) is None
        house.run_for(130)
        assert "news" in (quiet(house) or "")
        house.run_for(70.5)
        assert house.plays("news") == []
        assert "news" in (ask(house, "update-restart", version="1.1")["why"] or "")
        assert house.conductor.stop_asked is None
        house.run_for(300)
        assert house.plays("news") != []
        assert quiet(house) is None

    def test_never_while_an_alert_holds_also_between_its_tellings(self, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(200)
        assert "an alert is in force" in (quiet(house) or "")
        assert ask(house, "update-restart", version="1.1")["why"] is not None
        assert house.conductor.stop_asked is None

    def test_an_emergency_that_came_between_question_and_restart_is_spoken_first(self, house: House) -> None:
        assert quiet(house) is None
        house.command("c1", type="alert", cap=cap("A1", house))
        assert "an alert is in force" in ask(house, "update-restart", version="1.1")["why"]
        house.run_for(30)
        assert house.heard("A1") != []


def test_nothing_is_read_each_turn_when_nothing_is_under_way(house: House) -> None:
    assert house.node.updates.turn() is None
