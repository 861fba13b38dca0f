"""The installer's answers where nothing is to be installed, in a root of the test's own.

A whole installation in a clean Debian is `./dev install-test`.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.agent.update.releases import wheel

FOLDER = Path(__file__).parents[2] / "systemd"
GROUPS = ("audio", "dialout", "input", "render", "video")
BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
TRIXIE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system with little in it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(BOOKWORM, encoding="ascii")
    return tmp_path


def install(root: Path, *arguments: str, machine: str = "arm64") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FOLDER / "install.sh", *arguments],
        env={
            **os.environ,
            "LOA_ROOT": str(root),
            "LOA_MACHINE": machine,
            "PATH": f"{root}/tools:{os.environ['PATH']}",
        },
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
    ("release", "raspberry", "known", "wanted"),
    [
        (BOOKWORM, True, True, False),  # pip has it for its Python
        (TRIXIE, True, False, True),  # lists may not have been fetched yet
        (TRIXIE, False, True, True),
        (TRIXIE, False, False, False),
    ],
)
def test_lgpio_of_debian_is_wanted_where_pip_has_none_and_there_is_one(
    root: Path, release: str, raspberry: bool, known: bool, wanted: bool
) -> None:
    (root / "etc/os-release").write_text(release, encoding="ascii")
    if raspberry:
        (root / "etc/rpi-issue").touch()
    (root / "tools").mkdir()
    (root / "tools/apt-cache").symlink_to("/bin/true" if known else "/bin/false")
    (line,) = [line for line in install(root, "--check").stdout.splitlines() if "Debian packages" in line]
    assert ("python3-lgpio" in line) is wanted


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


def release(root: Path, folder: Path, name: str, *, pygame: str) -> str:
    """A wheel in `folder`, and `name` in force as if installed from it; returns the wheel's digest."""
    record = b"loa_agent-0.1.0.dist-info/RECORD,,\n"
    info = "loa_agent-0.1.0.dist-info"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "loa_agent-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: loa-agent\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", record)
    digest = hashlib.sha256(record).hexdigest()[:12]
    version = root / "opt/loa" / name
    of_pygame = version / "lib/python3.11/site-packages/pygame-2.6.1.dist-info"
    of_pygame.mkdir(parents=True)
    (of_pygame / "WHEEL").write_text(f"Tag: cp311-cp311-{pygame}\n", encoding="ascii")
    (version / ".complete").write_text(f"{digest}\n", encoding="ascii")
    current = root / "opt/loa/current"
    current.unlink(missing_ok=True)
    current.symlink_to(name)
    return digest


def test_what_runs_stays_whole_while_the_same_version_is_built_for_a_board(
    root: Path, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    digest = release(root, wheels, "0.1.0", pygame="manylinux_2_17_x86_64")
    before = files_of(root / "opt/loa/0.1.0")
    done = install(root, "--board", "--from", str(wheels))
    assert done.returncode == 1  # there is no pygame in the folder
    assert "what ran before stays" in done.stderr
    assert (root / "opt/loa/current").readlink() == Path("0.1.0")
    assert files_of(root / "opt/loa/0.1.0") == before
    assert (root / f"opt/loa/0.1.0-{digest}-board/bin/python").exists()
    assert not (root / f"opt/loa/0.1.0-{digest}-board/.complete").exists()


def test_what_was_built_for_a_board_stays_in_force_when_the_installer_runs_without_saying_so(
    root: Path, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    digest = release(root, wheels, "0.1.0", pygame="manylinux_2_17_x86_64")
    board = f"0.1.0-{digest}-board"
    release(root, wheels, board, pygame="linux_aarch64")
    for arguments in ([], ["--board"]):
        assert f"{board} is there already" in install(root, *arguments, "--from", str(wheels)).stdout
        assert (root / "opt/loa/current").readlink() == Path(board)


def test_a_newer_version_is_for_a_board_where_the_one_before_was_and_brings_its_files_along(
    root: Path, tmp_path: Path
) -> None:
    """Nobody says `--board`, nothing is built, no network is asked."""
    wheels = tmp_path / "wheels"
    release(root, wheels, "0.1.0", pygame="linux_aarch64")
    built = root / "opt/loa/0.1.0/lib/python3.11/site-packages/pygame/__init__.py"
    built.parent.mkdir()
    built.write_text("SDL = 'built here'\n", encoding="ascii")
    console = root / "etc/systemd/system/loa-agent.service.d/screen-kmsdrm.conf"
    console.parent.mkdir(parents=True)
    console.write_text("# of 0.1.0\n", encoding="ascii")
    next(wheels.iterdir()).unlink()
    program = {
        "agent/__init__.py": b"",
        "agent/loa.py": b"def main() -> None:\n    print('complete -F _loa_completion loa')\n",
        "pygame/__init__.py": b"SDL = 'of pip'\n",
    }
    (root / "tools").mkdir()
    (root / "tools/systemctl").symlink_to("/bin/true")
    (root / "etc/group").write_text(
        "".join(f"{name}:x:{gid}:\n" for gid, name in enumerate(GROUPS, 20)), encoding="ascii"
    )
    wheel(wheels, "loa_agent", "0.2.0", program, "[console_scripts]\nloa = agent.loa:main\n")
    done = install(root, "--from", str(wheels))
    assert "[4/6] the loa command" in done.stdout, done.stdout + done.stderr
    assert (root / "opt/loa/current").readlink() == Path("0.2.0")
    own = root / "opt/loa/0.2.0/lib/python3.11/site-packages/pygame/__init__.py"
    assert own.read_text() == "SDL = 'built here'\n"
    assert console.read_bytes() == (FOLDER / "loa-agent.service.d/screen-kmsdrm.conf").read_bytes()
    share = root / "usr/local/share"
    assert (share / "bash-completion/completions/loa").read_text() == "complete -F _loa_completion loa\n"
    for page in ("man1/loa.1", "vi/man1/loa.1"):
        source = FOLDER.parent / "docs/man" / page.replace("man1/", "")
        assert (share / "man" / page).read_bytes() == source.read_bytes()


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
