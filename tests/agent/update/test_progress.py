"""The wish and its answer: what lies in the daemon's folder may be anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.update.errors import Refused
from agent.update.places import Places
from agent.update.progress import Progress, Request, look, take, wish

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


def test_only_root_s_own_wish_may_force(places: Places) -> None:
    wish(places, WISH.model_copy(update={"force": True}))
    assert take(places) is not None
    wish(places, WISH.model_copy(update={"force": True}))
    os.chown(places.request, 65_534, 65_534)
    with pytest.raises(Refused, match="only root"):
        take(places)


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
