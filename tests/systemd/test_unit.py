"""The service as systemd itself reads it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from agent.cli.update import TAKEN_WITHIN_S
from agent.update.places import Places
from drivers.safe import main as safe
from tests.drivers.conftest import mock_pins  # noqa: F401 - a fixture

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "loa-agent.service"
EXPOSURE_TENTHS = 20
STICK_EXPOSURE_TENTHS = 31
"""Mounting for all needs root, CAP_SYS_ADMIN and the machine's own view: these alone are 3.1."""


def settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if (match := re.match(r"^([A-Za-z]+)=(.*)$", line)) is not None:
            found.setdefault(match[1], []).append(match[2])
    return found


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit with programs that exist here, for systemd wants to see them."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("loa", "python"):
        (programs / name).write_text("#!/bin/sh\n", encoding="ascii")
        (programs / name).chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(
        UNIT.read_text(encoding="utf-8").replace("/opt/loa/current/bin", str(programs)), encoding="utf-8"
    )
    return unit


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def test_systemd_has_nothing_to_say_against_the_unit(installed: Path) -> None:
    done = run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(installed))
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_has_nothing_to_say_against_the_unit_with_a_screen(installed: Path) -> None:
    drop_in = installed.with_name(UNIT.name + ".d")
    drop_in.mkdir()
    for file in (FOLDER / (UNIT.name + ".d")).glob("*.conf"):
        (drop_in / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    done = run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(installed))
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_complain_of_a_mistake(installed: Path) -> None:
    installed.write_text(installed.read_text(encoding="utf-8") + "Nonsense=1\n", encoding="utf-8")
    done = run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(installed))
    assert "Nonsense" in done.stderr


def test_the_exposure_is_low(installed: Path) -> None:
    limit = f"--threshold={EXPOSURE_TENTHS}"
    done = run("systemd-analyze", "security", "--offline=true", limit, "--json=short", str(installed))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


def test_what_mounts_sticks_is_exposed_by_that_and_by_little_else(installed: Path) -> None:
    unit = installed.with_name("loa-usb@.service")
    text = (FOLDER / unit.name).read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/loa/current/bin", str(installed.parent / "bin")), encoding="utf-8")
    limit = f"--threshold={STICK_EXPOSURE_TENTHS}"
    done = run("systemd-analyze", "security", "--offline=true", limit, "--json=short", str(unit))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


def test_the_daemon_is_watched_and_never_given_up() -> None:
    unit = settings(UNIT.read_text(encoding="utf-8"))
    assert unit["Type"] == ["notify"]
    assert unit["NotifyAccess"] == ["main"]
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert float(unit["WatchdogSec"][0]) <= 30


def test_updates_asked_for_again_and_again_wait_and_never_lock_the_updater() -> None:
    """A start limit of the service would put the path unit into `failed` for good (systemd.path(5))."""
    update = settings((FOLDER / "loa-update.service").read_text(encoding="utf-8"))
    assert update["StartLimitIntervalSec"] == ["0"]
    program, pause_s = update["ExecStopPost"][-1].split()
    assert program == "/bin/sleep"
    assert 10 <= float(pause_s) < TAKEN_WITHIN_S  # the next wish is taken while `loa update` waits for it


def test_root_s_wishes_and_the_daemon_s_are_both_seen() -> None:
    watched = settings((FOLDER / "loa-update.path").read_text(encoding="utf-8"))["PathExists"]
    places = Places(Path("/"))
    assert watched == [str(places.request), str(places.forced)]


def test_a_wrong_configuration_is_not_tried_again() -> None:
    assert settings(UNIT.read_text(encoding="utf-8"))["RestartPreventExitStatus"] == ["2"]


@pytest.mark.parametrize("device", ["char-gpiochip rw", "char-alsa rw", "char-ttyUSB rw"])
def test_the_hardware_it_needs_stays_within_reach(device: str) -> None:
    assert device in settings(UNIT.read_text(encoding="utf-8"))["DeviceAllow"]


def test_the_clock_may_be_read() -> None:
    filters = settings(UNIT.read_text(encoding="utf-8"))["SystemCallFilter"]
    assert filters.index("~@privileged") < filters.index("adjtimex clock_adjtime clock_adjtime64")


def test_what_runs_after_the_daemon_really_switches_every_relay_off(
    mock_pins: MockFactory,  # noqa: F811
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[[relays]]\nname = "preamp"\npin = 17\nactive = "low"\n'
        '[[relays]]\nname = "horn"\npin = 27\nactive = "high"\n',
        encoding="utf-8",
    )
    mock_pins.pin(17).output_with_state(False)  # both closed, as a killed daemon leaves them
    mock_pins.pin(27).output_with_state(True)
    (line,) = settings(UNIT.read_text(encoding="utf-8"))["ExecStopPost"]
    program, *arguments = shlex.split(line.replace("/etc/loa/config.toml", str(config)))
    assert [program, *arguments[:2]] == ["/opt/loa/current/bin/python", "-m", "drivers.safe"]
    assert safe(arguments[2:]) == 0
    assert mock_pins.pin(17).state is True
    assert mock_pins.pin(27).state is False


def test_what_runs_after_the_daemon_runs_as_written(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[relays]]\nname = "preamp"\npin = 17\nactive = "low"\n', encoding="utf-8")
    (line,) = settings(UNIT.read_text(encoding="utf-8"))["ExecStopPost"]
    line = line.replace("/opt/loa/current/bin/python", sys.executable).replace(
        "/etc/loa/config.toml", str(config)
    )
    done = subprocess.run(
        shlex.split(line),
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env={"GPIOZERO_PIN_FACTORY": "mock", "PYTHONPATH": str(FOLDER.parent)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "relay 'preamp' on GPIO17 is off (high)\n", "")


def test_users_and_groups_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    groups = "".join(
        f"{name}:x:{gid}:\n" for gid, name in enumerate(["audio", "dialout", "input", "render", "video"], 20)
    )
    (tmp_path / "etc/group").write_text(groups, encoding="ascii")
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="ascii")
    done = run("systemd-sysusers", f"--root={tmp_path}", str(FOLDER / "loa.sysusers"))
    assert done.returncode == 0, done.stderr
    members = [
        line.split(":")[0]
        for line in (tmp_path / "etc/group").read_text().splitlines()
        if line.endswith(":loa")
    ]
    assert sorted(members) == ["audio", "dialout", "gpio", "input", "render", "video"]
    assert re.search(
        r"^loa:x:\d+:\d+:Loudspeaker node:/var/lib/loa:", (tmp_path / "etc/passwd").read_text(), re.M
    )


def test_folders_get_their_rights(tmp_path: Path) -> None:
    (tmp_path / "etc/loa").mkdir(parents=True)
    (tmp_path / "etc/loa/config.toml").write_text("x", encoding="ascii")
    (tmp_path / "etc/loa/config.toml").chmod(0o644)
    (tmp_path / "etc/passwd").write_text(
        "root:x:0:0::/:/bin/sh\nloa:x:990:990::/:/bin/sh\n", encoding="ascii"
    )
    (tmp_path / "etc/group").write_text("root:x:0:\nloa:x:990:\n", encoding="ascii")
    done = run("systemd-tmpfiles", "--create", f"--root={tmp_path}", str(FOLDER / "loa.tmpfiles"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "var/lib/loa").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "etc/loa/config.toml").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "var/lib/loa").stat().st_uid == 990


def test_rules_of_udev_are_well_formed() -> None:
    term = r'[A-Z]+(\{[a-z_]+\})?(==|!=|=|\+=)"[^"]*"'
    for line in (FOLDER / "60-loa.rules").read_text(encoding="utf-8").splitlines():
        assert not line or line.startswith("#") or re.fullmatch(rf"{term}(, {term})*", line), line


def test_the_readme_names_every_file() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for file in FOLDER.rglob("*"):
        if file.is_file() and file.name != "README.md":
            assert str(file.relative_to(FOLDER)) in text


@pytest.mark.parametrize("name", ["loa-update.service", "loa-update.path", "loa-settle.service"])
def test_systemd_has_nothing_to_say_against_the_other_units(installed: Path, name: str) -> None:
    program = installed.parent / "bin/loa"
    for other in FOLDER.glob("loa-*.*"):
        if other.suffix in (".service", ".path") and other.name != installed.name:
            text = re.sub(
                r"/opt/loa/(current/bin/loa-update|switch)\b", str(program), other.read_text("utf-8")
            )
            installed.with_name(other.name).write_text(text, encoding="utf-8")
    unit = installed.with_name(name)
    done = run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_node_waits_for_no_clock_and_no_network() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert "time-sync" not in text
    assert "network-online" not in text


def test_the_system_s_log_is_bounded() -> None:
    journald = settings((FOLDER / "loa-journald.conf").read_text(encoding="utf-8"))
    assert journald["Storage"] == ["persistent"]
    assert journald["SystemMaxUse"] == ["100M"]
    assert "LogRateLimitBurst" in settings(UNIT.read_text(encoding="utf-8"))


def test_a_machine_that_hangs_is_reset_within_what_a_raspberry_pi_can_count() -> None:
    watchdog = settings((FOLDER / "loa-watchdog.conf").read_text(encoding="utf-8"))
    assert float(watchdog["RuntimeWatchdogSec"][0]) <= 15


def test_what_an_update_left_is_settled_before_the_node_starts() -> None:
    settle = settings((FOLDER / "loa-settle.service").read_text(encoding="utf-8"))
    assert "loa-agent.service" in settle["Before"][0].split()
    assert "loa-settle.service" in settings(UNIT.read_text(encoding="utf-8"))["After"][0].split()
    (line,) = settle["ExecStart"]
    assert line.startswith("/opt/loa/switch settle ")
