"""The station at work, as a program, and what its commands say."""

import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from agent.station import renew as renewing
from agent.station.cli import app
from agent.station.errors import Technician
from agent.station.folder import Folder
from agent.station.publish import publish
from agent.station.renew import Renewer
from agent.station.repository import Repository
from agent.station.serve import Service
from playlists.units import Seconds
from tests.agent.station.conftest import NOW
from tests.support.wait import wait_until


def test_signatures_are_renewed_by_themselves(station: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(station, now=NOW)
    later = iter([NOW, NOW + timedelta(days=4)])
    real = renewing.renew
    monkeypatch.setattr(renewing, "renew", lambda path: real(path, now=next(later, NOW + timedelta(days=4))))
    said: list[str] = []
    renewer = Renewer(station, said.append, every_s=Seconds(0.01))
    renewer.start()
    try:
        wait_until(lambda: said, 10, "something was renewed")
    finally:
        renewer.stop()
    assert said == ["signed anew: timestamp"]


def test_what_hinders_renewal_is_told_once(station: Path) -> None:
    publish(station, now=datetime.now(UTC) - timedelta(days=5))
    (station / "keys" / "timestamp.pem").chmod(0o644)
    said: list[str] = []
    renewer = Renewer(station, said.append)
    assert renewer.look() == []
    assert renewer.look() == []
    assert len(said) == 1
    assert "chmod 600" in said[0]
    (station / "keys" / "timestamp.pem").chmod(0o600)
    assert renewer.look() == ["timestamp"]


def test_nothing_is_served_before_something_was_published(station: Path) -> None:
    with pytest.raises(Technician, match="nothing was published"):
        Service(station, collect=False)


def test_a_taken_address_is_told(station: Path) -> None:
    publish(station, now=NOW)
    with Service(station, port=0, collect=False, say=lambda _line: None) as service:
        assert service.web is not None
        with pytest.raises(Technician, match="cannot serve at"):
            Service(station, port=service.web.server_address[1], collect=False)


def test_the_whole_program_serves_until_it_is_told_to_stop(station: Path) -> None:
    publish(station)
    code = "from agent.station.cli import app; app()"
    argv = [sys.executable, "-u", "-c", code, "serve", str(station), "--port", "0", "--no-collect"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found, line
            answer = requests.get(found[0] + "metadata/timestamp.json", timeout=5)
            assert answer.status_code == 200
            for number in (signal.SIGINT, signal.SIGTERM) * 5:  # an impatient officer, and systemd beside him
                process.send_signal(number)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_commands_say_what_they_did(tmp_path: Path) -> None:
    run, station = CliRunner(), str(tmp_path / "commune")
    made = run.invoke(app, ["init", station])
    assert made.exit_code == 0
    assert "root.json" in made.output
    assert "station.toml: where the broker is" in made.output
    assert run.invoke(app, ["init", station]).exit_code == 1
    published = run.invoke(app, ["publish", station])
    assert "version 1 published" in published.output
    assert "version 1 unchanged" in run.invoke(app, ["publish", station]).output
    assert "nothing is due" in run.invoke(app, ["renew", station]).output
    assert "root 2 signed" in run.invoke(app, ["rotate", station, "targets"]).output
    assert run.invoke(app, ["rotate", station, "king"]).exit_code == 2


def test_mistakes_come_as_a_list_and_not_as_a_traceback(tmp_path: Path) -> None:
    run, station = CliRunner(), tmp_path / "commune"
    run.invoke(app, ["init", str(station)])
    (station / "authoring" / "timetable.toml").write_text("[[programme]]\nid = 'x'\n")
    (station / "authoring" / "commune.toml").write_text("colour = 1\n")
    result = run.invoke(app, ["publish", str(station)])
    assert result.exit_code == 1
    assert "4 mistakes, nothing was published" in result.output
    assert "Traceback" not in result.output


def test_the_root_can_be_given_a_longer_life(station: Path) -> None:
    publish(station, now=NOW)
    repository = Repository(Folder(station), NOW + timedelta(days=700))
    before = repository.root().expires
    assert repository.rotate() == 2
    assert repository.root().expires == before + timedelta(days=700)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, "broker.host is not filled in"),
        ('site = "x"\n[broker]\nhost = "b"\nuser = "s"\npassword_file = "/none"\n', "password_file /none"),
    ],
)
def test_without_a_usable_broker_the_technician_is_told_what_to_do(
    station: Path, settings: str | None, words: str
) -> None:
    publish(station, now=NOW)
    if settings is not None:
        (station / "station.toml").write_text(settings)
    result = CliRunner().invoke(app, ["serve", str(station), "--port", "0"])
    assert result.exit_code == 1
    assert words in result.output
    assert f"`loa station serve {station} --no-collect`" in result.output
