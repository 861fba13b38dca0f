"""The node's key pair (ECDSA P-256), its request for a certificate, and whether what came back fits.

The private key is made here and never leaves: it lies in the folder of the enrolment, for the daemon alone (0600).
"""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from agent.enrol.errors import EnrolError, Rejected
from agent.files import write_atomically
from agent.words import _

USER = "loa"


def key_at(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key at `path`, made now if there is none.

    Raises:
        EnrolError: what lies there is no such key.
        OSError: it cannot be read or written.
    """
    try:
        found = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        made = ec.generate_private_key(ec.SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_atomically(path, pem, mode=0o600)
        for_the_daemon(path)
        return made
    except (ValueError, TypeError) as error:
        raise EnrolError(_("{path}: is no private key: {error}").format(path=path, error=error)) from error
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise EnrolError(_("{path}: is a key of another kind").format(path=path))
    return found


def for_the_daemon(path: Path) -> None:
    """Give a secret to the daemon's user, where there is one and we may."""
    with contextlib.suppress(KeyError, PermissionError):
        account = pwd.getpwnam(USER)
        os.chown(path, account.pw_uid, account.pw_gid)


def request_for(key: ec.EllipticCurvePrivateKey) -> str:
    """A PKCS #10 request in PEM. It names nobody: whose key it is, the centre knows by the code."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loa node")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(Encoding.PEM).decode()


def read_csr(pem: str) -> x509.CertificateSigningRequest:
    """A request that its key has signed.

    Raises:
        Rejected: it is none, of another kind of key, or not signed by it.
    """
    try:
        csr = x509.load_pem_x509_csr(pem.encode())
        right = csr.is_signature_valid
    except (ValueError, InvalidSignature) as error:
        raise Rejected(f"csr: {error}") from error
    key = csr.public_key()
    if not right or not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Rejected("csr: must be of an ECDSA key on P-256, and signed with it")
    return csr


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """The public key as DER, to compare."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def check_certificate(pem: str, key: ec.EllipticCurvePrivateKey, name: str) -> None:
    """Whether a certificate is of our key, and in our name.

    Raises:
        Rejected: it is not.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        public = certificate.public_key()
        names = [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError as error:
        raise Rejected(_("the certificate cannot be read: {error}").format(error=error)) from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public_bytes(public) != public_bytes(
        key.public_key()
    ):
        raise Rejected(_("the certificate is of another key than this node's"))
    if names != [name]:
        raise Rejected(
            _("the certificate is for {names}, this node is {name}").format(names=names, name=name)
        )
