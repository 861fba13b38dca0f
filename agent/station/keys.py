"""The station's keys: Ed25519, one PEM file (PKCS#8) each, readable by its owner alone.

`root` is needed only to change or renew the other keys: take it off the machine and keep it in a drawer.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]  # computed __all__

from agent.files import write_atomically
from agent.station.errors import Technician
from agent.station.folder import Folder

ROLES = ("root", "targets", "snapshot", "timestamp")
OFFICER = "officer"


def create(folder: Folder) -> None:
    """Make the keys of all roles and one for the officer.

    Raises:
        Technician: one of them is there already; none is ever overwritten.
        OSError: they cannot be written.
    """
    there = [name for name in (*ROLES, OFFICER) if path_of(folder, name).exists()]
    if there:
        raise Technician(f"{folder.keys}: {', '.join(there)} exist already and were kept")
    folder.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (*ROLES, OFFICER):
        add(folder, name)


def add(folder: Folder, name: str) -> CryptoSigner:
    """Make one key, replacing a former one of that name.

    Raises:
        OSError: it cannot be written.
    """
    signer = CryptoSigner.generate_ed25519()
    write_atomically(path_of(folder, name), signer.private_bytes, mode=0o600)
    return signer


def path_of(folder: Folder, name: str) -> Path:
    """Where the private key of a role or an operator lies."""
    return folder.keys / f"{name}.pem"


def load(folder: Folder, name: str) -> CryptoSigner:
    """The key of a role or an operator, ready to sign.

    Raises:
        Technician: it is not there, is no Ed25519 key, or others may read it.
    """
    path = path_of(folder, name)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Technician(f"{path}: others may read this key (mode {mode:04o}); chmod 600 it")
        private = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise Technician(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Technician(f"{path}: is not a private key in PEM without password ({error})") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Technician(f"{path}: is a key of another kind than Ed25519")
    return CryptoSigner(private)


def public_part(key: SSlibKey) -> dict[str, Any]:
    """`keyid` and `key` as `operators.json` and TUF metadata write them."""
    return {"keyid": key.keyid, "key": key.to_dict()}


def public_from_hex(public: str) -> SSlibKey:
    """A public key that was made elsewhere, from its 32 bytes in hex.

    Raises:
        ValueError: it is no such key.
    """
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)))
