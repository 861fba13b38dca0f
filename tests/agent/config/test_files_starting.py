"""What of the files may keep a node from starting."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from agent.config import ConfigError, check_files, parse

CONFIG = """
[node]
id = "pole-01"
site = "xa"
[paths]
state = "{0}"
cache = "{0}"
runtime = "{0}"
[audio]
output = "file"
device = "{0}/out.wav"
"""


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_a_failing_card_is_a_problem_when_asked_for_and_does_not_keep_a_node_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fails(*_args: object, **_more: object) -> None:
        raise OSError(code, "the card")

    config = parse(CONFIG.format(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", fails)
    with pytest.raises(ConfigError, match="cannot be written to"):
        check_files(config)
    check_files(config, starting=True)
