"""JSON Schema of the documents that pass between a node and a centre, made from the models.

`python -m playlists.schema docs/contract/schema` writes them; a test holds the written ones equal.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from playlists.models.base import Model
from playlists.models.command import Command, Receipt
from playlists.models.health import Health, Status
from playlists.models.operators import Operators
from playlists.models.readings import Readings
from playlists.models.record import LogBatch, Record, Stored
from playlists.models.schedule import Schedule

DOCUMENTS: dict[str, type[Model]] = {
    "schedule": Schedule,
    "operators": Operators,
    "readings": Readings,
    "command": Command,
    "receipt": Receipt,
    "record": Record,
    "log": LogBatch,
    "stored": Stored,
    "status": Status,
    "health": Health,
}
"""Name of each document, as it stands in the file name, and its model."""

WALL_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?$"


class _WithoutTitles(GenerateJsonSchema):
    """A title that only repeats the field's name helps nobody."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _MomentsAndWallTimes(_WithoutTitles):
    """`date-time` asks for an offset (RFC 3339). A schedule's wall times have none: a pattern says so."""

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        if schema.get("tz_constraint") == "aware":
            return {"type": "string", "format": "date-time"}
        return {
            "type": "string",
            "pattern": WALL_TIME,
            "description": "Without offset: wall time in the schedule's timezone.",
        }


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document; `name` is a key of `DOCUMENTS`."""
    model = DOCUMENTS[name]
    generator = _MomentsAndWallTimes if model is Schedule else _WithoutTitles
    body = model.model_json_schema(by_alias=True, mode="validation", schema_generator=generator)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:loa:contract:1:{name}",
        **body,
    }


def write(folder: Path) -> list[Path]:
    """Write all schemas into `folder` and return their paths.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in DOCUMENTS:
        path = folder / f"{name}.schema.json"
        path.write_text(render(name), encoding="utf-8")
        written.append(path)
    return written


def render(name: str) -> str:
    """Return the text of a schema file."""
    return json.dumps(schema_of(name), ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schemas into the folder named on the command line; return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m playlists.schema FOLDER", file=sys.stderr)
        return 2
    for path in write(Path(arguments[0])):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
