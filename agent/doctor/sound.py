"""Checks of the chain of sound: card, mixer, decoder, voices, listener.

Sources: /proc/asound/cards; amixer(1) (`scontents`); PulseAudio's and PipeWire's own answers through pulsectl.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.config import ConfigError
from agent.config.voices import check_voices, voices_of
from agent.control.client import ControlError
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import Machine
from agent.listener.reference import FILE as REFERENCE
from agent.words import N_, _, ngettext, retell

SERVER: Final = "pulse"
SOFT_PERCENT: Final = 20


@dataclass(frozen=True, slots=True)
class Card:
    """The configured output, or the configured microphone, and what PortAudio makes of it."""

    device: str
    cards: Sequence[str]
    """Names of the kernel's sound cards."""
    devices: Sequence[str]
    """Names of what PortAudio offers in that direction."""
    refused: str | None = None
    missing: str | None = None
    """The library itself, if it cannot be loaded."""
    crashed: str | None = None
    in_use: bool = False
    """The agent sounds now: a card that takes one program only refuses all others."""


def probe_card(machine: Machine) -> Card | Path | None:
    """Have PortAudio look for the output; a path where the output is a file."""
    audio = machine.config.audio
    if not machine.config.zones:
        return None
    return Path(audio.device) if audio.output == "file" else _card(machine, audio.device, "output")


def _card(machine: Machine, device: str, direction: str) -> Card:
    found = machine.look("device", device, direction)
    cards = re.findall(r"^\s*\d+ \[.*?\]: (.+)$", machine.text("/proc/asound/cards") or "", re.M)
    devices = [one["name"] for one in found.get("devices", ()) if one[f"{direction}s"]]
    return Card(
        device,
        cards,
        devices,
        found.get("refused"),
        found.get("missing"),
        found.get("crashed"),
        _agent_sounds(machine),
    )


def _agent_sounds(machine: Machine) -> bool:
    try:
        return machine.status()["health"]["now"]["audio"] is not None
    except ControlError:
        return False


def _library(found: Card) -> Finding | None:
    if found.missing is not None:
        return fault(_("PortAudio is not installed"), _("sudo apt install libportaudio2"))
    if found.crashed is not None:
        return fault(
            _("PortAudio crashed: {reason}").format(reason=found.crashed),
            _("is /etc/asound.conf whole? see: aplay -L"),
        )
    return None


def judge_card(found: Card | Path | None) -> Finding:
    """Found by name, and it takes the node's samples."""
    if found is None:
        return absent(_("no loudspeakers are configured"))
    if isinstance(found, Path):
        return ok(_("sound goes into the file {path}").format(path=found))
    if (broken := _library(found)) is not None:
        return broken
    if found.refused is None:
        return ok(_("{device} is there").format(device=found.device))
    if found.in_use:
        return ok(_("the agent sounds through {device} now").format(device=found.device))
    text = _("the output {device} is not there").format(device=found.device)
    if found.device == SERVER:
        return fault(text, _("sudo apt install libasound2-plugins; does the sound server run? pactl info"))
    if not found.cards and not found.devices:
        return fault(
            _("no sound card is there"), _("plug it in; for the Pi's own: dtparam=audio=on in config.txt")
        )
    if "sample rate" in found.refused:
        return fault(
            _("{device} does not take 48,000 Hz").format(device=found.device),
            _('set [audio] device to its "plughw" or "default" name'),
        )
    if "No output device" in found.refused or "Multiple" in found.refused:
        there = ", ".join(name.split(",")[0] for name in found.devices) or ", ".join(found.cards)
        return fault(text, _("set [audio] device to one of: {there}").format(there=there[:80]))
    return fault(text + f": {found.refused[:60]}", _("is it used by another program? fuser -v /dev/snd/*"))


@dataclass(frozen=True, slots=True)
class Control:
    """One volume on the way out."""

    card: str
    name: str
    percent: int
    on: bool


def probe_mixer(machine: Machine) -> list[Control] | str | None:
    """The volumes on the way out; a text says why nobody knows, None that there are none."""
    audio = machine.config.audio
    if audio.output == "file" or not machine.config.zones:
        return None
    if audio.device == SERVER:
        found = machine.look("sink")
        return [Control(SERVER, **found["sink"])] if "sink" in found else None
    cards = re.findall(r"^\s*(\d+) \[(.*?)\s*\]: (.+)$", machine.text("/proc/asound/cards") or "", re.M)
    named = [card for card in cards if any(part in audio.device for part in (card[1], f"hw:{card[0]},"))]
    controls: list[Control] = []
    for number, _id, _name in named or cards[:1]:
        answer = machine.run("amixer", "-c", number, "scontents")
        if answer is None:
            return "amixer"
        controls += controls_of(number, answer.out)
    return controls or None


def controls_of(card: str, text: str) -> list[Control]:
    """What amixer lists (`scontents`) of the way out, each at its loudest channel."""
    found = []
    for block in re.split(r"^Simple mixer control ", text, flags=re.M)[1:]:
        name = re.match(r"'(.*)',\d+", block)
        # some cards have both directions in one line
        lines = [
            line.partition("Capture")[0]
            for line in block.splitlines()
            if re.search(r": .*Playback.*\[", line)
        ]
        percents = [int(percent) for line in lines for percent in re.findall(r"\[(\d+)%\]", line)]
        switches = [state for line in lines for state in re.findall(r"\[(on|off)\]", line)]
        if name is not None and lines:
            found.append(Control(card, name[1], max(percents, default=100), "on" in switches or not switches))
    return found


_MAIN: Final = ("Master", "PCM", "Speaker", "Headphone", "Digital", "HDMI", "Line Out", "sink")


def judge_mixer(found: Sequence[Control] | str | None) -> Finding:
    """Muted, or turned down to nothing: everything else says that it plays."""
    if isinstance(found, str):
        return warning(_("the volume cannot be read"), _("sudo apt install alsa-utils"))
    if not found:
        return absent(_("this output has no volume"))
    main = [control for control in found if control.name in _MAIN] or list(found)
    for control in main:
        if control.card == SERVER:
            remedy = _("pactl set-sink-mute @DEFAULT_SINK@ 0; pactl set-sink-volume @DEFAULT_SINK@ 100%")
        else:
            remedy = _("amixer -c {card} sset '{name}' 90% unmute; sudo alsactl store").format(
                card=control.card, name=control.name
            )
        if not control.on:
            return fault(_("the volume {name} is muted").format(name=control.name), remedy)
        if control.percent == 0:
            return fault(_("the volume {name} is at 0").format(name=control.name), remedy)
        if control.percent < SOFT_PERCENT:
            text = _("the volume {name} is at {percent} % only").format(
                name=control.name, percent=control.percent
            )
            return warning(text, remedy)
    return ok(", ".join(f"{control.name} {control.percent} %" for control in main[:3]))


def probe_decoder(machine: Machine) -> dict[str, Any]:
    """Load libVLC."""
    return machine.look("decoder")


def judge_decoder(found: dict[str, Any]) -> Finding:
    """Recordings and streams go through it."""
    remedy = _("sudo apt install --reinstall libvlc5 vlc-plugin-base")
    if "version" not in found:
        return fault(_("libVLC cannot be loaded"), remedy)
    if found["lacks"]:
        return fault(_("libVLC lacks {names}").format(names=", ".join(found["lacks"])), remedy)
    return ok(_("libVLC {version}").format(version=found["version"].split()[0]))


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks the languages of the node."""

    engine: bool
    """Whether eSpeak NG is there."""
    mute: Sequence[tuple[str, str]]
    """Languages that nobody speaks, and why."""
    count: int
    wrong: str | None
    """What is wrong with a configured voice."""


def probe_voices(machine: Machine) -> Speakers:
    """Ask each engine, as `loa voices` does."""
    from agent.speech import SpeechError, espeak
    from agent.speech.speaking import spoken_by

    config = machine.config
    try:
        engine = bool(espeak.voices())
    except SpeechError:
        engine = False
    mute = []
    for language in config.node.languages:
        try:
            spoken_by(voices_of(config.voices), language)
        except SpeechError as error:
            mute.append((language, str(error)))
    try:
        check_voices(config)
        wrong = None
    except ConfigError as error:
        wrong = str(error.problems[0])
    return Speakers(engine, mute, len(config.node.languages), wrong)


def judge_voices(found: Speakers) -> Finding:
    """A language without a voice is not spoken: never with a wrong one."""
    if found.wrong is not None:
        return fault(retell(found.wrong), _("put the model in place, or change [[voices]]: loa voices"))
    if not found.engine and found.mute:
        return fault(_("eSpeak NG is not installed: nothing is spoken"), _("sudo apt install espeak-ng"))
    if found.mute:
        return warning(
            _("nobody speaks {languages}").format(
                languages=", ".join(language for language, _why in found.mute)
            ),
            _("add a voice in [[voices]] (docs/speech.md), or take it out of [node] languages"),
        )
    text = ngettext("{count} language can be spoken", "{count} languages can be spoken", found.count)
    return ok(text.format(count=found.count))


@dataclass(frozen=True, slots=True)
class Ear:
    """The microphone, and whether it knows how the horns sound when all is well."""

    card: Card
    reference: bool


def probe_listener(machine: Machine) -> Ear | None:
    """Have PortAudio look for it; None where the configuration names none."""
    listener = machine.config.listener
    if listener is None:
        return None
    return Ear(_card(machine, listener.device, "input"), (machine.config.paths.state / REFERENCE).exists())


def judge_listener(found: Ear | None) -> Finding:
    """Without it, nobody knows whether the pole was heard."""
    if found is None:
        return absent(_("no listener: whether it is heard is not known"))
    if (broken := _library(found.card)) is not None:
        return broken
    if found.card.refused is not None and found.card.in_use:
        return ok(_("the agent listens to {device} now").format(device=found.card.device))
    if found.card.refused is not None:
        there = ", ".join(name.split(",")[0] for name in found.card.devices)
        remedy = (
            _("set [listener] device to one of: {there}").format(there=there[:80])
            if there
            else _("plug the microphone in; see: arecord -l")
        )
        return fault(_("the microphone {device} is not there").format(device=found.card.device), remedy)
    if not found.reference:
        return warning(
            _("it does not know yet how the horns sound"), _("when all is well: loa self-test --reference")
        )
    return ok(_("{device} is there, with a reference").format(device=found.card.device))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("sound-card", "sound", N_("sound card"), probe_card, judge_card),
    Check("mixer", "sound", N_("volume of the card"), probe_mixer, judge_mixer),
    Check("decoder", "sound", N_("libVLC and its plug-ins"), probe_decoder, judge_decoder),
    Check("voices", "sound", N_("voices for the languages"), probe_voices, judge_voices),
    Check("listener", "sound", N_("microphone of the listener"), probe_listener, judge_listener),
)
