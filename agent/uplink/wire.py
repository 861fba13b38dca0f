"""Documents as they go over the wire: compact JSON, and of a log record only what says something.

The contract writes a reading that is not there as null. A `play` record therefore always has the fields of
its form in contract §5, null or not; what else a record could carry, and does not, is left out: it would
cost a metered link three times the bytes.
"""

from __future__ import annotations

import json
from typing import Any, Final

from playlists.models.base import Model
from playlists.models.record import LogBatch, Record

PLAY_FORM: Final = (
    "feed", "programme", "item", "media", "class", "language", "planned", "started", "ended", "played_s",
    "outcome", "reason", "zones", "gain_db", "clock", "amplifier_on", "sounded_dbfs", "heard_dbfs",
)  # fmt: skip


def compact(document: Any) -> bytes:
    """JSON without a needless byte."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def encode(model: Model) -> bytes:
    """A status, health or receipt: what is not there is null."""
    return model.model_dump_json(by_alias=True).encode()


def encode_record(record: Record) -> dict[str, Any]:
    """A log record, ready for JSON."""
    said = record.model_dump(mode="json", by_alias=True, exclude_none=True)
    if record.kind == "play":
        said = {"seq": said.pop("seq"), "kind": said.pop("kind"), **dict.fromkeys(PLAY_FORM), **said}
        if record.clock is not None:
            said["clock"] = record.clock.model_dump(mode="json")
    return said


def encode_batch(batch: LogBatch) -> bytes:
    """A log batch."""
    return compact(
        {
            "epoch": batch.epoch,
            "first": batch.first,
            "last": batch.last,
            "records": [encode_record(record) for record in batch.records],
        }
    )
