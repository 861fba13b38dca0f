"""`loa enroll` and `loa station enroll`, as they are typed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli.tree import app
from agent.config import load
from tests.agent.enrol.conftest import BEFORE, make_station


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_station(tmp_path_factory.mktemp("centre") / "station").path


@pytest.fixture
def url(station: Path) -> Iterator[str]:
    from agent.station.serve import Service

    with Service(station, port=0, collect=False, say=lambda _text: None) as service:
        assert service.web is not None
        yield service.web.url


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "config.toml"
    found.write_text(BEFORE, encoding="utf-8")
    monkeypatch.setenv("LOA_CONFIG", str(found))
    return found


def loa(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def issue(station: Path, *more: str) -> str:
    return str(json.loads(loa("station", "enroll", str(station), "pole-07", "--json", *more))["code"])


def test_a_node_is_enrolled_in_two_commands(station: Path, url: str, path: Path) -> None:
    out = loa("enroll", url, issue(station, "--number", "0007"), "--yes")
    assert "this node is pole-07 of xa-mau" in out
    assert '+id = "pole-07"' in out
    assert "systemctl restart" in out
    config = load(path)
    assert config.node.public_number == "0007"
    assert config.broker is not None
    assert "used" in loa("station", "enrolments", str(station))
    assert "unknown" in loa("config", "rollback", "--yes")


def test_as_json(station: Path, url: str, path: Path) -> None:
    said = json.loads(loa("enroll", url, issue(station), "--yes", "--json"))
    assert (said["node"], said["feeds"], said["complete"]) == ("pole-07", ["commune"], True)


def test_without_a_yes_nothing_is_written_and_the_code_still_holds(
    station: Path, url: str, path: Path
) -> None:
    code = issue(station)
    assert "--yes" in loa("enroll", url, code, code=2)
    assert path.read_text() == BEFORE
    loa("enroll", url, code, "--yes")


def test_a_new_machine_needs_no_configuration_before(station: Path, url: str, path: Path) -> None:
    path.unlink()
    loa("enroll", url, issue(station), "--yes")
    assert load(path).node.id == "pole-07"


def test_mistakes_are_one_line(station: Path, url: str, path: Path) -> None:
    code = issue(station)
    assert "mistyped" in loa("enroll", url, code[:-1] + ("0" if code[-1] != "0" else "1"), code=2)
    assert "loa enroll URL CODE" in loa("enroll", code, code=2)
    assert "loa:" in loa("enroll", "http://127.0.0.1:9", code, "--yes", code=1)
    assert "is not on the stick" in loa("enroll", "--from", str(path.parent), code, code=1)


def test_by_stick_in_two_visits(station: Path, path: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    code = issue(station, "--stick", str(stick))
    assert "enroll-stick" in loa("enroll", "--from", str(stick), code, "--yes")
    assert load(path).broker is None
    assert "answered 1" in loa("station", "enroll-stick", str(station), str(stick))
    loa("enroll", "--from", str(stick), code, "--yes")
    assert load(path).broker is not None
