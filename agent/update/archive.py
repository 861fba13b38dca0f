"""A release: one tar file with wheels, units and the installer, for one kind of machine and one Python.

`release.json` in it says for whom it is. The same file is what a technician unpacks to install a node without a
network, and what a station publishes as `releases/loa-agent-VERSION-KIND.tar`.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from agent.update.errors import Refused

INFO = "release.json"
NEWEST = "releases/newest.json"
"""Target that says which release is the newest."""

MOST_BYTES = 1_000_000_000
"""An archive is at most so large, unpacked as well: wheels are compressed already."""
MOST_FILES = 2_000
_MOST_INFO_BYTES = 100_000
_CHUNK_BYTES = 1 << 20


def _version(text: str) -> str:
    try:
        Version(text)
    except InvalidVersion as error:
        raise ValueError(f"{text!r} is no version") from error
    return text


VersionText = Annotated[
    str, Field(max_length=64, pattern=r"^[0-9][A-Za-z0-9.+-]*$"), AfterValidator(_version)
]


class Info(BaseModel):
    """What `release.json` says."""

    model_config = ConfigDict(frozen=True)

    format: Literal["loa.release/1"] = "loa.release/1"
    version: VersionText
    python: Annotated[str, Field(pattern=r"^cp3\d{1,2}$")]
    machine: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    debian: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]{1,99}$")], ...], Field(max_length=200)
    ]
    """Debian packages that it needs."""

    @property
    def kind(self) -> str:
        """For which Python and machine."""
        return f"{self.python}-{self.machine}"

    @property
    def target(self) -> str:
        """Its name in a feed."""
        return target_of(self.version, self.kind)


class Newest(BaseModel):
    """What `releases/newest.json` says."""

    model_config = ConfigDict(frozen=True)

    format: Literal["loa.releases/1"] = "loa.releases/1"
    newest: VersionText


def target_of(version: str, kind: str) -> str:
    """The name of a release in a feed."""
    return f"releases/loa-agent-{version}-{kind}.tar"


def kind_here() -> str:
    """What runs here, e.g. `cp311-aarch64`."""
    return f"cp{sys.version_info[0]}{sys.version_info[1]}-{platform.machine()}"


def newer(version: str, than: str) -> int:
    """1 if `version` is newer, 0 if it is the same, -1 if it is older (PEP 440).

    Raises:
        Refused: one of them is no version.
    """
    try:
        left, right = Version(version), Version(than)
    except InvalidVersion as error:
        raise Refused(f"{error}") from error
    return (left > right) - (left < right)


def make(folder: Path, archive: Path) -> Info:
    """Pack a folder made by `./dev release`, with a `release.json` for the machine that runs this.

    Raises:
        Refused: the folder is no release.
        OSError: it cannot be read or written.
    """
    own = sorted((folder / "wheels").glob("loa_agent-*.whl"))
    if len(own) != 1:
        raise Refused(f"{folder}/wheels: expected one loa_agent-*.whl, found {len(own)}")
    listed = re.search(
        r"^PACKAGES=\((.*?)\)", (folder / "systemd/install.sh").read_text(encoding="utf-8"), re.M | re.S
    )
    python, _, machine = kind_here().partition("-")
    info = Info(
        version=own[0].name.split("-")[1],
        python=python,
        machine=machine,
        debian=tuple(listed[1].split()) if listed else (),
    )
    (folder / INFO).write_text(info.model_dump_json(indent=1) + "\n", encoding="utf-8")
    with tarfile.open(archive, "w") as tar:
        tar.add(folder, folder.name, filter=_anonymous)
    return info


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if "__pycache__" in member.name:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def read_info(archive: Path) -> Info:
    """What an archive says of itself.

    Raises:
        Refused: it is no release.
        OSError: it cannot be read.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if len(path.parts) == 2 and path.name == INFO and member.isfile():
                    file = tar.extractfile(member)
                    if file is None or member.size > _MOST_INFO_BYTES:
                        break
                    return Info.model_validate_json(file.read())
    except (tarfile.TarError, ValidationError) as error:
        raise Refused(f"{archive.name}: is no release: {_first_line(error)}") from error
    raise Refused(f"{archive.name}: is no release, it has no {INFO}")


def unpack(archive: Path, into: Path) -> Path:
    """Unpack a release; returns its folder below `into`. Only plain files and folders, none outside.

    Raises:
        Refused: it is damaged, too large, or names something else.
        OSError: it cannot be written.
    """
    total = count = 0
    tops: set[str] = set()
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                count, total = count + 1, total + member.size
                if path.is_absolute() or ".." in path.parts or not path.parts:
                    raise Refused(f"{archive.name}: names {member.name!r:.80}, outside of itself")
                if count > MOST_FILES or total > MOST_BYTES:
                    raise Refused(f"{archive.name}: has more than {MOST_FILES} files or {MOST_BYTES} bytes")
                tops.add(path.parts[0])
                target = into / path
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                elif member.isfile():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    source = tar.extractfile(member)
                    assert source is not None  # noqa: S101 - a plain file has content
                    with source, target.open("xb") as file:
                        shutil.copyfileobj(source, file, _CHUNK_BYTES)
                    target.chmod(0o755 if member.mode & 0o100 else 0o644)
                else:
                    raise Refused(f"{archive.name}: {member.name!r:.80} is neither file nor folder")
    except tarfile.TarError as error:
        raise Refused(f"{archive.name}: is damaged: {error}") from error
    except FileExistsError as error:
        raise Refused(f"{archive.name}: names a file twice: {error}") from error
    if len(tops) != 1:
        raise Refused(f"{archive.name}: is no release: expected one folder, found {sorted(tops)!r:.80}")
    return into / tops.pop()


def digest_of(folder: Path) -> str:
    """A short digest of the program in an unpacked release, whatever its time stamps; as `install.sh` reckons it.

    Raises:
        Refused: there is not exactly one wheel of the program, or it is damaged.
    """
    wheels = list((folder / "wheels").glob("loa_agent-*.whl"))
    if len(wheels) != 1:
        raise Refused(f"the release holds {len(wheels)} wheels of the program, expected one")
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            record = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
            return hashlib.sha256(wheel.read(record)).hexdigest()[:12]
    except (zipfile.BadZipFile, StopIteration) as error:
        raise Refused(f"{wheels[0].name}: is damaged: {error}") from error


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{INFO}: {'.'.join(map(str, problem['loc'])) or 'it'}: {problem['msg']}"
    return str(error)


if __name__ == "__main__":
    made = make(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"version": made.version, "kind": made.kind}))
