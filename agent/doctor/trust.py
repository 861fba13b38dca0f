"""Checks of trust: roots, signatures, who may command, what a feed may claim, certificates.

What is read here is judged by python-tuf and cryptography as formats only: whether a signature holds is the daemon's
business at each fetch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agent.clock import BUILT
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import Blocked, Machine
from agent.words import N_, _, ngettext, retell

SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Lasting:
    """Something with an end."""

    name: str
    until: datetime | None
    problem: str | None = None
    """Why it cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Lives:
    """Several of them, and the present."""

    now: datetime
    items: Sequence[Lasting]

    def worst(self) -> Lasting | None:
        """The one that ends first; None where there is none."""
        return min(
            (item for item in self.items if item.until), key=lambda item: item.until or BUILT, default=None
        )

    def broken(self) -> Lasting | None:
        """The first that cannot be read."""
        return next((item for item in self.items if item.problem), None)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def probe_roots(machine: Machine) -> Lives:
    """The installed root of each feed, and the newest that was verified since: that one must not have expired."""
    return Lives(_not_before(machine), list(_roots(machine)))


def _not_before(machine: Machine) -> datetime:
    """The wall clock, unless it is obviously behind."""
    return max(machine.now(), BUILT)


def _roots(machine: Machine) -> Iterator[Lasting]:
    from agent.feeds.errors import Technician
    from agent.feeds.trust import read_root

    for feed in machine.config.feeds:
        if not feed.root.exists() or not feed.root.stat().st_size:
            raise Blocked("config-files")
        installed = _metadata(feed.root, "root")
        try:
            read_root(feed.root)
        except Technician as error:
            installed = retell(str(error))
        if isinstance(installed, str):
            yield Lasting(feed.name, None, installed)
            continue
        newest = _metadata(_state_of(machine, feed.name) / "metadata" / "root.json", "root")
        yield Lasting(feed.name, installed if isinstance(newest, str) else max(installed, newest))


def _state_of(machine: Machine, feed: str) -> Path:
    return machine.config.paths.state / "feeds" / feed


def _metadata(path: Path, kind: str) -> datetime | str:
    """When a file of TUF metadata expires; or what is wrong with it."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata

    try:
        found: Any = Metadata.from_bytes(path.read_bytes())
    except PermissionError:
        raise
    except OSError as error:
        return error.strerror or str(error)
    except (RepositoryError, ValueError) as error:
        return _("it is no TUF metadata ({error})").format(error=type(error).__name__)
    if found.signed.type != kind:
        return _("it is {kind} metadata, not a root").format(kind=found.signed.type)
    expires: datetime = found.signed.expires
    return expires if expires.tzinfo else expires.replace(tzinfo=UTC)


def judge_roots(found: Lives) -> Finding:
    """Only the owner of the feed can renew it."""
    if (bad := found.broken()) is not None:
        return fault(
            _("root of {name}: {problem}").format(name=bad.name, problem=bad.problem),
            _("bring the root file anew from the centre (DIR/root.json)"),
        )
    worst = found.worst()
    if worst is None or worst.until is None:
        return absent(_("the configuration names no feed"))
    if worst.until < found.now:
        return fault(
            _("the root of {name} has expired on {day}").format(name=worst.name, day=_day(worst.until)),
            _("the centre must renew it: loa station rotate"),
        )
    if worst.until - found.now < SOON:
        return warning(
            _("the root of {name} expires on {day}").format(name=worst.name, day=_day(worst.until)),
            _("tell the centre to renew it: loa station rotate"),
        )
    return ok(_("roots hold until {day}").format(day=_day(worst.until)))


@dataclass(frozen=True, slots=True)
class Signature:
    """The newest short-lived signature of a feed on this node."""

    feed: str
    until: datetime | None
    """None: nothing was ever fetched."""
    holds_on: timedelta
    """How long the schedule stays in force after that."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Of all feeds."""

    now: datetime
    items: Sequence[Signature]


def probe_signatures(machine: Machine) -> Signatures:
    """Read what was verified last."""
    found = []
    if any(root.problem for root in _roots(machine)):
        raise Blocked("roots")
    for feed in machine.config.feeds:
        until = _metadata(_state_of(machine, feed.name) / "metadata" / "timestamp.json", "timestamp")
        lasting = None if isinstance(until, str) else until
        found.append(Signature(feed.name, lasting, timedelta(days=feed.expired_days)))
    return Signatures(_not_before(machine), found)


def judge_signatures(found: Signatures) -> Finding:
    """The centre renews them each day; a node without network finds them expired, and goes on for a while."""
    if not found.items:
        return absent(_("the configuration names no feed"))
    for item in found.items:
        if item.until is None:
            return fault(
                _("feed {name} was never fetched").format(name=item.feed),
                _("see how far it comes: loa test feed"),
            )
    item = min(found.items, key=lambda item: (item.until or BUILT) + item.holds_on)
    ends = (item.until or BUILT) + item.holds_on
    if ends < found.now:
        return fault(
            _("feed {name} is out of force since {day}").format(name=item.feed, day=_day(ends)),
            _("the centre must sign it anew: loa station serve"),
        )
    old = min(found.items, key=lambda item: item.until or BUILT)
    if old.until is not None and old.until < found.now:
        return warning(
            _("feed {name} is expired, in force until {day}").format(name=old.feed, day=_day(ends)),
            _("loa test feed; if it answers, the centre must run loa station serve"),
        )
    return ok(_("signatures are fresh"))


@dataclass(frozen=True, slots=True)
class Operators:
    """Who may command through the feeds."""

    now: datetime
    known: bool
    """Whether a list of them was ever fetched."""
    until: Sequence[datetime]
    """When each key runs out."""
    broker: bool


def probe_operators(machine: Machine) -> Operators:
    """From the last good documents."""
    from agent.feeds.state import LastGood
    from playlists.errors import Rejected
    from playlists.models.operators import parse_operators

    until: list[datetime] = []
    known = False
    for feed in machine.config.feeds:
        saved = LastGood(_state_of(machine, feed.name)).load()
        for document in saved.documents.values() if saved is not None else ():
            try:
                listed = parse_operators(document)
            except Rejected:
                continue  # it is the schedule
            known = True
            until += [operator.expires for operator in listed.operators]
    return Operators(_not_before(machine), known, until, machine.config.broker is not None)


def judge_operators(found: Operators) -> Finding:
    """A node whose officers' keys have all expired can be muted by nobody."""
    if not found.broker or not found.known:
        return absent(_("no broker") if not found.broker else _("no list of operators was fetched yet"))
    valid = [until for until in found.until if until > found.now]
    if not valid:
        return warning(
            _("nobody may command: no operator's key is valid"),
            _("the centre must list one: operators.json of its feed"),
        )
    if max(valid) - found.now < SOON:
        return warning(
            _("the last operator's key expires on {day}").format(day=_day(max(valid))),
            _("tell the centre to renew it in operators.json"),
        )
    return ok(
        ngettext("{count} key may command", "{count} keys may command", len(valid)).format(count=len(valid))
    )


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Who may claim an emergency."""

    feeds: Sequence[str]
    sources: Sequence[str]


def probe_ceilings(machine: Machine) -> Ceilings:
    """From the configuration."""
    config = machine.config
    return Ceilings(
        [feed.name for feed in config.feeds if feed.ceiling == "emergency"],
        [source.name for source in config.alert_sources],
    )


def judge_ceilings(found: Ceilings) -> Finding:
    """A pole that nobody may use in an emergency is silent when it matters."""
    who = [*found.feeds, *found.sources]
    if not who:
        return warning(
            _("nobody may raise an emergency here"),
            _('set ceiling = "emergency" at the feed that may: loa config edit'),
        )
    return ok(_("an emergency may come from {names}").format(names=", ".join(who)))


def probe_certificates(machine: Machine) -> Lives:
    """All that the configuration names."""
    config, found = machine.config, []
    for source in config.alert_sources:
        for path in source.certificates:
            found += _certificates(source.name, path)
    if config.broker is not None:
        for named in (config.broker.ca, config.broker.cert):
            if named is not None:
                found += _certificates(_("broker"), named)
    return Lives(_not_before(machine), found)


def _certificates(name: str, path: Path) -> list[Lasting]:
    from cryptography import x509

    if not path.exists() or not path.stat().st_size:
        raise Blocked("config-files")
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except PermissionError:
        raise
    except OSError as error:
        return [Lasting(f"{name}, {path.name}", None, error.strerror or str(error))]
    except ValueError:
        return [Lasting(f"{name}, {path.name}", None, _("it is no certificate in PEM"))]
    # of a file with an old and a new one, the newest counts
    return [Lasting(f"{name}, {path.name}", max(one.not_valid_after_utc for one in chain))]


def judge_certificates(found: Lives) -> Finding:
    """Those of alert sources and of the broker."""
    if (bad := found.broken()) is not None:
        return fault(
            _("certificate ({name}): {problem}").format(name=bad.name, problem=bad.problem),
            _("bring it anew from its owner, by hand"),
        )
    worst = found.worst()
    if worst is None or worst.until is None:
        return absent(_("the configuration names none"))
    text = _("the certificate of {name} ends on {day}").format(name=worst.name, day=_day(worst.until))
    if worst.until < found.now:
        return fault(text, _("bring the next one from its owner, by hand"))
    if worst.until - found.now < SOON:
        return warning(text, _("get the next one from its owner, and append it to the file"))
    return ok(_("certificates hold until {day}").format(day=_day(worst.until)))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("roots", "trust", N_("trusted roots of the feeds"), probe_roots, judge_roots),
    Check("signatures", "trust", N_("signatures of the feeds are fresh"), probe_signatures, judge_signatures),
    Check("operators", "trust", N_("somebody may command"), probe_operators, judge_operators),
    Check("ceilings", "trust", N_("somebody may raise an emergency"), probe_ceilings, judge_ceilings),
    Check(
        "certificates", "trust", N_("certificates have not expired"), probe_certificates, judge_certificates
    ),
)
