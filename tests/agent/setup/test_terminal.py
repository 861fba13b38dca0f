"""`loa setup` in a real terminal (tmux), as wide as a phone and as wide as a desk."""

import shlex
import sys
from pathlib import Path

import pytest

from agent.config import load
from tests.agent.setup.machines import pi_root
from tests.support.terminal import Terminal
from tests.support.wait import wait_until

HERE = str(Path(__file__).parents[3])

BEFORE = """\
# của xã
[node]
id = "pole-07"
site = "xa-mau"
[paths]
state = "state"
cache = "cache"
runtime = "run"
[hardware]
gpio = "fake"
"""


@pytest.mark.parametrize(("columns", "rows"), [(60, 20), (120, 40)])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_technician_sets_a_node_up(tmp_path: Path, columns: int, rows: int, language: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(BEFORE, encoding="utf-8")
    root = pi_root(tmp_path / "root")
    command = [sys.executable, "-m", "agent.cli", "--lang", language, "setup", "-c", str(path)]
    env = {
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "LOA_ROOT": str(root),
        "LOA_SOCKET": f"{tmp_path}/none",
    }
    with Terminal(tmp_path, columns, rows, env) as terminal:

        def shows(words: str) -> list[str]:
            return terminal.wait_for(words, timeout_s=30)

        terminal.type(f"cd {shlex.quote(HERE)} && {shlex.join(command)}")
        shows("1/8")
        steps = {
            "2/8": "Enter", "3/8": "Enter", "4/8": "0012", "5/8": "Enter", "6/10": "Enter", "7/10": "Enter",
        }  # fmt: skip
        for place, keys in steps.items():
            terminal.press(keys)
            if keys.isdigit():
                shows(keys)
                terminal.press("Enter")
            shows(f" {place} ")
        terminal.press("C-t")
        shows("✓")
        for place in ("8/10", "9/10", "10/10"):
            terminal.press("Enter")
            shows(f" {place} ")
        terminal.press("Down", "Enter")
        assert all(len(line) <= columns for line in shows("+public_number"))
        terminal.press("Enter")
        wait_until(lambda: "0012" in path.read_text(), 20, "the configuration is written")
    config = load(path)
    assert [(relay.pin, relay.active) for relay in config.relays] == [(17, "low")]
    assert path.read_text().startswith("# của xã\n[node]\n")
