"""`loa config`: get, set, edit, diff, rollback, as a technician types them."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli.tree import app

GOOD = """\
[node]
id = "pole-07"  # as on the plate
site = "xa-mau"
[paths]
state = "state"
cache = "cache"
runtime = "run"
[[relays]]
name = "amplifier"
pin = 17
active = "low"
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "config.toml"
    found.write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("LOA_CONFIG", str(found))
    monkeypatch.setenv("LANGUAGE", "en")
    return found


def loa(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["config", *words])
    assert result.exit_code == code, result.output
    assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit)
    return result.output


def test_get_gives_a_value_ready_for_a_script(path: Path) -> None:
    assert loa("get", "node.id") == "pole-07\n"
    assert loa("get", "relays.amplifier.pin") == "17\n"
    assert loa("get", "policy.allowed_hours") == '["05:00-21:00"]\n'
    assert json.loads(loa("get", "relays", "--json"))[0]["name"] == "amplifier"
    assert loa("get") == GOOD


@pytest.mark.parametrize(
    "words", [["get"], ["get", "node.id"], ["get", "--json"], ["set", "node.id", "x"], ["edit"]], ids=" ".join
)
def test_without_a_file_it_is_named_and_how_one_comes(path: Path, words: list[str]) -> None:
    path.unlink()
    out = loa(*words, code=2)
    assert str(path) in out
    assert "loa setup" in out


def test_set_shows_the_difference_writes_and_says_what_to_restart(path: Path) -> None:
    out = loa("set", "relays.amplifier.pin", "27")
    assert "-pin = 17" in out
    assert "+pin = 27" in out
    assert "systemctl restart loa-agent" in out
    assert path.read_text() == GOOD.replace("17", "27")


def test_set_takes_text_that_looks_like_a_number_and_several_at_once(path: Path) -> None:
    loa("set", "node.public_number", "7")
    assert loa("get", "node.public_number") == "7\n"
    loa("set", "relays.horn.pin=4", "relays.horn.active=high", "zones.square.relays=['amplifier', 'horn']")
    assert json.loads(loa("get", "zones.square.relays", "--json")) == ["amplifier", "horn"]
    loa("set", "node.public_number", "")
    assert "public_number" not in path.read_text()


def test_set_refuses_with_every_problem_and_writes_nothing(path: Path) -> None:
    out = loa("set", "relays.amplifier.pin=99", "node.idd=x", code=2)
    assert "at least 2 and at most 27" in out
    assert "did you mean 'id'" in out
    assert path.read_text() == GOOD


def test_set_as_json_says_what_happened(path: Path) -> None:
    said = json.loads(loa("set", "log.level", "debug", "--json"))
    assert said["changed"] is True
    assert "restart" in said["restart"]
    assert json.loads(loa("set", "log.level", "debug", "--json"))["changed"] is False


def test_diff_and_rollback_go_back_and_forth(path: Path) -> None:
    loa("set", "relays.amplifier.pin", "27")
    assert "+pin = 27" in loa("diff")
    assert "-pin = 27" in loa("rollback", "--yes")
    assert path.read_text() == GOOD
    loa("rollback", "--yes")
    assert "pin = 27" in path.read_text()
    assert "there are: 1, 2" in loa("rollback", "9", "--yes", code=2)


def test_rollback_asks_and_without_a_person_does_nothing(path: Path) -> None:
    loa("set", "relays.amplifier.pin", "27")
    assert "--yes" in loa("rollback", code=2)
    assert "27" in path.read_text()


def test_before_the_first_write_there_is_nothing_to_go_back_to(path: Path) -> None:
    assert "nothing earlier" in loa("rollback", "--yes", code=1)


def test_edit_writes_what_is_right_and_nothing_else(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor.py"
    monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
    swap = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text().replace({}, {}))"
    editor.write_text(swap.format("'17'", "'99'"))
    assert "at most 27" in loa("edit", "--yes", code=2)
    assert path.read_text() == GOOD
    editor.write_text(swap.format("'17'", "'27'"))
    loa("edit", "--yes")
    assert "27" in path.read_text()
    assert "plate" in path.read_text()
    editor.write_text("raise SystemExit(3)")
    assert "nothing was written" in loa("edit", "--yes", code=1)


def test_who_may_not_write_is_told_before_the_editor_opens(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import agent.config.writer

    opened = tmp_path / "opened"
    monkeypatch.setenv("EDITOR", f"touch {opened}")
    with monkeypatch.context() as nobody:
        nobody.setattr(agent.config.writer.os, "access", lambda *_: False)  # root may write everywhere
        assert "use sudo" in loa("edit", "--yes", code=4)
    assert not opened.exists()
    loa("edit", "--yes")
    assert opened.exists()


def test_a_comment_alone_needs_no_restart(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text("import sys; open(sys.argv[1], 'a').write('# looked at\\n')")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
    assert "nothing to restart" in loa("edit", "--yes")


def test_a_folder_that_cannot_be_written_is_said_in_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import agent.files

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(agent.files.tempfile, "mkstemp", refuse)
    assert "use sudo" in loa("set", "log.level", "debug", code=4)


def test_a_file_that_is_no_toml_is_said_and_can_still_be_rolled_back(path: Path) -> None:
    loa("set", "relays.amplifier.pin", "27")
    path.write_text("[node\n")
    assert "is not TOML" in loa("set", "log.level", "debug", code=1)
    loa("rollback", "--yes")
    assert path.read_text() == GOOD


def test_setup_with_plain_questions_writes_what_was_agreed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.cli import setup
    from tests.agent.setup.machines import PI

    monkeypatch.setattr(setup, "_machine", lambda: PI)
    monkeypatch.setenv("LOA_SOCKET", str(tmp_path / "none"))
    answers = ["", "", "0007", "", "=", "", "", "no-such", "2", ""]
    result = CliRunner().invoke(app, ["setup", "--plain"], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "choose one of the list" in result.output
    assert '+public_number = "0007"' in result.output
    assert "# as on the plate" in path.read_text()
    assert loa("get", "relays.amplifier.pin") == "17\n"


def test_setup_that_nobody_finishes_writes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.cli import setup
    from tests.agent.setup.machines import PI

    monkeypatch.setattr(setup, "_machine", lambda: PI)
    result = CliRunner().invoke(app, ["setup", "--plain"], input="\n\n")
    assert result.exit_code == 130
    assert path.read_text() == GOOD
    assert "--plain" in CliRunner().invoke(app, ["setup"]).output


def test_who_may_not_write_is_told_before_the_questions(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    result = CliRunner().invoke(app, ["setup", "--plain"])
    assert result.exit_code == 4
    assert "sudo" in result.output
