"""What a stick starts, as systemd and udev read it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "loa-usb@.service"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit for one stick, with a program that exists here."""
    program = tmp_path / "loa"
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    text = UNIT.read_text(encoding="utf-8").replace("/opt/loa/current/bin/loa", str(program))
    (tmp_path / UNIT.name).write_text(text, encoding="utf-8")
    return tmp_path / "loa-usb@sda1.service"


def verify(unit: Path) -> tuple[int, str]:
    command = ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(unit)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


def test_systemd_has_nothing_to_say_against_the_unit(installed: Path) -> None:
    assert verify(installed) == (0, "")


def test_systemd_would_complain_of_a_mistake(installed: Path) -> None:
    template = installed.with_name(UNIT.name)
    template.write_text(template.read_text(encoding="utf-8") + "Nonsense=1\n", encoding="utf-8")
    assert "Nonsense" in verify(installed)[1]


def test_it_ends_with_the_stick_and_leaves_nothing_mounted() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert "BindsTo=dev-%i.device" in text
    assert re.search(r"^ExecStopPost=-/usr/bin/umount .*/run/loa-usb/%I$", text, re.MULTILINE)


def test_nothing_gives_it_a_view_of_its_own_in_which_the_agent_would_not_see_the_stick() -> None:
    settings = re.findall(r"^([A-Za-z]+)=(?!no$)", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    own_view = r"Protect(System|Home|Kernel.*|ControlGroups|Proc)|Private(Tmp|Devices|Mounts)|.*Paths|Root.*"
    assert not [name for name in settings if re.fullmatch(own_view, name)]
    assert "\nPrivateMounts=no\n" in UNIT.read_text(encoding="utf-8")  # for PrivateNetwork= since systemd 254


def test_the_rule_starts_it_for_sticks_and_nothing_else() -> None:
    lines = [
        line for line in (FOLDER / "61-loa-usb.rules").read_text().splitlines() if not line.startswith("#")
    ]
    (rule,) = lines
    matches = dict(re.findall(r"(\S+?)==\"([^\"]*)\"", rule))
    assert matches["SUBSYSTEM"] == "block"
    assert matches["ENV{ID_BUS}"] == "usb"
    from agent.usb.mounting import TYPES

    assert set(matches["ENV{ID_FS_TYPE}"].split("|")) == set(TYPES)
    assert 'ENV{SYSTEMD_WANTS}+="loa-usb@%k.service"' in rule
