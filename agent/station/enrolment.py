"""Enrolment at the centre: issues codes for nodes, and answers who knows one. See docs/contract/enrolment.md.

A code is for one node and one key, and ends by itself. The centre does not keep it, only the key that it makes
(scrypt). Who asks again with the same key, because the answer was lost, is answered again.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import secrets
import threading
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import Field, ValidationError

from agent.config.fields import Name, Url
from agent.enrol import protocol
from agent.enrol.code import Code, make
from agent.enrol.errors import EnrolError, NotGenuine
from agent.enrol.identity import public_bytes, read_csr
from agent.enrol.protocol import EnrolledBroker, EnrolledFeed, Enrolment, Envelope
from agent.files import locked, write_atomically
from agent.station.authority import Authority
from agent.station.centre import FILE, load, reading
from agent.station.errors import StationError, Technician
from agent.station.folder import Folder
from playlists.models.base import BulletinClass, Model, describe

MOST_CODES: Final = 5_000
KEPT_DAYS: Final = 30
MOST_WRONG: Final = 10
"""Wrong seals after which a code is void: who knows its name is guessing."""
UNKNOWN: Final = "this code is unknown, used up, expired or void; ask for a new one"

log = logging.getLogger("loa.station")

Now = Callable[[], datetime]


class Offer(Model):
    """`[enrolment]` in station.toml: what nodes are told."""

    feed_url: Url
    level: Annotated[int, Field(strict=True, ge=0, le=100)] = 0
    ceiling: BulletinClass = BulletinClass.ROUTINE
    broker_host: str | None = None
    broker_port: int | None = None
    url: Url | None = None


class Issued(Model):
    """A code, as it is kept."""

    node: Name
    groups: tuple[Name, ...] = ()
    public_number: str = ""
    key: str
    expires: datetime
    wrong: int = 0
    used_by: str | None = None
    """SHA-256 of the public key that it was used for."""
    used_at: datetime | None = None
    certificate: str | None = None


class Refusal(Exception):  # noqa: N818 - says what it is
    """Error raised when a request is not answered; `status` is that of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Desk:
    """Issues codes and answers requests. Several processes may, one at a time."""

    def __init__(self, folder: Folder, now: Now = lambda: datetime.now(UTC)) -> None:
        self._folder = folder
        self._now = now
        self._path = folder.path / "enrolment.json"
        self._one_at_a_time = threading.Lock()

    # -- what an officer does ------------------------------------------------------------------

    def issue(self, node: str, *, groups: tuple[str, ...] = (), number: str = "", valid: timedelta) -> Code:
        """A new code for a node; former ones of it that are unused end.

        Raises:
            Technician: station.toml does not say what nodes are to be told, or there are too many codes.
            OSError: it cannot be kept.
        """
        self.offer()
        Authority(self._folder, self._now())
        with self._codes() as codes:
            for id_ in [id_ for id_, each in codes.items() if each.node == node and each.used_by is None]:
                del codes[id_]
            if len(codes) >= MOST_CODES:
                raise Technician(f"{self._path}: has {MOST_CODES} codes; wait until some expire")
            code = make()
            while code.id in codes:
                code = make()
            try:
                codes[code.id] = Issued(
                    node=node,
                    groups=groups,
                    public_number=number,
                    key=code.key().hex(),
                    expires=self._now() + valid,
                )
            except ValidationError as error:
                raise Technician("; ".join(describe(error))) from error
        return code

    def issued(self) -> dict[str, Issued]:
        """All codes that are kept, by id.

        Raises:
            Technician: the file is damaged.
        """
        with self._codes(write=False) as codes:
            return dict(codes)

    def offer(self) -> Offer:
        """What station.toml says nodes are told.

        Raises:
            Technician: it says nothing, or is wrong.
        """
        path = self._folder.path / FILE
        with reading(path, lambda error: (f"[enrolment] {line}" for line in describe(error))):
            section = tomllib.loads(path.read_text(encoding="utf-8")).get("enrolment")
            if section is None:
                raise Technician(
                    f'{path}: [enrolment] is missing; the least it needs: feed_url = "https://…"'
                )
            return Offer.model_validate(section)

    def for_stick(self, code: Code) -> bytes:
        """What lies on a stick for a node without a network: all but its certificate, sealed.

        Raises:
            Refusal: the code is not known.
            Technician: as `issue`.
        """
        issued = self._known(code.id)
        return protocol.seal(code.id, bytes.fromhex(issued.key), "stick", self._enrolment(issued))

    # -- what a node does ----------------------------------------------------------------------

    def answer(self, raw: bytes) -> bytes:
        """The answer to a sealed request.

        Raises:
            Refusal: it is not answered, and why.
        """
        try:
            asked = protocol.envelope(raw, "request", protocol.MAX_REQUEST_BYTES)
        except EnrolError as error:
            raise Refusal(400, str(error)) from error
        with self._one_at_a_time:
            try:
                return self._answer(asked, raw)
            except (StationError, OSError) as error:
                log.error("no node can be enrolled: %s", error)
                raise Refusal(503, "the centre cannot enrol now") from error

    def _answer(self, asked: Envelope, raw: bytes) -> bytes:
        with self._codes() as codes:
            issued = codes.get(asked.code)
            # the same work and the same words for a code that is not there
            key = bytes.fromhex(issued.key) if issued is not None else secrets.token_bytes(32)
            try:
                document = protocol.unseal(asked, key, "request")
            except NotGenuine as error:
                if issued is not None:
                    codes[asked.code] = issued.model_copy(update={"wrong": issued.wrong + 1})
                log.warning("enrolment refused: code %s, wrong seal", asked.code)
                raise Refusal(403, UNKNOWN) from error
            except EnrolError as error:
                raise Refusal(400, str(error)) from error
            if issued is None or issued.wrong >= MOST_WRONG or issued.expires <= self._now():
                raise Refusal(403, UNKNOWN)
            try:
                csr = read_csr(protocol.read_request(document).csr)
            except EnrolError as error:
                raise Refusal(400, str(error)) from error
            public = csr.public_key()
            if not isinstance(public, ec.EllipticCurvePublicKey):
                raise Refusal(400, "csr: another kind of key")
            fingerprint = sha256(public_bytes(public)).hexdigest()
            if issued.used_by is not None and not hmac.compare_digest(issued.used_by, fingerprint):
                log.warning("enrolment refused: code %s was used by another key before", asked.code)
                raise Refusal(403, UNKNOWN)
            enrolment = self._enrolment(issued)
            if issued.used_by is None:
                wants = enrolment.broker is not None and enrolment.broker.tls
                certificate = Authority(self._folder, self._now()).sign(csr, issued.node) if wants else None
                issued = issued.model_copy(
                    update={"used_by": fingerprint, "used_at": self._now(), "certificate": certificate}
                )
                codes[asked.code] = issued
                log.info("node %s is enrolled, code %s", issued.node, asked.code)
            answer = enrolment.model_copy(update={"certificate": issued.certificate})
        # kept before it goes out: a code that was answered is used
        return protocol.seal(asked.code, key, "answer", answer, raw)

    # -- inside --------------------------------------------------------------------------------

    def _known(self, id_: str) -> Issued:
        issued = self.issued().get(id_)
        if issued is None:
            raise Refusal(403, UNKNOWN)
        return issued

    def _enrolment(self, issued: Issued) -> Enrolment:
        offer, centre = self.offer(), load(self._folder)
        try:
            root = self._folder.root.read_text(encoding="utf-8")
            ca = centre.broker.ca.read_text(encoding="utf-8") if centre.broker.ca is not None else None
        except (OSError, ValueError) as error:
            raise Technician(str(error)) from error
        host = offer.broker_host or centre.broker.host
        reachable = offer.broker_host is not None or host not in ("127.0.0.1", "::1", "localhost")
        broker = EnrolledBroker(
            host=host, port=offer.broker_port or centre.broker.port, tls=centre.broker.tls, ca=ca
        )
        return Enrolment(
            format=protocol.ENROLMENT,
            node=issued.node,
            site=centre.site,
            groups=issued.groups,
            public_number=issued.public_number,
            feeds=(
                EnrolledFeed(
                    name=centre.feed, url=offer.feed_url, level=offer.level, ceiling=offer.ceiling, root=root
                ),
            ),
            broker=broker if reachable else None,
        )

    @contextlib.contextmanager
    def _codes(self, *, write: bool = True) -> Iterator[dict[str, Issued]]:
        """The codes, held until the block ends; then written, if anything changed, also by a refusal."""
        with locked(self._folder.path):
            codes = self._read()
            before = dict(codes)
            try:
                yield codes
            finally:
                if write and codes != before:
                    self._write(codes)

    def _read(self) -> dict[str, Issued]:
        try:
            document: dict[str, Any] = json.loads(self._path.read_bytes())
            return {id_: Issued.model_validate(each) for id_, each in document.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Technician(f"{self._path}: {error.strerror or error}") from error
        except (ValueError, AttributeError) as error:
            raise Technician(
                f"{self._path}: is damaged ({error}); remove it, and issue codes anew"
            ) from error

    def _write(self, codes: dict[str, Issued]) -> None:
        old = self._now() - timedelta(days=KEPT_DAYS)
        kept = {id_: each.model_dump(mode="json") for id_, each in codes.items() if each.expires > old}
        write_atomically(self._path, json.dumps(kept, ensure_ascii=False, indent=1).encode(), mode=0o600)
