"""How a broker is to be reached: TLS, certificates, password."""

from __future__ import annotations

import ssl
from typing import Final

from agent.config import Broker
from agent.uplink.errors import Technician

X509_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name."""


def tls_context(broker: Broker) -> ssl.SSLContext | None:
    """How to reach `broker` by TLS, with host name and chain checked; None without TLS.

    Raises:
        Technician: a file cannot be read or does not fit the others.
    """
    if not broker.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=str(broker.ca) if broker.ca else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if broker.cert is not None:
            context.load_cert_chain(broker.cert, broker.key)
    except (OSError, ValueError) as error:
        raise Technician(f"[broker] ca {broker.ca}, cert {broker.cert}, key {broker.key}: {error}") from error
    return context


def password_of(broker: Broker) -> str | None:
    """The password to show, None where none is used.

    Raises:
        Technician: its file cannot be read.
    """
    if broker.password_file is None:
        return None
    try:
        return broker.password_file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise Technician(f"[broker] password_file {broker.password_file}: {error}") from error


def check_dates(context: ssl.SSLContext, check: bool) -> None:
    """Whether the next connections judge the dates of certificates; chain and host name always count."""
    flags = ssl.VerifyFlags(context.verify_flags & ~X509_NO_CHECK_TIME)
    context.verify_flags = flags if check else ssl.VerifyFlags(flags | X509_NO_CHECK_TIME)
