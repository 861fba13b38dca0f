"""Checks between keys and between sections. Works on plain data, so that it can also judge a file that has
other faults: all problems come at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.config.show import Located, located
from agent.config.suggest import did_you_mean
from agent.screen.protocol import ACTIONS
from agent.screen.theme import LEGIBLE, THEMES, WELL_LEGIBLE, contrasts, themed
from agent.speech.voices import PITCH
from playlists.languages import language_of


def disagreements(document: Mapping[str, Any]) -> list[Located]:
    """What does not fit together. Parts of the wrong type are passed over: the models complain of those."""
    return [
        *_unique(document, "feeds", "name"),
        *_unique(document, "alert_sources", "name"),
        *_unique(document, "relays", "name"),
        *_unique(document, "relays", "pin"),
        *_unique(document, "buttons", "name"),
        *_unique(document, "buttons", "pin"),
        *_pins(document),
        *_residents(document),
        *_unique(document, "zones", "name"),
        *_zones(document),
        *_broker(document),
        *_audio(document),
        *_voices(document),
        *_groups(document),
        *_screen(document),
        *_tie_break(document),
        *_update(document),
    ]


def _entries(document: Mapping[str, Any], section: str) -> list[tuple[int, Mapping[str, Any]]]:
    """The tables of `[[section]]` with their position; what is not a table is left out."""
    return [
        (index, entry) for index, entry in enumerate(_list(document, section)) if isinstance(entry, Mapping)
    ]


def _list(table: Any, key: str) -> list[Any]:
    value = table.get(key) if isinstance(table, Mapping) else None
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def _words(table: Any, key: str) -> list[str]:
    return [word for word in _list(table, key) if isinstance(word, str)]


def _twice(words: list[str]) -> str | None:
    return next((word for word in words if words.count(word) > 1), None)


def _unique(document: Mapping[str, Any], section: str, key: str) -> Iterator[Located]:
    first: dict[str | int, int] = {}
    for index, entry in _entries(document, section):
        value = entry.get(key)
        if not isinstance(value, str | int) or isinstance(value, bool):
            continue
        if value in first:
            message = f"is used twice: [[{section}]] number {first[value] + 1} has it already"
            yield located(document, section, index, key, message)
        first.setdefault(value, index)


def _pins(document: Mapping[str, Any]) -> Iterator[Located]:
    relays = [(entry.get("pin"), entry.get("name")) for _, entry in _entries(document, "relays")]
    taken = {pin: name for pin, name in relays if isinstance(pin, int)}
    for index, button in _entries(document, "buttons"):
        pin = button.get("pin")
        if isinstance(pin, int) and pin in taken:
            yield located(document, "buttons", index, "pin", f"is that of the relay {taken[pin]!r}")


def _residents(document: Mapping[str, Any]) -> Iterator[Located]:
    screen = document.get("screen")
    if isinstance(screen, Mapping) and screen.get("enabled") is True:
        return
    for index, button in _entries(document, "buttons"):
        if button.get("does") in ACTIONS:
            message = f"{button['does']!r} asks something of a board, and [screen] is not enabled"
            yield located(document, "buttons", index, "does", message)


def _zones(document: Mapping[str, Any]) -> Iterator[Located]:
    known = [entry["name"] for _, entry in _entries(document, "relays") if isinstance(entry.get("name"), str)]
    have = "there are: " + ", ".join(known) if known else "there are no [[relays]]"
    for index, zone in _entries(document, "zones"):
        names = _words(zone, "relays")
        unknown = [name for name in names if name not in known]
        for name in unknown:
            message = f"no relay is named {name!r}; {have}"
            yield located(document, "zones", index, "relays", message, hint=did_you_mean(name, known))
        if twice := _twice(names):
            yield located(document, "zones", index, "relays", f"names {twice!r} twice")
        elif not unknown and names != (right := [name for name in known if name in names]):
            message = (
                "must stand in the order of the [[relays]], which close in that order and open in reverse: "
                + ", ".join(right)
            )
            yield located(document, "zones", index, "relays", message)


def _broker(document: Mapping[str, Any]) -> Iterator[Located]:
    broker = document.get("broker")
    if not isinstance(broker, Mapping):
        return
    for key, needs in (
        ("cert", "key"),
        ("key", "cert"),
        ("user", "password_file"),
        ("password_file", "user"),
    ):
        if key in broker and needs not in broker:
            yield located(document, "broker", 0, key, f"needs {needs} beside it")
    if broker.get("tls", True) is False:
        for key in ("ca", "cert", "key"):
            if key in broker:
                yield located(document, "broker", 0, key, "has no effect with tls = false")


def _audio(document: Mapping[str, Any]) -> Iterator[Located]:
    audio = document.get("audio")
    if not isinstance(audio, Mapping) or audio.get("output") != "file":
        return
    device = audio.get("device", "default")
    if isinstance(device, str) and not device.endswith(".wav"):
        message = 'with output = "file" this must be the path of a file that ends in .wav'
        yield located(document, "audio", 0, "device", message)


def _voices(document: Mapping[str, Any]) -> Iterator[Located]:
    first: dict[str, int] = {}
    for index, entry in _entries(document, "voices"):
        language, name = entry.get("language"), entry.get("voice")
        if not isinstance(language, str):
            continue
        tag = language.lower()
        if tag in first:
            message = f"is used twice: [[voices]] number {first[tag] + 1} has it already"
            yield located(document, "voices", index, "language", message)
        first.setdefault(tag, index)
        if "model" in entry:
            if entry.get("pitch", PITCH) != PITCH:
                yield located(
                    document, "voices", index, "pitch", "has no effect with a model: it has its own"
                )
        elif isinstance(name, str) and language_of(name.partition("+")[0]) != language_of(language):
            message = f"is a voice of another language than {language!r}: nothing is read with a wrong voice"
            yield located(document, "voices", index, "voice", message)


def _groups(document: Mapping[str, Any]) -> Iterator[Located]:
    if twice := _twice(_words(document.get("node"), "groups")):
        yield located(document, "node", 0, "groups", f"names {twice!r} twice")


def _screen(document: Mapping[str, Any]) -> Iterator[Located]:
    screen = document.get("screen")
    if not isinstance(screen, Mapping):
        return
    colours = screen.get("colours")
    if isinstance(colours, Mapping):
        for message in _colours(str(screen.get("theme", "dark")), colours):
            yield located(document, "screen", 0, "colours", message)
    power, driver = screen.get("power", "none"), screen.get("driver", "auto")
    needs = {"xset": "x11", "wlr-randr": "wayland"}.get(str(power))
    if needs is not None and driver not in ("auto", needs):
        yield located(document, "screen", 0, "power", f"{power!r} works with driver = {needs!r} only")
    if power != "none" and not _list(screen, "on_hours"):
        yield located(document, "screen", 0, "power", "has no effect without on_hours")


def _colours(theme: str, own: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an owner's colours: text must be legible on them."""
    if theme not in THEMES or not all(isinstance(text, str) for text in own.values()):
        return
    try:
        themed_so = themed(THEMES[theme], own)
    except ValueError as error:
        yield str(error)
        return
    least = WELL_LEGIBLE if theme == "contrast" else LEGIBLE
    for what, found in contrasts(themed_so).items():
        if found < least:
            yield (
                f"{what}: the contrast is {found:.1f}:1, and theme {theme!r} needs {least:g}:1 "
                "for text to be legible (WCAG 2.2)"
            )


def _tie_break(document: Mapping[str, Any]) -> Iterator[Located]:
    names = _words(document.get("policy"), "tie_break")
    known = [entry["name"] for _, entry in _entries(document, "feeds") if isinstance(entry.get("name"), str)]
    have = "there are: " + ", ".join(known) if known else "there are no [[feeds]]"
    for name in names:
        if name not in known:
            message = f"no feed is named {name!r}; {have}"
            yield located(document, "policy", 0, "tie_break", message, hint=did_you_mean(name, known))
    if twice := _twice(names):
        yield located(document, "policy", 0, "tie_break", f"names {twice!r} twice")


def _update(document: Mapping[str, Any]) -> Iterator[Located]:
    section = document.get("update")
    name = section.get("feed") if isinstance(section, Mapping) else None
    known = [entry["name"] for _, entry in _entries(document, "feeds") if isinstance(entry.get("name"), str)]
    if isinstance(name, str) and name not in known:
        have = "there are: " + ", ".join(known) if known else "there are no [[feeds]]"
        message = f"no feed is named {name!r}; {have}"
        yield located(document, "update", 0, "feed", message, hint=did_you_mean(name, known))
