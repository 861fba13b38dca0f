"""What is said in English by parts that know no other language, and is translated where it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PARSER = (
    # typer and what it is built on write these into their code; tests hold that they still do
    "Usage: ",
    "Options",
    "Arguments",
    "Commands",
    "Show this message and exit.",
    "Install completion for the current shell.",
    "Show completion for the current shell, to copy it or customize the installation.",
    "Missing command.",
    "No such command {name}.",
    "No such command {name}. Did you mean {suggestions}?",
    "No such option: {name}",
    "{message} (Possible options: {options})",
    "Got unexpected extra argument(s) ({arguments})",
    "Invalid value: {reason}",
    "Invalid value for {name}: {reason}",
    "Missing argument {name}.",
    "Missing option {name}.",
    "Missing argument {name}. {more}",
    "Missing option {name}. {more}",
    "Option {name} does not take a value.",
    "Option {name} requires an argument.",
    "Option {name} requires {count} arguments.",
    "{value} is not one of {choices}.",
    "File {path} does not exist.",
    "Directory {path} does not exist.",
    "Path {path} does not exist.",
    "File {path} is a directory.",
    "Directory {path} is a file.",
    "File {path} is not readable.",
    "Directory {path} is not readable.",
    "File {path} is not writable.",
    "Directory {path} is not writable.",
    "[default: {value}]",
    "default: {default}",
    "required",
    "(dynamic)",
    "env var: {var}",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be greater than or equal to {bound}",
    "Input should be less than or equal to {bound}",
    "Input should be a valid boolean, unable to interpret input",
    "Aborted!",
)


def messages(root: Path) -> Iterator[tuple[str, str]]:
    """Each message, as a pattern with named fields, and the file that says it."""
    for text in PARSER:
        yield text, "typer"
