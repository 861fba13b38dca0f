"""Reading a file: paths, what it names, and what start-up pays for it."""

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.config import Config, ConfigError, check_files, files, load, parse
from playlists.policy import Policy

MINIMAL = '[node]\nid = "pole-07"\nsite = "xa"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_three_lines_are_a_configuration() -> None:
    config = parse(MINIMAL)
    assert config.broker is None
    assert config.feeds == ()
    assert config.amplifier.longest_on_s == 7200


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + '[paths]\nstate = "state"\nruntime = "/run/x"\n[audio]\noutput = "file"\ndevice = "out.wav"\n'
    )
    config = load(write(tmp_path, text))
    assert config.paths.state == tmp_path / "state"
    assert config.paths.runtime == Path("/run/x")
    assert config.audio.device == str(tmp_path / "out.wav")


def test_the_configuration_cannot_be_changed_afterwards() -> None:
    config = parse(MINIMAL)
    with pytest.raises(ValidationError):
        config.node.id = "other"  # type: ignore[misc]  # the point of the test


def test_a_configuration_built_by_hand_is_held_to_the_same_rules() -> None:
    with pytest.raises(ValidationError, match="no relay is named 'horn'"):
        Config.model_validate(
            {"node": {"id": "a", "site": "b"}, "zones": [{"name": "z", "relays": ["horn"]}]}
        )


def test_what_is_described_is_json_and_reads_back_as_the_same() -> None:
    config = parse(MINIMAL + '[policy]\nquiet_days = [2027-06-28, "09-02"]\n')
    described = json.loads(json.dumps(config.describe()))
    assert described["policy"]["quiet_days"] == ["2027-06-28", "09-02"]
    assert described["paths"]["state"] == "/var/lib/loa"
    assert set(described) == set(Config.model_fields)


def test_the_policy_section_is_what_the_deciding_room_takes() -> None:
    config = parse(MINIMAL + '[policy]\nquiet_days = ["09-02"]\nallowed_hours = ["22:00-24:00"]\n')
    policy = Policy.model_validate({"timezone": config.node.timezone, **config.policy.model_dump()})
    assert policy.model_dump() == {"timezone": config.node.timezone, **config.policy.model_dump()}


def _with_files(folder: Path) -> str:
    for name in ("root.json", "key.pem", "cert.pem", "password"):
        (folder / name).write_text("x", encoding="utf-8")
        (folder / name).chmod(0o640)
    return (
        MINIMAL
        + f"""
[paths]
state = "{folder}/state"
cache = "{folder}/state/cache"
runtime = "{folder}/run"
[[feeds]]
name = "commune"
url = "https://feed.example"
root = "root.json"
[broker]
host = "broker.example"
cert = "cert.pem"
key = "key.pem"
user = "pole-07"
password_file = "password"
"""
    )


def test_files_that_are_all_there_pass(tmp_path: Path) -> None:
    check_files(load(write(tmp_path, _with_files(tmp_path))))


def test_all_missing_files_are_named_at_once(tmp_path: Path) -> None:
    config = load(write(tmp_path, _with_files(tmp_path)))
    for name in ("root.json", "key.pem", "cert.pem", "password"):
        (tmp_path / name).unlink()
    with pytest.raises(ConfigError) as caught:
        check_files(config)
    assert {problem.key for problem in caught.value.problems} == {"root", "cert", "key", "password_file"}
    assert all("cannot be read: No such file" in problem.message for problem in caught.value.problems)


def test_an_empty_password_file_is_refused(tmp_path: Path) -> None:
    config = load(write(tmp_path, _with_files(tmp_path)))
    (tmp_path / "password").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"password_file = .*: the file is empty"):
        check_files(config)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    config = load(write(tmp_path, _with_files(tmp_path)))
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(ConfigError, match=r"others may use this secret \(mode 0644\): chmod o="):
        check_files(config)


def test_a_folder_whose_place_is_taken_by_a_file_is_refused(tmp_path: Path) -> None:
    config = load(write(tmp_path, _with_files(tmp_path)))
    (tmp_path / "state").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        check_files(config)
    assert [problem.key for problem in caught.value.problems] == ["cache", "state"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    config = parse(MINIMAL + '[paths]\nstate = "/proc/loa"\ncache = "/proc/loa"\nruntime = "/proc/loa"\n')
    with pytest.raises(ConfigError, match="/proc cannot be written to: "):
        check_files(config)


def test_reading_a_configuration_loads_nothing_heavy(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    program = (
        "import sys; from agent.config import load; load(sys.argv[1]);"
        "heavy = {'tomlkit', 'numpy', 'requests', 'tuf', 'rich', 'typer', 'pygame', 'vlc'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_a_broker_without_tls_is_a_configuration() -> None:
    text = (
        MINIMAL + '[broker]\nhost = "127.0.0.1"\nport = 1883\ntls = false\nuser = "a"\npassword_file = "/p"\n'
    )
    config = parse(text)
    assert config.broker is not None and not config.broker.tls


def test_what_another_user_may_not_touch_is_no_mistake_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(write(tmp_path, _with_files(tmp_path)))

    def denied(*_arguments: object, **_more: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    monkeypatch.setattr(tempfile, "TemporaryFile", denied)
    monkeypatch.setattr(files, "speaks_for_the_agent", lambda: False)
    check_files(config)
    monkeypatch.setattr(files, "speaks_for_the_agent", lambda: True)
    with pytest.raises(ConfigError, match="Permission denied"):
        check_files(config)
