"""Keys of the station: made once, kept from others."""

import stat
from pathlib import Path

import pytest

from agent.station import keys
from agent.station.errors import Technician
from agent.station.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    keys.create(folder)
    return folder


def test_private_keys_are_readable_by_their_owner_alone(folder: Folder) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.keys.iterdir()}
    assert set(modes) == {"root.pem", "targets.pem", "snapshot.pem", "timestamp.pem", "officer.pem"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.keys.stat().st_mode) == 0o700


def test_keys_are_never_overwritten(folder: Folder) -> None:
    before = {path: path.read_bytes() for path in folder.keys.iterdir()}
    with pytest.raises(Technician, match="exist already"):
        keys.create(folder)
    assert {path: path.read_bytes() for path in folder.keys.iterdir()} == before


def test_a_key_that_others_may_read_is_not_used(folder: Folder) -> None:
    keys.path_of(folder, "officer").chmod(0o640)
    with pytest.raises(Technician, match="chmod 600"):
        keys.load(folder, "officer")


@pytest.mark.parametrize(
    "content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_named(folder: Folder, content: bytes) -> None:
    keys.path_of(folder, "targets").write_bytes(content)
    with pytest.raises(Technician, match=r"targets\.pem: is not a private key"):
        keys.load(folder, "targets")


def test_a_missing_key_is_named(folder: Folder) -> None:
    keys.path_of(folder, "root").unlink()
    with pytest.raises(Technician, match=r"root\.pem"):
        keys.load(folder, "root")


def test_a_public_key_made_elsewhere_has_the_same_id(folder: Folder) -> None:
    own = keys.load(folder, "officer").public_key
    assert keys.public_from_hex(own.keyval["public"]).keyid == own.keyid
