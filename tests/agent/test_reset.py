"""Beginning anew: set aside at the next start, bounded, and never while an emergency is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import reset
from agent.config import Config, load, parse
from tests.support.node import ROOT, NodeProcess, NodeSettings
from tests.support.wait import wait_until

NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    paths = (
        f'[paths]\nstate = "{tmp_path}/state"\ncache = "{tmp_path}/state/cache"\nruntime = "{tmp_path}/run"\n'
    )
    config = parse(f'[node]\nid = "a"\nsite = "x"\n{paths}')
    for name in ("journal/journal.db", "feeds/commune/x.json", "audit.jsonl", "cache/media/ab", "cache/odd",
                 "listener-reference.json", "last-good-time"):  # fmt: skip
        path = config.paths.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return config


def there(config: Config) -> set[str]:
    state = config.paths.state
    return {str(path.relative_to(state)) for path in state.rglob("*") if path.is_file()}


STAYS = {"audit.jsonl", "listener-reference.json", "last-good-time"}


def test_nothing_happens_unless_it_was_asked_for(config: Config) -> None:
    before = there(config)
    assert reset.carry_out(config, NOW) is None
    assert there(config) == before


def test_the_state_is_set_aside_copies_are_removed_and_the_rest_stays(config: Config) -> None:
    reset.ask(config.paths.state, ["state", "cache"], "minh")
    done = reset.carry_out(config, NOW)
    assert done is not None
    assert (done.parts, done.by) == (("state", "cache"), "minh")
    aside = "set-aside/20261128-050000"
    assert there(config) == STAYS | {f"{aside}/journal/journal.db", f"{aside}/feeds/commune/x.json"}
    assert reset.carry_out(config, NOW) is None, "it is done once"


def test_only_the_copies(config: Config) -> None:
    reset.ask(config.paths.state, ["cache"], "minh")
    reset.carry_out(config, NOW)
    assert there(config) == STAYS | {"journal/journal.db", "feeds/commune/x.json"}


def test_what_a_power_cut_broke_off_is_done_again(config: Config) -> None:
    reset.ask(config.paths.state, ["state", "cache"], "minh")
    mark = config.paths.state / reset.MARK
    kept = mark.read_bytes()
    reset.carry_out(config, NOW)
    mark.write_bytes(kept)  # the power went before it was removed
    reset.carry_out(config, NOW)
    assert "set-aside/20261128-050000/journal/journal.db" in there(config)
    assert not mark.exists()


def test_what_was_set_aside_has_a_bound(config: Config) -> None:
    for hour in range(5):
        (config.paths.state / "journal").mkdir(exist_ok=True)
        (config.paths.state / "journal/journal.db").write_text("x")
        reset.ask(config.paths.state, ["state"], "minh")
        reset.carry_out(config, NOW + timedelta(hours=hour))
    assert len(list((config.paths.state / reset.SET_ASIDE).iterdir())) == reset.KEEP


@pytest.mark.parametrize("text", ["", "[]", "{", '{"parts": 5}', '"x"', '{"by": "x"}'])
def test_a_mark_that_cannot_be_read_is_ignored_and_removed(config: Config, text: str) -> None:
    (config.paths.state / reset.MARK).write_text(text)
    assert reset.carry_out(config, NOW) is None
    assert there(config) >= STAYS | {"journal/journal.db"}
    assert not (config.paths.state / reset.MARK).exists()


def test_a_mark_names_only_what_may_be_reset(config: Config) -> None:
    (config.paths.state / reset.MARK).write_text(json.dumps({"parts": ["../../etc", "audit"], "by": "x"}))
    reset.carry_out(config, NOW)
    assert there(config) >= STAYS | {"journal/journal.db"}


def loa(node: NodeProcess, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", f"--socket={node.socket}", *words, "-c", str(node.config)],
        cwd=ROOT, env={**os.environ, "COLUMNS": "60"}, input=answer,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


class TestRealNode:
    @pytest.fixture
    def node(self, tmp_path: Path) -> Iterator[NodeProcess]:
        (tmp_path / "password").write_text("secret-1\n")
        (tmp_path / "password").chmod(0o640)
        settings = NodeSettings(
            output="file",
            device=str(tmp_path / "out.wav"),
            broker_port=9,
            password_file=tmp_path / "password",
        )
        node = NodeProcess(tmp_path / "node", settings)
        node.start()
        yield node
        node.stop()

    def restarted(self, node: NodeProcess) -> None:
        """As systemd does it: the process ends with its code for that, and is started again."""
        assert node.process is not None
        assert node.process.wait(15) == 75
        with node.log.open("ab") as log:
            node.process = subprocess.Popen(
                [sys.executable, *node.run, str(node.config)], cwd=ROOT, stdout=log, stderr=log
            )
        node.wait_until_up()

    def test_it_lists_what_is_forgotten_and_begins_anew(self, node: NodeProcess) -> None:
        node.ask("mute", for_s=3_600)
        epoch = node.records()[0]["clock"]
        assert epoch
        done = loa(node, "reset", "--yes")
        assert done.returncode == 0, done.stderr
        for words in (
            "the play log",
            "mutes",
            "the audit log",
            "keys and passwords",
            "restarts and begins anew",
        ):
            assert words in " ".join(done.stdout.split())
        assert max(map(len, done.stdout.splitlines())) <= 60
        self.restarted(node)
        assert node.health()["muted"] == {}
        actions = [(a["op"], a["text"]) for a in node.ask("audit")["actions"]]
        assert actions[:3] == [
            ("mute", actions[0][1]),
            ("reset", "cache, state (only tried)"),
            ("reset", "cache, state"),
        ]
        assert actions[3][1].startswith("carried out: state, cache; set aside in ")
        assert any("reset by root" in (r["text"] or "") for r in node.records())
        assert load(node.config).broker.password_file is not None  # type: ignore[union-attr]

    def test_nobody_to_ask_is_no_yes(self, node: NodeProcess) -> None:
        done = loa(node, "reset")
        assert done.returncode == 2
        assert "--yes" in done.stderr
        assert node.health()

    def test_the_identity_goes_too_when_that_is_asked_for(self, node: NodeProcess, tmp_path: Path) -> None:
        done = loa(node, "reset", "--identity", "--yes", "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["parts"], told["restarts"]) == (["state", "cache"], True)
        assert Path(told["identity_set_aside"]).is_dir()
        assert not (tmp_path / "password").exists()
        (aside,) = node.directory.glob("identity-*/password")
        assert aside.read_text() == "secret-1\n"
        broker = load(node.config).broker
        assert broker is not None
        assert (broker.user, broker.password_file) == (None, None)
        self.restarted(node)

    def test_a_node_that_does_not_run_begins_anew_when_it_starts(self, node: NodeProcess) -> None:
        node.ask("mute", for_s=3_600)
        node.stop()
        done = loa(node, "reset", "--yes")
        assert done.returncode == 0, done.stderr
        assert "when it is started" in " ".join(done.stdout.split())
        node.start()
        assert node.health()["muted"] == {}
        wait_until(lambda: not (node.directory / "state" / reset.MARK).exists(), 5, "the mark is gone")
