"""Knocking at brokers and feeds that are dead, strange, silent, expired, or somebody else."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.config import Broker
from agent.doctor.contact import ask_broker, ask_feed
from tests.support.broker import Mosquitto, free_port, make_certificates
from tests.support.web import Host

TIMESTAMP = b'{"signatures": [], "signed": {"_type": "timestamp"}}'
NODE = "pole-07"


def now() -> datetime:
    return datetime.now(UTC)


@contextlib.contextmanager
def silent_host() -> Iterator[int]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def tls_host(folder: Path) -> Iterator[int]:
    """A host that speaks TLS with server.pem of that folder, and hangs up after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    plain, _peer = server.accept()
                    with (
                        plain,
                        contextlib.suppress(OSError),
                        context.wrap_socket(plain, server_side=True) as tls,
                    ):
                        tls.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_broker_lets_us_in(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        assert ask_broker(broker.settings(), NODE).reached == "done"


def test_a_broker_with_tls_lets_us_in(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, tls=True) as broker:
        assert ask_broker(broker.settings(), NODE).reached == "done"


def test_a_wrong_password_is_told_from_a_dead_broker(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    with Mosquitto(tmp_path / "broker") as broker:
        assert ask_broker(broker.settings(password_file=wrong), NODE).reached == "password"
    stage = ask_broker(broker.settings(), NODE)
    assert stage.reached == "address"
    assert "refused" in stage.detail


@pytest.mark.parametrize("shown", ["a stranger's", "none"])
def test_a_broker_that_does_not_take_our_certificate_is_told(tmp_path: Path, shown: str) -> None:
    make_certificates(tmp_path)
    files = {"cert": tmp_path / "client.pem", "key": tmp_path / "client.key"}
    if shown == "none":
        files = {"cert": None, "key": None}
    with Mosquitto(tmp_path / "broker", tls=True) as broker:
        assert ask_broker(broker.settings(**files), NODE).reached == "certificate"


def test_a_missing_password_file_is_said(tmp_path: Path) -> None:
    broker = Broker(host="127.0.0.1", tls=False, user="loa", password_file=tmp_path / "none")
    assert ask_broker(broker, NODE).reached == "files"


def test_a_broker_that_says_nothing_is_given_up() -> None:
    began = time.monotonic()
    with silent_host() as port:
        plain = ask_broker(Broker(host="127.0.0.1", port=port, tls=False), NODE)
        encrypted = ask_broker(Broker(host="127.0.0.1", port=port), NODE)
    assert plain.reached == "refused"
    assert encrypted.reached == "time-out"
    assert time.monotonic() - began < 12


@pytest.mark.parametrize(
    ("days", "since_days", "reached"), [(-1, 30, "clock"), (30, -5, "clock"), (2, 1, "trust")]
)
def test_certificates_that_are_not_valid_today_are_told_from_those_of_strangers(
    tmp_path: Path, days: int, since_days: int, reached: str
) -> None:
    make_certificates(tmp_path, days=days, since_days=since_days)
    trusted = tmp_path / "ca.pem"
    if reached == "trust":
        (tmp_path / "other").mkdir()
        make_certificates(tmp_path / "other")
        trusted = tmp_path / "other" / "ca.pem"
    with tls_host(tmp_path) as port:
        assert ask_broker(Broker(host="localhost", port=port, ca=trusted), NODE).reached == reached


def test_a_broker_without_tls_is_told(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        assert ask_broker(Broker(host="127.0.0.1", port=broker.port), NODE).reached == "tls"


def test_a_feed_answers_and_says_the_time() -> None:
    with Host({"metadata/timestamp.json": TIMESTAMP}) as host:
        found = ask_feed("commune", host.url, now)
        behind = ask_feed(
            "commune", host.url.rstrip("/"), lambda: datetime.fromtimestamp(time.time() - 3_600, UTC)
        )
    assert found.stage.reached == "done"
    assert found.took_ms is not None and found.size_bytes == len(TIMESTAMP)
    assert found.ahead_s is not None and abs(found.ahead_s) < 5
    assert behind.ahead_s is not None and -3_605 < behind.ahead_s < -3_595


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"[]", b'{"signed": 7}', b"\xff\xfe", b""])
def test_a_login_page_is_no_feed(body: bytes) -> None:
    with Host({"metadata/timestamp.json": body}) as host:
        assert ask_feed("commune", host.url, now).stage.reached == "elsewhere"


def test_a_feed_that_is_not_there_is_told_from_a_dead_host() -> None:
    with Host({}) as host:
        assert ask_feed("commune", host.url, now).stage.reached == "status"
    assert ask_feed("commune", f"http://127.0.0.1:{free_port()}/", now).stage.reached == "address"


def test_a_feed_that_says_nothing_is_given_up() -> None:
    with silent_host() as port:
        assert ask_feed("commune", f"http://127.0.0.1:{port}/", now).stage.reached == "time-out"


@pytest.mark.parametrize(("days", "reached"), [(-1, "trust"), (2, "trust")])
def test_a_feed_host_with_a_strange_certificate_is_not_trusted(
    tmp_path: Path, days: int, reached: str
) -> None:
    make_certificates(tmp_path, days=days, since_days=30)
    with tls_host(tmp_path) as port:
        found = ask_feed("commune", f"https://localhost:{port}/", now)
    # the chain comes before the dates: an authority that nobody knows is a stranger's, whatever the dates say
    assert found.stage.reached in {reached, "clock"}


def test_a_host_that_is_not_known_is_an_address() -> None:
    assert ask_feed("commune", "http://feed.invalid/", now).stage.reached == "address"
