"""Who may look and who may act, with real accounts and groups in real processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.control.protocol import ControlRequest
from agent.control.rights import Caller, Rights
from agent.control.server import ControlServer

READERS, ACTORS = 48_001, 48_002
"""Numbers of groups that no account of this machine is in."""

CLIENT = """
import json, sys
from pathlib import Path
from agent.control.client import ControlError, ask
try:
    file = open(sys.argv[3], "rb") if len(sys.argv) > 3 else None
    print(json.dumps(ask(Path(sys.argv[1]), sys.argv[2], file=file)))
except ControlError as error:
    print(json.dumps({type(error).__name__: str(error)}))
"""


class Door:
    """A server whose requests are answered as the conductor does: who may not act is refused."""

    def __init__(self, directory: Path) -> None:
        self.requests: list[ControlRequest] = []
        self.path = directory / "control.sock"
        rights = Rights(READERS, ACTORS)
        self.server = ControlServer(self.path, directory / "by-hand", self._post, lambda: rights)
        self.server.start()

    def _post(self, event: object) -> None:
        assert isinstance(event, ControlRequest)
        self.requests.append(event)
        if event.may_act:
            event.answer(user=event.user)
        else:
            event.refuse("you may not", denied=True)

    def ask(self, op: str, *files: Path, user: str, groups: tuple[int, ...] = ()) -> dict[str, str]:
        """What somebody with this account and these groups is answered, in a process of his own."""
        account = subprocess.check_output(["id", "-u", user], text=True).strip()
        done = subprocess.run(
            ["setpriv", f"--reuid={account}", "--regid=65534",
             f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups",
             sys.executable, "-c", CLIENT, str(self.path), op, *map(str, files)],
            env={**os.environ, "SUDO_USER": "mallory", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        reply: dict[str, str] = json.loads(done.stdout)
        return reply


@pytest.fixture
def door(open_folder: Path) -> Iterator[Door]:
    door = Door(open_folder / "run")
    yield door
    door.server.stop()


def test_a_stranger_cannot_even_knock_and_is_told_which_group_to_join(door: Door) -> None:
    reply = door.ask("status", user="daemon")
    assert "for the group loa" in reply["Denied"]
    assert "adduser daemon loa" in reply["Denied"]
    assert door.requests == []


def test_a_reader_is_known_by_name_and_may_not_act(door: Door) -> None:
    assert door.ask("say", user="daemon", groups=(READERS,)) == {"Denied": "you may not"}
    (request,) = door.requests
    assert (request.user, request.may_act) == ("daemon", False)


def test_a_member_of_both_groups_may_act_under_his_own_name_whatever_he_claims(door: Door) -> None:
    assert door.ask("say", user="games", groups=(READERS, ACTORS)) == {"user": "games"}


def test_who_may_act_but_not_look_is_left_outside(door: Door) -> None:
    assert "for the group loa" in door.ask("say", user="games", groups=(ACTORS,))["Denied"]


def test_root_may_act_and_says_who_stands_behind_it(door: Door) -> None:
    assert door.ask("say", user="root") == {"user": "root (mallory)"}


def test_a_recording_of_a_reader_is_not_even_taken(door: Door, open_folder: Path) -> None:
    recording = open_folder / "long.wav"
    recording.write_bytes(bytes(5_000_000))
    recording.chmod(0o644)
    assert door.ask("play", recording, user="daemon", groups=(READERS,)) == {"Denied": "you may not"}
    assert list((door.path.parent / "by-hand").iterdir()) == []
    assert door.ask("status", user="games", groups=(READERS, ACTORS)) == {"user": "games"}


FLOOD = """
import socket, sys
held = []
try:
    for _ in range(100):
        held.append(socket.socket(socket.AF_UNIX))
        held[-1].connect(sys.argv[1])
finally:
    print(len(held), flush=True)
    sys.stdin.read()
"""


def test_a_member_who_floods_it_shuts_only_himself_out(door: Door) -> None:
    account = subprocess.check_output(["id", "-u", "daemon"], text=True).strip()
    flood = subprocess.Popen(
        ["setpriv", f"--reuid={account}", "--regid=65534", f"--groups={READERS}",
         sys.executable, "-c", FLOOD, str(door.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with flood:
        assert flood.stdout is not None
        assert flood.stdout.readline().strip() == "100"
        refused = door.ask("status", user="daemon", groups=(READERS,))
        assert "daemon has 8 connections" in refused["ControlError"]
        assert door.ask("say", user="games", groups=(READERS, ACTORS)) == {"user": "games"}
        assert door.ask("say", user="root") == {"user": "root (mallory)"}


def test_many_groups_do_not_confuse_it(door: Door) -> None:
    groups = (READERS, ACTORS, *range(50_000, 50_120))
    assert door.ask("say", user="games", groups=groups) == {"user": "games"}


@pytest.mark.parametrize(
    ("name", "uid", "claimed", "told"),
    [
        ("root", 0, "minh", "root (minh)"),
        ("root", 0, "root", "root"),
        ("root", 0, "x\n2026 forged by lan (", "root (x2026forgedbylan)"),
        ("root", 0, None, "root"),
        ("root", 0, {"a": 1}, "root"),
        ("root (lan)", 0, "minh", "root (lan)"),
        ("minh", 1_000, "lan", "minh"),
    ],
)
def test_only_root_is_believed_about_who_stands_behind_it(name, uid, claimed, told) -> None:
    assert Caller(name, uid, may_act=True).on_behalf_of(claimed) == told
