"""A real mosquitto on a free port of the loopback: with a password, or with TLS and its own CA."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import pwd
import secrets
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Self

from agent.config import Broker
from tests.support.wait import wait_until

USER = "loa"


class Mosquitto:
    """A broker that can be stopped and started again; its sessions and retained messages survive that."""

    def __init__(self, directory: Path, *, tls: bool = False, extra: str = "") -> None:
        self.directory = directory
        self.port = free_port()
        self.tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.password_file = directory / "password"
        self.password_file.write_text(secrets.token_hex(8))
        users = directory / "users"
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", str(users), USER, self.password_file.read_text()],
            check=True,
            capture_output=True,
        )
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {pwd.getpwuid(os.getuid()).pw_name}",
            "set_tcp_nodelay true",
            "persistence true",
            f"persistence_location {directory}/",
            "max_queued_messages 10000",
            f"log_dest file {directory / 'mosquitto.log'}",
        ]
        if tls:
            make_certificates(directory)
            lines += [
                f"cafile {directory / 'ca.pem'}",
                f"certfile {directory / 'server.pem'}",
                f"keyfile {directory / 'server.key'}",
                "require_certificate true",
                "use_identity_as_username true",
            ]
        else:
            lines += ["allow_anonymous false", f"password_file {users}"]
        self._conf = directory / "mosquitto.conf"
        self._conf.write_text("\n".join([*lines, extra]) + "\n")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return when it listens."""
        self._process = subprocess.Popen(["mosquitto", "-c", str(self._conf)], stderr=subprocess.DEVNULL)
        wait_until(self._listens, 10, f"mosquitto listens on {self.port}")

    def stop(self) -> None:
        """Stop it in order: it saves what it holds."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def settings(self, **changes: object) -> Broker:
        """How to reach it."""
        if self.tls:
            files = {name: self.directory / f for name, f in (("ca", "ca.pem"), ("cert", "client.pem"))}
            base = {"tls": True, "key": self.directory / "client.key", **files}
        else:
            base = {"tls": False, "user": USER, "password_file": self.password_file}
        host = "localhost" if self.tls else "127.0.0.1"
        return Broker.model_construct(
            **{**Broker(host=host, port=self.port).model_dump(), **base, "keepalive_s": 10, **changes}
        )

    def _listens(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "mosquitto has ended"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                if self.tls:
                    # it listens before it has read its certificates; who shakes hands has read them
                    anybody = ssl.create_default_context()
                    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
                    with contextlib.suppress(ssl.SSLError):
                        anybody.wrap_socket(probe).close()
        except OSError:
            return False
        return True


def make_certificates(directory: Path, *, days: int = 2, since_days: int = 1) -> None:
    """Write ca.pem, server.{pem,key} for localhost and client.{pem,key}; valid from `since_days` ago."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def issue(subject: str, issuer: str, by: ec.EllipticCurvePrivateKey | None, *, ca: bool) -> tuple:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=since_days))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return key, builder.sign(by or key, hashes.SHA256())

    def write(stem: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        pem = serialization.Encoding.PEM
        (directory / f"{stem}.pem").write_bytes(certificate.public_bytes(pem))
        (directory / f"{stem}.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    ca_key, ca = issue("test authority", "test authority", None, ca=True)
    (directory / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    for stem in ("server", "client"):
        write(
            stem, *issue("localhost" if stem == "server" else "pole-07", "test authority", ca_key, ca=False)
        )


def free_port() -> int:
    """A TCP port of the loopback that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
