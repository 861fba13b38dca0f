"""The centre's own authority for its nodes' certificates: a key (ECDSA P-256), and who trusts it is the broker."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.files import write_atomically
from agent.station.errors import Technician
from agent.station.folder import Folder

NAME: Final = "nodes-ca"
LIFE: Final = dt.timedelta(days=3_650)
"""Nobody climbs a pole to renew one; a node is shut out at the broker's access list."""
SKEW: Final = dt.timedelta(days=2)


class Authority:
    """Signs certificates in the name of nodes. It is made where there is none yet."""

    def __init__(self, folder: Folder, now: dt.datetime) -> None:
        """Load it, or make it.

        Raises:
            Technician: key or certificate cannot be used.
            OSError: they cannot be written.
        """
        self._now = now
        key_path, self.path = folder.keys / f"{NAME}.pem", folder.certificate(NAME)
        if not key_path.exists():
            _make(key_path, self.path, now)
        try:
            key = load_pem_private_key(key_path.read_bytes(), None)
            self._certificate = x509.load_pem_x509_certificate(self.path.read_bytes())
        except OSError as error:
            raise Technician(f"{error.filename}: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise Technician(f"{key_path}, {self.path}: {error}") from error
        if (
            not isinstance(key, ec.EllipticCurvePrivateKey)
            or key.public_key() != self._certificate.public_key()
        ):
            raise Technician(f"{key_path} is not the key of {self.path}")
        self._key = key

    def sign(self, csr: x509.CertificateSigningRequest, name: str) -> str:
        """A certificate in PEM for the key of `csr`, in the name of the node; what `csr` says itself is ignored."""
        public = csr.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - SKEW)
            .not_valid_after(min(self._now + LIFE, self._certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM).decode()


def _make(key_path: Path, path: Path, now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loa nodes")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + 2 * LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_atomically(path, certificate.public_bytes(Encoding.PEM), mode=0o644)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(key_path, pem, mode=0o600)
