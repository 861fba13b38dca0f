"""Sound: a soft chime through the amplifier in the allowed hours, its level at the output, whether it was heard."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from typing import Any, Final

from agent.control.client import ControlError, Denied
from agent.doctor.finding import Finding, absent, fault, ok, warning
from agent.setup.tones import write_tone
from agent.tones import CHIME
from agent.tryout.tried import Bench, Tried, on_the_device, until
from agent.words import _, retell

SOFT_DB: Final = -12.0
"""Of the chime: somebody below hears it, the village is not called."""
SOUNDS_WITHIN_S: Final = 60.0
"""Relays may take half a minute each."""
SELF_TEST_WITHIN_S: Final = 180.0
SILENT_DBFS: Final = -60.0


def try_sound(bench: Bench) -> Iterator[Tried]:
    """With a listener it is the self-test; without one nobody but the technician knows whether it was heard."""
    if not bench.config.zones:
        yield Tried("sound", absent(_("no loudspeakers are configured")))
    elif not bench.agent_runs():
        yield _on_the_device(bench)
    elif bench.config.listener is not None:
        yield _self_test(bench)
    else:
        yield _chime(bench)


def _chime(bench: Bench) -> Tried:
    sounding = bench.health()["now"]["audio"]
    if sounding is not None:
        name = sounding["title"] or sounding["programme"] or sounding["command"] or sounding["alert"]
        text = _("{name} sounds now, and was not interrupted").format(name=name)
        return Tried("sound", warning(text, _("try again when nothing sounds: loa now")))
    title = f"loa test {uuid.uuid4().hex[:6]}"
    with tempfile.TemporaryFile() as file:
        write_tone(file, CHIME, SOFT_DB)
        file.seek(0)
        try:
            bench.ask("play", file=file, name=title, zones=["*"])
        except Denied:
            raise  # an error of who asks, not of the part
        except ControlError as error:
            return _refused(error)
    record = until(lambda: _record(bench, title), SOUNDS_WITHIN_S)
    return Tried("sound", judge_record(record), _facts(record))


def _refused(error: ControlError) -> Tried:
    return Tried("sound", warning(retell(str(error)), _("try within [policy] allowed_hours; or: loa status")))


def _record(bench: Bench, title: str) -> dict[str, Any] | None:
    """The record of what was asked for, once it has ended."""
    records = bench.ask("log", count=50)["records"]
    mine = (one for one in reversed(records) if one["kind"] == "play" and one["title"] == title)
    return next((one for one in mine if one["outcome"]), None)


def judge_record(record: dict[str, Any] | None) -> Finding:
    """What the play log says of it."""
    if record is None:
        text = _("it was not sounded within {seconds:.0f} s").format(seconds=SOUNDS_WITHIN_S)
        return fault(text, _("something else sounds first? loa now"))
    if record["outcome"] != "finished":
        reason = retell(record["reason"] or record["outcome"])
        return fault(_("it did not sound: {reason}").format(reason=reason), _("loa doctor sound relays"))
    level = record["sounded_dbfs"]
    if level is None or level < SILENT_DBFS:
        return fault(_("the output was silent"), _("loa doctor sound"))
    if record["amplifier_on"] is False:
        return fault(_("the amplifier was off"), _("loa test relay"))
    text = _("sounded at {level:.0f} dBFS, amplifier on; nobody listens here but you")
    return ok(text.format(level=level))


def _facts(record: dict[str, Any] | None) -> dict[str, Any]:
    wanted = ("outcome", "reason", "played_s", "sounded_dbfs", "amplifier_on", "heard", "heard_dbfs")
    return {key: record.get(key) for key in wanted} if record is not None else {}


def _self_test(bench: Bench) -> Tried:
    try:
        bench.ask("self-test")
    except Denied:
        raise  # an error of who asks, not of the part
    except ControlError as error:
        return _refused(error)

    def ended() -> dict[str, Any] | None:
        reply = bench.ask("self-test-state")
        return None if reply["running"] else reply

    reply = until(ended, SELF_TEST_WITHIN_S)
    record = _record(bench, "self-test")
    facts = {**_facts(record), "self_test": reply["result"] if reply else None}
    return Tried("sound", judge_self_test(reply, record), facts)


def judge_self_test(reply: dict[str, Any] | None, record: dict[str, Any] | None) -> Finding:
    """What went out, and what of it came back to the microphone."""
    if reply is None:
        text = _("the self-test has not ended within {seconds:.0f} s").format(seconds=SELF_TEST_WITHIN_S)
        return fault(text, _("see: loa log"))
    tones = (reply["result"] or {}).get("tones", ())
    if not tones:
        return fault(retell(reply["text"]), _("loa doctor sound relays"))
    heard = [tone["heard_dbfs"] for tone in tones if tone["heard_dbfs"] is not None]
    level = record["sounded_dbfs"] if record is not None else None
    text = (
        _("sounded at {level:.0f} dBFS, {heard} of {all} tones heard: {verdict}")
        if level is not None
        else _("{heard} of {all} tones heard: {verdict}")
    )
    said = text.format(level=level, heard=len(heard), all=len(tones), verdict=retell(reply["text"]))
    if reply["state"] != "finished":
        return fault(said, _("loa doctor sound relays"))
    if reply["result"]["verdict"] == "no-reference":
        return warning(said.partition(": ")[0], _("when it is loud enough: loa self-test --reference"))
    return ok(said)


def _on_the_device(bench: Bench) -> Tried:
    """No agent runs: the same chime through relays and card, under the same hours."""
    from agent.assembly import make_policy
    from playlists.models.base import BulletinClass

    config = bench.config
    rule = make_policy(config).may_start(BulletinClass.ROUTINE, bench.machine.now())
    if rule is not None:
        text = _("not now: {rule} ([policy] in the configuration)").format(rule=retell(str(rule)))
        return Tried("sound", warning(text, _("try within [policy] allowed_hours")))
    if config.audio.output == "file":
        return Tried("sound", absent(_("sound goes into a file, and no agent runs")))
    needed = {name for zone in config.zones for name in zone.relays}
    relays = [
        {"pin": relay.pin, "active_high": relay.active == "high"}
        for relay in config.relays
        if relay.name in needed
    ]
    device = None if config.audio.device == "default" else config.audio.device
    settle_s = max(zone.settle_s for zone in config.zones)
    answer = on_the_device(
        {
            "what": "tone",
            "device": device,
            "relays": relays,
            "fake": config.hardware.gpio == "fake",
            "gain_db": SOFT_DB,
            "settle_s": max(settle_s, *(relay.delay_s for relay in config.relays), 0.0),
        }
    )
    if not answer["ok"]:
        return Tried("sound", fault(str(answer["error"]), _("loa doctor sound relays")))
    facts = answer["facts"]
    text = _("the card took it at {level:.0f} dBFS; no agent runs, nobody listens but you")
    return Tried("sound", ok(text.format(level=facts["sounded_dbfs"])), facts)
