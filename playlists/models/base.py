"""What every document model shares: strictness, identifiers, times, unknown fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from playlists.errors import Rejected

MAX_DOCUMENT_BYTES = 5_000_000
MAX_PROGRAMMES = 10_000
MAX_BULLETINS = 10_000
MAX_MEDIA_BYTES = 2_000_000_000
MAX_FEEDS = 64

MAX_NAME = 40
"""Letters of an unknown field's name that are reported."""
MAX_UNKNOWN = 100
"""Unknown fields that are reported of one document."""


class Model(BaseModel):
    """Base of all documents: frozen, unknown fields ignored (see `unknown_fields`)."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False)


Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]*$")
]
"""Name of a programme, bulletin, node, feed …: ASCII, safe in a topic, a path and a log line."""

Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
"""BCP 47 language tag; RFC 5646, 4.4.1 has none that is longer."""

MediaPath = Annotated[str, StringConstraints(max_length=512, pattern=r"^media(/[^./\\\x00][^/\\\x00]*)+$")]
"""Path of a target below `media/`: relative, no `..`, no hidden part, no backslash."""

Text = Annotated[str, StringConstraints(max_length=20_000)]
Title = Annotated[str, StringConstraints(max_length=500)]
GainDb = Annotated[float, Field(ge=-60, le=20)]
LengthS = Annotated[float, Field(ge=0, le=7 * 86_400)]


M = TypeVar("M", bound="Model")


class BulletinClass(StrEnum):
    """The three classes of grassroots information: thông thường, ưu tiên, khẩn cấp."""

    ROUTINE = "routine"
    PRIORITY = "priority"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """Ordinal: a bigger number wins."""
        return ("routine", "priority", "emergency").index(self.value)


class ClockState(StrEnum):
    """What the node knows of its own wall clock."""

    UNSET = "unset"
    RESTORED = "restored"
    SYNCHRONISED = "synchronised"


def localise(moment: datetime, timezone: ZoneInfo) -> datetime:
    """Give wall time without offset its zone; leave a moment with an offset alone."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone)


def read_json(where: str, raw: bytes, max_bytes: int = MAX_DOCUMENT_BYTES) -> dict[str, Any]:
    """Read a JSON object from outside; the size is checked before anything is parsed.

    Raises:
        Rejected: too big, not UTF-8, not JSON, nested too deep, or not an object.
    """
    if len(raw) > max_bytes:
        raise Rejected(where, [f"is {len(raw)} bytes, at most {max_bytes} are accepted"])
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Rejected(where, [f"is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise Rejected(where, [f"must be a JSON object, found {type(document).__name__}"])
    return document


def validate(model: type[M], where: str, document: Mapping[str, Any]) -> M:
    """Build `model` from `document`, with all problems at once and in words.

    Raises:
        Rejected: the document breaks the model; every problem names its field and what was found.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Rejected(where, describe(error)) from error


def describe(error: ValidationError) -> list[str]:
    """One line for each problem: field, what is wrong, what was found (shortened)."""
    lines = []
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"]) or "document"
        found = repr(problem["input"])
        found = found if len(found) <= 60 else found[:57] + "…"
        lines.append(f"{field}: {problem['msg']} (found {found})")
    return lines


def unknown_fields(model: type[BaseModel], document: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of fields in `document` that `model` does not know, list positions left out.

    The contract ignores unknown fields and has them reported once; a newer centre may send more than we know.
    """
    if not isinstance(document, Mapping):
        return
    known = _known(model)
    for key, value in document.items():
        nested = known.get(key)
        if nested is None:
            yield prefix + key[:MAX_NAME].encode("ascii", "backslashreplace").decode()
            continue
        if not nested:
            continue
        for part in value if isinstance(value, list) else [value]:
            # of a union, the member that knows most of the part's keys is the one that is meant
            best = nested[0] if len(nested) == 1 else max(nested, key=lambda m: _shared(m, part))
            yield from unknown_fields(best, part, f"{prefix}{key}.")


@lru_cache(maxsize=256)
def _known(model: type[BaseModel]) -> dict[str, tuple[type[BaseModel], ...]]:
    """Field names as documents write them, each with the models that may stand in it."""
    return {
        field.alias or name: tuple(_models_in(field.annotation)) for name, field in model.model_fields.items()
    }


def _shared(model: type[BaseModel], part: Any) -> int:
    return len(_known(model).keys() & part.keys()) if isinstance(part, Mapping) else 0


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
