"""The node's end: asks the centre, or a stick, checks the answer, and says what of the configuration it changes."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root  # type: ignore[attr-defined]  # exported by a computed __all__

from agent import __version__
from agent.enrol import protocol
from agent.enrol.code import Code
from agent.enrol.errors import EnrolError, Refused, Rejected, Retry
from agent.enrol.identity import check_certificate, key_at, request_for
from agent.enrol.protocol import EnrolledFeed, Enrolment, Request
from agent.files import write_atomically
from agent.usb.stick import Missing, Stick
from agent.words import _

CONNECT_S: Final = 15.0
ANSWER_S: Final = 30.0
FOLDER: Final = "loa-enrolment"
"""Where a stick has enrolments."""


@dataclass(frozen=True)
class Joined:
    """An answer that was found genuine."""

    enrolment: Enrolment
    folder: Path
    """Where the node's key lies, and what came is to be put."""
    complete: bool
    """Whether a certificate came with it, or none is needed."""


class Joining:
    """One enrolment of one node.

    Args:
        code: what the technician typed.
        beside: the folder of the configuration; this enrolment gets a folder of its own in it.
    """

    def __init__(self, code: Code, beside: Path) -> None:
        self._code = code
        self._folder = beside / f"enrolment-{code.id}"
        self._key_path = self._folder / "node.key"

    def ask(self, url: str, ca: Path | None = None) -> Joined:
        """Ask the centre at `url`. May be repeated with the same code until it expires.

        Args:
            url: of the centre, as `loa station serve` has it.
            ca: certificates to trust for https, instead of the well-known ones.

        Raises:
            Refused: the centre does not know the code, or no more.
            NotGenuine: the answer is not the centre's.
            Rejected: the answer cannot be used.
            Retry: network, or the centre is busy.
            OSError: the key cannot be kept.
        """
        key = self._code.key()
        was_there = self._key_path.exists()
        asked = protocol.seal(self._code.id, key, "request", self._request())
        try:
            answer = _post(url, asked, ca)
        except Refused:
            # only what was made just now: a key of an earlier run may be in use, or be the one the centre knows
            if not was_there:
                self._forget()
            raise
        document = protocol.unseal(protocol.envelope(answer, url), key, "answer", asked)
        return self._joined(protocol.read_enrolment(document), whole=True)

    def take(self, stick: Stick) -> Joined:
        """Take what lies on a stick, and leave a request for a certificate on it where none is there yet.

        Raises:
            StickError: the stick cannot be read, has nothing for this code, or cannot be written.
            NotGenuine, Rejected: as `ask`.
            OSError: the key cannot be kept.
        """
        key = self._code.key()
        asked_name, answer_name, offer_name = (
            f"{self._code.id}.{kind}.json" for kind in ("request", "answer", "offer")
        )
        try:
            asked = stick.read(FOLDER, asked_name, max_bytes=protocol.MAX_REQUEST_BYTES)
            answer = stick.read(FOLDER, answer_name, max_bytes=protocol.MAX_ANSWER_BYTES)
        except Missing:
            offer = stick.read(FOLDER, offer_name, max_bytes=protocol.MAX_ANSWER_BYTES)
            document = protocol.unseal(protocol.envelope(offer, offer_name), key, "stick")
            joined = self._joined(protocol.read_enrolment(document), whole=False)
            if not joined.complete:
                request = protocol.seal(self._code.id, key, "request", self._request())
                stick.write(FOLDER, asked_name, data=request)
            return joined
        # our own request, or the answer would be for somebody else's key
        document = protocol.unseal(protocol.envelope(answer, answer_name), key, "answer", asked)
        return self._joined(protocol.read_enrolment(document), whole=True)

    def _request(self) -> Request:
        self._folder.mkdir(mode=0o750, exist_ok=True)
        csr = request_for(key_at(self._key_path))
        return Request(format=protocol.REQUEST, csr=csr)

    def _forget(self) -> None:
        with contextlib.suppress(OSError):
            self._key_path.unlink()
            self._folder.rmdir()

    def _joined(self, enrolment: Enrolment, *, whole: bool) -> Joined:
        for feed in enrolment.feeds:
            _check_root(feed)
        if len({feed.name for feed in enrolment.feeds}) < len(enrolment.feeds):
            raise Rejected(_("two feeds of one name"))
        broker = enrolment.broker
        if enrolment.certificate is not None:
            check_certificate(enrolment.certificate, key_at(self._key_path), enrolment.node)
        elif whole and broker is not None and broker.tls:
            raise Rejected(_("the answer names a broker, and has no certificate for it"))
        complete = enrolment.certificate is not None or broker is None or not broker.tls
        return Joined(enrolment, self._folder, complete)


def put_files(joined: Joined, group: int | None) -> None:
    """Put what came beside the node's key; nothing that is in use is replaced but by the same enrolment.

    Raises:
        OSError: it cannot be written.
    """
    said = joined.enrolment
    joined.folder.mkdir(mode=0o750, exist_ok=True)
    files = {_root_name(feed): feed.root for feed in said.feeds}
    if said.certificate is not None:
        files["node.pem"] = said.certificate
    if said.broker is not None and said.broker.ca is not None:
        files["broker-ca.pem"] = said.broker.ca
    for name, text in files.items():
        write_atomically(joined.folder / name, text.encode(), mode=0o640)
    if group is not None:
        for path in (joined.folder, *(joined.folder / name for name in files)):
            shutil.chown(path, group=group)


def changes(joined: Joined, present: Mapping[str, Any]) -> dict[str, Any]:
    """What of the configuration is to be changed, for `agent.config.editing.change`. Paths start at its folder."""
    said, folder = joined.enrolment, joined.folder.name
    wanted: dict[str, Any] = {"node.id": said.node, "node.site": said.site}
    if said.public_number:
        wanted["node.public_number"] = said.public_number
    if said.groups:
        wanted["node.groups"] = list(said.groups)
    for feed in said.feeds:
        key = f'feeds."{feed.name}"'
        wanted |= {
            f"{key}.url": feed.url,
            f"{key}.root": f"{folder}/{_root_name(feed)}",
            f"{key}.level": feed.level,
            f"{key}.ceiling": feed.ceiling.value,
        }
    broker = said.broker
    if broker is not None and joined.complete:
        wanted |= {"broker.host": broker.host, "broker.port": broker.port, "broker.tls": broker.tls}
        has_certificate = said.certificate is not None
        wanted["broker.ca"] = f"{folder}/broker-ca.pem" if broker.ca is not None else None
        wanted["broker.cert"] = f"{folder}/node.pem" if has_certificate else None
        wanted["broker.key"] = f"{folder}/node.key" if has_certificate else None
        wanted["broker.user"] = wanted["broker.password_file"] = None
    there = present.get("broker")
    had = there if isinstance(there, Mapping) else {}
    return {
        key: value
        for key, value in wanted.items()
        if value is not None or (key.startswith("broker.") and key.partition(".")[2] in had)
    }


def _root_name(feed: EnrolledFeed) -> str:
    return f"{feed.name}-root.json"


def _check_root(feed: EnrolledFeed) -> None:
    """A root that vouches for itself: what a mistake at the centre spoils is seen before it is trusted."""
    try:
        root = Metadata[Root].from_bytes(feed.root.encode())
        root.verify_delegate("root", root)
    except (RepositoryError, ValueError) as error:
        raise Rejected(_("the root of feed {name}: {error}").format(name=feed.name, error=error)) from error


def _post(url: str, data: bytes, ca: Path | None) -> bytes:
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EnrolError(_("{url}: is no URL of a centre, as https://centre.example").format(url=url))
    address = parts._replace(path=f"{parts.path.rstrip('/')}/{protocol.PATH}", query="", fragment="").geturl()
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc: what is asked is what was typed
    headers = {"Content-Type": "application/json", "User-Agent": f"loa-agent/{__version__}"}
    try:
        with session.post(
            address, data=data, headers=headers, timeout=(CONNECT_S, ANSWER_S), stream=True, allow_redirects=False,
            verify=str(ca) if ca is not None else True,
        ) as answer:  # fmt: skip
            body = answer.raw.read(protocol.MAX_ANSWER_BYTES + 100_001, decode_content=False)
    except (requests.RequestException, OSError) as error:
        raise Retry(f"{address}: {_innermost(error)}") from error
    if answer.status_code == 200:
        return bytes(body)
    said = bytes(body[:300]).decode("utf-8", "replace").strip() if answer.status_code in (400, 403) else ""
    if answer.status_code == 403:
        raise Refused(_("the centre refuses: {why}").format(why=said))
    if answer.status_code == 400:
        raise Rejected(_("the centre cannot read the request: {why}").format(why=said))
    if answer.status_code == 429:
        raise Retry(_("the centre is asked too often; try again in a minute"))
    if answer.status_code == 503:
        raise Retry(_("the centre cannot enrol now; look at its own messages"))
    raise Retry(
        _("{url}: answers {status}: is this the address of a centre?").format(
            url=address, status=answer.status_code
        )
    )


def _innermost(error: BaseException) -> str:
    while (inner := error.__cause__ or error.__context__) is not None and str(inner):
        error = inner
    return f"{type(error).__name__}: {error}"
