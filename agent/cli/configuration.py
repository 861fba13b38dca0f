"""`loa config`: reads and changes the configuration; what is written is right, and can be taken back."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.common import (
    EXIT_DENIED,
    EXIT_FAILED,
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    config_path,
    confirmed,
    fail,
    note,
    print_json,
    said_by,
)
from agent.cli.wrong import tell
from agent.words import _, retell

if TYPE_CHECKING:
    from agent.config import Config
    from agent.config.writer import ConfigFile, Earlier

STDERR = 2
EDITORS = ("sensible-editor", "nano", "vi")

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="Read and change the configuration.", no_args_is_help=True)
    group.command("get")(get)
    group.command("set")(set_)
    group.command("edit")(edit)
    group.command("diff")(diff)
    group.command("rollback")(rollback)
    app.add_typer(group, name="config")


def get(
    key: Annotated[str | None, typer.Argument(help="As node.id or relays.amplifier.pin; none: all.")] = None,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a value in force, defaults included; without KEY the file itself."""
    from agent.config import load
    from agent.config.difference import masked
    from agent.config.editing import as_toml, find, split
    from agent.config.show import MASK, is_secret

    path = config or config_path()
    with told():
        if key is None and not as_json:
            typer.echo(masked(_present(_file(path))), nl=False)
            return
        found: Any = load(path).describe()
        if key is not None:
            found = find(found, key)
            if is_secret(split(key)[-1]):
                found = MASK
    if as_json:
        print_json(found)
    elif isinstance(found, str):
        typer.echo(found)
    elif isinstance(found, Mapping):
        for name, value in found.items():
            typer.echo(
                f"{name} = {as_toml(_without_none(value))}"
                if value is not None
                else _("{key}: not set").format(key=name)
            )
    else:
        typer.echo(as_toml(_without_none(found)) if found is not None else _("not set"))


def set_(
    assignments: Annotated[list[str], typer.Argument(metavar="KEY VALUE | KEY=VALUE …")],
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Set keys; an empty VALUE takes a key out, so that its default holds.

    `loa config set node.public_number 0007`, or several that belong together:
    `loa config set relays.horn.pin=27 relays.horn.active=low zones.square.relays='["amplifier", "horn"]'`
    """
    from agent.config.editing import change, value_of

    file = _file(config or config_path())
    with told():
        old = _present(file)
        typed = _assignments(assignments)
        values = {key: value_of(text) if text else None for key, text in typed.items()}
        wrong = _problems(file, change(old, values), old)
        for key, text in typed.items():
            # 0007 or on may have been meant as text, though TOML reads something else in it
            if wrong and text and values[key] != text:
                as_text = {**values, key: text}
                if (left := _problems(file, change(old, as_text), old)) < wrong:
                    values, wrong = as_text, left
        new = change(old, values)
        file.check(new, old)
        _write(file, old, new, as_json=as_json, ask=False)


def edit(config: ConfigOption = None, yes: Yes = False, as_json: JsonFlag = False) -> None:
    """Change the file in an editor ($EDITOR); what is wrong is not written."""
    from agent.config import ConfigError

    file = _file(config or config_path())
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or next(filter(shutil.which, EDITORS), None)
    if editor is None:
        fail(_("there is no editor; set EDITOR, or use: loa config set"))
    _must_be_writable(file)
    with told(), tempfile.TemporaryDirectory(prefix="loa-config-") as folder:
        old = _present(file)
        draft = Path(folder) / "config.toml"
        draft.write_text(old, encoding="utf-8")
        while True:
            # what an editor draws goes to standard error where a script reads standard output
            drawn = STDERR if as_json else None
            ended = subprocess.run([*shlex.split(editor), str(draft)], stdout=drawn, check=False)
            if ended.returncode != 0:
                fail(
                    _("{editor} ended with {code}; nothing was written").format(
                        editor=editor, code=ended.returncode
                    )
                )
            try:
                new = draft.read_text(encoding="utf-8")
                file.check(new, old)
                break
            except UnicodeDecodeError:
                problem = _("{file}: is not UTF-8 text").format(file=draft)
            except ConfigError as error:
                problem = str(error)
            if as_json or yes or not sys.stdin.isatty():
                fail(problem + "\n" + _("nothing was written"), EXIT_USAGE)
            tell(problem)
            if not confirmed(_("Edit again?"), default=True):
                fail(_("nothing was written"), EXIT_USAGE)
        _write(file, old, new, as_json=as_json, ask=not yes)


def diff(
    number: Annotated[int | None, typer.Argument(help="An earlier content; none: the last good one.")] = None,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what has changed since the last good configuration, or since an earlier one; --json lists them."""
    from agent.config.difference import difference

    file = _file(config or config_path())
    with told():
        name, old = _earlier(file, number)
        lines = difference(old, file.read(), name, str(file.path))
        if as_json:
            print_json(
                {"from": name, "difference": lines, "earlier": [_described(each) for each in file.earlier()]}
            )
            return
    show(lines)
    if not lines:
        typer.echo(_("no difference to {name}").format(name=name))


def rollback(
    number: Annotated[int | None, typer.Argument(help="An earlier content; none: the last good one.")] = None,
    config: ConfigOption = None,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Go back to the last good configuration, or to an earlier one. Rolling back twice undoes it."""
    file = _file(config or config_path())
    with told():
        _name, text = _earlier(file, number)
        old = file.read()
        file.check(text)
        _write(file, old, text, as_json=as_json, ask=not yes)


def write(file: ConfigFile, old: str, new: str) -> str:
    """Put `new` in place of `old`; returns what must be done for it to be in force, empty for nothing.

    Raises:
        ConfigError, Changed, OSError: as `ConfigFile.replace`.
    """
    from agent.config import ConfigError

    before: Config | None = None
    with suppress(ConfigError):
        before = file.check(old, old) if old else None
    after = file.check(new, old)
    file.replace(new, old)
    note(f"configuration {file.path} written")
    if before == after:
        return ""
    return _("restart the agent, when nothing sounds: sudo systemctl restart loa-agent")


@contextmanager
def told() -> Iterator[None]:
    """One clear message for everything foreseen, with the exit code for it."""
    from agent.config import ConfigError
    from agent.config.editing import UnknownKey
    from agent.config.writer import Changed

    try:
        yield
    except (ConfigError, UnknownKey) as error:
        fail(str(error), EXIT_USAGE)
    except (Changed, ValueError) as error:
        fail(str(error), EXIT_FAILED)
    except PermissionError as error:
        fail(_("{file}: you may not write there; use sudo").format(file=error.filename), EXIT_DENIED)
    except OSError as error:
        fail(said_by(error))


def opened(path: Path) -> tuple[ConfigFile, str, dict[str, Any]]:
    """The file that is going to be changed, its text, and what it says; ends the command where that cannot be.

    Raises:
        ConfigError: it cannot be read.
    """
    import tomllib

    file = _file(path)
    _must_be_writable(file)
    text = file.read()
    try:
        return file, text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = _("{file} is not TOML ({error}); mend it first: loa config edit, or loa config rollback")
        fail(told.format(file=file.path, error=retell(str(error))), EXIT_USAGE)


def _file(path: Path) -> ConfigFile:
    from agent.config.writer import ConfigFile

    return ConfigFile(path)


def _present(file: ConfigFile) -> str:
    """Its text.

    Raises:
        ConfigError: it is not there, or cannot be read.
    """
    from agent.config import load

    if not file.path.exists():
        load(file.path)
    return file.read()


def _must_be_writable(file: ConfigFile) -> None:
    if not file.writable:
        fail(_("{file}: you may not write there; use sudo").format(file=file.path), EXIT_DENIED)


def _write(file: ConfigFile, old: str, new: str, *, as_json: bool, ask: bool) -> None:
    from agent.config.difference import difference

    lines = difference(old, new, _("{file} before").format(file=file.path), str(file.path))
    if not as_json:
        show(lines)
    if old == new:
        if as_json:
            print_json({"changed": False, "difference": [], "restart": None})
        else:
            typer.echo(_("nothing changes"))
        return
    if ask:
        if not sys.stdin.isatty():
            fail(_("nothing was written: nobody is there to ask; add --yes"), EXIT_USAGE)
        if not confirmed(_("Write this?"), default=True):
            fail(_("nothing was written"))
    todo = write(file, old, new)
    if as_json:
        print_json({"changed": True, "difference": lines, "restart": todo or None})
        return
    typer.echo(_("{file}: written; the one before is kept (loa config rollback)").format(file=file.path))
    typer.echo(todo or _("nothing to restart: only comments and order differ"))


def show(lines: list[str]) -> None:
    """Print a difference, coloured on a terminal."""
    colours = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}
    for line in lines:
        bare = line.startswith(("---", "+++"))
        typer.secho(line, fg=None if bare else colours.get(line[:1]), bold=bare)


def _problems(file: ConfigFile, text: str, before: str) -> int:
    """How many things are wrong with a content."""
    from agent.config import ConfigError

    try:
        file.check(text, before)
    except ConfigError as error:
        return len(error.problems)
    return 0


def _assignments(words: list[str]) -> dict[str, str]:
    if len(words) == 2 and "=" not in words[0]:
        return {words[0]: words[1]}
    typed = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            fail(_("{word!r} is no KEY=VALUE").format(word=word), EXIT_USAGE)
        typed[key.strip()] = value.strip()
    return typed


def _earlier(file: ConfigFile, number: int | None) -> tuple[str, str]:
    """Name and text of what is compared with, or gone back to."""
    if number is None:
        text = file.last_good()
        if text is None:
            fail(_("{file}: nothing earlier is kept yet").format(file=file.path))
        return f"{file.path}.last-good", text
    kept = file.earlier()
    found = next((each for each in kept if each.number == number), None)
    if found is not None:
        return f"{file.path} [{number}]", found.text
    return fail(
        _("no earlier content has the number {number}; there are: {known}").format(
            number=number, known=", ".join(str(each.number) for each in reversed(kept)) or _("none")
        ),
        EXIT_USAGE,
    )


def _described(each: Earlier) -> dict[str, Any]:
    from datetime import UTC, datetime

    return {"number": each.number, "replaced": datetime.fromtimestamp(each.replaced_at, UTC).isoformat()}


def _without_none(value: Any) -> Any:
    """TOML has no null: what is not set is left out."""
    if isinstance(value, Mapping):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_without_none(part) for part in value]
    return value
