"""The wish and its answer: what lies in the daemon's folder may be anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.update.errors import Refused
from agent.update.places import Places
from agent.update.progress import Progress, Request, look, take, waits, wish

WISH = Request(id="w1", feed="commune", release="1.1", by="lan")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places(tmp_path)
    found.request.parent.mkdir(parents=True)
    found.state.mkdir(parents=True)
    return found


def test_a_wish_is_taken_once(places: Places) -> None:
    wish(places, WISH)
    assert take(places) == WISH
    assert take(places) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"id": "../x", "feed": "f"}', b"x" * 30_000]
)
def test_nonsense_is_refused_and_does_not_come_again(places: Places, content: bytes) -> None:
    places.request.write_bytes(content)
    with pytest.raises(Refused, match=r"request\.json"):
        take(places)
    assert take(places) is None


def test_a_link_to_what_only_root_may_read_is_not_followed(places: Places, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(WISH.model_dump_json(), encoding="utf-8")
    places.request.symlink_to(tmp_path / "secret")
    with pytest.raises(Refused, match="symbolic links"):
        take(places)
    assert take(places) is None


def test_a_pipe_holds_nobody_up(places: Places) -> None:
    os.mkfifo(places.request)
    with pytest.raises(Refused, match="malformed"):
        take(places)
    assert not places.request.exists()


def test_a_wish_that_forces_lies_in_root_s_folder_and_goes_first(places: Places) -> None:
    forced = WISH.model_copy(update={"id": "w2", "force": True})
    wish(places, WISH)
    wish(places, forced)
    assert places.forced.parent == places.state
    assert (take(places), waits(places)) == (forced, True)
    assert (take(places), waits(places)) == (WISH, False)


def test_a_wish_that_forces_is_refused_in_the_daemon_s_folder_even_if_root_owns_it(places: Places) -> None:
    wish(places, WISH.model_copy(update={"force": True}))
    places.forced.rename(places.request)  # as one that was kept, and is put back later
    with pytest.raises(Refused, match="only root"):
        take(places)
    assert take(places) is None


def test_how_it_stands_is_read_by_others(places: Places) -> None:
    assert look(places) is None
    progress = Progress(places, WISH, "1.0")
    assert places.busy.exists()
    progress.step("building", "release 1.1")
    seen = look(places)
    assert seen is not None
    assert (seen.outcome, seen.text, seen.state.step) == (None, "release 1.1", "building")
    progress.end("updated", "1.1 runs")
    seen = look(places)
    assert seen is not None
    assert (seen.outcome, seen.text) == ("updated", "1.1 runs")
    assert not places.busy.exists()
    assert places.progress.stat().st_mode & 0o777 == 0o644


def test_what_cut_it_off_holds_only_while_there_is_no_outcome(places: Places) -> None:
    progress = Progress(places, WISH, "1.0")
    places.settled.write_text("the power failed; back to 1.0\n", encoding="utf-8")
    seen = look(places)
    assert seen is not None
    assert (seen.outcome, seen.text) == ("failed", "the power failed; back to 1.0")
    progress.end("updated", "1.1 runs")
    seen = look(places)
    assert seen is not None
    assert seen.outcome == "updated"
    Progress(places, WISH, "1.1")
    seen = look(places)
    assert seen is not None
    assert seen.outcome is None


def test_a_damaged_state_is_none(places: Places) -> None:
    places.progress.write_bytes(b"\xff{")
    assert look(places) is None
