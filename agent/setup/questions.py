"""The questions of the wizard: which is asked next, what is right, and what the answers change. Pure: it looks at
nothing and asks nobody; the two faces (`plain`, `fullscreen`) do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agent.config.fields import NAME_PATTERN
from agent.config.model import Audio, Node, Screen
from agent.setup.machine import Machine, SoundDevice
from agent.setup.trials import Click, Listen, Page, Tone, Trial
from agent.words import _

MOST_RELAYS: Final = 4
KEEP: Final = "keep"
NONE: Final = "none"

HEADER: Final = {
    2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21, 25: 22, 11: 23,
    8: 24, 7: 26, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35, 16: 36, 26: 37, 20: 38, 21: 40,
}  # fmt: skip
"""BCM number → place on the 40-pin header of a Raspberry Pi."""
SHARED: Final = {2: "I2C", 3: "I2C", 14: "UART", 15: "UART", 18: "I2S", 19: "I2S", 20: "I2S", 21: "I2S"}
"""Pins that sound boards and others like to use."""
USUAL: Final = (17, 27, 22, 23)

DEFAULTS: Final = {
    "node": {"languages": list(Node.model_fields["languages"].default)},
    "audio": Audio().model_dump(mode="json"),
    "screen": Screen().model_dump(mode="json"),
}
"""What need not be written."""

Answers = Mapping[str, str]


@dataclass(frozen=True)
class Option:
    """One of the answers to choose from."""

    value: str
    label: str


@dataclass(frozen=True)
class Question:
    """What is asked now. Without options, a text is typed."""

    id: str
    title: str
    text: str
    options: tuple[Option, ...] = ()
    default: str = ""
    check: Callable[[str], str | None] = lambda _value: None
    """Why a text is not right; None where it is."""
    trial: Callable[[str], Trial | None] = lambda _value: None
    """What can be tried of an answer."""
    try_label: str = ""
    """What trying does, in two or three words; empty where nothing can be tried."""

    def problem(self, value: str) -> str | None:
        """Why `value` is no answer."""
        if self.options:
            known = any(option.value == value for option in self.options)
            return None if known else _("choose one of the list")
        return self.check(value)


@dataclass
class Interview:
    """Where the conversation stands.

    Args:
        machine: what was found.
        present: the configuration as it is, as plain data; empty for none.
        hostname: of this machine, as a first idea of the node's name.
    """

    machine: Machine
    present: Mapping[str, Any]
    hostname: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    _at: int = 0

    @property
    def question(self) -> Question | None:
        """What is asked now; None when all is answered."""
        asked = list(self._asked())
        return asked[self._at] if self._at < len(asked) else None

    @property
    def place(self) -> tuple[int, int]:
        """Number of this question, and of all of them as far as is known now."""
        return self._at + 1, len(list(self._asked()))

    def answer(self, value: str) -> str | None:
        """Take an answer and go on; returns why not, and stays, where it is wrong."""
        question = self.question
        if question is None:
            return None
        value = value.strip()
        problem = question.problem(value)
        if problem is None:
            self.answers[question.id] = value
            self._at += 1
        return problem

    def back(self) -> bool:
        """Ask the last one again; false at the first."""
        if self._at == 0:
            return False
        self._at -= 1
        return True

    def suggestion(self) -> str:
        """The answer to begin with: the last one given, else what is there, else the usual."""
        question = self.question
        if question is None:
            return ""
        given = self.answers.get(question.id)
        return given if given is not None and question.problem(given) is None else question.default

    def changes(self) -> dict[str, Any]:
        """What the answers change, for `agent.config.editing.change`; for None a key goes."""
        said = self.answers
        changes: dict[str, Any] = {"node.id": said["id"], "node.site": said["site"]}
        changes["node.public_number"] = said["number"] or None
        changes["node.languages"] = said["languages"].replace(",", " ").split()
        if said["relays"] != KEEP:
            changes |= _relays(self.present, _clicks(said))
        if said["sound"] != KEEP:
            changes |= {"audio.output": "portaudio", "audio.device": said["sound"]}
        if said["microphone"] == NONE:
            changes |= {"listener": None} if "listener" in self.present else {}
        elif said["microphone"] != KEEP:
            changes["listener.device"] = said["microphone"]
        if "screen" in said:
            changes["screen.enabled"] = said["screen"] == "yes"
            if said["screen"] == "yes":
                changes["screen.rotate"] = int(said["rotate"])
        return {key: value for key, value in changes.items() if not self._is_so(key, value)}

    def _is_so(self, key: str, value: Any) -> bool:
        """Whether a plain key has this value already, so that nothing needs to be written."""
        parts = key.split(".")
        if len(parts) != 2:
            return False
        section = self.present.get(parts[0], {})
        if isinstance(section, Mapping) and parts[1] in section:
            return bool(section[parts[1]] == value)
        return value is None or (parts[0] in DEFAULTS and value == DEFAULTS[parts[0]].get(parts[1]))

    def _asked(self) -> Iterator[Question]:
        yield _id(self.present, self.hostname)
        yield _site(self.present)
        yield _number(self.present)
        yield _languages(self.present)
        yield _how_many(self.present, self.machine)
        count = _count(self.answers)
        for number in range(1, count + 1):
            yield _pin(self.present, self.answers, number, count)
            yield _active(self.present, self.answers, number)
        yield _sound(self.present, self.machine, self.answers)
        yield _microphone(self.present, self.machine)
        if self.machine.screens or _get(self.present, "screen", "enabled") is True:
            yield _screen(self.present, self.machine)
            if self.answers.get("screen") == "yes":
                yield _rotate(self.present)


def _id(present: Mapping[str, Any], hostname: str) -> Question:
    idea = re.sub(r"[^A-Za-z0-9._-]", "-", hostname.partition(".")[0])[:64].strip("-._")
    return Question(
        "id",
        _("Name"),
        _("Name of this node, unique in its site, as in pole-07:"),
        default=str(_get(present, "node", "id") or idea),
        check=_check_name,
    )


def _site(present: Mapping[str, Any]) -> Question:
    return Question(
        "site",
        _("Site"),
        _("Site that it belongs to, the same at all its nodes, as in xa-kim-lien:"),
        default=str(_get(present, "node", "site") or ""),
        check=_check_name,
    )


def _number(present: Mapping[str, Any]) -> Question:
    return Question(
        "number",
        _("Number"),
        _("Number painted on the pole, by which residents know it. Leave it empty if there is none:"),
        default=str(_get(present, "node", "public_number") or ""),
        check=lambda value: _("64 characters at most") if len(value) > 64 else None,
    )


def _languages(present: Mapping[str, Any]) -> Question:
    known = _get(present, "node", "languages")
    return Question(
        "languages",
        _("Languages"),
        _("Languages of the residents, the most wanted first, as in: vi hmn tyz"),
        default=" ".join(known) if isinstance(known, list) and known else "vi",
        check=_check_languages,
    )


def _how_many(present: Mapping[str, Any], machine: Machine) -> Question:
    options = [
        Option("0", _("none: the amplifier is always on")),
        Option("1", _("one: it switches the amplifier")),
        Option("2", _("two: first the mains, then the amplifier")),
        *(
            Option(str(n), _("{n} relays, one after the other").format(n=n))
            for n in range(3, MOST_RELAYS + 1)
        ),
    ]
    there = _list(present, "relays")
    if there:
        wired = ", ".join(f"{relay.get('name')} (GPIO{relay.get('pin')})" for relay in there)
        options.insert(0, Option(KEEP, _("as it is: {relays}").format(relays=wired)))
    text = _("How many relays switch the amplifier?")
    if not machine.chips:
        text += " " + _("(This machine shows no GPIO pins: they cannot be tried.)")
    return Question(
        "relays", _("Relays"), text, tuple(options), KEEP if there else "1" if machine.chips else "0"
    )


def _pin(present: Mapping[str, Any], answers: Answers, number: int, count: int) -> Question:
    taken = {int(answers[f"pin-{other}"]) for other in range(1, number) if f"pin-{other}" in answers}
    taken |= {button["pin"] for button in _list(present, "buttons") if isinstance(button.get("pin"), int)}
    free = [pin for pin in HEADER if pin not in taken]
    there = _list(present, "relays")
    now = there[number - 1].get("pin") if number <= len(there) else None
    default = now if now in free else next((pin for pin in USUAL if pin in free), free[0])
    options = tuple(
        Option(
            str(pin),
            _("GPIO{pin} (header {place})").format(pin=pin, place=HEADER[pin])
            + (f" · {SHARED[pin]}" if pin in SHARED else ""),
        )
        for pin in sorted(free)
    )
    text = _("Which pin is relay {number} of {count} on?").format(number=number, count=count)
    return Question(f"pin-{number}", _("Relay {number}").format(number=number), text, options, str(default))


def _active(present: Mapping[str, Any], answers: Answers, number: int) -> Question:
    pin = int(answers.get(f"pin-{number}", USUAL[0]))
    there = _list(present, "relays")
    now = there[number - 1].get("active") if number <= len(there) else None
    options = (
        Option("low", _("low: most boards with optocouplers")),
        Option("high", _("high")),
    )
    return Question(
        f"active-{number}",
        _("Relay {number}").format(number=number),
        _("At which level does it close? Try it: it must click on and off twice, and rest off."),
        options,
        str(now) if now in ("low", "high") else "low",
        trial=lambda value: Click(pin, value == "high"),
        try_label=_("click it"),
    )


def _sound(present: Mapping[str, Any], machine: Machine, answers: Answers) -> Question:
    names = device_names([device for device in machine.sound if device.outputs > 0])
    there = str(_get(present, "audio", "device") or "")
    options = [Option(name, name) for name in names]
    if there and there not in names:
        options.insert(0, Option(KEEP, _("as it is: {device}").format(device=there)))
    if not options:
        options = [Option(KEEP, _("leave it: no sound card was found; plug one in and come back"))]
    default = there if there in names else _best(names) or options[0].value
    if there and there not in names:
        default = KEEP
    relays = _clicks(answers)
    return Question(
        "sound",
        _("Sound"),
        _("Where does the sound go out? Try it: a soft tone for two seconds."),
        tuple(options),
        default,
        trial=lambda value: (
            Tone(there if value == KEEP else value, relays) if value != KEEP or there else None
        ),
        try_label=_("hear a tone"),
    )


def _microphone(present: Mapping[str, Any], machine: Machine) -> Question:
    names = device_names([device for device in machine.sound if device.inputs > 0])
    there = str(_get(present, "listener", "device") or "")
    options = [Option(NONE, _("none: nobody listens")), *(Option(name, name) for name in names)]
    if there and there not in names:
        options.insert(0, Option(KEEP, _("as it is: {device}").format(device=there)))
    return Question(
        "microphone",
        _("Microphone"),
        _("Which microphone or line-in hears the loudspeakers? Try it: speak, and see the level."),
        tuple(options),
        (there if there in names else KEEP) if there else NONE,
        trial=lambda value: None if value == NONE else Listen(there if value == KEEP else value),
        try_label=_("listen"),
    )


def _screen(present: Mapping[str, Any], machine: Machine) -> Question:
    now = _get(present, "screen", "enabled")
    found = ", ".join(machine.screens) or _("no screen is plugged in now")
    return Question(
        "screen",
        _("Screen"),
        _("Is there a board for bulletins? Found: {screens}").format(screens=found),
        (Option("yes", _("yes")), Option("no", _("no"))),
        "no" if now is False or (now is None and not machine.screens) else "yes",
    )


def _rotate(present: Mapping[str, Any]) -> Question:
    now = _get(present, "screen", "rotate")
    return Question(
        "rotate",
        _("Screen"),
        _("How does it hang? Try it: the arrow of the test page must point up."),
        (
            Option("0", _("as usual")),
            Option("90", _("turned, 90° clockwise")),
            Option("180", _("upside down")),
            Option("270", _("turned, 270° clockwise")),
        ),
        str(now) if now in (0, 90, 180, 270) else "0",
        trial=lambda value: Page(int(value)),
        try_label=_("see a test page"),
    )


def device_names(devices: Sequence[SoundDevice]) -> list[str]:
    """Names for the configuration: of real cards and of sound servers, without ALSA's many plug-ins.

    The number of a card changes from start to start, so it is left out where the rest says which one is meant.
    """
    names = []
    for device in devices:
        short = re.sub(r"\s*\(hw:[^)]*\)$", "", device.name)
        card = short != device.name
        if not card and device.name not in ("default", "pulse", "pipewire"):
            continue
        alone = sum(short in other.name for other in devices) == 1
        names.append(short.rstrip(" -:") if card and alone else device.name)
    return list(dict.fromkeys(names))


def _best(names: Sequence[str]) -> str | None:
    """A sound server goes before the card that it holds; a card on USB was plugged in on purpose."""
    servers = [name for name in ("pulse", "pipewire") if name in names]
    usb = [name for name in names if "usb" in name.lower()]
    return next(iter([*servers, *usb, *names]), None)


def _count(answers: Answers) -> int:
    count = answers.get("relays", "0")
    return int(count) if count.isdigit() else 0


def _clicks(answers: Answers) -> tuple[Click, ...]:
    """The relays that were answered so far, in order."""
    numbers = range(1, _count(answers) + 1)
    return tuple(
        Click(int(answers[f"pin-{n}"]), answers[f"active-{n}"] == "high")
        for n in numbers
        if f"pin-{n}" in answers and f"active-{n}" in answers
    )


def _relays(present: Mapping[str, Any], relays: Sequence[Click]) -> dict[str, Any]:
    """All relays, and the zones that need them. Names stay where the number of relays does."""
    old = [str(relay.get("name")) for relay in _list(present, "relays")]
    usual = ["amplifier"] if len(relays) == 1 else ["power", "amplifier"]
    usual += [f"relay-{number}" for number in range(3, len(relays) + 1)]
    names = old if len(old) == len(relays) else usual[: len(relays)]
    changes: dict[str, Any] = {} if names == old or not old else {"relays": None}
    for name, relay in zip(names, relays, strict=True):
        changes[f'relays."{name}".pin'] = relay.pin
        changes[f'relays."{name}".active'] = "high" if relay.active_high else "low"
    zones = [str(zone.get("name")) for zone in _list(present, "zones")] or ["main"]
    if names != old or not _list(present, "zones"):
        changes |= {f'zones."{zone}".relays': names for zone in zones}
    return changes


def _check_name(value: str) -> str | None:
    if re.match(NAME_PATTERN, value):
        return None
    return _(
        "it begins with a letter or digit, and has only letters without accents, digits, . _ - (64 at most)"
    )


def _check_languages(value: str) -> str | None:
    tags = value.replace(",", " ").split()
    if tags and all(re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", tag) for tag in tags):
        return None
    return _("write language tags, as in: vi hmn")


def _get(present: Mapping[str, Any], section: str, key: str) -> Any:
    part = present.get(section)
    return part.get(key) if isinstance(part, Mapping) else None


def _list(present: Mapping[str, Any], section: str) -> list[Mapping[str, Any]]:
    part = present.get(section)
    return [entry for entry in part if isinstance(entry, Mapping)] if isinstance(part, list) else []
