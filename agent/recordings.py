"""Recordings that belong to alerts: taken from the message or fetched, checked, and handed to the library.

Each on a thread of its own, so that a host that does not answer holds up nothing else. What was checked lies in a
store of its own, for the tellings to come and for a restart; the library keeps the samples.

A recording by address is believed for one of two reasons: the message, which was signed, names its SHA-1 (the digest
of CAP 1.2), or it came over https from a host that the configuration allows. SHA-1 is broken for collisions, which
need the author's help; nobody can make another file to a given digest.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from agent.feeds.errors import FeedError
from agent.feeds.http import Client
from agent.library import Library, Need, Unplayable
from agent.store import Store, StoreError
from playlists.alert import Resource
from playlists.units import Seconds

log = logging.getLogger("loa.recordings")

MAX_BYTES: Final = 5_000_000
"""A good five minutes of MP3 at 128 kbit/s."""

STORE_BYTES: Final = 100_000_000

FETCHED_WITHIN_S: Final = Seconds(20.0)
"""Longer than a telling waits: what comes late is there for the next one."""

CONNECT_S: Final = 5.0
STALL_S: Final = 10.0

MAX_AT_ONCE: Final = 4


class Untrusted(Exception):  # noqa: N818 - says what is the matter
    """Error raised for a recording that nobody vouches for. Remedy: the sender's, or `[alerts] hosts`."""


class Recordings:
    """Brings recordings. Safe to use from several threads.

    Args:
        store: where they lie.
        hosts: from which they may be fetched, in lower case.
        library: makes them soundable.
        post: gets `Unplayable` for those that are not to be had, on one of our threads.
    """

    def __init__(
        self, store: Store, hosts: Iterable[str], library: Library, post: Callable[[Any], None]
    ) -> None:
        self._store = store
        self._hosts = frozenset(host.strip("[]") for host in hosts)
        self._library = library
        self._post = post
        self._lock = threading.Lock()
        self._at_work: dict[str, Client | None] = {}

    def want(self, resource: Resource) -> None:
        """Have a recording made soundable; answered like `Library.want`, by an event."""
        with self._lock:
            if resource.key in self._at_work:
                return
            full = len(self._at_work) >= MAX_AT_ONCE
            if not full:
                self._at_work[resource.key] = None
        if full:
            self._post(Unplayable(resource.key, f"{MAX_AT_ONCE} recordings are being fetched already"))
            return
        threading.Thread(target=self._work, args=(resource,), name="recording", daemon=True).start()

    def keep(self, keys: Iterable[str]) -> None:
        """Say what is still needed: only the rest makes room."""
        self._store.keep(keys)

    def stop(self) -> None:
        """Break off what is under way."""
        with self._lock:
            clients = [client for client in self._at_work.values() if client is not None]
        for client in clients:
            client.abort()

    # -- on a recording's thread ---------------------------------------------------------------

    def _work(self, resource: Resource) -> None:
        try:
            path = self._store.path(resource.key)
            if path is None:
                data = resource.data if resource.inline else self._fetch(resource)
                _check(resource, data)
                with self._store.aside(resource.key, len(data)) as aside:
                    aside.write_bytes(data)
                path = self._store.path(resource.key)
            if path is None:
                raise FileNotFoundError(f"{resource.key} was removed as soon as it was there")
        except (Untrusted, FeedError, StoreError, OSError, ValueError) as error:
            log.warning("recording %s: %s", resource.uri or resource.key, error)
            self._post(Unplayable(resource.key, str(error)))
        else:
            self._library.want(resource.key, path, Need.EMERGENCY)
        finally:
            with self._lock:
                self._at_work.pop(resource.key, None)

    def _fetch(self, resource: Resource) -> bytes:
        parts = urlsplit(resource.uri)
        if (parts.hostname or "") not in self._hosts:
            raise Untrusted(f"{parts.hostname or resource.uri[:80]} is not among [alerts] hosts")
        if parts.username is not None or parts.password is not None:
            raise Untrusted(f"the address at {parts.hostname} carries a user name")
        if parts.scheme != "https" and resource.sha1 is None:
            raise Untrusted(f"{resource.uri[:200]}: without https and without a digest nobody vouches for it")
        if (resource.size_bytes or 0) > MAX_BYTES:
            raise Untrusted(
                f"it is said to have {resource.size_bytes} bytes, at most {MAX_BYTES} are accepted"
            )
        with Client(CONNECT_S, STALL_S) as client:
            with self._lock:
                self._at_work[resource.key] = client
            return client.read(resource.uri, MAX_BYTES, FETCHED_WITHIN_S)


def _check(resource: Resource, data: bytes) -> None:
    if not data:
        raise Untrusted("it is empty, or it came with the message and is not here any more")
    found = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    if resource.sha1 is not None and found != resource.sha1:
        raise Untrusted(f"its digest is {found}, the message names {resource.sha1}")
