"""Sticks as strangers make them: links, pipes, endless folders, strange names; full, damaged, pulled out."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.usb.stick import MOST_ENTRIES, Missing, Stick, StickError, printable
from tests.support.disk import exfat, ext4, mounted


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    root = tmp_path / "stick"
    (root / "loa").mkdir(parents=True)
    (root / "loa" / "a").write_bytes(b"content")
    (tmp_path / "secret").write_text("the node's own")
    return root


def refused(stick: Path, *parts: str) -> str:
    with Stick(stick) as open_stick, pytest.raises(StickError) as error:
        open_stick.read(*parts, max_bytes=1_000)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_there_is_read_and_what_is_not_is_missing(stick: Path) -> None:
    with Stick(stick) as open_stick:
        assert open_stick.read("loa", "a", max_bytes=7) == b"content"
        assert open_stick.names("loa") == ["a"]
        assert b"".join(open_stick.chunks("loa", "a", size=3)) == b"content"
        with pytest.raises(Missing):
            open_stick.read("loa", "b", max_bytes=7)
        with pytest.raises(Missing):
            open_stick.names("elsewhere")


def test_no_link_leads_out_of_the_stick(stick: Path, tmp_path: Path) -> None:
    (stick / "file").symlink_to(tmp_path / "secret")
    (stick / "folder").symlink_to(tmp_path)
    (stick / "self").symlink_to("self")
    assert "link" in refused(stick, "file")
    assert "link" in refused(stick, "folder", "secret")
    assert "link" in refused(stick, "self")
    with Stick(stick) as open_stick, pytest.raises(StickError, match="link"):
        open_stick.write("folder", "new", data=b"x")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("part", ["..", ".", "", "a/b", "a\0b"])
def test_no_name_leads_up(stick: Path, part: str) -> None:
    assert "is no name" in refused(stick, part, "secret")


def test_pipes_devices_and_folders_are_no_files(stick: Path) -> None:
    os.mkfifo(stick / "pipe")
    assert "plain file" in refused(stick, "pipe")
    assert "plain file" in refused(stick, "loa")


def test_too_big_is_refused_before_it_is_in_memory(stick: Path) -> None:
    with (stick / "huge").open("wb") as file:
        file.truncate(2**40)
    assert "bigger than" in refused(stick, "huge")


def test_a_folder_without_end_is_not_searched(stick: Path) -> None:
    many = stick / "many"
    many.mkdir()
    for number in range(MOST_ENTRIES + 1):
        os.mknod(many / str(number))
    with Stick(stick) as open_stick, pytest.raises(StickError, match="entries"):
        open_stick.names("many")


@given(st.binary(min_size=1, max_size=60))
def test_names_do_nothing_to_a_terminal(name: bytes) -> None:
    shown = printable(os.fsdecode(name))
    assert shown.isprintable()
    assert len(shown) <= 120
    shown.encode()


def test_what_is_no_folder_is_no_stick(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(StickError):
            Stick(path)


def test_a_write_is_whole_or_not_at_all(stick: Path) -> None:
    with Stick(stick) as open_stick:
        open_stick.write("loa", "reports", "x", data=b"1")
        open_stick.write("loa", "reports", "x", data=b"2")
    assert (stick / "loa/reports/x").read_bytes() == b"2"
    assert os.listdir(stick / "loa/reports") == ["x"]  # noqa: PTH208 - a name that is hidden would be missed by glob


# ---- real file systems


def test_a_full_stick_is_told_and_keeps_what_it_had(tmp_path: Path) -> None:
    with mounted(ext4(tmp_path / "image", 2), tmp_path / "at") as at, Stick(at) as stick:
        stick.write("loa", "a", data=b"old")
        with pytest.raises(StickError, match="is full"):
            stick.write("loa", "a", data=b"x" * 5_000_000)
        assert stick.read("loa", "a", max_bytes=10) == b"old"
        assert stick.names("loa") == ["a"]


def test_a_write_protected_stick_is_told(tmp_path: Path) -> None:
    protected = mounted(ext4(tmp_path / "image"), tmp_path / "at", "ro")
    with protected as at, Stick(at) as stick, pytest.raises(StickError, match="write-protected"):
        stick.write("loa", "a", data=b"x")


def test_exfat_as_it_is_sold(tmp_path: Path) -> None:
    with exfat(tmp_path) as plugged, Stick(plugged.at) as stick:
        stick.write("loa", "bản tin.json", data=b"x" * 100_000)
        assert stick.names("loa") == ["bản tin.json"]
        assert stick.size("loa", "bản tin.json") == 100_000
        stick.write("loa", "bản tin.json", data=b"y")
        assert stick.read("loa", "bản tin.json", max_bytes=10) == b"y"
        with pytest.raises(StickError, match="is full"):
            stick.write("loa", "big", data=b"x" * 30_000_000)


def test_a_stick_that_is_pulled_out_while_it_is_read(tmp_path: Path) -> None:
    with exfat(tmp_path) as plugged, Stick(plugged.at) as stick:
        stick.write("big", data=b"x" * 8_000_000)
        chunks = stick.chunks("big")
        next(chunks)
        plugged.pull()
        with pytest.raises(StickError, match="pulled out"):
            for _ in chunks:
                pass
        with pytest.raises(StickError):
            stick.names()
        with pytest.raises(StickError):
            stick.write("a", data=b"x")


def test_a_damaged_file_system_is_told(tmp_path: Path) -> None:
    made = ext4(tmp_path / "image")
    with mounted(made, tmp_path / "at") as at, Stick(at) as stick:
        for number in range(50):
            stick.write("loa", f"{number}", data=os.urandom(20_000))
    raw = bytearray(made.read_bytes())
    for place in range(200_000, len(raw) - 100_000, 4_096):  # inodes and folders, not the superblock
        raw[place : place + 64] = b"\xa5" * 64
    made.write_bytes(raw)
    with mounted(made, tmp_path / "at", "ro") as at, Stick(at) as stick:
        try:
            names = stick.names("loa")
        except StickError as error:
            assert "\n" not in str(error)
            return
        for name in names:
            try:
                stick.read("loa", name, max_bytes=30_000)
            except StickError as error:
                assert "\n" not in str(error)
