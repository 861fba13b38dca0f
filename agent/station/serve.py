"""The station at work: keeps signatures fresh, serves the feed, collects what nodes report."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from agent.enrol.protocol import PATH as ENROL
from agent.station import centre
from agent.station.collector import Collector
from agent.station.enrolment import Desk, Refusal
from agent.station.errors import Technician
from agent.station.folder import Folder
from agent.station.hints import Hints
from agent.station.renew import Renewer
from agent.station.web import FeedServer
from agent.uplink.credentials import password_of, tls_context
from agent.uplink.errors import Technician as UplinkTechnician
from agent.uplink.limiter import Limiter
from playlists.units import MonotonicS, Seconds

BURST: Final = 30
EACH_S: Final = Seconds(2.0)
"""So many nodes may ask to be enrolled at once, and one more each two seconds: codes are not to be guessed at."""


class Service:
    """Runs from `start` to `stop`; may be used as a context manager.

    Args:
        station: its folder, with a published feed.
        host: address to serve the feed at; loopback unless other machines fetch from here.
        port: 0 for a free one; None when another web host serves `feed/`.
        collect: whether to hear the nodes, as `station.toml` says where.
        certificate: paths of a certificate (PEM, with its chain) and its key, to serve over https.
        say: takes one line for whoever watches.

    Raises:
        Technician: nothing to serve, the address is taken, or `station.toml` cannot be used.
    """

    def __init__(
        self,
        station: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = 8_080,
        collect: bool = True,
        certificate: tuple[Path, Path] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        folder = Folder(station)
        if not (folder.feed / "metadata" / "timestamp.json").exists():
            raise Technician(f"{folder.feed}: nothing was published yet; `loa station publish` does it")
        self._say = say
        self._renewer = Renewer(station, say)
        self.web: FeedServer | None = None
        self.collector: Collector | None = None
        self._hints: Hints | None = None
        # settings are read before the address is taken: a mistake in them leaves nothing open
        reach = _reach(folder) if collect else None
        if port is not None:
            try:
                tls = None if certificate is None else _tls(*certificate)
                posts = {ENROL: _enrolling(Desk(folder))}
                self.web = FeedServer(folder.feed, host, port, posts=posts, tls=tls)
            except OSError as error:
                raise Technician(f"cannot serve at {host}:{port}: {error.strerror or error}") from error
        if reach is not None:
            collector = Collector(folder.database, reach.broker, reach.site)
            feed = reach.feed
            self.collector = collector
            self._hints = Hints(folder, lambda version: collector.hint(feed, version))
            self._where = f"{reach.broker.host}:{reach.broker.port}, site {reach.site}"

    def start(self) -> None:
        """Begin, and say what is done where."""
        self._renewer.start()
        if self.web is not None:
            self.web.start()
            self._say(f"feed at {self.web.url}")
        if self.collector is not None:
            self.collector.start()
            self._say(f"collecting from {self._where}")
        if self._hints is not None:
            self._hints.start()

    def stop(self) -> None:
        """End all of it."""
        if self._hints is not None:
            self._hints.stop()
        if self.collector is not None:
            self.collector.stop()
        if self.web is not None:
            self.web.close()
        self._renewer.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _tls(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        raise Technician(f"{certificate}, {key}: {error}") from error
    return context


def _enrolling(desk: Desk) -> Callable[[bytes], tuple[int, bytes]]:
    limiter, lock = Limiter(BURST, EACH_S), threading.Lock()

    def answer(body: bytes) -> tuple[int, bytes]:
        with lock:
            allowed = limiter.allows(MonotonicS(time.monotonic()))
        if not allowed:
            return 429, b"asked too often; try again in a minute"
        try:
            return 200, desk.answer(body)
        except Refusal as refusal:
            return refusal.status, str(refusal).encode()

    return answer


def _reach(folder: Folder) -> centre.Centre:
    """How the nodes are reached; who has no broker yet is told how to do without."""
    try:
        reach = centre.load(folder)
        tls_context(reach.broker)
        password_of(reach.broker)
    except (Technician, UplinkTechnician) as error:
        raise Technician(
            f"{error}\nwithout a broker: `loa station serve {folder.path} --no-collect`, the feed alone"
        ) from error
    return reach
