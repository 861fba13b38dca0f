"""The rules of the house: who may import whom, how long a module may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("agent", "drivers", "playlists")
MAY_IMPORT = {"agent": {"agent", "drivers", "playlists"}, "drivers": {"drivers"}, "playlists": {"playlists"}}
IO_MODULES = {
    "os",
    "socket",
    "subprocess",
    "threading",
    "time",
    "queue",
    "requests",
    "sqlite3",
    "logging",
    "random",
}
LONGEST_MODULE = 499


def modules(room: str) -> list[Path]:
    found = sorted((ROOT / room).rglob("*.py"))
    assert found, f"the room {room} is empty"
    return found


def imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_it_may(room: str) -> None:
    for path in modules(room):
        foreign = imported_by(path) & set(ROOMS) - MAY_IMPORT[room]
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


def test_the_deciding_room_is_pure() -> None:
    for path in modules("playlists"):
        if path.name == "schema.py":  # a command for developers: it writes docs/contract
            continue
        impure = imported_by(path) & IO_MODULES
        assert not impure, f"{path.relative_to(ROOT)} imports {sorted(impure)}"


@pytest.mark.parametrize("room", [*ROOMS, "tests", "bench"])
def test_every_module_fits_in_a_head(room: str) -> None:
    for path in modules(room):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= LONGEST_MODULE, f"{path.relative_to(ROOT)} has {lines} lines"


@pytest.fixture(scope="module")
def loaded_by_the_daemon() -> set[str]:
    code = "import agent.running, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "heavy", ["vlc", "pygame", "numpy", "sounddevice", "textual", "typer", "rich", "segno", "serial"]
)
def test_the_daemon_starts_without(heavy: str, loaded_by_the_daemon: set[str]) -> None:
    assert "agent.node" in loaded_by_the_daemon
    assert heavy not in loaded_by_the_daemon


def test_the_player_loads_before_the_rest_of_the_agent() -> None:
    code = "import agent.daemon, sys; sys.exit('agent.node' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
