"""What the daemon answers, in words: what sounds, what shows, what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from agent.cli.basics import EXIT_FAILED, EXIT_WARNING, local
from agent.remedies import remedy
from agent.words import N_, _, retell

Verdict = Literal["ok", "warning", "fault"]
EXIT_CODES: dict[Verdict, int] = {"ok": 0, "warning": EXIT_WARNING, "fault": EXIT_FAILED}
COLOURS: dict[Verdict, str] = {"ok": "green", "warning": "yellow", "fault": "red"}
MARKS: dict[Verdict, str] = {"ok": "✓", "warning": "!", "fault": "✗"}

WORDS = (
    # what the daemon says in one word, and is translated where it is shown
    N_("current"), N_("expired"), N_("unreachable"), N_("refused"), N_("none"),
    N_("synchronised"), N_("restored"), N_("unset"),
    N_("routine"), N_("priority"), N_("emergency"),
    N_("play"), N_("show"), N_("alert"), N_("command"), N_("fault"), N_("system"),
    N_("finished"), N_("interrupted"), N_("skipped"), N_("failed"), N_("lost-power"),
    N_("opening"), N_("playing"), N_("stalled"), N_("reconnecting"), N_("silent"), N_("howling"),
    N_("good"), N_("weaker"), N_("changed"), N_("clipped"), N_("unclear"), N_("no-reference"),
    N_("connected"), N_("connecting"), N_("registered"), N_("searching"), N_("disabled"), N_("locked"),
    N_("outside allowed hours"), N_("quiet day"), N_("longest session reached"), N_("no such zone here"),
    N_("suspended too long"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that wants attention, and what to do about it."""

    verdict: Verdict
    code: str
    since: str | None
    text: str
    remedy: str


def findings(reply: dict[str, Any]) -> list[Finding]:
    """Faults that stand, and what is not as it should be without being one; the worst first."""
    return [*_faults(reply["health"]), *_warnings(reply)]


def verdict(found: list[Finding]) -> Verdict:
    """The worst of them."""
    return found[0].verdict if found else "ok"


def document(reply: dict[str, Any], found: list[Finding]) -> dict[str, Any]:
    """What the daemon answered and what was found in it, for a script."""
    listed = [{"verdict": f.verdict, "code": f.code, "text": f.text, "remedy": f.remedy} for f in found]
    return {"running": True, "verdict": verdict(found), "findings": listed, **reply}


def _faults(health: dict[str, Any]) -> Iterator[Finding]:
    for fault in health["faults"]:
        code = fault["code"]
        yield Finding("fault", code, fault["since"], retell(fault["text"]), remedy(code))


def _warnings(reply: dict[str, Any]) -> Iterator[Finding]:
    health, link = reply["health"], reply["link"]
    if link.startswith("not connected"):
        text = _("the broker is not reached; the node plays on")
        yield Finding("warning", "not-connected", None, text, _("check the network: loa link"))
    clock = health["clock"]["state"]
    if clock == "unset":
        text = _("the clock is not known: nothing with a date is played")
        yield Finding("warning", "clock-unset", None, text, _("connect the network, or set it: timedatectl"))
    elif clock == "restored":
        text = _("the clock goes on from before the power cut; the network has not confirmed it")
        yield Finding("warning", "clock-restored", None, text, _("check the network: loa link"))
    told = {fault["code"].partition(":")[2] for fault in health["faults"]}
    for name, feed in health["feeds"].items():
        if feed["state"] != "current" and name not in told:
            text = _("feed {name} has not been checked since the start").format(name=name)
            if feed["state"] != "none":
                text = _("feed {name} is {state}").format(name=name, state=_(feed["state"]))
            yield Finding("warning", f"feed:{name}", None, text, _("check the network: loa link"))


def audio(health: dict[str, Any]) -> str:
    """What sounds, how loud, whether it is heard."""
    sounds = health["now"]["audio"]
    if not sounds:
        return _("nothing")
    name = sounds["title"] or sounds["programme"] or sounds["command"] or sounds["alert"]
    if sounds["item"] is not None:
        name = _("{name} (item {item})").format(name=name, item=sounds["item"])
    parts = [name]
    parts.append(_("silent") if sounds["level_dbfs"] is None else f"{sounds['level_dbfs']:.0f} dBFS")
    if sounds.get("heard") is not None:
        heard = _("heard") if sounds["heard"] else _("NOT HEARD")
        if sounds.get("heard_dbfs") is not None:
            heard = _("heard at {level} dBFS").format(level=f"{sounds['heard_dbfs']:.0f}")
        parts.append(heard)
    if sounds.get("stream"):
        parts.append(_(sounds["stream"]["state"]))
    return ", ".join(parts)


def screen(health: dict[str, Any]) -> str:
    """What the board shows, and on what."""
    shows = health["now"]["screen"]
    if not shows or not shows["driver"]:
        return _("no screen")
    size = "×".join(str(side) for side in shows["size"] or ())
    what = ", ".join(shows["showing"]) or _("nothing")
    if shows["takeover"]:
        what = _("ALERT {name}").format(name=shows["takeover"])
    return f"{what} ({shows['driver']} {size})"


def clock(health: dict[str, Any]) -> str:
    """The state of the clock, and how far off it may be."""
    reading = health["clock"]
    error = f" ±{reading['error_s']:.3f} s" if reading["error_s"] is not None else ""
    return _(reading["state"]) + error


def feeds(reply: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A row for each feed and each source of alerts."""
    for name, feed in reply["health"]["feeds"].items():
        version = f"{name} v{feed['version'] or '–'} {_(feed['state'])}, {local(feed['checked'])}"
        yield _("feed"), version + (f": {retell(feed['reason'])}" if feed.get("reason") else "")
    for name, source in reply["alert_sources"].items():
        state = f"{name} {_(source['state'])}, {local(source['checked'])}"
        yield _("alerts"), state + (f": {retell(source['reason'])}" if source.get("reason") else "")


def relays(health: dict[str, Any]) -> str:
    """All relays, and which are closed."""
    on, off = _("on"), _("off")
    return ", ".join(f"{name} {on if closed else off}" for name, closed in health["relays"].items()) or _(
        "none"
    )


def controls(health: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A row for each zone that is muted, or whose loudness somebody set."""
    for zone, until in health["muted"].items():
        text = _("{zone} until {moment}; emergencies still sound")
        yield _("muted"), text.format(zone=zone_name(zone), moment=local(until))
    for zone, volume in health["volumes"].items():
        end = " " + _("until {moment}").format(moment=local(volume["until"])) if volume["until"] else ""
        yield _("volume"), f"{zone_name(zone)} {volume['gain_db']:+.1f} dB{end}"


def zone_name(name: str) -> str:
    """The zone that stands for all where a node has no named ones is called so."""
    return _("all of it") if name == "*" else name


def record(entry: dict[str, Any]) -> str:
    """One line of the play log."""
    at = local(entry["started"] or entry["planned"] or entry["ended"])
    names = ("programme", "command", "alert", "bulletin", "fault")
    what = next((entry[name] for name in names if entry[name]), "")
    parts = [f"{at:>15}", f"{_(entry['kind']):<7}"]
    parts.append(f"{what}[{entry['item']}]" if entry["item"] is not None else what)
    if entry["outcome"]:
        parts.append(_(entry["outcome"]))
    if entry["played_s"]:
        parts.append(f"{entry['played_s']:.1f} s")
    if entry["sounded_dbfs"] is not None:
        parts.append(f"{entry['sounded_dbfs']:.0f} dBFS")
    line = " ".join(part for part in parts if part)
    if entry.get("heard") is not None:
        line += ", " + (_("heard") if entry["heard"] else _("not heard"))
    if entry.get("heard_dbfs") is not None:
        line += " " + _("at {level} dBFS").format(level=f"{entry['heard_dbfs']:.0f}")
    if entry["reason"]:
        line += f" ({retell(entry['reason'])})"
    return line + (f" {retell(entry['text'])}" if entry["text"] else "")
