"""Knocks at a broker and at a feed, and says how far it came. Used by `loa doctor` and `loa test`."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urljoin

from agent.config import Broker
from agent.words import _

CONNECT_S: Final = 4.0
ANSWER_S: Final = 4.0
MAX_BYTES: Final = 200_000

Reached = Literal[
    "files",
    "address",
    "time-out",
    "clock",
    "trust",
    "tls",
    "password",
    "certificate",
    "refused",
    "status",
    "elsewhere",
    "done",
]


@dataclass(frozen=True, slots=True)
class Stage:
    """How far it came, or where it failed, and in words."""

    reached: Reached
    detail: str


def broken(error: BaseException) -> Stage:
    """What a failed connection means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in {9, 10}:  # X509_V_ERR_CERT_NOT_YET_VALID, …_HAS_EXPIRED
            return Stage("clock", _("its certificate is not valid today"))
        return Stage("trust", error.verify_message or str(error))
    if isinstance(error, ssl.SSLError):
        return Stage("tls", _("TLS failed: {reason}").format(reason=error.reason or error))
    if isinstance(error, TimeoutError):
        return Stage("time-out", _("does not answer"))
    if isinstance(error, ConnectionRefusedError):
        return Stage("address", _("nobody listens there (connection refused)"))
    return Stage("address", str(getattr(error, "strerror", None) or error))


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """What a feed's host answered."""

    name: str
    stage: Stage
    took_ms: float | None = None
    ahead_s: float | None = None
    """Of our clock before the host's, where it says the time; to a second."""
    size_bytes: int | None = None


def ask_feed(name: str, url: str, now: Callable[[], datetime]) -> FeedAnswer:
    """Fetch the feed's newest signature, as the daemon would: no proxy, no redirect to elsewhere."""
    import requests

    where = urljoin(url if url.endswith("/") else url + "/", "metadata/timestamp.json")
    began = time.monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(
                where, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False, stream=True
            ) as answer:
                body = answer.raw.read(MAX_BYTES)
                took_ms = (time.monotonic() - began) * 1_000
                date = answer.headers.get("Date")
                status = answer.status_code
    except requests.RequestException as error:
        return FeedAnswer(name, _cause(error))
    except OSError as error:
        return FeedAnswer(name, broken(error))
    ahead_s = _ahead_s(date, now())
    if 300 <= status < 400:
        return FeedAnswer(name, Stage("elsewhere", _("is sent to another place")), took_ms, ahead_s)
    if status != 200:
        return FeedAnswer(
            name, Stage("status", _("the host answers {status}").format(status=status)), took_ms, ahead_s
        )
    if not _is_timestamp(body):
        return FeedAnswer(name, Stage("elsewhere", _("what comes is no feed")), took_ms, ahead_s)
    return FeedAnswer(name, Stage("done", _("answers")), took_ms, ahead_s, len(body))


def _cause(error: BaseException) -> Stage:
    """The stage that an error of requests has at its root."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and not type(seen).__module__.startswith("requests"):
            return broken(seen)
        reason = getattr(seen, "reason", None)
        inner = [arg for arg in seen.args if isinstance(arg, BaseException)]
        seen = (
            reason
            if isinstance(reason, BaseException)
            else inner[0]
            if inner
            else seen.__cause__ or seen.__context__
        )
    import requests

    if isinstance(error, requests.Timeout):
        return Stage("time-out", _("does not answer"))
    return Stage("address", str(error)[:120])


def _ahead_s(date: str | None, now: datetime) -> float | None:
    try:
        shown = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return (now - (shown if shown.tzinfo else shown.replace(tzinfo=UTC))).total_seconds()


def _is_timestamp(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["signed"]["_type"] == "timestamp")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _handshake(plain: socket.socket, context: ssl.SSLContext, host: str) -> Stage | None:
    """Why TLS does not come about; None where it does."""
    plain.settimeout(ANSWER_S)
    try:
        with context.wrap_socket(plain, server_hostname=host):
            return None
    except ConnectionError:
        return Stage("tls", _("it does not speak TLS there"))
    except OSError as error:
        return broken(error)


def ask_broker(broker: Broker, node: str) -> Stage:
    """Go as far as the broker's welcome: TCP, TLS, MQTT. With a name of its own, so that the daemon stays."""
    from agent.uplink.credentials import password_of, tls_context
    from agent.uplink.errors import UplinkError

    try:
        context, password = tls_context(broker), password_of(broker)
    except UplinkError as error:
        return Stage("files", str(error))
    try:
        with socket.create_connection((broker.host, broker.port), CONNECT_S) as plain:
            if context is not None and (failed := _handshake(plain, context, broker.host)) is not None:
                return failed
    except OSError as error:
        return broken(error)
    from agent.doctor.greeting import greet

    return greet(broker, node, context, password).stage
