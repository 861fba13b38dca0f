"""`station.toml`: where the centre's broker is, and for which site and feed it speaks.

```toml
site = "xa-thanh-binh"
feed = "commune"

[broker]            # the same keys as in a node's config.toml
host = "127.0.0.1"
port = 1883
tls = false
user = "station"
password_file = "/srv/station/password"
```
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from agent.config import Broker
from agent.station.errors import Technician
from agent.station.folder import Folder
from playlists.models.base import Identifier, Model, describe

FILE: Final = "station.toml"


class Centre(Model):
    """How the centre reaches its nodes."""

    site: Identifier
    feed: Identifier = "commune"
    broker: Broker


def load(folder: Folder) -> Centre:
    """Read `station.toml`.

    Raises:
        Technician: it is not there, or has mistakes: all of them at once.
    """
    path = folder.path / FILE
    try:
        return Centre.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise Technician(f"{path}: {error.strerror or error}") from error
    except ValidationError as error:
        raise Technician("\n".join(f"{path}: {line}" for line in describe(error))) from error
    except ValueError as error:
        raise Technician(f"{path}: {error}") from error


def write(path: Path, centre: Centre) -> None:
    """Write `station.toml` for `centre` to the folder `path`.

    Raises:
        OSError: it cannot be written.
    """
    # late: only a technician's command needs it
    import tomlkit

    from agent.files import write_atomically

    document = centre.model_dump(mode="json", exclude_none=True)
    write_atomically(path / FILE, tomlkit.dumps(document).encode())
