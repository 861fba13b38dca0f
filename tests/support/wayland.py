"""A Wayland compositor without a screen, and a look at what it shows."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tests.support.wait import wait_until

CONFIG = "output HEADLESS-1 resolution 1280x720\ndefault_border none\nxwayland disable\n"


@contextlib.contextmanager
def sway() -> Iterator[dict[str, str]]:
    """The environment of its clients. It refuses to run as root, so root runs it as nobody."""
    with tempfile.TemporaryDirectory(prefix="loa-wayland-") as name:
        folder, config = Path(name), Path(name, "config")
        config.write_text(CONFIG)
        as_whom: list[str] = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            as_whom = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        env = {key: value for key, value in os.environ.items() if key not in {"DISPLAY", "WAYLAND_DISPLAY"}}
        server = subprocess.Popen(
            [*as_whom, "sway", "-c", str(config)],
            env=env
            | {
                "HOME": name,
                "XDG_RUNTIME_DIR": name,
                "WLR_BACKENDS": "headless",
                "WLR_RENDERER": "pixman",
                "WLR_LIBINPUT_NO_DEVICES": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            socket = wait_until(
                lambda: next((p for p in folder.glob("wayland-*") if p.is_socket()), None), 15, "sway runs"
            )
            assert socket is not None
            yield {"XDG_RUNTIME_DIR": name, "WAYLAND_DISPLAY": socket.name}
        finally:
            server.terminate()
            server.wait(10)
            for left in folder.iterdir():  # belongs to nobody
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def look(env: dict[str, str], path: Path) -> Image.Image:
    """What the compositor shows."""
    subprocess.run(["grim", str(path)], env={**os.environ, **env}, check=True)
    with Image.open(path) as image:
        return image.convert("RGB")
