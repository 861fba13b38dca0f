"""Builds a version's folder from a release: an environment of its own, out of the wheels of the release alone."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.files import write_atomically
from agent.update.archive import Info, digest_of
from agent.update.errors import Failed, Refused

COMPLETE = ".complete"
ROOM_FACTOR = 6
"""A release unpacks to about five times its size; measured with 0.1.0: 56 MB, 241 MB."""
BUILD_WITHIN_S = 3_600.0
DEBIAN_PYTHON = Path("/usr/lib/python3/dist-packages")


def check_room(opt: Path, archive: Path) -> None:
    """See that there is room.

    Raises:
        Failed: there is not.
    """
    needed = archive.stat().st_size * ROOM_FACTOR
    free = shutil.disk_usage(opt).free
    if free < needed:
        raise Failed(f"{opt}: {free // 1_000_000} MB are free, the release needs {needed // 1_000_000}")


def check_packages(info: Info) -> None:
    """See that Debian has what the release needs; an update does not touch the system.

    Raises:
        Refused: something is missing.
    """
    missing = []
    for package in info.debian:
        done = subprocess.run(
            ["dpkg-query", "-W", "-f=${db:Status-Status}", package],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.stdout != "installed":
            missing.append(package)
    if missing:
        raise Refused(
            f"release {info.version} needs Debian packages that are not here: {' '.join(missing)}. "
            "Install them, or run install.sh of that release"
        )


def build(release: Path, info: Info, opt: Path, like: Path, *, board: bool = False) -> Path:
    """Make the folder of a version; it is not complete until `finish`.

    Args:
        release: the unpacked archive.
        info: what it says of itself.
        opt: where versions lie.
        like: the folder of the version that runs; the new one gets Debian's Python parts if this has them, and its
            pygame from where this has it.
        board: it is a board on a bare console, where pip's pygame shows nothing: Debian's is taken if it is there.

    Raises:
        Refused: the release holds no program.
        Failed: something of it cannot be installed.
        OSError: it cannot be written.
    """
    digest = digest_of(release)
    folder = _folder_of(info.version, digest, opt)
    if (folder / COMPLETE).exists():
        return folder
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    debian = "include-system-site-packages = true" in (like / "pyvenv.cfg").read_text(encoding="utf-8")
    python = folder / "bin/python"
    pip = [part for part in _packages(like).glob("pip*") if part.name == "pip" or part.suffix == ".dist-info"]
    # unpacking pip anew costs a small machine a minute
    options = [*(["--system-site-packages"] if debian else []), *(["--without-pip"] if pip else [])]
    _run([_base_python(), "-m", "venv", *options, folder])
    for part in pip:
        shutil.copytree(part, _packages(folder) / part.name)
    wheels = sorted((release / "wheels").glob("*.whl"))
    own_pygame = _pygame_of(like)
    if own_pygame == "pip" and board and debian and _debian_has_pygame():
        own_pygame = None
    if own_pygame == "built here" or (debian and own_pygame is None):
        wheels = [wheel for wheel in wheels if not wheel.name.startswith("pygame-")]
    # the release is whole: what it lacks is not looked for elsewhere, and is found out when it is tried
    options = ["--no-index", "--no-deps", "--no-compile", *(["--ignore-installed"] if debian else [])]
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, *wheels])
    if own_pygame == "built here":
        _take_along(like, folder)
    _run([python, "-m", "compileall", "-q", "-j", "0", folder / "lib"], must=False)
    shutil.copytree(release / "systemd", folder / "systemd")
    _share(release, folder / "share")
    return folder


def finish(folder: Path, release: Path, completion: str = "") -> None:
    """Everything of it is there, on the medium, and was tried: it may be started.

    Args:
        folder: of the version.
        release: the unpacked archive.
        completion: for the shell; empty if the version makes none.

    Raises:
        OSError: it cannot be written.
    """
    if completion:
        (folder / "share/completion.bash").write_text(completion, encoding="utf-8")
    subprocess.run(["sync"], check=False)
    write_atomically(folder / COMPLETE, digest_of(release).encode() + b"\n", mode=0o644)


def tidy(opt: Path, *kept: str) -> None:
    """Remove all versions but these; what cannot be removed stays."""
    for folder in opt.iterdir():
        if folder.is_dir() and not folder.is_symlink() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _share(release: Path, share: Path) -> None:
    """What `switch` puts below /usr/local/share; `install.sh` lays out the same. Nothing of it is needed to speak."""
    share.mkdir(exist_ok=True)  # a wheel may have brought something
    with contextlib.suppress(FileNotFoundError):
        shutil.copy(release / "config.example.toml", share)
    with contextlib.suppress(FileNotFoundError):
        shutil.copytree(release / "docs/man", share / "man", dirs_exist_ok=True)


def _folder_of(version: str, digest: str, opt: Path) -> Path:
    """A version that is there is never written over: other content of the same number goes beside it."""
    folder = opt / version
    with contextlib.suppress(FileNotFoundError):
        if (folder / COMPLETE).read_text(encoding="ascii").strip() != digest:
            return opt / f"{version}-{digest}"
    return folder


def _base_python() -> Path:
    return Path(sys.base_exec_prefix) / f"bin/python{sys.version_info[0]}.{sys.version_info[1]}"


def _packages(folder: Path) -> Path:
    return folder / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def _pygame_of(folder: Path) -> str | None:
    """Where a version's pygame comes from: `pip`, `built here` for a board on a bare console, or None: Debian's."""
    for wheel in _packages(folder).glob("pygame-*.dist-info/WHEEL"):
        tags = re.findall(r"^Tag: (.*)$", wheel.read_text(encoding="utf-8"), re.M)
        return "pip" if any("manylinux" in tag for tag in tags) else "built here"
    return None


def _debian_has_pygame() -> bool:
    return (DEBIAN_PYTHON / "pygame").is_dir()


def _take_along(old: Path, new: Path) -> None:
    for part in (*_packages(old).glob("pygame"), *_packages(old).glob("pygame-*.dist-info")):
        shutil.copytree(part, _packages(new) / part.name, dirs_exist_ok=True)


def _run(command: Sequence[str | Path], *, must: bool = True) -> None:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, errors="replace", timeout=BUILD_WITHIN_S
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[2]} took longer than {BUILD_WITHIN_S:.0f} s") from error
    if must and done.returncode != 0:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise Failed(f"the release cannot be built here: {said[-1] if said else done.returncode!r:.300}")
