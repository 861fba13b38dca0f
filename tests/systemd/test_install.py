"""The installer's answers where nothing is to be installed, in a root of the test's own.

A whole installation in a clean Debian is `./dev install-test`.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system with little in it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(BOOKWORM, encoding="ascii")
    return tmp_path


def install(root: Path, *arguments: str, machine: str = "arm64") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FOLDER / "install.sh", *arguments],
        env={**os.environ, "LOA_ROOT": str(root), "LOA_MACHINE": machine},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def files_of(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_check_tells_what_is_missing_and_changes_nothing(root: Path) -> None:
    before = files_of(root)
    done = install(root, "--check")
    assert done.returncode == 1
    assert "ok       system (Debian GNU/Linux 12 (bookworm))" in done.stdout
    assert re.search(r"^missing  /etc/systemd/system/loa-agent.service: run install.sh", done.stdout, re.M)
    assert files_of(root) == before


@pytest.mark.parametrize(
    ("release", "machine", "said"),
    [
        ('ID=ubuntu\nVERSION_ID="24.04"\n', "amd64", "this is ubuntu 24.04"),
        ('ID=debian\nVERSION_ID="11"\n', "arm64", "this is debian 11"),
        (BOOKWORM, "armhf", "Raspberry Pi OS 64-bit"),
        ("", "arm64", "this is unknown"),
    ],
)
def test_another_system_is_refused_in_one_line_before_anything_is_done(
    root: Path, release: str, machine: str, said: str
) -> None:
    (root / "etc/os-release").write_text(release, encoding="ascii")
    before = files_of(root)
    done = install(root, machine=machine)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line]
    assert said in line
    assert "nothing was changed" in line
    assert files_of(root) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from"], "--from needs a folder"),
        (["--from", "/nowhere"], "there is no such folder"),
        (["--nonsense"], "--nonsense is not understood"),
        (["--purge"], "--purge goes with --uninstall"),
    ],
)
def test_wrong_arguments_are_told_apart_from_failures(root: Path, arguments: list[str], said: str) -> None:
    done = install(root, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_folder_without_the_program_is_named_and_what_runs_stays(root: Path, tmp_path: Path) -> None:
    (root / "opt/loa/0.0.9").mkdir(parents=True)
    (root / "opt/loa/current").symlink_to("0.0.9")
    empty = tmp_path / "wheels"
    empty.mkdir()
    done = install(root, "--from", str(empty))
    assert done.returncode == 1
    assert f"no loa_agent-*.whl in {empty}" in done.stderr
    assert (root / "opt/loa/current").readlink() == Path("0.0.9")
    assert list((root / "var/tmp").iterdir()) == []


def test_nothing_is_installed_while_an_update_is_on_trial(root: Path) -> None:
    (root / "opt/loa").mkdir(parents=True)
    (root / "opt/loa/trial").write_text("0.0.9\n", encoding="ascii")
    done = install(root)
    assert done.returncode == 1
    assert "an update is on trial" in done.stderr


def test_what_is_removed_leaves_the_configuration_and_the_play_log(root: Path) -> None:
    for path in ("opt/loa/0.1.0", "etc/loa", "var/lib/loa/journal", "etc/systemd/system/loa-agent.service.d"):
        (root / path).mkdir(parents=True)
    (root / "etc/loa/config.toml").write_text("x", encoding="ascii")
    (root / "etc/systemd/system/loa-agent.service").write_text("x", encoding="ascii")
    done = install(root, "--uninstall")
    assert (done.returncode, done.stderr) == (0, "")
    assert (root / "etc/loa/config.toml").exists()
    assert (root / "var/lib/loa/journal").exists()
    assert not (root / "opt/loa").exists()
    assert list((root / "etc/systemd/system").iterdir()) == []
    assert install(root, "--uninstall", "--purge").returncode == 0
    assert not (root / "etc/loa").exists()
    assert not (root / "var/lib/loa").exists()


def test_it_installs_what_a_node_needs_as_developers_and_the_readme_have_it() -> None:
    def listed(file: str, name: str) -> set[str]:
        text = (FOLDER.parent / file).read_text(encoding="utf-8")
        found = re.search(rf"^{name}=\((.*?)\)", text, re.M | re.S)
        assert found is not None
        return set(found[1].split())

    needed = listed("systemd/install.sh", "PACKAGES")
    assert needed == listed("dev", "NODE_PACKAGES")
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    first, *others = re.findall(r"^apt install --no-install-recommends ([^#\n]*)", readme, re.M)
    assert set(first.split()) == needed
    assert [line.split() for line in others] == [["python3-lgpio"]]
