"""The network in words: interfaces and modem of the machine, broker and feeds of the node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from agent.cli.basics import EXIT_WARNING, local
from agent.words import _, ngettext, retell
from drivers.links import Interface, Modem

MB, KB = 1_000_000, 1_000
GOOD_DBM, POOR_DBM = -67.0, -80.0
"""Wi-Fi above the first carries a stream; below the second it breaks off."""
GOOD_PERCENT, POOR_PERCENT = 50, 25


def machine(interfaces: Sequence[Interface], modem: Modem | None) -> Iterator[tuple[str, str]]:
    """A row for each link of the machine that is up or could be the way out, and for the modem."""
    if not any(link.default for link in interfaces):
        yield _("network"), _("no way out of this machine: no default route")
    kinds = {"ethernet": _("cable"), "wifi": _("Wi-Fi"), "mobile": _("mobile"), "other": _("other")}
    for link in interfaces:
        if not link.up and link.kind == "other":
            continue
        parts = [link.name, _("up") if link.up else _("down")]
        if link.default:
            parts.append(_("way out"))
        if link.signal_dbm is not None and link.up:
            parts.append(f"{link.signal_dbm:.0f} dBm ({_quality(link.signal_dbm, GOOD_DBM, POOR_DBM)})")
        if link.speed_mbit is not None and link.up:
            parts.append(f"{link.speed_mbit} Mbit/s")
        yield kinds[link.kind], ", ".join(parts)
    if modem is not None:
        said = [_(modem.state), modem.operator, modem.technology]
        if modem.trouble:
            said.append(modem.trouble)
        elif modem.signal_percent is not None:
            said.append(
                f"{modem.signal_percent} % ({_quality(modem.signal_percent, GOOD_PERCENT, POOR_PERCENT)})"
            )
        yield _("modem"), ", ".join(part for part in said if part)


def _quality(signal: float, good: float, poor: float) -> str:
    return _("good") if signal >= good else _("poor") if signal < poor else _("fair")


def node(reply: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A row for the broker, for each feed, for today's bytes, and for what waits."""
    broker = reply["broker"]
    if broker is None:
        yield _("broker"), _("none is configured")
    else:
        yield _("broker"), _broker(broker)
    for name, feed in reply["feeds"].items():
        state = _(feed.get("state", "none"))
        text = f"{name} {feed['host']} {state}, {local(feed.get('checked'))}"
        if feed["latency_ms"] is not None:
            text += ", " + _("answers in {ms} ms").format(ms=f"{feed['latency_ms']:.0f}")
        yield _("feed"), text + (f": {retell(feed['reason'])}" if feed.get("reason") else "")
    today = reply["today"]
    text = _("{received} received, {sent} sent by this machine")
    yield _("today"), text.format(received=amount(today["received_bytes"]), sent=amount(today["sent_bytes"]))
    count = reply["waiting"]["records"]
    text = ngettext("{count} record waits for the centre", "{count} records wait for the centre", count)
    yield _("log"), text.format(count=count)


def _broker(broker: dict[str, Any]) -> str:
    where = f"{broker['host']}:{broker['port']}" + (" TLS" if broker["tls"] else "")
    if not broker["connected"]:
        text = _("{where} not connected since {moment} ({reason})")
        return text.format(where=where, moment=local(broker["since"]), reason=retell(broker["reason"]))
    text = _("{where} connected since {moment}").format(where=where, moment=local(broker["since"]))
    if broker["latency_ms"] is not None:
        ago_s = (datetime.now().astimezone() - datetime.fromisoformat(broker["answered"])).total_seconds()
        answers = _("answered in {ms} ms, {ago} s ago")
        text += ", " + answers.format(ms=f"{broker['latency_ms']:.0f}", ago=max(0, round(ago_s)))
    return text


def amount(count: int) -> str:
    """Bytes, short: 734 B, 12 kB, 3.4 MB."""
    if count >= 10 * KB * KB:
        return f"{count / MB:.0f} MB"
    if count >= MB:
        return f"{count / MB:.1f} MB"
    return f"{count / KB:.0f} kB" if count >= KB else f"{count} B"


def exit_code(reply: dict[str, Any]) -> int:
    """0 when broker and feeds are reached, otherwise a warning."""
    broker = reply["broker"]
    well = (broker is None or broker["connected"]) and all(
        feed.get("state") not in ("unreachable", "none") for feed in reply["feeds"].values()
    )
    return 0 if well else EXIT_WARNING
