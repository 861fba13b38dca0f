"""`operators.json`: who may command (contract §1)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, FailFast, Field, StringConstraints

from playlists.models.base import Model, Title, read_json, validate

FORMAT = "loa.operators/1"


class KeyValue(Model):
    """The public half, as TUF metadata writes it."""

    public: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class OperatorKey(Model):
    """An Ed25519 key as securesystemslib writes it."""

    keytype: Literal["ed25519"]
    scheme: Literal["ed25519"]
    keyval: KeyValue


class Operator(Model):
    """Somebody who may command, with what and until when."""

    keyid: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    name: Title
    key: OperatorKey
    actions: Annotated[
        tuple[Literal["announce", "live", "alert", "control", "maintain"], ...],
        Field(max_length=5),
        FailFast(),
    ]
    expires: AwareDatetime


class Operators(Model):
    """All who may command through one feed."""

    format: Literal["loa.operators/1"]
    operators: Annotated[tuple[Operator, ...], Field(max_length=1_000), FailFast()] = ()


def parse_operators(raw: bytes, where: str = "operators.json") -> Operators:
    """Read and check the list of operators.

    Raises:
        Rejected: not the document it should be; nobody of it is trusted.
    """
    return validate(Operators, where, read_json(where, raw))
