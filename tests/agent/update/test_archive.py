"""A release archive: whole ones are read, everything else is refused with what is wrong."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from agent.update import archive
from agent.update.archive import Info, newer, read_info, unpack
from agent.update.errors import Refused

INFO = Info(version="1.1", python="cp311", machine="aarch64", debian=("libvlc5",))


def tar(path: Path, *members: tuple[str, bytes | None], link: str | None = None) -> Path:
    """An archive with these files; None is a folder."""
    with tarfile.open(path, "w") as packed:
        for name, data in members:
            member = tarfile.TarInfo(name)
            if data is None:
                member.type = tarfile.DIRTYPE
            member.size = len(data or b"")
            packed.addfile(member, io.BytesIO(data or b""))
        if link is not None:
            member = tarfile.TarInfo("loa/link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            packed.addfile(member)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path


def test_what_an_archive_says_of_itself_names_its_target(place: Path) -> None:
    made = tar(place / "r.tar", ("loa", None), ("loa/release.json", INFO.model_dump_json().encode()))
    assert read_info(made) == INFO
    assert INFO.target == "releases/loa-agent-1.1-cp311-aarch64.tar"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "release.json: version: Field required"),
        (b"no json", "release.json: it: Invalid JSON"),
        (INFO.model_dump_json().replace("1.1", "../1").encode(), "release.json: version"),
        (INFO.model_dump_json().replace("aarch64", "a/b").encode(), "release.json: machine"),
        (INFO.model_dump_json().replace("libvlc5", "--help").encode(), "release.json: debian.0"),
    ],
)
def test_what_says_nonsense_of_itself_is_refused(place: Path, content: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said.replace(".", r"\.")):
        read_info(tar(place / "r.tar", ("loa/release.json", content)))


def test_what_is_no_archive_is_refused(place: Path) -> None:
    (place / "r.tar").write_bytes(b"not a tar file" * 100)
    for read in (read_info, lambda path: unpack(path, place / "into")):
        with pytest.raises(Refused, match=r"r\.tar: is"):
            read(place / "r.tar")
    with pytest.raises(Refused, match=r"it has no release\.json"):
        read_info(tar(place / "other.tar", ("loa/readme", b"")))


def test_files_keep_their_content_and_whether_they_run(place: Path) -> None:
    source = place / "loa-1.1"
    (source / "systemd").mkdir(parents=True)
    (source / "systemd/switch").write_bytes(b"#!/bin/sh\n")
    (source / "systemd/switch").chmod(0o755)
    (source / "README").write_bytes(b"hello")
    with tarfile.open(place / "r.tar", "w") as packed:
        packed.add(source, "loa-1.1")
    folder = unpack(place / "r.tar", place / "into")
    assert folder == place / "into/loa-1.1"
    assert (folder / "README").read_bytes() == b"hello"
    assert (folder / "systemd/switch").stat().st_mode & 0o777 == 0o755
    assert (folder / "README").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "loa/../../outside"])
def test_nothing_is_written_outside(place: Path, name: str) -> None:
    with pytest.raises(Refused, match="outside of itself"):
        unpack(tar(place / "r.tar", (name, b"x")), place / "into")
    assert list((place / "into").iterdir()) == []
    assert not (place / "outside").exists()


def test_links_devices_second_files_and_second_folders_are_refused(place: Path) -> None:
    with pytest.raises(Refused, match="neither file nor folder"):
        unpack(tar(place / "a.tar", ("loa", None), link="/etc/passwd"), place / "into")
    with pytest.raises(Refused, match="names a file twice"):
        unpack(tar(place / "b.tar", ("loa/x", b"1"), ("loa/x", b"2")), place / "into")
    with pytest.raises(Refused, match="expected one folder"):
        unpack(tar(place / "c.tar", ("one/y", b"1"), ("two/y", b"2")), place / "into")


def test_a_bomb_is_refused_before_it_is_unpacked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000)
    with pytest.raises(Refused, match="1000 bytes"):
        unpack(tar(place / "r.tar", ("loa/big", b"x" * 1_001)), place / "into")
    assert not (place / "into/loa/big").exists()
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    with pytest.raises(Refused, match="3 files"):
        unpack(tar(place / "m.tar", *((f"loa/{n}", b"") for n in range(4))), place / "into")


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [("1.1", "1.0", 1), ("1.10", "1.9", 1), ("1.0", "1.0.0", 0), ("1.1rc1", "1.1", -1), ("0.9", "1.0", -1)],
)
def test_versions_are_compared_as_numbers(left: str, right: str, order: int) -> None:
    assert newer(left, right) == order
    assert newer(right, left) == -order
