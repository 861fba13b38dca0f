"""Which screens are plugged in, read from a folder as the kernel lays it out."""

from __future__ import annotations

from pathlib import Path

from drivers.outputs import connected_outputs


def test_what_is_plugged_in_is_read_from_the_kernel(tmp_path: Path) -> None:
    assert connected_outputs(tmp_path) is None
    for name, state in (("card1-HDMI-A-1", "connected"), ("card1-HDMI-A-2", "disconnected")):
        folder = tmp_path / "sys/class/drm" / name
        folder.mkdir(parents=True)
        (folder / "status").write_text(f"{state}\n")
    assert connected_outputs(tmp_path) == {"card1-HDMI-A-1"}
