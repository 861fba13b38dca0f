"""Checks of the network: interface, route, names, broker, feeds, proxy. Each waits for those before it.

Sources: /sys/class/net (sysfs-class-net), /proc/net/route and ipv6_route; X509_verify_cert_error codes of OpenSSL.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from agent.control.client import ControlError
from agent.doctor.beside import beside
from agent.doctor.contact import FeedAnswer, Stage, ask_broker, ask_feed
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import Blocked, Machine
from agent.words import N_, _, ngettext
from drivers.links import MMCLI, Interface, Modem, read_interfaces, read_modem

NAMES_WITHIN_S: Final = 5.0
FEEDS_WITHIN_S: Final = 8.0
WEAK_DBM: Final = -80.0
"""Below it, most cards fall back to the slowest rates."""
WEAK_PERCENT: Final = 20
_VIRTUAL: Final = ("lo", "docker", "veth", "br-", "virbr", "dummy")


def probe_interfaces(machine: Machine) -> list[Interface]:
    """From sysfs."""
    return machine.once("interfaces", lambda: list(_interfaces(machine)))


def _interfaces(machine: Machine) -> Iterator[Interface]:
    for link in read_interfaces(machine.root):
        if not link.name.startswith(_VIRTUAL):
            # modems and tunnels say `unknown`, and have a carrier
            carrier = machine.text(f"/sys/class/net/{link.name}/carrier") == "1"
            yield replace(link, up=link.up or carrier)


def judge_interfaces(found: Sequence[Interface]) -> Finding:
    """Ethernet, Wi-Fi or a modem."""
    up = [interface.name for interface in found if interface.up]
    if up:
        return ok(_("{names} up").format(names=", ".join(up)))
    if not found:
        return fault(_("there is no network interface"), _("plug in the modem, or the cable; see: ip link"))
    return fault(
        _("no link on {names}").format(names=", ".join(interface.name for interface in found)),
        _("check cable, Wi-Fi password or SIM; see: ip addr"),
    )


@dataclass(frozen=True, slots=True)
class Radio:
    """Wi-Fi that is up, and the mobile modem."""

    wifi: Sequence[Interface]
    modem: Modem | None


def probe_radio(machine: Machine) -> Radio:
    """Ask the kernel, and ModemManager where it is installed."""
    wifi = [link for link in probe_interfaces(machine) if link.up and link.signal_dbm is not None]
    mmcli = shutil.which(MMCLI[0], path=machine.path)
    return Radio(wifi, read_modem((mmcli, *MMCLI[1:])) if mmcli is not None else None)


def judge_radio(found: Radio) -> Finding:
    """A link that is weak comes and goes, and each time something else seems to be broken."""
    modem = found.modem
    if modem is not None:
        if modem.state in {"failed", "locked"}:
            return fault(
                _("the modem: {trouble}").format(trouble=modem.trouble or modem.state),
                _("is the SIM in, its PIN off, its plan paid? see: mmcli -m any"),
            )
        if modem.state == "searching":
            return warning(_("the modem finds no network"), _("check the antenna; see: mmcli -m any"))
        if modem.signal_percent is not None and modem.signal_percent < WEAK_PERCENT:
            return warning(
                _("the mobile signal is weak ({percent} %)").format(percent=modem.signal_percent),
                _("raise or turn the antenna; another operator's SIM"),
            )
    for link in found.wifi:
        if link.signal_dbm is not None and link.signal_dbm < WEAK_DBM:
            return warning(
                _("the Wi-Fi is weak ({dbm:.0f} dBm)").format(dbm=link.signal_dbm),
                _("move or turn the antenna, or lay a cable"),
            )
    said = [f"{link.name} {link.signal_dbm:.0f} dBm" for link in found.wifi]
    if modem is not None:
        said.append(" ".join(filter(None, (modem.operator, modem.technology))) or modem.state)
    return ok(", ".join(said)) if said else absent(_("no radio here"))


def probe_route(machine: Machine) -> bool:
    """Whether there is a default route, by IPv4 or IPv6."""
    if not any(interface.up for interface in probe_interfaces(machine)):
        raise Blocked("interface")
    old = (line.split() for line in (machine.text("/proc/net/route") or "").splitlines()[1:])
    new = (line.split() for line in (machine.text("/proc/net/ipv6_route") or "").splitlines())
    return any(len(fields) > 1 and fields[1] == "00000000" for fields in old) or any(
        len(fields) > 9 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo"
        for fields in new
    )


def judge_route(found: bool) -> Finding:
    """Without one, only neighbours are reached."""
    if found:
        return ok(_("there is a way out"))
    return fault(_("there is no default route"), _("check DHCP or the gateway; see: ip route"))


@dataclass(frozen=True, slots=True)
class Name:
    """A host that the configuration names, and whether it was found."""

    host: str
    found: bool


def probe_names(machine: Machine) -> list[Name]:
    """Look up the hosts of feeds, broker and alert sources."""
    if not probe_route(machine):
        raise Blocked("route")
    return machine.once("names", lambda: _names(machine))


def _names(machine: Machine) -> list[Name]:
    config = machine.config
    urls = [*(feed.url for feed in config.feeds), *(source.url for source in config.alert_sources)]
    hosts = [urlsplit(str(url)).hostname for url in urls]
    if config.broker is not None:
        hosts.append(config.broker.host)
    wanted = [host for host in dict.fromkeys(hosts) if host and not _is_address(host)]
    answers = beside(_is_known, wanted, NAMES_WITHIN_S)
    return [Name(host, bool(known)) for host, known in zip(wanted, answers, strict=True)]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_known(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def judge_names(found: Sequence[Name]) -> Finding:
    """Nearly all that is "no internet" is this."""
    missing = [name.host for name in found if not name.found]
    if not missing:
        return ok(
            ngettext("{count} name is known", "{count} names are known", len(found)).format(count=len(found))
        )
    text = _("the name {host} is not found").format(host=missing[0])
    if len(missing) == len(found):
        return fault(text, _("check /etc/resolv.conf; see: resolvectl query {host}").format(host=missing[0]))
    return fault(text, _("is it spelled right in the configuration? The other names are found"))


def _blocked_by_name(machine: Machine, host: str | None) -> bool:
    return any(name.host == host and not name.found for name in probe_names(machine))


def probe_broker(machine: Machine) -> Stage | None:
    """How far the broker lets us in; None: there is none. The daemon's own connection counts first."""
    broker = machine.config.broker
    if broker is None:
        return None
    try:
        if machine.status()["link"] == "connected":
            return Stage("done", _("the agent is connected"))
    except ControlError:
        pass
    if _blocked_by_name(machine, broker.host):
        raise Blocked("names")
    return machine.once("broker", lambda: ask_broker(broker, machine.config.node.id))


def judge_broker(found: Stage | None) -> Finding:
    """TCP, TLS, then the password."""
    if found is None:
        return absent(_("the configuration names none"))
    text = _("the broker: {detail}").format(detail=found.detail)
    match found.reached:
        case "done":
            return ok(found.detail)
        case "files":
            return fault(text, _("put the files that [broker] names in place"))
        case "address":
            return fault(text, _("check [broker] host and port, and whether the broker runs"))
        case "time-out":
            return fault(text, _("a firewall drops it, or the link is dead: loa test link"))
        case "clock":
            return fault(text, _("set the clock first (see clock); else the centre must renew it"))
        case "trust":
            return fault(text, _("check [broker] ca and host: the certificate is for another"))
        case "tls":
            return fault(text, _("check [broker] port and tls: mostly 8883 is with TLS, 1883 without"))
        case "certificate":
            return fault(text, _("get a certificate from the centre anew: loa enroll"))
        case "password":
            return fault(text, _("get user and password from the centre anew: loa enroll"))
        case _:
            return fault(text, _("ask the centre what its broker's log says of this node"))


def probe_feeds(machine: Machine) -> list[FeedAnswer]:
    """Ask each feed for its newest signature."""
    probe_names(machine)

    def ask_all() -> list[FeedAnswer]:
        feeds = [
            feed
            for feed in machine.config.feeds
            if not _blocked_by_name(machine, urlsplit(str(feed.url)).hostname)
        ]
        if machine.config.feeds and not feeds:
            raise Blocked("names")
        answers = beside(lambda feed: ask_feed(feed.name, str(feed.url), machine.now), feeds, FEEDS_WITHIN_S)
        return [
            answer or FeedAnswer(feed.name, Stage("time-out", _("does not answer")))
            for feed, answer in zip(feeds, answers, strict=True)
        ]

    return machine.once("feeds", ask_all)


def judge_feeds(found: Sequence[FeedAnswer]) -> Finding:
    """Every one of them."""
    if not found:
        return absent(_("the configuration names none"))
    for answer in found:
        text = _("feed {name}: {detail}").format(name=answer.name, detail=answer.stage.detail)
        match answer.stage.reached:
            case "done":
                continue
            case "address":
                return fault(text, _("check [[feeds]] url, and whether the host runs"))
            case "time-out":
                return fault(text, _("a firewall drops it, or the link is dead: loa test feed"))
            case "clock":
                return fault(text, _("set the clock first (see clock); else the host must renew it"))
            case "trust":
                return fault(text, _("the host's certificate is not for it: ask the centre"))
            case "elsewhere":
                return fault(text, _("a login page answers in its place: log in, or use another network"))
            case _:
                return fault(text, _("check [[feeds]] url; has the centre published? loa test feed"))
    slowest = max(answer.took_ms or 0.0 for answer in found)
    text = ngettext(
        "{count} feed answers within {ms:.0f} ms", "{count} feeds answer within {ms:.0f} ms", len(found)
    )
    return ok(text.format(count=len(found), ms=slowest))


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that the system is told to use, and whether the node gets out without."""

    address: str | None
    feeds_answer: bool


def probe_proxy(machine: Machine) -> Proxy:
    """From /etc/environment."""
    lines = (machine.text("/etc/environment") or "").splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines)
    found = next(
        (value.strip("\"'") for key, _, value in pairs if key.lower() in {"http_proxy", "https_proxy"}), None
    )
    if found is None:
        return Proxy(None, feeds_answer=True)
    return Proxy(found, all(answer.stage.reached == "done" for answer in probe_feeds(machine)))


def judge_proxy(found: Proxy) -> Finding:
    """The agent goes the direct way: MQTT and live streams do not pass a web proxy."""
    if found.address is None:
        return ok(_("none"))
    if found.feeds_answer:
        return ok(_("set, and not needed"))
    return warning(
        _("the system uses a proxy, the agent does not"),
        _("let this node out directly to the feed's host and the broker"),
    )


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("interface", "network", N_("network interface"), probe_interfaces, judge_interfaces),
    Check("radio", "network", N_("Wi-Fi and modem hear well"), probe_radio, judge_radio),
    Check("route", "network", N_("way out"), probe_route, judge_route),
    Check("names", "network", N_("names are found (DNS)"), probe_names, judge_names),
    Check("broker", "network", N_("broker lets us in"), probe_broker, judge_broker),
    Check("feeds", "network", N_("feeds answer"), probe_feeds, judge_feeds),
    Check("proxy", "network", N_("proxy in the way"), probe_proxy, judge_proxy),
)
