"""Checks of the time: clock, time service, battery clock, zone.

Sources: rtc(4) and /sys/class/rtc/rtc0/since_epoch; adjtimex(2) by `agent.kernel_clock`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agent.clock import BUILT, LAST_GOOD_FILE, SLACK_S
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import Machine
from agent.doctor.network import probe_feeds
from agent.words import N_, _

SERVICES: Final = ("systemd-timesyncd", "chrony", "ntpsec", "openntpd")
RTC_OFF_S: Final = 60.0
FEED_OFF_S: Final = 30.0
"""A host's own clock, and the way here."""


@dataclass(frozen=True, slots=True)
class Time:
    """The wall clock and what is known of it."""

    now: datetime
    disciplined: bool
    error_s: float | None
    vouched: bool
    last_good: datetime
    """A moment that has certainly passed."""


def probe_time(machine: Machine) -> Time:
    """Ask the kernel, and read what the daemon has kept."""
    config = machine.config
    try:
        kept = datetime.fromisoformat((config.paths.state / LAST_GOOD_FILE).read_text("ascii").strip())
    except (FileNotFoundError, ValueError):
        kept = BUILT
    disciplined, error_s = machine.disciplined()
    return Time(machine.now(), disciplined, error_s, config.clock.vouched, max(kept.astimezone(UTC), BUILT))


def judge_time(found: Time) -> Finding:
    """As `agent.clock` does."""
    shown = f"{found.now.astimezone():%Y-%m-%d %H:%M}"
    if found.now < found.last_good - timedelta(seconds=SLACK_S):
        return fault(
            _("the clock is wrong: it shows {shown}").format(shown=shown),
            _("connect it to the network, or: sudo timedatectl set-time '…'"),
        )
    if found.disciplined or found.vouched:
        error = f" ±{found.error_s:.3f} s" if found.error_s is not None else ""
        return ok(_("right, {shown}{error}").format(shown=shown, error=error))
    return warning(
        _("nobody keeps the clock right; it shows {shown}").format(shown=shown),
        _("let it reach a time server: timedatectl timesync-status"),
    )


@dataclass(frozen=True, slots=True)
class TimeService:
    """Which of the known services runs; None: no systemd says."""

    active: str | None
    known: bool
    vouched: bool


def probe_service(machine: Machine) -> TimeService:
    """Ask systemd."""
    vouched = machine.config.clock.vouched
    answer = machine.run("systemctl", "is-active", *SERVICES)
    states = answer.out.split() if answer is not None else []
    known = len(states) == len(SERVICES)
    active = (
        next((name for name, state in zip(SERVICES, states, strict=True) if state == "active"), None)
        if known
        else None
    )
    return TimeService(active, known, vouched)


def judge_service(found: TimeService) -> Finding:
    """Without one the clock drifts by seconds a day."""
    if not found.known:
        return absent(_("no systemd runs here"))
    if found.active is not None:
        return ok(found.active)
    if found.vouched:
        return ok(_("[clock] vouched: something else keeps it right"))
    return warning(_("no time service runs"), _("sudo timedatectl set-ntp true"))


@dataclass(frozen=True, slots=True)
class BatteryClock:
    """What it shows, and the wall clock at the same moment."""

    shows: datetime | None
    now: datetime
    believed: bool
    """Whether the wall clock may be believed."""


def probe_rtc(machine: Machine) -> BatteryClock | None:
    """From sysfs; None where there is none."""
    found = machine.glob("/sys/class/rtc/rtc*")
    if not found:
        return None
    text = machine.text(f"/sys/class/rtc/{found[0].name}/since_epoch")
    shows = datetime.fromtimestamp(int(text), UTC) if text and text.isdigit() else None
    return BatteryClock(shows, machine.now(), machine.disciplined()[0])


def judge_rtc(found: BatteryClock | None) -> Finding:
    """With one, a node knows the time after a power cut without network."""
    if found is None:
        return absent(_("no battery clock: the last good time stands in"))
    if found.shows is None or found.shows < BUILT:
        return warning(
            _("the battery clock has lost the time"), _("change its battery, then: sudo hwclock --systohc")
        )
    off_s = (found.shows - found.now).total_seconds()
    if found.believed and abs(off_s) > RTC_OFF_S:
        return warning(
            _("the battery clock is off by {seconds:+.0f} s").format(seconds=off_s),
            _("sudo hwclock --systohc"),
        )
    return ok(_("the battery clock keeps the time"))


@dataclass(frozen=True, slots=True)
class Zone:
    """Of the machine and of the node."""

    machine: str | None
    node: str


def probe_zone(machine: Machine) -> Zone:
    """From /etc/localtime, as systemd does, else /etc/timezone."""
    link = machine.at("/etc/localtime")
    target = str(link.readlink()) if link.is_symlink() else ""
    match = re.search(r"zoneinfo/(.+)$", target)
    return Zone(match[1] if match else machine.text("/etc/timezone"), machine.config.node.timezone)


def judge_zone(found: Zone) -> Finding:
    """Programmes follow the node's zone; the system's log and `loa log` follow the machine's."""
    if found.machine is None:
        return absent(_("the system does not say"))
    if found.machine != found.node:
        return warning(
            _("the machine is in {machine}, the node in {node}").format(
                machine=found.machine, node=found.node
            ),
            _("sudo timedatectl set-timezone {node}").format(node=found.node),
        )
    return ok(found.machine)


@dataclass(frozen=True, slots=True)
class AgainstFeed:
    """How far the wall clock is ahead of the hosts of the feeds, where they say the time."""

    ahead_s: float | None


def probe_against_feed(machine: Machine) -> AgainstFeed:
    """From the answers that were fetched anyway."""
    ahead = [feed.ahead_s for feed in probe_feeds(machine) if feed.ahead_s is not None]
    return AgainstFeed(min(ahead, key=abs) if ahead else None)


def judge_against_feed(found: AgainstFeed) -> Finding:
    """A clock that is far off makes certificates look expired."""
    if found.ahead_s is None:
        return absent(_("no feed says what time it is"))
    if abs(found.ahead_s) > FEED_OFF_S:
        return fault(
            _("the clock is {seconds:+.0f} s off the feed's").format(seconds=found.ahead_s),
            _("sudo timedatectl set-ntp true, and look again in a minute"),
        )
    return ok(_("agrees with the feed's host"))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("clock", "time", N_("clock is right"), probe_time, judge_time),
    Check("time-service", "time", N_("something keeps it right"), probe_service, judge_service),
    Check("battery-clock", "time", N_("clock with a battery"), probe_rtc, judge_rtc),
    Check("timezone", "time", N_("time zone"), probe_zone, judge_zone),
    Check("clock-drift", "time", N_("clock against the feed's host"), probe_against_feed, judge_against_feed),
)
