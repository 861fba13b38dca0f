"""`loa.readings/1`: what was measured, and when. A target of a feed that boards show (contract §2)."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, FailFast, Field, StringConstraints, model_validator

from playlists.errors import Rejected
from playlists.models.base import Identifier, Model, read_json, validate

FORMAT = "loa.readings/1"
MAX_READINGS_BYTES = 100_000

Words = Annotated[str, StringConstraints(max_length=60)]


VIETNAMESE: Final = str.maketrans(",.-", ".,\u2212")
"""From figures as Python writes them."""


class Reading(Model):
    """One thing that is measured."""

    id: Identifier
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    value: float | Words | None = None
    """A number or words; null: there is none, and the board says so."""
    unit: Annotated[str, StringConstraints(max_length=16)] = ""
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    """How many are shown of a number; null: as many as it has, three at most."""
    at: AwareDatetime | None = None
    """When it was read; null: as the document says."""
    note: Words = ""
    """A word to it, like an alarm level."""

    @property
    def written(self) -> str | None:
        """The value as it is written in Vietnamese, with a decimal comma and points between thousands."""
        if isinstance(self.value, str) or self.value is None:
            return self.value or None
        places = 3 if self.decimals is None else self.decimals
        text = f"{self.value:,.{places}f}"
        if self.decimals is None and "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.translate(VIETNAMESE)


class Readings(Model):
    """All that one source has measured."""

    format: Literal["loa.readings/1"]
    source: Words = ""
    """Who measured it."""
    at: AwareDatetime | None = None
    """When it was read, where a reading says nothing else."""
    readings: Annotated[tuple[Reading, ...], Field(max_length=48), FailFast()]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [reading.id for reading in self.readings]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"reading id {twice[0]!r} is used twice")
        return self


def parse_readings(raw: bytes, where: str) -> Readings:
    """Read and check readings; `where` names them in an error.

    Raises:
        Rejected: too big, not JSON, another format, or a field out of bounds.
    """
    document = read_json(where, raw, MAX_READINGS_BYTES)
    if document.get("format") != FORMAT:
        raise Rejected(where, [f"format: {FORMAT!r} is understood here, found {document.get('format')!r}"])
    return validate(Readings, where, document)
