"""Link, feed and clock: what answers, how fast, and whether it is what it should be."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from agent.config import Feed
from agent.doctor.clock import AgainstFeed, judge_against_feed, judge_time, probe_rtc, probe_time
from agent.doctor.contact import ask_broker, ask_feed
from agent.doctor.finding import Finding, Verdict, absent, fault, ok, warning
from agent.doctor.network import judge_broker, judge_feeds
from agent.tryout.tried import Bench, Tried
from agent.words import _, retell

VERIFY_S: Final = 10.0
SLOW_MS: Final = 3_000.0


def try_link(bench: Bench) -> Iterator[Tried]:
    """A message to ourselves through the broker, beside the agent's own session; and each feed's host."""
    yield _try_broker(bench)
    for feed in bench.config.feeds:
        answer = ask_feed(feed.name, str(feed.url), bench.machine.now)
        finding = judge_feeds([answer])
        if finding.verdict is Verdict.OK and answer.took_ms is not None:
            finding = ok(_("answers within {ms:.0f} ms").format(ms=answer.took_ms))
        yield Tried(f"link {feed.name}", finding, {"took_ms": _round(answer.took_ms)})


def _try_broker(bench: Bench) -> Tried:
    broker, node = bench.config.broker, bench.config.node
    if broker is None:
        return Tried("link broker", absent(_("the configuration names no broker")))
    stage = ask_broker(broker, node.id)
    if stage.reached != "done":
        return Tried("link broker", judge_broker(stage), {"reached": stage.reached})
    from agent.doctor.greeting import greet
    from agent.uplink.credentials import password_of, tls_context

    # below the node's own topics, which every broker of the contract lets it write and read
    echo = f"loa/1/{node.site}/node/{node.id}/echo"
    found = greet(broker, node.id, tls_context(broker), password_of(broker), echo)
    facts = {"welcome_ms": _round(found.welcome_ms), "echo_ms": _round(found.echo_ms)}
    if found.stage.reached != "done":
        return Tried("link broker", judge_broker(found.stage), facts)
    if found.echo_ms is None:
        text = _("lets us in within {ms:.0f} ms, but no message came back").format(ms=found.welcome_ms)
        return Tried(
            "link broker", warning(text, _("the broker's rights for this node: docs/commune.md")), facts
        )
    text = _("lets us in within {ms:.0f} ms, a message is back in {echo:.0f} ms")
    return Tried("link broker", ok(text.format(ms=found.welcome_ms, echo=found.echo_ms)), facts)


def _round(ms: float | None) -> float | None:
    return round(ms, 1) if ms is not None else None


def try_feed(bench: Bench) -> Iterator[Tried]:
    """Fetch and verify each feed's newest metadata, as the agent does, and leave its own as it is."""
    from agent.feeds.errors import Technician
    from agent.feeds.trust import read_root

    if not bench.config.feeds:
        yield Tried("feed", absent(_("the configuration names none")))
    for feed in bench.config.feeds:
        what = f"feed {feed.name}"
        try:
            root = read_root(feed.root)
        except Technician as error:
            yield Tried(
                what, fault(retell(str(error)), _("bring the root file anew from the centre (DIR/root.json)"))
            )
            continue
        answer = ask_feed(feed.name, str(feed.url), bench.machine.now)
        if answer.stage.reached != "done":
            yield Tried(what, judge_feeds([answer]), {"reached": answer.stage.reached})
            continue
        finding, facts = _verified(bench, feed, root)
        yield Tried(what, finding, {**facts, "took_ms": _round(answer.took_ms)})


def _verified(bench: Bench, feed: Feed, root: bytes) -> tuple[Finding, dict[str, Any]]:
    from agent.feeds.errors import Expired, FeedError, Rejected, Retry, Technician
    from agent.feeds.http import Client
    from agent.feeds.trust import refresh

    state = bench.config.paths.state / "feeds" / feed.name / "metadata"
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="loa-test-") as name, Client(VERIFY_S, VERIFY_S) as client:
            folder = Path(name) / "metadata"
            if state.is_dir():
                shutil.copytree(state, folder)  # rollback is judged by what was seen last
            found = refresh(str(feed.url), root, folder, bench.machine.now(), client)
            schedule = found.find("schedule.json")
    except Expired as error:
        return fault(retell(str(error)), _("the centre must sign it anew: loa station serve")), {}
    except Rejected as error:
        return fault(
            retell(str(error)), _("is this the right root? ask the centre by telephone, trust nothing else")
        ), {}
    except Retry as error:
        return fault(retell(str(error)), _("loa test link")), {}
    except (FeedError, Technician, OSError) as error:
        return fault(retell(str(error)), _("loa doctor trust")), {}
    took_ms = (time.monotonic() - began) * 1_000
    facts = {
        "snapshot": found.identity[1],
        "expires": found.expires.isoformat(),
        "verified_ms": round(took_ms, 1),
        "schedule_bytes": schedule.length if schedule is not None else None,
    }
    if schedule is None:
        return warning(_("it has no schedule"), _("the centre must publish: loa station publish")), facts
    text = _("verified within {ms:.0f} ms, signed until {day}")
    return ok(text.format(ms=took_ms, day=f"{found.expires:%Y-%m-%d}")), facts


def try_clock(bench: Bench) -> Iterator[Tried]:
    """The clock against the kernel's word, the feeds' hosts and the battery clock."""
    machine = bench.machine
    time_ = probe_time(machine)
    feeds = [ask_feed(feed.name, str(feed.url), machine.now) for feed in bench.config.feeds]
    ahead = min((one.ahead_s for one in feeds if one.ahead_s is not None), key=abs, default=None)
    battery = probe_rtc(machine)
    off = (battery.shows - battery.now).total_seconds() if battery is not None and battery.shows else None
    finding = judge_time(time_)
    if finding.verdict is Verdict.OK and ahead is not None:
        against = judge_against_feed(AgainstFeed(ahead))
        finding = (
            against
            if against.verdict is not Verdict.OK
            else ok(finding.text + _("; {seconds:+.0f} s to the feed's host").format(seconds=ahead))
        )
    facts = {
        "disciplined": time_.disciplined,
        "error_s": time_.error_s,
        "ahead_of_feed_s": round(ahead, 1) if ahead is not None else None,
        "battery_clock_off_s": round(off, 1) if off is not None else None,
        "last_good": time_.last_good.astimezone(UTC).isoformat(),
        "now": time_.now.isoformat(),
    }
    yield Tried("clock", finding, facts)
