"""What is said in English by parts that know no other language, and is translated where it is shown."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from playlists.models.base import BulletinClass, ClockState
from playlists.models.command import ReceiptState, RefusalReason
from playlists.models.health import FeedHealth, SelfTestVerdict
from playlists.models.record import Outcome, RecordKind

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
    "file {path} does not exist.",
    "dir {path} does not exist.",
    "path {path} does not exist.",
    "file {path} is a directory.",
    "dir {path} is a file.",
    "path {path} is a file.",
    "file {path} is not readable.",
    "dir {path} is not readable.",
    "path {path} is not readable.",
    "file {path} is not writable.",
    "dir {path} is not writable.",
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
SYSTEM = (
    # the system's own reasons, as Python passes them on, and those of tomllib
    "No such file or directory",
    "Permission denied",
    "Is a directory",
    "Not a directory",
    "File exists",
    "No space left on device",
    "Read-only file system",
    "Input/output error",
    "Connection refused",
    "Connection timed out",
    "Connection reset by peer",
    "Network is unreachable",
    "No route to host",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Address already in use",
    "Cannot assign requested address",
    "Device or resource busy",
    "No such device",
    "Operation not permitted",
    "Broken pipe",
    "Expected '=' after a key in a key/value pair",
    "Expected newline or end of document after a statement",
    "Cannot overwrite a value",
    "Cannot declare {name} twice",
    "Invalid value",
    "Invalid statement",
    "Invalid initial character for a key part",
    "Unterminated string",
    "Unclosed array",
    "Illegal character {character}",
    "{reason} (at line {line}, column {column})",
    "{reason} (at end of document)",
    "Expected ']' at the end of a table declaration",
    "Expected ']]' at the end of an array declaration",
)


STATES: tuple[str, ...] = (
    # words of the contract, which are shown beside their values: `_(state)`
    *get_args(Outcome),
    *get_args(RecordKind),
    *get_args(ReceiptState),
    *get_args(RefusalReason),
    *get_args(SelfTestVerdict),
    *get_args(FeedHealth.model_fields["state"].annotation),
    *(state.value for state in ClockState),
    *(class_.value for class_ in BulletinClass),
    *("online", "offline"),
    *("opening", "playing", "stalled", "reconnecting", "silent", "howling"),
)

FILES = (
    # whose sentences a technician or an officer may read: refusals, reasons, faults
    "agent/alerts/*.py",
    "agent/conductor/*.py",
    "agent/config/*.py",
    "agent/control/*.py",
    "agent/doctor/machine.py",
    "agent/enrol/*.py",
    "agent/feeds/*.py",
    "agent/journal/*.py",
    "agent/library.py",
    "agent/life.py",
    "agent/listener/*.py",
    "agent/node.py",
    "agent/player/cardclock.py",
    "agent/player/decode.py",
    "agent/player/decoding.py",
    "agent/player/output.py",
    "agent/player/performance.py",
    "agent/player/receiver.py",
    "agent/player/stage.py",
    "agent/player/sources.py",
    "agent/player/station.py",
    "agent/player/tuner/*.py",
    "agent/recordings.py",
    "agent/screen/board.py",
    "agent/screen/display.py",
    "agent/screen/films.py",
    "agent/screen/pictures.py",
    "agent/screen/sight.py",
    "agent/screen/ticker.py",
    "agent/screen/typesetting.py",
    "agent/screen/zones.py",
    "agent/screenpower.py",
    "agent/setup/machine.py",
    "agent/setup/trial.py",
    "agent/speech/espeak.py",
    "agent/speech/piper.py",
    "agent/speech/process.py",
    "agent/speech/reading.py",
    "agent/speech/speaking.py",
    "agent/station/*.py",
    "agent/shelf.py",
    "agent/store.py",
    "agent/support/sources.py",
    "agent/update/*.py",
    "agent/uplink/*.py",
    "agent/usb/*.py",
    "agent/worker.py",
    "drivers/*.py",
    "playlists/alert/*.py",
    "playlists/board.py",
    "playlists/errors.py",
    "playlists/hours.py",
    "playlists/markup.py",
    "playlists/policy.py",
    "playlists/recurrence.py",
    "playlists/rules.py",
    "playlists/self_test.py",
    "playlists/streams.py",
    "playlists/timetable.py",
)
NOT_READ = {
    # calls whose text nobody reads here: logs, other languages, what `_` has already, names of things
    *("debug", "info", "warning", "error", "exception", "critical", "log", "getLogger"),
    *("execute", "executemany", "executescript", "compile", "search", "match", "fullmatch", "sub", "findall"),
    *("_", "N_", "ngettext", "Option", "Argument", "Typer", "strftime", "encode", "TypeVar", "Literal"),
    *("ArgumentParser", "add_argument", "getenv", "_raise"),
}
NOT_A_SENTENCE = re.compile(
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|BEGIN|REPLACE|DROP|VACUUM|ATTACH|#) |"
    r"^(import|mount:|switch|systemctl|SIMCom|Quectel|Huawei|bytes|uid|format|code|exit|pixels|loa|L16) |"
    r"^(speech|music|Tx,|Value error,|can not open)( |$)|^[\w-]+ = |^\[node\]\n|^%\(|"
    r"\(\?|\x00|[đĐẠ-ỹ]"
)
"""SQL, regular expressions, keys, and what is spoken in Vietnamese already."""


def messages(root: Path) -> Iterator[tuple[str, str]]:
    """Each message, as a pattern with named fields, and the file that says it."""
    for text in PARSER:
        yield text, "typer"
    for text in SYSTEM:
        yield text, "system"
    for text in STATES:
        yield text, "docs/contract"
    for pattern in FILES:
        for path in sorted(root.glob(pattern)):
            reader = _Reader()
            reader.visit(ast.parse(path.read_text(encoding="utf-8")))
            for text in reader.found:
                yield text, str(path.relative_to(root))


class _Reader(ast.NodeVisitor):
    """Collects the sentences of one module: text with a blank in it that is no docstring, log line or SQL."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in NOT_READ:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring is for programmers
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Annotations hold no sentences."""

    def visit_Constant(self, node: ast.Constant) -> None:
        self._keep(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._keep(node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not (isinstance(node.op, ast.Add) and self._keep(node)):
            self.generic_visit(node)

    def _keep(self, node: ast.expr) -> bool:
        text = pattern_of(node)
        if text is None:
            return False
        words = re.sub(r"\{\w+\}", "", text)
        if re.search(r"[a-z]{2}.* |  *[a-z]{2}", words) and not NOT_A_SENTENCE.search(text):
            self.found.append(text)
        return True


def pattern_of(node: ast.expr) -> str | None:
    """The sentence that `node` makes, with a named field for each value; None for what makes none."""
    taken: dict[str, str] = {}

    def made(part: ast.expr) -> str | None:
        if isinstance(part, ast.Constant):
            return part.value.replace("{", "{{").replace("}", "}}") if isinstance(part.value, str) else None
        if isinstance(part, ast.JoinedStr):
            return "".join(made(value) or "" for value in part.values)
        if isinstance(part, ast.FormattedValue):
            return "{" + _field(part.value, taken) + "}"
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
            left, right = made(part.left), made(part.right)
            if left is None and right is None:
                return None
            return (left or "{" + _field(part.left, taken) + "}") + (
                right or "{" + _field(part.right, taken) + "}"
            )
        return None

    return made(node)


def _field(node: ast.expr, taken: dict[str, str]) -> str:
    """A name for the value of `node`; the same for the same expression, another for another."""
    whole = ast.unparse(node)
    names = [part.attr if isinstance(part, ast.Attribute) else part.id for part in ast.walk(node)
             if isinstance(part, ast.Attribute | ast.Name)]  # fmt: skip
    base = re.sub(r"\W", "", names[0].strip("_").lower()) if names else "value"
    name, count = base or "value", 2
    while taken.setdefault(name, whole) != whole:
        name, count = f"{base}{count}", count + 1
    return name
