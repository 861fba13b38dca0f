"""How the loudspeakers came back on the day of installation: what every later self-test is compared with."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from agent.files import write_atomically
from playlists.units import Decibel

log = logging.getLogger("loa.listener")

FILE: Final = "listener-reference.json"


@dataclass(frozen=True, slots=True)
class Reference:
    """Gain from output to microphone of each tone, by frequency in Hz; when and with which device it was taken."""

    taken: datetime
    device: str
    gains_db: Mapping[float, Decibel]


def write_reference(folder: Path, reference: Reference) -> None:
    """Keep it in `folder`.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    document = {
        "taken": reference.taken.isoformat(),
        "device": reference.device,
        "gains_db": {f"{hz:g}": gain for hz, gain in reference.gains_db.items()},
    }
    write_atomically(folder / FILE, json.dumps(document, indent=2).encode() + b"\n")


def read_reference(folder: Path, device: str) -> Reference | None:
    """The one that was kept for this device; None where there is none, or none that can be used."""
    path = folder / FILE
    try:
        document = json.loads(path.read_bytes())
        found = Reference(
            datetime.fromisoformat(document["taken"]),
            str(document["device"]),
            {float(hz): Decibel(float(gain)) for hz, gain in document["gains_db"].items()},
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read and is not used: %r; take it anew", path, error)
        return None
    if found.device != device:
        log.warning("%s was taken with the device %r, not with %r: take it anew", path, found.device, device)
        return None
    return found
