"""The words that a person reads: English in the code, other languages from catalogues (GNU gettext).

Only a program that talks to a person chooses a language, by `choose`; the daemon never does, so that what it
reports upstream is the same everywhere. Nothing is read before the first word is asked for, and nothing at all for
English. Catalogues are made by `./dev words`.
"""

from __future__ import annotations

import gettext as _gettext
import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter
from unicodedata import combining, east_asian_width, normalize

DOMAIN = "loa"
FOLDER = Path(__file__).parent / "locale"
SOURCE = "en"
LANGUAGES = (SOURCE, "vi")
VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""In this order the first that is set decides, as with every gettext program."""

_language = SOURCE
_catalogue: _gettext.NullTranslations | None = None


def wanted(environment: Mapping[str, str]) -> str:
    """The language that the environment asks for; English where it asks for none that is here."""
    value = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    return first_known(value.split(":"))


def first_known(tags: Iterable[str]) -> str:
    """The first of `tags` (`vi`, `vi_VN.UTF-8`, `en-GB`) that is here; English for none."""
    return next(filter(None, map(known, tags)), SOURCE)


def known(tag: str) -> str | None:
    """The language that `tag` means, where it is here."""
    name = tag.replace("-", "_").split("_")[0].split(".")[0].split("@")[0].lower()
    if name in ("c", "posix"):
        return SOURCE
    return name if name in LANGUAGES else None


def choose(language: str) -> str:
    """From now on, in this process, speak `language` (a tag of any form); returns what was chosen.

    The environment is set too: click's own words ask gettext by it, and so do programs that are started.
    """
    global _language, _catalogue
    chosen = first_known([language])
    _language, _catalogue = chosen, None
    os.environ["LANGUAGE"] = chosen
    _gettext.bindtextdomain(DOMAIN, str(FOLDER))
    _gettext.textdomain(DOMAIN)
    return chosen


def language() -> str:
    """What this process speaks."""
    return _language


def _words() -> _gettext.NullTranslations:
    global _catalogue  # noqa: PLW0603 - read once; two threads that come at once read the same
    found = _catalogue
    if found is None:
        spoken = [] if _language == SOURCE else [_language]
        found = _catalogue = _gettext.translation(DOMAIN, FOLDER, spoken, fallback=True)
    return found


def _(text: str) -> str:
    """`text` in the language of this process. Never an f-string: `_("… {name} …").format(name=name)`."""
    return _words().gettext(text) if text else ""


def ngettext(one: str, many: str, count: int) -> str:
    """`one` or `many`, by `count`, in the language of this process."""
    return _words().ngettext(one, many, count)


def N_(text: str) -> str:  # noqa: N802 - gettext's name, which extractors know
    """`text` itself: marks what is translated later, where it is shown."""
    return text


def width(text: str) -> int:
    """How many columns of a terminal `text` takes: a mark over a letter takes none, a wide letter two."""
    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1
        for letter in normalize("NFC", text)
    )


def column(text: str, columns: int) -> str:
    """`text` with blanks behind it, up to `columns`; one blank at least."""
    return text + " " * max(1, columns - width(text))


def retell(text: str) -> str:
    """`text` from a program that speaks English only (the daemon, the parser), in the language of this process.

    It is matched with the patterns of the catalogue: `relay {name} is on` is found in `relay amplifier is on`. Of
    several that fit, the one with the most words of its own is meant. What is in no catalogue comes back unchanged.
    """
    if _language == SOURCE or not text:
        return text
    plain = _words().gettext(text)
    if plain != text:
        return plain
    for pattern, expression in _fitting(_words(), text):
        found = expression.fullmatch(text)
        if found:
            values = {name: retell(found[group]) for name, group in _names(pattern).items()}
            return _filled(_words().gettext(pattern), values)
    return text


def _fitting(catalogue: _gettext.NullTranslations, text: str) -> Iterable[tuple[str, re.Pattern[str]]]:
    """Patterns whose longest own words stand in `text`, those with the most words of their own first."""
    for pattern, words in _patterns(catalogue):
        if all(part in text for part in words):
            yield pattern, _expression(pattern)


@lru_cache(maxsize=2)
def _patterns(catalogue: _gettext.NullTranslations) -> list[tuple[str, list[str]]]:
    entries: Mapping[object, str] = vars(catalogue).get("_catalog", {})
    found = []
    for text in entries:
        if isinstance(text, str) and "{" in text:
            words = [literal for literal, *_rest in Formatter().parse(text) if literal.strip()]
            if words:
                found.append((text, words))
    return sorted(found, key=lambda entry: -sum(map(len, entry[1])))


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = []
    for literal, field, *_rest in Formatter().parse(pattern):
        parts.append(re.escape(literal) + ("(.+?)" if field is not None else ""))
    return re.compile("".join(parts), re.DOTALL)


def _names(pattern: str) -> dict[str, int]:
    """Each field of `pattern`, and the group of its first place in the expression."""
    fields = [field for _literal, field, *_rest in Formatter().parse(pattern) if field is not None]
    return {name: fields.index(name) + 1 for name in fields}


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    """`pattern` with `values`, which are text already, so that formats such as `:.1f` do not apply."""
    return "".join(
        literal + (values.get(field, "") if field is not None else "")
        for literal, field, *_rest in Formatter().parse(pattern)
    )
