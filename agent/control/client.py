"""The technician's end of the socket."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any, BinaryIO

from agent.control.protocol import encode
from agent.control.rights import ACTORS, READERS, account, logged_in


class ControlError(Exception):
    """Error raised when the daemon cannot be reached or refuses; the text says what to do."""


class NotRunning(ControlError):  # noqa: N818 - says what is the matter
    """Error raised when no daemon listens."""


class Denied(ControlError):  # noqa: N818 - says what is the matter
    """Error raised when who asks may not; the text says which group to join."""


def ask(
    path: Path, op: str, /, timeout_s: float = 15.0, file: BinaryIO | None = None, **arguments: Any
) -> dict[str, Any]:
    """Ask the running daemon, hand it the recording `file` if one is given, and return its reply.

    Where root asks, it says who logged in before `sudo`.

    Raises:
        NotRunning: nobody listens.
        Denied: who asks may not.
        ControlError: the daemon refuses (its words are the text), or does not answer.
    """
    if os.geteuid() == 0 and (behind := logged_in() or os.environ.get("SUDO_USER")):
        arguments["behind"] = behind
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
            if file is None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # as below
                    connection.sendall(encode({"op": op, **arguments}))
            else:
                _send_file(connection, {"op": op, **arguments}, file)
            with connection.makefile("rb") as reader:
                line = reader.readline()
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning(
                f"the agent is not running (no answer at {path}); start it: sudo systemctl start loa-agent"
            ) from error
        except BlockingIOError as error:  # EAGAIN: the queue of those who connect is full (unix(7))
            raise ControlError(
                "the agent lets nobody in: too many connect at once; try again in a minute,"
                " and if it stays so: sudo systemctl restart loa-agent"
            ) from error
        except PermissionError as error:
            user = account(os.geteuid())
            raise Denied(
                f"{path} is for the group {READERS}; join it and log in anew: sudo adduser {user} {READERS}"
                f" (to act also: sudo adduser {user} {ACTORS})"
            ) from error
        except TimeoutError as error:
            raise ControlError(f"the agent did not answer within {timeout_s:.0f} s") from error
        except OSError as error:
            raise ControlError(f"{path}: {error}") from error
    if not line:
        raise ControlError("the agent hung up without an answer; look at: journalctl -u loa-agent")
    try:
        reply: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise ControlError("the agent's answer was cut off; look at: journalctl -u loa-agent") from error
    if not reply.pop("ok"):
        raise (Denied if reply.get("denied") else ControlError)(str(reply["error"]))
    return reply


def _send_file(connection: socket.socket, request: dict[str, Any], file: BinaryIO) -> None:
    size = os.fstat(file.fileno()).st_size
    connection.sendall(encode({**request, "bytes": size}))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a refusal says why, and is read next
        if size and connection.sendfile(file, count=size) < size:
            connection.shutdown(socket.SHUT_WR)  # it shrank meanwhile
