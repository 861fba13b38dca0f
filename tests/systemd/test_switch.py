"""The script that moves a node between versions, cut off at every point."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

SWITCH = Path(__file__).parents[2] / "systemd/switch"
CONSOLE = "loa-agent.service.d/screen-kmsdrm.conf"
SHARED = {
    "man/loa.1": "man/man1/loa.1",
    "man/vi/loa.1": "man/vi/man1/loa.1",
    "completion.bash": "bash-completion/completions/loa",
    "config.example.toml": "doc/loa/config.example.toml",
}
SYSTEMD = '#!/bin/sh\necho "$@" >>"$CALLS"\n'


class Machine:
    """A root with two versions of which 1.0 runs, and a systemd that writes down what it is asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opt = root / "opt/loa"
        self.state = root / "var/lib/loa-update"
        self.calls = root / "calls"
        for version in ("1.0", "1.1", "broken"):
            units = self.opt / version / "systemd"
            units.mkdir(parents=True)
            for source in SWITCH.parent.glob("*loa*"):
                if source.is_file():
                    (units / source.name).write_text(f"# of {version}\n", encoding="ascii")
            (units / "loa-agent.service.d").mkdir()
            (units / CONSOLE).write_text(f"# of {version}\n", encoding="ascii")
            (units / "switch").write_bytes(SWITCH.read_bytes())
            share = self.opt / version / "share"
            (share / "man/vi").mkdir(parents=True)
            for name in SHARED:
                (share / name).write_text(f"# of {version}\n", encoding="ascii")
            if version != "broken":
                (self.opt / version / ".complete").touch()
        self.state.mkdir(parents=True)
        tools = root / "tools"
        tools.mkdir()
        for name in ("systemctl", "systemd-run"):
            (tools / name).write_text(SYSTEMD, encoding="ascii")
            (tools / name).chmod(0o755)
        self.environment = {
            "LOA_ROOT": str(root),
            "CALLS": str(self.calls),
            "PATH": f"{tools}:{os.environ['PATH']}",
        }
        self.switch("to", "1.0")

    def switch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SWITCH, *arguments],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )

    @property
    def current(self) -> str:
        return str((self.opt / "current").readlink())

    @property
    def unit(self) -> str:
        return (self.root / "etc/systemd/system/loa-agent.service").read_text(encoding="ascii")

    @property
    def settled(self) -> str | None:
        file = self.state / "settled"
        return file.read_text(encoding="utf-8") if file.exists() else None


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_version_comes_with_its_units(machine: Machine) -> None:
    assert (machine.current, machine.unit) == ("1.0", "# of 1.0\n")
    assert machine.switch("to", "1.1").returncode == 0
    assert (machine.current, machine.unit) == ("1.1", "# of 1.1\n")
    assert (machine.opt / "previous").read_text() == "1.0\n"
    assert "daemon-reload" in machine.calls.read_text()


def test_users_and_folders_that_a_version_adds_are_made_at_once_and_only_then(machine: Machine) -> None:
    machine.calls.unlink()
    (machine.opt / "1.1/systemd/loa.tmpfiles").write_text("d /var/lib/loa/new\n", encoding="ascii")
    assert machine.switch("to", "1.1").returncode == 0
    calls = machine.calls.read_text()
    assert f"--wait systemd-sysusers --root={machine.root} {machine.root}/etc/sysusers.d/loa.conf" in calls
    assert f"--wait systemd-tmpfiles --root={machine.root} --create" in calls
    machine.calls.unlink()
    assert machine.switch("to", "1.1").returncode == 0
    assert not machine.calls.exists()


def test_a_systemd_that_makes_nothing_stops_no_switch(machine: Machine) -> None:
    (machine.root / "tools/systemd-run").write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    done = machine.switch("to", "1.1")
    assert (done.returncode, machine.current) == (0, "1.1")
    assert "systemd-tmpfiles failed; the next start of the machine makes it up" in done.stderr


def test_a_version_comes_with_its_pages_and_its_words_for_the_shell_and_goes_with_them(
    machine: Machine,
) -> None:
    for verb, version in (["try", "1.1"], "1.1"), (["back"], "1.0"):
        assert machine.switch(*verb).returncode == 0
        for name in SHARED.values():
            assert (machine.root / "usr/local/share" / name).read_text() == f"# of {version}\n"


def test_the_drop_in_of_a_bare_console_comes_along_where_there_is_one_and_nowhere_else(
    machine: Machine,
) -> None:
    placed = machine.root / "etc/systemd/system" / CONSOLE
    assert machine.switch("to", "1.1").returncode == 0
    assert not placed.exists()
    placed.parent.mkdir()
    placed.write_text("# of 1.1\n", encoding="ascii")
    machine.calls.unlink()
    assert machine.switch("to", "1.0").returncode == 0
    assert placed.read_text() == "# of 1.0\n"
    assert "daemon-reload" in machine.calls.read_text()


def test_a_version_without_pages_leaves_those_that_are_there(machine: Machine) -> None:
    shutil.rmtree(machine.opt / "1.1/share")
    done = machine.switch("to", "1.1")
    assert (done.returncode, done.stderr, machine.current) == (0, "", "1.1")
    assert (machine.root / "usr/local/share/man/man1/loa.1").read_text() == "# of 1.0\n"


def test_a_version_that_was_not_finished_is_never_put_in_force(machine: Machine) -> None:
    done = machine.switch("try", "broken")
    assert done.returncode == 1
    assert "is not a complete version" in done.stderr
    assert (machine.current, machine.unit) == ("1.0", "# of 1.0\n")
    assert not (machine.opt / "trial").exists()


def test_a_version_on_trial_is_kept_when_it_is_good(machine: Machine) -> None:
    assert machine.switch("try", "1.1").returncode == 0
    assert machine.switch("keep").returncode == 0
    assert machine.current == "1.1"
    assert not (machine.opt / "trial").exists()
    assert (machine.opt / "previous").read_text() == "1.0\n"
    assert machine.switch("settle", "whatever").returncode == 0
    assert (machine.current, machine.settled) == ("1.1", None)


def test_a_version_on_trial_is_left_with_its_units(machine: Machine) -> None:
    machine.switch("try", "1.1")
    assert machine.switch("back").returncode == 0
    assert (machine.current, machine.unit) == ("1.0", "# of 1.0\n")
    assert not (machine.opt / "trial").exists()


def test_an_update_that_was_cut_off_leads_back_and_says_so(machine: Machine) -> None:
    (machine.state / "busy").touch()
    machine.switch("try", "1.1")
    assert machine.switch("settle", "the power failed").returncode == 0
    assert machine.current == "1.0"
    assert machine.settled == "the power failed; back to 1.0\n"
    assert not (machine.state / "busy").exists()
    assert "try-restart --no-block loa-agent.service" in machine.calls.read_text()


def test_an_update_that_was_cut_off_before_it_tried_anything_is_only_told(machine: Machine) -> None:
    (machine.state / "busy").touch()
    machine.calls.unlink()
    assert machine.switch("settle", "the power failed").returncode == 0
    assert (machine.current, machine.settled) == ("1.0", "the power failed\n")
    assert not machine.calls.exists()


def test_where_nothing_was_cut_off_nothing_is_settled(machine: Machine) -> None:
    machine.calls.unlink()
    assert machine.switch("settle", "the power failed").returncode == 0
    assert machine.settled is None
    assert not machine.calls.exists()


COMMANDS = 82
"""That a trial runs."""


@pytest.mark.parametrize("after", range(COMMANDS + 1))
def test_the_power_may_fail_at_any_command_of_a_trial(machine: Machine, after: int) -> None:
    """The script is killed when it is about to run its n-th command; what boots then is whole, and is the old one."""
    tools = machine.root / "tools"
    for name in ("cp", "mv", "ln", "rm", "sync", "chmod", "cmp", "mkdir", "cat"):
        (tools / name).write_text(
            '#!/bin/sh\necho x >>"$COUNT"\n'
            f'[ "$(wc -l <"$COUNT")" -le {after} ] || kill -KILL $PPID\nexec /bin/{name} "$@"\n',
            encoding="ascii",
        )
        (tools / name).chmod(0o755)
    machine.environment["COUNT"] = str(machine.root / "count")
    (machine.state / "busy").touch()
    cut = machine.switch("try", "1.1")
    for name in ("cp", "mv", "ln", "rm", "sync", "chmod", "cmp", "mkdir", "cat"):
        (tools / name).unlink()
    assert cut.returncode == (0 if after == COMMANDS else -signal.SIGKILL)
    assert machine.current in ("1.0", "1.1")
    settled = machine.switch("settle", "the power failed")
    assert settled.returncode == 0, settled.stderr
    assert (machine.current, machine.unit) == ("1.0", "# of 1.0\n")
    assert not (machine.opt / "trial").exists()
    assert machine.settled is not None
