"""docs/operations/nginx-cache.conf before a real station: a thousand nodes cost the origin as much as one."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from agent.station import publish as publishing
from agent.station.web import FeedServer
from tests.support.broker import free_port
from tests.support.wait import wait_until

CONFIG = Path(__file__).parents[2] / "docs" / "operations" / "nginx-cache.conf"


class Counted(FeedServer):
    """The station's own server, counting what it is asked for."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.asked: Counter[str] = Counter()
        self._counting = threading.Lock()

    def finish_request(self, request: object, client_address: object) -> None:
        outer = self

        class Handler(self.RequestHandlerClass):  # type: ignore[misc,name-defined]  # what the server itself uses
            def do_GET(self) -> None:
                with outer._counting:
                    outer.asked[self.path] += 1
                super().do_GET()

        Handler(request, client_address, self)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    station = tmp_path_factory.mktemp("station") / "s"
    publishing.init(station, sample=False)
    authoring = station / "authoring"
    (authoring / "media").mkdir(exist_ok=True)
    publishing.publish(station)
    big = station / "feed" / "targets" / "big.bin"
    big.write_bytes(bytes(range(256)) * 8_192)
    return station / "feed"


@pytest.fixture
def origin(feed: Path) -> Iterator[Counted]:
    server = Counted(feed)
    server.start()
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path: Path, origin: Counted) -> Iterator[str]:
    port = free_port()
    text = CONFIG.read_text(encoding="utf-8")
    for written, here in (
        ("/var/cache/nginx/loa", str(tmp_path / "cache")),
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{origin.server_address[1]};"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("proxy_cache_valid 200 10s;", "proxy_cache_valid 200 1s;"),
    ):
        assert written in text
        text = text.replace(written, here)
    for name in ("client", "proxy", "fastcgi", "uwsgi", "scgi"):
        (tmp_path / name).mkdir()
    conf = tmp_path / "nginx.conf"
    paths = "".join(
        f"{name}_temp_path {tmp_path / name.split('_')[0]};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n{paths}{text}\n}}\n"
    )
    nginx = subprocess.Popen(
        ["/usr/sbin/nginx", "-c", str(conf), "-p", str(tmp_path)], stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: nginx.poll() is not None or _answers(url), 10, "nginx answers")
    assert nginx.poll() is None, (tmp_path / "error.log").read_text()
    yield url
    nginx.terminate()
    nginx.wait(10)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/none", timeout=1).status_code == 404
    except requests.ConnectionError:
        return False


def test_many_nodes_that_ask_at_once_ask_the_origin_once(cache: str, origin: Counted) -> None:
    names = ["/metadata/timestamp.json", "/metadata/1.root.json", "/targets/big.bin"]
    with ThreadPoolExecutor(32) as nodes:
        for name in names:
            answers = list(nodes.map(lambda _node, n=name: requests.get(cache + n, timeout=30), range(64)))
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.content for answer in answers}) == 1
    assert [origin.asked[name] for name in names] == [1, 1, 1]


def test_a_new_schedule_is_seen_within_the_time_that_is_given(
    cache: str, origin: Counted, feed: Path
) -> None:
    stamp = feed / "metadata" / "timestamp.json"
    old = stamp.read_bytes()
    assert requests.get(f"{cache}/metadata/timestamp.json", timeout=5).content == old
    stamp.write_bytes(old + b"\n")
    try:
        wait_until(
            lambda: requests.get(f"{cache}/metadata/timestamp.json", timeout=5).content == old + b"\n",
            10,
            "the new timestamp comes through",
        )
    finally:
        stamp.write_bytes(old)


def test_a_recording_that_broke_off_goes_on_where_it_was(cache: str, feed: Path) -> None:
    whole = (feed / "targets" / "big.bin").read_bytes()
    answer = requests.get(f"{cache}/targets/big.bin", headers={"Range": "bytes=1000000-"}, timeout=30)
    assert answer.status_code == 206
    assert answer.content == whole[1_000_000:]


def test_while_the_origin_is_away_the_last_that_is_known_is_served(cache: str, origin: Counted) -> None:
    for name in ("/metadata/timestamp.json", "/metadata/1.root.json"):
        assert requests.get(cache + name, timeout=5).status_code == 200
    origin.close()
    stale = set()

    def old_is_served() -> bool:
        answer = requests.get(f"{cache}/metadata/timestamp.json", timeout=5)
        assert answer.status_code == 200
        stale.add(answer.headers["X-Cache"])
        return "STALE" in stale or "UPDATING" in stale

    wait_until(old_is_served, 10, "the cache is older than it may be, and is served")
    assert requests.get(f"{cache}/metadata/1.root.json", timeout=5).headers["X-Cache"] == "HIT"


def test_what_was_not_there_a_moment_ago_is_found_when_it_is(cache: str, feed: Path) -> None:
    assert requests.get(f"{cache}/targets/late.bin", timeout=5).status_code == 404
    (feed / "targets" / "late.bin").write_bytes(b"here")
    wait_until(
        lambda: requests.get(f"{cache}/targets/late.bin", timeout=5).content == b"here", 15, "it is found"
    )
