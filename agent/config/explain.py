"""Turns what pydantic found into problems with section, key, value, bound and 'did you mean'."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.config.errors import Problem
from agent.config.model import Config
from agent.config.show import Located, located, shown
from agent.config.suggest import did_you_mean
from agent.words import N_, _

_CHOICES = ("literal_error", "enum")
_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "is required and missing",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "bool_type": "must be true or false, without quotes",
    "tuple_type": "must be a list in brackets",
    "finite_number": "must be a finite number",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}
_OPERATORS = {
    "ge": N_("at least {limit:,}"),
    "gt": N_("more than {limit:,}"),
    "le": N_("at most {limit:,}"),
    "lt": N_("less than {limit:,}"),
}
_NAME = "must begin with a letter or digit and have only letters, digits, '.', '_' and '-', 64 at most"
_PATTERNS = {
    "_-]{0,63}$": _NAME,
    "_+-]{0,63}$": _NAME.replace("'_'", "'_', '+'"),
    "{2,3}(-": 'must be a language tag like "vi" or "tay"',
}
_HOST = "must be a host name or an address, without a scheme or a port"


def explain(error: ValidationError, document: Mapping[str, Any]) -> list[Located]:
    """All problems of `document`, in words; of checks between parts, which come from elsewhere, none."""
    found = error.errors(include_url=False)
    places = [details["loc"] for details in found]
    return [
        _explain(details, document)
        for details in found
        # a problem without place comes from `disagreements`, which the caller asks for itself; a list whose
        # entries are all wrong counts as empty for pydantic, but its writer has not left it empty
        if details["loc"] and not (details["type"] == "too_short" and _has_deeper(details["loc"], places))
    ]


def _has_deeper(place: tuple[int | str, ...], places: list[tuple[int | str, ...]]) -> bool:
    return any(len(other) > len(place) and other[: len(place)] == place for other in places)


def _explain(details: ErrorDetails, document: Mapping[str, Any]) -> Located:
    first, *rest = details["loc"]
    section = str(first)
    index = 0
    is_list = isinstance(document.get(section), list)
    if is_list and rest and isinstance(rest[0], int):
        index = rest[0]
        del rest[0]
    if section not in Config.model_fields:
        return _unknown_section(section, document[section])
    if not rest:
        return _whole_section(details, section, index, is_list)
    keys = [part for part in rest if isinstance(part, str)]
    model = _model(section, keys[:-1])
    message, hint = _message(details, model, keys[-1]), _hint(details, model, keys[-1], section)
    key = str(rest[0])
    place, problem = located(document, section, index, key, message, hint=hint)
    inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest[1:])
    if not inner:
        return place, problem
    value = None if details["type"] == "missing" else shown(str(rest[-1]), details["input"])
    return place, Problem(problem.section, key + inner, value, message, hint)


def _unknown_section(section: str, value: Any) -> Located:
    if isinstance(value, Mapping | list):
        name = f"[[{section}]]" if isinstance(value, list) else f"[{section}]"
        hint = did_you_mean(section, Config.model_fields)
        return (section, 0, ""), Problem(name, "", None, "unknown section", hint)
    message = "stands before the first [section]: every key belongs to one"
    problem = Problem("", section, shown(section, value), message, _other_section(section, ""))
    return ("", 0, section), problem


def _whole_section(details: ErrorDetails, section: str, index: int, is_list: bool) -> Located:
    place = (section, index, "")
    repeated = is_repeated(section)
    name = f"[[{section}]]" if is_list else f"[{section}]"
    if details["type"] == "missing":
        return place, Problem(name, "", None, "the section is required and missing")
    if details["type"] in ("too_long", "too_short"):
        return place, Problem(name, "", None, _length(details))
    if repeated:
        return place, Problem(name, "", None, f"must be written as [[{section}]], once for each")
    return place, Problem(name, "", None, f"must be written as [{section}], once")


def _message(details: ErrorDetails, model: type[BaseModel], key: str) -> str:
    """What is wrong, with the bound or the allowed values."""
    kind = details["type"]
    context = details.get("ctx", {})
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in _CHOICES:
        return "must be one of " + ", ".join(f'"{word}"' for word in _allowed(details))
    if set(context) & set(_OPERATORS):
        return _("must be {bounds}").format(bounds=_bounds(model, key, context))
    if "min_length" in context or "max_length" in context:
        return _length(details)
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return next((text for part, text in _PATTERNS.items() if part in pattern), _HOST)
    return details["msg"].removeprefix("Value error, ")


def _hint(details: ErrorDetails, model: type[BaseModel], key: str, section: str) -> str:
    """The nearest word that would have been right."""
    if details["type"] == "extra_forbidden":
        return did_you_mean(key, model.model_fields) or _other_section(key, section)
    if details["type"] in _CHOICES and isinstance(details["input"], str):
        return did_you_mean(details["input"], _allowed(details))
    return ""


def _allowed(details: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))


def _bounds(model: type[BaseModel], key: str, context: Mapping[str, Any]) -> str:
    """Both bounds of a key, where the model knows them; else the one that was hurt."""
    field = model.model_fields.get(key)
    limits = {
        operator: getattr(part, operator)
        for part in (field.metadata if field else ())
        for operator in _OPERATORS
        if getattr(part, operator, None) is not None
    }
    limits = limits or {operator: context[operator] for operator in _OPERATORS if operator in context}
    return _(" and ").join(_(_OPERATORS[operator]).format(limit=limit) for operator, limit in limits.items())


def _length(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    low, high = context.get("min_length"), context.get("max_length")
    if low is not None:
        return "must not be empty" if low == 1 else f"must have at least {low} entries"
    if details["type"].startswith("string"):
        return f"must have at most {high} characters"
    return f"must have at most {high} entries"


def is_repeated(section: str) -> bool:
    return (
        section in Config.model_fields
        and getattr(Config.model_fields[section].annotation, "__origin__", None) is tuple
    )


def _model(section: str, keys: list[str]) -> type[BaseModel]:
    """The model that holds the key, below `section` and the tables `keys`."""
    model: type[BaseModel] = Config
    for name in (section, *keys):
        field = model.model_fields.get(name)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return model
        model = inner
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _other_section(key: str, section: str) -> str:
    """Where a key belongs that stands in the wrong section."""
    for other in Config.model_fields:
        if other != section and key in _model(other, []).model_fields:
            name = f"[[{other}]]" if is_repeated(other) else f"[{other}]"
            return f"it belongs into {name}"
    return ""
