"""What the folder of a new version holds: built from small releases, like a version that runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.update import build
from agent.update.archive import Info, kind_here
from tests.agent.update.releases import wheel

PACKAGES = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
INFO = Info(version="1.1", python=kind_here().split("-")[0], machine=kind_here().split("-")[1], debian=())


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """An unpacked release: the program, pip's pygame, units, pages."""
    folder = tmp_path / "release"
    (folder / "wheels").mkdir(parents=True)
    wheel(folder / "wheels", "loa_agent", "1.1", {"agent/__init__.py": b""})
    wheel(folder / "wheels", "pygame", "2.6.1", {"pygame/__init__.py": b"SDL = 'of pip'\n"})
    (folder / "systemd").mkdir()
    (folder / "config.example.toml").write_text("# 1.1\n", encoding="ascii")
    (folder / "docs/man/vi").mkdir(parents=True)
    for page in ("loa.1", "vi/loa.1"):
        (folder / "docs/man" / page).write_text(f"{page} of 1.1\n", encoding="ascii")
    return folder


def version(folder: Path, pygame: str | None, *, debian: bool) -> Path:
    """The folder of a version that runs, with a pygame whose wheel had the tag `pygame`."""
    packages = folder / PACKAGES
    packages.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"include-system-site-packages = {debian}\n".lower(), encoding="ascii")
    if pygame is not None:
        (packages / "pygame").mkdir()
        (packages / "pygame/__init__.py").write_text("SDL = 'built here'\n", encoding="ascii")
        info = packages / "pygame-2.6.0.dist-info"
        info.mkdir()
        (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: cp311-cp311-{pygame}\n", encoding="ascii")
    return folder


@pytest.mark.parametrize(
    ("tag", "debian", "board", "has_own"),
    [
        ("manylinux_2_17_aarch64", False, False, "of pip"),
        ("linux_aarch64", False, True, "built here"),  # Debian 12: on Debian's SDL
        ("linux_aarch64", False, False, "built here"),
        (None, True, True, None),  # Debian 13: its own shows through
        ("manylinux_2_17_aarch64", True, False, "of pip"),
        ("manylinux_2_17_aarch64", True, True, None),  # never right on a bare console
        ("manylinux_2_17_aarch64", False, True, "of pip"),  # there is nothing better within reach
    ],
)
def test_a_new_version_has_its_pygame_from_where_a_board_needs_it(
    tmp_path: Path,
    release: Path,
    monkeypatch: pytest.MonkeyPatch,
    tag: str | None,
    debian: bool,
    board: bool,
    has_own: str | None,
) -> None:
    (tmp_path / "debian/pygame").mkdir(parents=True)
    monkeypatch.setattr(build, "DEBIAN_PYTHON", tmp_path / "debian")
    like = version(tmp_path / "like", tag, debian=debian)
    made = build.build(release, INFO, tmp_path, like, board=board)
    own = made / PACKAGES / "pygame/__init__.py"
    assert (own.read_text().split("'")[1] if own.exists() else None) == has_own
    assert len(list((made / PACKAGES).glob("pygame-*.dist-info"))) == (has_own is not None)
    cfg = (made / "pyvenv.cfg").read_text()
    assert ("include-system-site-packages = true" in cfg) is debian


def test_a_board_on_which_debian_has_no_pygame_gets_the_one_of_the_release(
    tmp_path: Path, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "DEBIAN_PYTHON", tmp_path / "nowhere")
    like = version(tmp_path / "like", "manylinux_2_17_aarch64", debian=True)
    made = build.build(release, INFO, tmp_path, like, board=True)
    assert (made / PACKAGES / "pygame/__init__.py").read_text() == "SDL = 'of pip'\n"


def test_a_new_version_has_what_lies_outside_of_it_ready_to_be_put_there(
    tmp_path: Path, release: Path
) -> None:
    made = build.build(release, INFO, tmp_path, version(tmp_path / "like", None, debian=False))
    build.finish(made, release, "complete -F _loa_completion loa\n")
    share = made / "share"
    assert (share / "config.example.toml").read_text() == "# 1.1\n"
    assert (share / "man/loa.1").read_text() == "loa.1 of 1.1\n"
    assert (share / "man/vi/loa.1").read_text() == "vi/loa.1 of 1.1\n"
    assert (share / "completion.bash").read_text() == "complete -F _loa_completion loa\n"
    assert (made / ".complete").exists()
