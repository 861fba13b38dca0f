"""The worker on a Wayland compositor, which has no plain memory to draw on."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops

from agent.screen.protocol import picture_message
from tests.agent.screen.test_worker import CLOCK, MAIN
from tests.support.screen import board, worker
from tests.support.wait import wait_until
from tests.support.wayland import look, sway


def test_under_wayland_the_board_is_seen_as_it_was_drawn(tmp_path: Path) -> None:
    with sway() as env, worker("--driver", "wayland", **env) as child:
        child.send(board(MAIN, CLOCK))
        ready = child.heard("ready")
        assert (ready["driver"], ready["size"], ready["reason"]) == ("wayland", [1280, 720], None)
        child.heard("showing", showing=["a"])
        child.send(picture_message("p", tmp_path / "drawn.png"))
        assert child.heard("picture", request="p")["reason"] is None
        with Image.open(tmp_path / "drawn.png") as image:
            drawn = image.convert("RGB")

        def seen() -> bool:
            return ImageChops.difference(look(env, tmp_path / "seen.png"), drawn).getbbox() is None

        wait_until(seen, 15, "the compositor shows what was drawn")
