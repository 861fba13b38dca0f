"""Writes what waits for the centre onto a stick: the play log that it has not acknowledged, and the node's health.

A log goes in files of fixed spans of numbers, so that a stick that comes back gets only what is new. The centre knows
records by (node, epoch, number): what comes later by the broker as well is kept once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agent.config import Broker
from agent.usb import report
from agent.usb.layout import REPORTS
from agent.usb.report import Report
from agent.usb.stick import Stick, StickError
from agent.words import _

SPAN: Final = 500
"""Numbers in one file."""

Ask = Callable[..., dict[str, Any]]


class NotEnrolled(Exception):  # noqa: N818 - says what is the matter
    """Error raised when the node has no key to sign with."""


@dataclass(frozen=True)
class Signer:
    """The node's own key, and who vouches for it."""

    key: ec.EllipticCurvePrivateKey
    certificate: str

    @classmethod
    def of(cls, broker: Broker | None) -> Signer:
        """As the configuration names them.

        Raises:
            NotEnrolled: it names none, or they cannot be used.
        """
        if broker is None or broker.key is None or broker.cert is None:
            raise NotEnrolled(_("this node has no certificate to sign reports with: loa enroll brings one"))
        try:
            key = load_pem_private_key(broker.key.read_bytes(), None)
            certificate = broker.cert.read_text(encoding="utf-8")
        except (OSError, ValueError, TypeError) as error:
            raise NotEnrolled(f"[broker] key, cert: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise NotEnrolled(_("[broker] key: is of another kind than a key made by loa enroll"))
        return cls(key, certificate)


@dataclass(frozen=True)
class Exported:
    """What was written."""

    records: int
    """Of the log, on the stick now that were not there before or that are there anew."""
    files: int
    unchanged: int
    """Files that were on the stick already."""


def export(stick: Stick, ask: Ask, signer: Signer, now: Callable[[], datetime]) -> Exported:
    """Write all that waits.

    Raises:
        StickError: the stick is full, gone or write-protected; what was written before is whole.
        agent.control.client.ControlError: the agent does not run, or refuses.
    """
    first = ask("log-batch", after=0, count=1)
    node, site, epoch = str(first["node"]), str(first["site"]), str(first["epoch"])

    def put(name: str, kind: str, document: dict[str, Any]) -> None:
        said = Report.model_validate(
            {"format": report.FORMAT, "node": node, "site": site, "kind": kind, "at": now().isoformat(),
             "document": document}
        )  # fmt: skip
        stick.write(*REPORTS, node, name, data=report.sign(said, signer.key, signer.certificate))

    records = files = unchanged = 0
    after = int(first["stored_through"]) // SPAN * SPAN
    while True:
        batch = ask("log-batch", after=after, count=SPAN)["batch"]
        if batch is None or batch["epoch"] != epoch:
            break  # the next export goes on in the new epoch
        span = (int(batch["records"][0]["seq"]) - 1) // SPAN
        end = (span + 1) * SPAN
        within = [record for record in batch["records"] if record["seq"] <= end]
        # what was dropped at the journal's bound is claimed, so that the centre does not wait for it
        last = end if batch["last"] >= end else int(within[-1]["seq"])
        name = _name(epoch, span)
        if _has(stick, node, name, last, signer):
            unchanged += 1
        else:
            put(name, "log", {"epoch": epoch, "first": after + 1, "last": last, "records": within})
            records, files = records + len(within), files + 1
        if last < end:
            break
        after = end
    put("health.json", "health", ask("status")["health"])
    return Exported(records, files + 1, unchanged)


def _name(epoch: str, span: int) -> str:
    safe = "".join(letter if letter.isalnum() else "-" for letter in epoch)[:40]
    return f"log-{safe}-{span:08}.json"


def _has(stick: Stick, node: str, name: str, last: int, signer: Signer) -> bool:
    """Whether the stick has this file already, as far as `last`, and undamaged: it is not written again."""
    try:
        raw = stick.read(*REPORTS, node, name, max_bytes=report.MAX_BYTES)
    except StickError:
        return False
    document = report.ours(raw, signer.key.public_key())
    return document is not None and document.get("last") == last
