"""The station's feed of signed alerts: what it signs is what a node believes, and it lists what still counts."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.alerts.feed import read_feed
from agent.alerts.verifier import NotSigned, read_pins, signed_part
from agent.station import alerts
from agent.station.cli import app
from agent.station.errors import Author, Technician
from agent.station.folder import Folder
from agent.station.keys import path_of
from playlists.alert import Alert, read_alert
from tests.support.alerts import cap

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def offered(folder: Folder) -> list[Alert]:
    """What a node that pins the certificate makes of the feed."""
    pins, _ = read_pins([folder.certificate(alerts.KEY).read_text()], datetime.now(UTC), exact=True)
    found = []
    for entry in read_feed((folder.alerts / alerts.INDEX).read_bytes()):
        assert entry.link is not None
        document = (folder.alerts / entry.link).read_text(encoding="utf-8")
        found.append(read_alert(signed_part(document, pins)))
    return found


def names(folder: Folder) -> list[str]:
    return [alert.identifier for alert in offered(folder)]


def test_what_is_published_is_signed_listed_and_read_as_it_was_written(folder: Folder) -> None:
    document = cap("storm-1")
    published = alerts.publish(folder, document)
    assert offered(folder) == [published] == [read_alert(document)]


def test_the_newest_stands_first_and_what_is_published_again_stands_once(folder: Folder) -> None:
    for name in ("storm-1", "storm-2", "storm-1"):
        alerts.publish(folder, cap(name, sent=NOW))
    assert names(folder) == ["storm-1", "storm-2"]
    assert len(list(folder.alerts.glob("*.xml"))) == 2


def test_what_has_expired_is_dropped_with_its_file(folder: Folder) -> None:
    alerts.publish(folder, cap("storm-1", sent=NOW, expires_s=60), now=NOW)
    alerts.publish(folder, cap("storm-2", sent=NOW, expires_s=6_000), now=NOW + timedelta(minutes=5))
    assert names(folder) == ["storm-2"]
    assert len(list(folder.alerts.glob("*.xml"))) == 1


def test_a_cancel_takes_the_alert_off_the_list_and_stays_as_long_as_that_would_have(folder: Folder) -> None:
    alerts.publish(folder, cap("storm-1", sent=NOW, expires_s=7_200), now=NOW)
    cancel = cap("storm-2", kind="Cancel", sent=NOW, references=[("storm-1", NOW)], expires_s=60)
    alerts.publish(folder, cancel, now=NOW)
    assert names(folder) == ["storm-2"]
    alerts.publish(folder, cap("flood", sent=NOW, expires_s=9_000), now=NOW + timedelta(hours=1))
    assert names(folder) == ["flood", "storm-2"]
    alerts.publish(folder, cap("tide", sent=NOW, expires_s=20_000), now=NOW + timedelta(hours=2, minutes=1))
    assert names(folder) == ["tide", "flood"]


def test_the_list_is_bounded(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "MAX_LISTED", 3)
    for number in range(5):
        alerts.publish(folder, cap(f"storm-{number}"))
    assert names(folder) == ["storm-4", "storm-3", "storm-2"]


def test_what_is_no_alert_or_over_is_not_published(folder: Folder) -> None:
    with pytest.raises(Author, match="not XML"):
        alerts.publish(folder, b"Storm!")
    with pytest.raises(Author, match="expired"):
        alerts.publish(folder, cap("storm-1", expires_s=-60, sent=NOW))
    assert not folder.alerts.exists()


def test_the_next_key_signs_only_when_it_is_told_to(folder: Folder) -> None:
    alerts.publish(folder, cap("storm-1"))
    former = folder.certificate(alerts.KEY).read_text()
    alerts.make_key(folder, alerts.NEXT)
    upcoming = folder.certificate(alerts.NEXT).read_text()
    alerts.publish(folder, cap("storm-2"))
    assert names(folder) == ["storm-2", "storm-1"]
    alerts.use_next_key(folder)
    assert folder.certificate(alerts.KEY).read_text() == upcoming
    alerts.publish(folder, cap("storm-3"))
    document = (folder.alerts / alerts.listed(folder)[0].file).read_text(encoding="utf-8")
    old_pins, _ = read_pins([former], NOW, exact=True)
    both, _ = read_pins([former, upcoming], NOW, exact=True)
    with pytest.raises(NotSigned):
        signed_part(document, old_pins)
    assert signed_part(document, both)
    with pytest.raises(Technician, match="new-key"):
        alerts.use_next_key(folder)


def test_the_key_is_for_its_owner_alone(folder: Folder) -> None:
    alerts.publish(folder, cap("storm-1"))
    key = path_of(folder, alerts.KEY)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    with pytest.raises(Technician, match="chmod 600"):
        alerts.publish(folder, cap("storm-2"))


def test_a_damaged_list_is_told_not_forgotten(folder: Folder) -> None:
    alerts.publish(folder, cap("storm-1"))
    (folder.path / "alerts.json").write_text("[{")
    with pytest.raises(Technician, match=r"alerts\.json"):
        alerts.publish(folder, cap("storm-2"))


def test_what_no_font_has_is_named_when_an_alert_is_published(folder: Folder, tmp_path: Path) -> None:
    document = tmp_path / "storm.xml"
    for text, note in (
        ("Bão tan.", ""),
        ("Bão tan 🌀", "note: no font here has 🌀 (U+1F300 CYCLONE); the board leaves them out\n"),
    ):
        document.write_bytes(cap("storm-1", text=text))
        done = CliRunner().invoke(app, ["alerts", "publish", str(folder.path), str(document)])
        assert (done.exit_code, done.stderr) == (0, note)
