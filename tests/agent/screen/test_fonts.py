"""Fonts: how little of the machine they hold."""

from __future__ import annotations

from pathlib import Path

import pygame

from agent.screen.fonts import Fonts


def open_fonts() -> list[Path]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = entry.readlink()
        except OSError:  # the directory's own descriptor, closed by now
            continue
        if target.suffix in {".ttf", ".otf"}:
            found.append(target)
    return found


def test_no_size_and_no_script_keeps_a_file_open(screen: pygame.Surface) -> None:
    before = open_fonts()
    fonts = Fonts()
    assert fonts.fault is None
    for text in ("Xã Mẫu Sơn", "ខ្មែរ", "ꨌꩌ", "ꪼꪕ", "→ ☎"):
        for size in range(18, 60, 3):
            assert fonts.for_text(text).bold(size).width(text) > 0
            assert fonts.for_text(text).regular(size).width(text) > 0
    assert open_fonts() == before
