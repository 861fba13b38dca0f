"""The station's own web host, spoken to over a raw socket where a client would tidy the request up."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from agent.station.web import FeedServer

CONTENT = bytes(range(256)) * 1_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FeedServer]:
    feed = tmp_path / "feed"
    (feed / "metadata").mkdir(parents=True)
    (feed / "metadata" / "timestamp.json").write_bytes(b"{}")
    (feed / "big").write_bytes(CONTENT)
    (feed / ".aside-x").write_bytes(b"half")
    (tmp_path / "secret").write_bytes(b"private key")
    (feed / "link").symlink_to(tmp_path / "secret")
    server = FeedServer(feed)
    server.start()
    yield server
    server.close()


def raw(server: FeedServer, path: str) -> bytes:
    with socket.create_connection(server.server_address[:2], timeout=5) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := line.recv(65_536):
            answer += chunk
    return answer


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        (None, 200, CONTENT),
        ("bytes=0-", 206, CONTENT),
        ("bytes=1000-", 206, CONTENT[1_000:]),
        ("bytes=10-19", 206, CONTENT[10:20]),
        ("bytes=10-9999999", 206, CONTENT[10:]),
        ("bytes=256000-", 416, b""),
        ("bytes=5-4", 416, b""),
        ("lines=1-2", 200, CONTENT),
    ],
)
def test_ranges(server: FeedServer, asked: str | None, status: int, expected: bytes) -> None:
    answer = requests.get(server.url + "big", headers={"Range": asked} if asked else {}, timeout=5)
    assert answer.status_code == status
    assert answer.content == expected


@pytest.mark.parametrize(
    "path",
    [
        "/../secret", "/metadata/../../secret", "/%2e%2e/secret", "//secret", "/link", "/.aside-x", "/",
        "/metadata", "/metadata/", "/big/", "/big/x", "/%00", "/metadata\\..\\..\\secret", "/" + "a" * 5_000,
    ],
)  # fmt: skip
def test_nothing_but_files_of_the_feed_is_given(server: FeedServer, path: str) -> None:
    answer = raw(server, path)
    assert b"private key" not in answer
    if path not in {"/big/"}:
        assert answer.startswith(b"HTTP/1.1 404")


def test_only_the_timestamp_and_errors_must_not_be_kept_by_caches(server: FeedServer) -> None:
    control = {
        path: requests.head(server.url + path, timeout=5).headers["Cache-Control"]
        for path in ("metadata/timestamp.json", "big", "metadata/2.root.json")
    }
    assert control["metadata/timestamp.json"] == control["metadata/2.root.json"] == "no-cache"
    assert control["big"] == "max-age=86400"


def test_a_file_that_has_not_changed_is_not_sent_again(server: FeedServer) -> None:
    first = requests.get(server.url + "big", timeout=5)
    known = {"If-None-Match": first.headers["ETag"]}
    again = requests.get(server.url + "big", headers=known, timeout=5)
    assert (again.status_code, again.content) == (304, b"")
    (server.directory / "big").write_bytes(b"new")
    assert requests.get(server.url + "big", headers=known, timeout=5).content == b"new"
