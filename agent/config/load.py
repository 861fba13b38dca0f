"""Reads `config.toml`. tomllib only: the writer that keeps comments is for the command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from agent.config.agree import disagreements
from agent.config.errors import ConfigError, Problem
from agent.config.explain import explain
from agent.config.lines import Place, find_lines
from agent.config.model import Config

MAX_CONFIG_BYTES = 1_000_000


def load(path: Path | str) -> Config:
    """Read and check the file at `path`. Relative paths in it start at its own folder.

    Whether the files that it names are there is a separate question: see `check_files`.

    Raises:
        ConfigError: the file cannot be read, or anything in it is wrong; all problems at once.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(str(path), [Problem("", "", None, "is not there: loa setup makes one")]) from error
    except OSError as error:
        problem = Problem("", "", None, f"cannot be read: {error.strerror or error}")
        raise ConfigError(str(path), [problem]) from error
    if len(raw) > MAX_CONFIG_BYTES:
        message = f"is bigger than {MAX_CONFIG_BYTES} bytes: this is not a configuration"
        raise ConfigError(str(path), [Problem("", "", None, message)])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problem = Problem("", "", None, "is not UTF-8 text: save it as UTF-8", line=line)
        raise ConfigError(str(path), [problem]) from error
    return parse(text, str(path), base=path.absolute().parent)


def parse(text: str, where: str = "config.toml", base: Path | None = None) -> Config:
    """Check the text of a configuration.

    `where` names it in messages; relative paths in it start at `base`, if given.

    Raises:
        ConfigError: with all problems at once.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(where, [_not_toml(error)]) from error
    problems = disagreements(document)
    config = None
    try:
        config = Config.model_validate(document, context={"base": base})
    except ValidationError as error:
        problems += explain(error, document)
    if config is None or problems:
        lines = find_lines(text)
        raise ConfigError(where, [_with_line(problem, place, lines) for place, problem in problems])
    return config


def _not_toml(error: Exception) -> Problem:
    text = str(error)
    line = re.search(r"\(at line (\d+), column \d+\)", text)
    message = re.sub(r"\s*\(at [^)]*\)", "", text) or "nested too deep"
    return Problem("", "", None, f"is not TOML: {message}", line=int(line[1]) if line else None)


def _with_line(problem: Problem, place: Place, lines: Mapping[Place, int]) -> Problem:
    section, index, _key = place
    line = lines.get(place) or lines.get((section, index, ""))
    return replace(problem, line=line) if line is not None else problem
