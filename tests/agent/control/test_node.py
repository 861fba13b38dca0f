"""Who may look and who may act at a real node: real accounts and groups, typed as a technician types."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.node import ROOT, NodeProcess, NodeSettings

READERS, ACTORS = 48_001, 48_002
IN_OUR_GROUPS = """
import os, sys
os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "sh", "-c",
    'mount --bind "$1" /etc/group && exec "$2" -m agent.cli run --config "$3"',
    "sh", os.environ["LOA_TEST_GROUPS"], sys.executable, sys.argv[1]])
"""
"""The node has an /etc/group of its own: this machine's accounts are left alone."""


@pytest.fixture(scope="module")
def node(open_folder: Path) -> Iterator[NodeProcess]:
    directory = open_folder
    groups = directory / "group"
    own = f"loa:x:{READERS}:\nloa-admin:x:{ACTORS}:\n"
    groups.write_text(Path("/etc/group").read_text(encoding="utf-8") + own, encoding="utf-8")
    settings = NodeSettings(
        output="file", device=str(directory / "out.wav"), env={"LOA_TEST_GROUPS": str(groups)}
    )
    node = NodeProcess(directory / "node", settings)
    node.run = ("-c", IN_OUR_GROUPS)
    node.start()
    for folder in (node.directory, node.socket.parent):
        folder.chmod(0o755)
    yield node
    node.stop()


def loa(
    node: NodeProcess, user: str, groups: tuple[int, ...], *words: str
) -> subprocess.CompletedProcess[str]:
    account = subprocess.check_output(["id", "-u", user], text=True).strip()
    known = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
    return subprocess.run(
        ["setpriv", f"--reuid={account}", "--regid=65534", known,
         sys.executable, "-m", "agent.cli", f"--socket={node.socket}", *words],
        cwd=ROOT, env={**os.environ, "SUDO_USER": "mallory", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def last_action(node: NodeProcess) -> dict[str, str]:
    action: dict[str, str] = node.ask("audit", count=1)["actions"][0]
    return action


def test_a_stranger_is_exit_4_and_told_which_groups_to_join(node: NodeProcess) -> None:
    for words in (("status",), ("say", "Xin chào")):
        done = loa(node, "daemon", (), *words)
        assert done.returncode == 4, done.stderr
        assert "adduser daemon loa" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_reader_sees_everything_and_may_do_nothing(node: NodeProcess) -> None:
    for words in (("status",), ("next",), ("log",), ("log", "--audit"), ("link",), ("top",), ("faults",)):
        done = loa(node, "daemon", (READERS,), *words)
        assert done.returncode in (0, 5), (words, done.stderr)
    for words in (("say", "Xin chào"), ("relay", "amplifier", "on"), ("stop",), ("mute", "--for", "1h")):
        done = loa(node, "daemon", (READERS,), *words)
        assert done.returncode == 4, (words, done.stderr)
        assert "loa-admin" in done.stderr
        action = last_action(node)
        assert (action["user"], action["op"], action["outcome"]) == ("daemon", words[0], "refused")
    assert node.health()["relays"] == {"preamp": False, "amplifier": False}
    assert node.health()["muted"] == {}


def test_an_admin_acts_under_his_own_name(node: NodeProcess) -> None:
    done = loa(node, "games", (READERS, ACTORS), "mute", "--for", "1h")
    assert done.returncode == 0, done.stderr
    assert list(node.health()["muted"]) == ["main"]
    action = last_action(node)
    assert (action["user"], action["op"], action["outcome"]) == ("games", "mute", "done")
    assert loa(node, "games", (READERS, ACTORS), "unmute").returncode == 0


def test_root_may_always_and_who_stands_behind_it_is_written_down(node: NodeProcess) -> None:
    done = loa(node, "root", (), "relay", "preamp", "on")
    assert done.returncode == 0, done.stderr
    assert last_action(node)["user"] == "root (mallory)"
    told = loa(node, "daemon", (READERS,), "log", "--audit", "-n", "1").stdout
    assert "root (mallory): relay preamp on" in " ".join(told.split())
    assert loa(node, "root", (), "relay", "preamp", "off").returncode == 0
