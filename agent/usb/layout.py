"""What lies where on a stick. Both ends, the node and the station, read it here."""

from __future__ import annotations

from typing import Final

FOLDER: Final = "loa"
FEEDS: Final = (FOLDER, "feeds")
"""Below it a folder for each feed, named as nodes name it, with `metadata/` and `targets/`."""
REPORTS: Final = (FOLDER, "reports")
"""Below it a folder for each node."""
