"""The pictures of docs/board.md: `python -m tools.gallery` draws the sample commune anew, by `loa board preview`.

Beside the sample there are texts of its own, for scripts and for what an author gets wrong. The pictures have few
colours, so they are kept as palettes: a page takes 10 to 40 KB.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from PIL import Image

from agent.station.publish import init

ROOT: Final = Path(__file__).parent.parent
PICTURES: Final = ROOT / "docs" / "pictures"
SCRIPTS: Final = ROOT / "tools" / "scripts.toml"
AT: Final = datetime(2026, 11, 28, 6, 42, tzinfo=UTC)
SIZE: Final = "1280x720"
COLOURS: Final = 192
LONGEST_PX: Final = 800
MOST_BYTES: Final = 120_000

WANTED: Final = (
    # name of the picture, theme, and what of the preview it is
    ("board-dark", "dark", {"kind": "board", "orientation": "landscape"}),
    ("board-portrait", "light", {"bulletin": "tiem-chung", "layout": "dung"}),
    ("board-table", "light", {"bulletin": "lich-tiem", "orientation": "landscape"}),
    ("board-markdown", "dark", {"bulletin": "noi-quy", "orientation": "landscape"}),
    ("board-readings", "dark", {"bulletin": "thoi-tiet", "orientation": "landscape"}),
    ("board-countdown", "dark", {"bulletin": "tet", "layout": "dung"}),
    ("board-light", "light", {"bulletin": "lua-dao", "orientation": "landscape"}),
    ("board-contrast", "contrast", {"bulletin": "lich-gieo-cay", "orientation": "landscape"}),
    ("board-hmong", "dark", {"bulletin": "thong-bao-mong", "orientation": "landscape"}),
    ("board-emergency", "dark", {"kind": "takeover", "orientation": "landscape", "page": 1}),
    ("board-emergency-portrait", "dark", {"kind": "takeover", "orientation": "portrait", "page": 2}),
    ("script-ede", "dark", {"bulletin": "ede", "orientation": "landscape"}),
    ("script-khmer", "dark", {"bulletin": "khmer", "orientation": "landscape"}),
    ("script-cham", "dark", {"bulletin": "cham", "orientation": "landscape"}),
    ("script-tai-viet", "dark", {"bulletin": "tai-viet", "orientation": "landscape"}),
    ("script-khmer-portrait", "light", {"bulletin": "khmer", "orientation": "portrait"}),
)


def main() -> int:
    """Draw all of them; 1 if one has become too large for a page on the web."""
    with tempfile.TemporaryDirectory(prefix="loa-gallery-") as name:
        station = init(Path(name) / "Xã Mẫu Sơn", sample=True, now=AT)
        texts = station.authoring / "announcements.toml"
        texts.write_text(texts.read_text("utf-8") + SCRIPTS.read_text("utf-8"), "utf-8")
        drawn = {
            theme: _preview(station.path, Path(name) / theme, theme)
            for theme in ("dark", "light", "contrast")
        }
        for target, theme, fields in WANTED:
            _keep(Path(name) / theme / _one(drawn[theme], fields)["file"], PICTURES / f"{target}.png")
    heavy = [path.name for path in PICTURES.glob("*.png") if path.stat().st_size > MOST_BYTES]
    if heavy:
        sys.stderr.write(f"larger than {MOST_BYTES} bytes: {', '.join(heavy)}\n")
    return 1 if heavy else 0


def _preview(station: Path, out: Path, theme: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "agent.cli", "board", "preview", str(station), "--out", str(out)]
    done = subprocess.run(
        [*command, "--at", AT.isoformat(), "--size", SIZE, "--theme", theme, "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    shots: list[dict[str, Any]] = json.loads(done.stdout)["shots"]
    return shots


def _one(shots: list[dict[str, Any]], fields: dict[str, Any]) -> dict[str, Any]:
    return next(shot for shot in shots if all(shot[key] == value for key, value in fields.items()))


def _keep(source: Path, target: Path) -> None:
    with Image.open(source) as image:
        image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        temporary = target.with_suffix(".tmp")
        few.save(temporary, "PNG", optimize=True)
        shutil.move(temporary, target)


if __name__ == "__main__":
    sys.exit(main())
