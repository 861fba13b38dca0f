"""Changes single keys of a `config.toml` and leaves comments, order and everything else as its writer left it.

Loads tomlkit, so it is for the command line; the daemon only reads.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item

from agent.config.explain import is_repeated
from agent.config.model import Config
from agent.config.suggest import did_you_mean
from agent.words import _, retell

ENTRY_KEYS: Final = {"voices": "language"}
"""What names an entry of a section that may be repeated, where it is not its `name`."""


class UnknownKey(ValueError):  # noqa: N818 - says what is the matter
    """Error raised when a key's name leads nowhere."""


def split(key: str) -> tuple[str, ...]:
    """The parts of a dotted key as TOML reads one; a part with dots in it stands in quotes.

    Raises:
        UnknownKey: it is no key.
    """
    try:
        document: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError as error:
        raise UnknownKey(
            _("{key}: is not a key like node.id or relays.amplifier.pin").format(key=key)
        ) from error
    parts: list[str] = []
    while isinstance(document, dict) and len(document) == 1:
        part, document = next(iter(document.items()))
        parts.append(part)
    if document != 0 or not parts:
        raise UnknownKey(_("{key}: is not a key like node.id or relays.amplifier.pin").format(key=key))
    if parts[0] not in Config.model_fields:
        hint = did_you_mean(parts[0], Config.model_fields)
        text = _("{key}: there is no section {section!r}").format(key=key, section=parts[0])
        raise UnknownKey(f"{text}; {retell(hint)}" if hint else text)
    return tuple(parts)


def find(document: Mapping[str, Any], key: str) -> Any:
    """The value of a dotted key in a whole configuration (`Config.describe`).

    Entries of a section that may be repeated are found by name, or by number, counted from 1.

    Raises:
        UnknownKey: nothing is there.
    """
    found: Any = document
    parts = split(key)
    for place, part in enumerate(parts):
        if isinstance(found, Sequence) and not isinstance(found, str):
            index = _index(found, parts[0], part)
            if index is None:
                known = [str(each) for each in _names(found, parts[0])]
                raise UnknownKey(_nothing(key, part, known))
            found = found[index]
        elif isinstance(found, Mapping) and part in found:
            found = found[part]
        else:
            known = sorted(found) if isinstance(found, Mapping) else []
            raise UnknownKey(_nothing(".".join(parts[: place + 1]), part, known))
    return found


def change(text: str, changes: Mapping[str, Any]) -> str:
    """Set dotted keys to values ready for TOML; None takes a key, an entry or a section out.

    A section or an entry that is not there yet is added at the end of its kind.

    Raises:
        UnknownKey: a key leads nowhere.
        ValueError: the text is not TOML, or a value has no TOML.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ValueError(_("the file is not TOML, mend it first: {error}").format(error=error)) from error
    for key, value in changes.items():
        parts = split(key)
        try:
            _put(document, parts, value)
        except TOMLKitError as error:
            raise ValueError(f"{key}: {error}") from error
    return tomlkit.dumps(document)


def value_of(text: str) -> Any:
    """What a technician typed as a value: TOML where it is TOML, else a text."""
    try:
        return tomlkit.value(text)
    except (TOMLKitError, ValueError):
        return text


def as_toml(value: Any) -> str:
    """A value as a file would write it."""
    return tomlkit.item(value).as_string() if value is not None else ""


def _put(document: tomlkit.TOMLDocument, parts: tuple[str, ...], value: Any) -> None:
    if not is_repeated(parts[0]):
        _put_below(document, document, parts, value)
    elif value is None and len(parts) <= 2:
        _take_out(document, parts)
    elif len(parts) <= 2:
        text = _("{key}: name the entry and its key, as in {section}.NAME.KEY")
        raise UnknownKey(text.format(key=".".join(parts), section=parts[0]))
    else:
        _put_below(document, _entry(document, parts, make=value is not None), parts[2:], value)


def _take_out(document: tomlkit.TOMLDocument, parts: tuple[str, ...]) -> None:
    """Take an entry of a repeated section, or all of them, out."""
    section = parts[0]
    if len(parts) == 1:
        document.pop(section, None)
        return
    entries = _entries(document, section)
    index = _index(entries, section, parts[1])
    if index is None:
        raise UnknownKey(_nothing(".".join(parts), parts[1], _names(entries, section)))
    del entries[index]
    if not entries:
        document.pop(section, None)


def _entry(document: tomlkit.TOMLDocument, parts: tuple[str, ...], *, make: bool) -> Any:
    """The table of an entry, which is added where there is none."""
    section, name = parts[:2]
    entries = _entries(document, section)
    index = _index(entries, section, name)
    if index is None:
        if not make:
            raise UnknownKey(_nothing(".".join(parts), name, _names(entries, section)))
        table = tomlkit.table()
        table[ENTRY_KEYS.get(section, "name")] = name
        if section not in document:
            _separate(document)
        entries.append(table)
        if section not in document:
            document.append(section, entries)
        index = len(entries) - 1
    return document[section][index]


def _entries(document: tomlkit.TOMLDocument, section: str) -> AoT:
    entries = document.get(section, tomlkit.aot())
    if not isinstance(entries, AoT):
        text = _("[[{section}]] is written in another way than this; use: loa config edit")
        raise UnknownKey(text.format(section=section))
    return entries


def _put_below(document: tomlkit.TOMLDocument, table: Any, keys: tuple[str, ...], value: Any) -> None:
    for key in keys[:-1]:
        if key not in table:
            if value is None:
                return
            if table is document:
                _separate(document)
                table[key] = tomlkit.table()
            else:
                table[key] = tomlkit.inline_table()
        table = table[key]
    if value is None:
        table.pop(keys[-1], None)
    else:
        _set(table, keys[-1], value)


def _set(table: Any, key: str, value: Any) -> None:
    if (
        isinstance(value, Mapping)
        and not isinstance(value, Item)
        and not isinstance(table, tomlkit.TOMLDocument)
    ):
        inline = tomlkit.inline_table()
        inline.update(value)
        value = inline
    if key in table or not isinstance(table, tomlkit.items.Table):
        table[key] = value
        return
    # behind the last key, not behind the blank lines and comments that belong to the next section
    last = next(
        iter(reversed([k for k, item in table.items() if not isinstance(item, AoT | tomlkit.items.Table)])),
        None,
    )
    if last is None:
        table[key] = value
    else:
        table.value._insert_after(last, key, tomlkit.item(value))


def _separate(document: tomlkit.TOMLDocument) -> None:
    if document.body and not tomlkit.dumps(document).endswith("\n\n"):
        document.add(tomlkit.nl())


def _index(entries: Sequence[Any], section: str, name: str) -> int | None:
    names = _names(entries, section)
    if name in names:
        return names.index(name)
    if name.isascii() and name.isdigit() and 1 <= int(name) <= len(entries):
        return int(name) - 1
    return None


def _names(entries: Sequence[Any], section: str) -> list[Any]:
    key = ENTRY_KEYS.get(section, "name")
    return [entry.get(key) if isinstance(entry, Mapping) else None for entry in entries]


def _nothing(key: str, part: str, known: Sequence[str]) -> str:
    hint = did_you_mean(part, [name for name in known if isinstance(name, str)])
    text = _("{key}: there is no {part!r}").format(key=key, part=part)
    if hint:
        return f"{text}; {retell(hint)}"
    names = ", ".join(json.dumps(name, ensure_ascii=False) for name in known) if known else ""
    return text + (_("; there are: {names}").format(names=names) if names else "")
