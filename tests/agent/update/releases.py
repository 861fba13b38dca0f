"""Releases of this program with another version number, whole or broken in a chosen way, made in a second.

The wheel of the program is put together from the sources; its dependencies are a wheel with one `.pth` file, which
points to those of the tests' own environment.
"""

from __future__ import annotations

import base64
import hashlib
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.update.archive import Info, kind_here

ROOT = Path(__file__).parents[3]
ROOMS = ("agent", "drivers", "playlists")
NOT_NEEDED = tuple(f"agent/{room}/" for room in ("station", "doctor", "setup", "preview", "tryout", "locale"))
"""Rooms that a node which is updated does without; a release is built in half the time."""
ENTRY_POINTS = "[console_scripts]\nloa = agent.cli.main:main\nloa-update = agent.update.updater:main\n"
Change = Callable[[str], str]


def crashes(_source: str) -> str:
    """A daemon that ends at once, but not where it is only tried."""
    return _source.replace(
        "    recent = set_up(config.log.level)",
        "    if config.node.id != 'tryout':\n        raise RuntimeError('this release is broken')\n"
        "    recent = set_up(config.log.level)",
    )


def hangs(_source: str) -> str:
    """A daemon that never becomes ready, but where it is only tried."""
    return _source.replace(
        "    recent = set_up(config.log.level)",
        "    if config.node.id != 'tryout':\n        __import__('threading').Event().wait()\n"
        "    recent = set_up(config.log.level)",
    )


def does_not_compile(_source: str) -> str:
    """A mistake that a self-check finds."""
    return "def main(:\n"


DAEMON = "agent/daemon.py"


def archive(
    folder: Path,
    version: str,
    changes: Mapping[str, Change] | None = None,
    *,
    debian: tuple[str, ...] = (),
    spoil: bool = False,
) -> Path:
    """A release archive of this program as `version`.

    Args:
        folder: where it is put.
        version: what it calls itself.
        changes: of its sources, by path.
        debian: packages that it says it needs.
        spoil: its wheel is cut off in the middle.
    """
    info = Info(
        version=version, python=kind_here().split("-")[0], machine=kind_here().split("-")[1], debian=debian
    )
    name = f"loa-agent-{version}-{info.kind}"
    work = folder / name
    wheels = work / "wheels"
    wheels.mkdir(parents=True)
    program = wheel(wheels, "loa_agent", version, sources(version, changes or {}, NOT_NEEDED), ENTRY_POINTS)
    if spoil:
        program.write_bytes(program.read_bytes()[: program.stat().st_size // 2])
    here = sysconfig.get_paths()["purelib"]
    wheel(wheels, "loa_of_the_tests", "1", {"loa_of_the_tests.pth": f"{here}\n".encode()})
    (work / "release.json").write_text(info.model_dump_json(), encoding="utf-8")
    packed = folder / f"{name}.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(work, name)
        tar.add(ROOT / "systemd", f"{name}/systemd")
    return packed


def sources(version: str, changes: Mapping[str, Change], without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The program's files by path."""
    found = {}
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*")):
            path = str(file.relative_to(ROOT))
            if file.is_file() and "__pycache__" not in path and not path.startswith(without):
                found[path] = file.read_bytes()
    found["agent/__init__.py"] = f'"""The agent."""\n\n__version__ = "{version}"\n'.encode()
    for path, change in changes.items():
        changed = change(found[path].decode())
        assert changed != found[path].decode(), f"{path} is not as it was"
        found[path] = changed.encode()
    return found


def wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes], entry_points: str = "") -> Path:
    """A pure wheel (PEP 427)."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entry_points.encode(),
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    record = []
    with zipfile.ZipFile(path, "w") as packed:
        for inside, data in files.items():
            packed.writestr(inside, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{inside},sha256={digest},{len(data)}")
        packed.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return path
