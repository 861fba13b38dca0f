"""`station.toml`: where the centre's broker is, and for which site and feed it speaks; `TEMPLATE` shows it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from agent.config import Broker, Voice
from agent.config.agree import disagreements
from agent.config.voices import problems_of, voices_of
from agent.files import write_atomically
from agent.speech import Voices
from agent.station.errors import Technician
from agent.station.folder import Folder
from playlists.models.base import Identifier, Model, describe

FILE: Final = "station.toml"

TEMPLATE: Final = """\
# Where the broker of this station is. Fill in site and host; behind a # stands what else may be said, with
# its default where it has one.

site = ""                   # as in the nodes' configuration, [node] site: a-z, 0-9 and -
# feed = "commune"          # the nodes' [[feeds]] name

[broker]                    # the same keys as in a node's configuration
host = ""                   # "127.0.0.1" if the broker runs on this machine
# port = 8883               # without TLS most brokers use 1883
# tls = true                # false only if the broker runs on this machine
# ca = "/etc/loa/ca.pem"    # who vouches for the broker's certificate; default: whom this system trusts
# user = "station"          # default: none
# password_file = "/etc/loa/station-password"   # the user's password, alone in a file; default: none

# [enrolment]               # what a new node is told (loa station enroll)
# feed_url = "https://feeds.example/xa-mau"   # where nodes find the feed
# level = 0                 # rank of its issuer at the node, 0-100
# ceiling = "routine"       # highest class that it may claim there: "routine", "priority" or "emergency"
# broker_host = "broker.example"   # the broker as nodes see it; default: host above, unless that is this machine
# broker_port = 8883        # default: port above
# url = "https://centre.example"   # where `loa station serve` is reached; only for what `enroll` prints

# [[voices]]                # who reads the announcements: the same keys as in a node's configuration
# language = "vi"
# model = "vi_VN-vais1000-medium.onnx"   # a piper model; default: the voice that eSpeak NG has
"""

LEAST: Final = """\
the least it needs, port, tls, user, password_file and ca as the broker asks for them:
  site = "xa-mau"
  [broker]
  host = "broker.example\""""


class Centre(Model):
    """How the centre reaches its nodes."""

    site: Identifier
    feed: Identifier = "commune"
    broker: Broker


class Speakers(Model):
    """The part of `station.toml` that publishing needs: there may be no broker yet."""

    voices: Annotated[tuple[Voice, ...], Field(max_length=64)] = ()


@contextmanager
def reading(
    path: Path, told: Callable[[ValidationError], Iterable[str]] = describe, least: str = ""
) -> Iterator[None]:
    """Say what is wrong with `station.toml` where a block that reads it fails.

    `told` puts the mistakes of its content into lines; `least`, if given, follows them.

    Raises:
        Technician: it cannot be read, is no TOML, or has mistakes: all of them at once.
    """
    try:
        yield
    except OSError as error:
        raise Technician(f"{path}: {error.strerror or error}") from error
    except ValidationError as error:
        lines = [*(f"{path}: {line}" for line in told(error)), *filter(None, [least])]
        raise Technician("\n".join(lines)) from error
    except ValueError as error:
        raise Technician(f"{path}: {error}") from error


def voices(folder: Folder) -> Voices:
    """Who reads the announcements.

    Raises:
        Technician: `[[voices]]` has mistakes, or one of them cannot speak: all of them at once.
    """
    path = folder.path / FILE
    with reading(path):
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Voices()
        found = Speakers.model_validate(document, context={"base": path.absolute().parent}).voices
    wrong = [problem for _, problem in disagreements({"voices": document.get("voices", [])})]
    wrong = wrong or list(problems_of(found))
    if wrong:
        raise Technician("\n".join(f"{path}: {problem}" for problem in wrong))
    return voices_of(found)


def load(folder: Folder) -> Centre:
    """Read `station.toml`.

    Raises:
        Technician: it is not there, is not filled in, or has mistakes: all of them at once.
    """
    path = folder.path / FILE
    with reading(path, _told, LEAST):
        try:
            return Centre.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise Technician(f"{path} is not there; {LEAST}") from error


def write_template(folder: Folder) -> None:
    """Write a `station.toml` to be filled in, unless there is one.

    Raises:
        OSError: it cannot be written.
    """
    path = folder.path / FILE
    if not path.exists():
        write_atomically(path, TEMPLATE.encode())


def _told(error: ValidationError) -> list[str]:
    """What is wrong, a line each; what is empty or left out is not called malformed."""
    lines = []
    for line, problem in zip(describe(error), error.errors(include_url=False), strict=True):
        blank = problem["type"] == "missing" or problem["input"] == ""
        lines.append(f"{line.split(':')[0]} is not filled in" if blank else line)
    return lines
