"""The agent's own log: for journald, and for whoever asks for it from afar."""

from __future__ import annotations

import gzip
import io
import logging
import random
from collections.abc import Iterator

import pytest

from agent.logs import LINES, MAX_SENT_BYTES, RecentLines, set_up


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def record(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("loa.test", level, __file__, 1, text, (), None)


def test_lines_carry_the_priorities_of_journald(root: logging.Logger, capsys) -> None:
    set_up("info")
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    logging.getLogger("loa.test").error("first\nsecond")
    logging.getLogger("loa.test").info("third")
    logging.getLogger("loa.test").debug("unheard")
    assert stream.getvalue() == "<3>loa.test: first\n<3>second\n<6>loa.test: third\n"


def test_the_newest_lines_are_kept(root: logging.Logger) -> None:
    recent = set_up("info")
    for number in range(LINES + 10):
        logging.getLogger("loa.test").info("line %d", number)
    lines = gzip.decompress(recent.compressed()).decode().splitlines()
    assert len(lines) == LINES
    assert lines[-1].endswith(f"line {LINES + 9}")


def test_what_is_sent_fits_into_a_message_and_ends_with_the_newest() -> None:
    recent = RecentLines()
    rng = random.Random(1)
    for number in range(LINES):
        recent.emit(record(f"{number} {rng.randbytes(400).hex()}"))
    packed = recent.compressed()
    assert len(packed) <= MAX_SENT_BYTES
    assert gzip.decompress(packed).decode().splitlines()[-1].startswith(f"{LINES - 1} ")


def test_no_lines_at_all_can_be_sent() -> None:
    assert gzip.decompress(RecentLines().compressed()) == b""


def test_a_badly_made_line_breaks_nothing(monkeypatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    recent = RecentLines()
    broken = record("%d of them")
    broken.args = ("many",)
    recent.emit(broken)
    recent.emit(record("fine"))
    assert gzip.decompress(recent.compressed()) == b"fine"
