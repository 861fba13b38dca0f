"""What tests with several accounts share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter; those of pytest are for its own user."""
    with tempfile.TemporaryDirectory(prefix="loa-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
