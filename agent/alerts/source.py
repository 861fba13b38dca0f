"""Follows one source of alerts: a thread that asks, has signatures checked, and hands on what is new.

A document is remembered only after the conductor has taken it: what a crash cuts off is handed over again, and an
alert that comes twice changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urljoin, urlsplit

from agent.alerts.errors import AlertSourceError, Refused, Technician, Unreadable
from agent.alerts.events import AlertFetched, DocumentRefused, SourceTroubled, SourceWell
from agent.alerts.feed import MAX_FEED_BYTES, Entry, read_feed
from agent.alerts.memory import Memory
from agent.alerts.verifying import PinnedCertificate, Verifier
from agent.clock import Clock
from agent.feeds.errors import FeedError, Rejected, Retry
from agent.feeds.http import Client, Validators
from agent.feeds.pacing import back_off, jittered
from agent.uplink.limiter import Limiter
from playlists.alert import Alert, read_alert
from playlists.alert.reader import MAX_ALERT_BYTES
from playlists.errors import Rejected as NoAlert
from playlists.models.base import ClockState
from playlists.models.health import FeedHealth
from playlists.units import Level, MonotonicS, Seconds

log = logging.getLogger("loa.alerts")

FEED_WITHIN_S: Final = Seconds(60.0)
DOCUMENT_WITHIN_S: Final = Seconds(30.0)
GIVE_UP_AFTER: Final = 3
"""After so many links that fail, the rest of the feed waits for the next round."""
HAND_OVER_AFTER_S: Final = Seconds(0.5)
"""Newest first, as far as they come together: what a Cancel or an Update ends is not voiced before."""
TAKEN_WITHIN_S: Final = Seconds(30.0)
CERTIFICATES_EACH_S: Final = Seconds(86_400.0)
EXPIRES_SOON: Final = timedelta(days=30)
POLLS_MISSED: Final = 3
"""After the time of so many polls without success the source is a fault: a mobile link is often gone for one."""
MAX_PIN_BYTES: Final = 100_000


class SourceSettings(Protocol):
    """What the configuration says of a source."""

    @property
    def name(self) -> str:
        """Its name here."""

    @property
    def url(self) -> str:
        """Where the feed, or the one document, is fetched."""

    @property
    def certificates(self) -> Sequence[Path]:
        """PEM files of the certificates whose signatures count."""

    @property
    def level(self) -> int:
        """Rank of whoever issues it."""

    @property
    def poll_s(self) -> float:
        """Seconds between polls; also the longest wait before a failed one is repeated."""

    @property
    def link_hosts(self) -> Sequence[str]:
        """Hosts, besides that of the url, from which links may be fetched."""

    @property
    def ca(self) -> Path | None:
        """Certificates to trust for https."""


@dataclass(frozen=True)
class _Found:
    """A verified document that waits to be handed over."""

    entry: Entry
    digest: str
    alert: Alert
    text: str


class Source:
    """One source. `start`, `poll` and `stop` return at once (`stop` within its deadline).

    Args:
        settings: from the configuration.
        directory: for the state of this source alone.
        post: takes this room's events.
        clock: judges certificates.
        client: fetches. It keeps its connection: a TLS handshake each minute would cost a SIM some MB a day.
    """

    def __init__(
        self,
        settings: SourceSettings,
        directory: Path,
        post: Callable[[Any], None],
        clock: Clock,
        client: Client | None = None,
    ) -> None:
        self._settings = settings
        self._name = settings.name
        self._post = post
        self._clock = clock
        self._poll_s = Seconds(settings.poll_s)
        self._client = client or Client(ca=settings.ca)
        self._memory = Memory(directory / "taken.json", settings.url)
        self._known = self._memory.validators
        self._refused: dict[str, str] = {}
        """Why each document that the feed offers is refused, by its entry."""
        self._failures: dict[str, int] = {}
        """How often each document could not be fetched, by its entry: the next round begins with the others."""
        self._unfetched: str | None = None
        self._judged_under: tuple[ClockState, str] | None = None
        self._standing: list[PinnedCertificate] = []
        self._certificates: str | None = None
        """What is wrong with the pinned certificates."""
        self._certificates_at: MonotonicS | None = None
        self._missing_since: MonotonicS | None = None
        self._told: tuple[object, ...] | None = None
        self._limiter = Limiter(10, Seconds(360.0))
        self._lock = threading.Lock()
        self._health = FeedHealth(state="none")
        self._wake = threading.Event()
        self._stopping = False
        self.rounds = 0
        """Rounds that are over: whoever polls can wait for the next one."""
        self._thread = threading.Thread(target=self._run, name=f"alerts-{self._name}", daemon=True)

    def start(self) -> None:
        """Ask now, and again each `poll_s`."""
        self._thread.start()

    def poll(self) -> None:
        """Ask now; if a round is under way, once more after it."""
        self._wake.set()

    def stop(self, deadline_s: Seconds) -> None:
        """End, breaking off what is under way."""
        self._stopping = True
        self._wake.set()
        self._client.abort()
        if self._thread.is_alive():
            self._thread.join(deadline_s)

    def health(self) -> FeedHealth:
        """How the source stands."""
        with self._lock:
            return self._health

    # ---- on the source's thread

    def _run(self) -> None:
        failures = 0
        while not self._stopping:
            self._wake.clear()
            failures = 0 if self.round() else failures + 1
            self.rounds += 1
            self._wake.wait(back_off(failures, self._poll_s) if failures else jittered(self._poll_s))

    def round(self) -> bool:
        """Ask once and settle what came of it; False where it should soon be tried again."""
        missing: str | None = None
        broken: str | None = None
        try:
            self._look()
            missing = self._unfetched
        except (Retry, Unreadable, Rejected) as error:
            missing = str(error)
        except (AlertSourceError, FeedError) as error:
            broken = str(error)
        except OSError as error:  # the file of `ca` is not there, or no process can be had
            broken = str(error)
        except Exception as error:  # the thread must outlive whatever a host sends
            log.exception("alert source %s", self._name)
            broken = f"unexpected {type(error).__name__}: {error}"
        if not self._stopping:
            self._settle(missing, broken)
        return missing is None

    def _look(self) -> None:
        pins = self._pins()
        state = self._clock.state
        under = (state, hashlib.sha256("\n".join(pins).encode()).hexdigest())
        now = self._clock.monotonic()
        at = self._certificates_at
        if at is None or under != self._judged_under or now >= at + CERTIFICATES_EACH_S:
            with self._verifier(pins) as verifier:
                self._judge(*verifier.certificates())
            self._certificates_at, self._judged_under = now, under
        self._unfetched = None
        found = self._client.read_if_changed(self._settings.url, MAX_FEED_BYTES, FEED_WITHIN_S, self._known)
        if found is None:
            return
        raw, validators = found
        try:
            entries = read_feed(raw)
        except Unreadable as error:
            raise Unreadable(f"{self._settings.url}: {error}") from error
        offered = {entry.key for entry in entries}
        self._refused = {key: reason for key, reason in self._refused.items() if key in offered}
        self._failures = {key: count for key, count in self._failures.items() if key in offered}
        fresh = [e for e in entries if e.key not in self._memory and e.key not in self._refused]
        fresh.sort(key=lambda entry: self._failures.get(entry.key, 0))
        complete = not fresh or self._take(fresh, pins)
        self._known = validators if complete else Validators()
        self._memory.save(Validators() if self._refused else self._known)

    def _take(self, fresh: list[Entry], pins: list[str]) -> bool:
        """Fetch, check and hand over what is new; False where something of it must be asked for again."""
        complete, failures = True, 0
        waiting: list[_Found] = []
        first = self._clock.monotonic()
        with self._verifier(pins) as verifier:
            for entry in fresh:
                if self._stopping or failures >= GIVE_UP_AFTER:
                    complete = False
                    break
                try:
                    found = self._check(entry, verifier)
                except Retry as error:
                    complete, failures, self._unfetched = False, failures + 1, str(error)
                    self._failures[entry.key] = self._failures.get(entry.key, 0) + 1
                    continue
                except (Refused, Rejected, NoAlert) as error:
                    self._refuse(entry, str(error))
                    continue
                if found is None:
                    continue
                if not waiting:
                    first = self._clock.monotonic()
                waiting.append(found)
                if self._clock.monotonic() > first + HAND_OVER_AFTER_S:
                    complete = self._hand_over(waiting) and complete
                    waiting = []
        return self._hand_over(waiting) and complete

    def _check(self, entry: Entry, verifier: Verifier) -> _Found | None:
        """The signed alert of an entry; None if it had its effect under another entry."""
        document = entry.document if entry.document is not None else self._fetch(entry.link or "")
        if len(document) > MAX_ALERT_BYTES:
            raise Refused(f"has {len(document)} bytes, at most {MAX_ALERT_BYTES} are accepted")
        digest = hashlib.sha256(document).hexdigest()[:32]
        if digest in self._memory:
            self._memory.add(entry.key)
            return None
        text = verifier.check(document)
        return _Found(entry, digest, read_alert(text), text)

    def _fetch(self, link: str) -> bytes:
        base = urlsplit(self._settings.url)
        try:
            there = urljoin(self._settings.url, link)
            parts = urlsplit(there)
            same = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
            allowed = parts.hostname in self._settings.link_hosts and parts.scheme in {"https", base.scheme}
        except ValueError as error:
            raise Refused(f"its link is no address: {link[:200]!r}") from error
        if (not same and not allowed) or parts.username or parts.password:
            raise Refused(f"its link leads to another host than is allowed: {there[:200]}")
        return self._client.read(there, MAX_ALERT_BYTES, DOCUMENT_WITHIN_S)

    def _hand_over(self, some: list[_Found]) -> bool:
        """Post what was verified, newest first, and remember what the conductor has taken; False if not all."""
        some = sorted(some, key=lambda found: found.alert.sent, reverse=True)
        taken = [(found, threading.Event()) for found in some]
        for found, done in taken:
            log.info("alert source %s: hands over %s", self._name, found.alert.identifier)
            self._post(AlertFetched(self._name, found.text, Level(self._settings.level), done.set))
        for found, done in taken:
            if not self._stopping and done.wait(TAKEN_WITHIN_S):
                self._memory.add(found.entry.key, found.digest)
        return all(done.is_set() for _, done in taken)

    def _refuse(self, entry: Entry, reason: str) -> None:
        reason = f"{entry.link}: {reason}" if entry.link and entry.link not in reason else reason
        self._refused[entry.key] = reason
        log.warning("alert source %s: refused: %s", self._name, reason)
        if self._limiter.allows(self._clock.monotonic()):
            self._post(DocumentRefused(self._name, reason))

    def _verifier(self, pins: list[str]) -> Verifier:
        """By a clock that nobody disciplines, a certificate can be told to be over, but not to be too young."""
        exact = self._clock.state is ClockState.SYNCHRONISED
        at: datetime = self._clock.now() if exact else self._clock.last_good
        return Verifier(pins, at, exact=exact)

    def _pins(self) -> list[str]:
        texts, problems = [], []
        for path in self._settings.certificates:
            try:
                with path.open("rb") as file:
                    texts.append(file.read(MAX_PIN_BYTES).decode("ascii"))
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"certificate {path}: {getattr(error, 'strerror', None) or error}")
        if not texts:
            raise Technician("; ".join(problems))
        return texts

    def _judge(self, certificates: list[PinnedCertificate], problems: list[str]) -> None:
        """Find out whether the pinned certificates will do, and until when."""
        usable = [certificate for certificate in certificates if certificate.problem is None]
        told = [
            f"{certificate.name} {certificate.problem}" for certificate in certificates if certificate.problem
        ]
        last = max((certificate.expires for certificate in usable), default=None)
        if certificates != self._standing:
            # what was refused by other certificates is judged again
            self._known = Validators() if self._refused else self._known
            self._refused.clear()
            self._standing = certificates
        self._certificates = None
        if last is None:
            self._certificates = f"no pinned certificate can be used: {'; '.join([*told, *problems])}"
        elif last - max(self._clock.now(), self._clock.last_good) < EXPIRES_SOON:
            self._certificates = (
                f"the last pinned certificate runs out on {last:%Y-%m-%d}: bring the next one"
            )

    def _settle(self, missing: str | None, broken: str | None) -> None:
        """Work out how the source stands, and tell what is new of it."""
        now = self._clock.monotonic()
        if missing is None:
            self._missing_since = None
        elif self._missing_since is None:
            self._missing_since = now
        since = self._missing_since
        long_missing = since is not None and now - since >= POLLS_MISSED * self._poll_s
        refused = None
        if self._refused:
            more = f" (and {len(self._refused) - 1} more)" if len(self._refused) > 1 else ""
            refused = f"refused: {next(iter(self._refused.values()))}{more}"
        others = [part for part in (broken, refused, self._certificates) if part]
        with self._lock:
            self._health = FeedHealth(
                state="unreachable" if missing else "refused" if broken or refused else "current",
                checked=self._health.checked if missing else self._clock.now(),
                reason="; ".join([*([missing] if missing else []), *others])[:1_000] or None,
            )
        faults = [*([missing] if missing and long_missing else []), *others]
        # whatever words the network finds for it each time, that it is away is told once
        self._tell((long_missing, *others), "; ".join(faults)[:1_000] or None)

    def _tell(self, what: tuple[object, ...], reason: str | None) -> None:
        if what == self._told:
            return
        before, self._told = self._told, what
        if reason is not None:
            log.warning("alert source %s: %s", self._name, reason)
            self._post(SourceTroubled(self._name, reason))
        elif before is not None:
            log.info("alert source %s: is well again", self._name)
            self._post(SourceWell(self._name))
