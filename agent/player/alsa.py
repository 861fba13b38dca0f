"""Where ALSA's lean configuration is; see the file itself."""

from pathlib import Path
from typing import Final

LEAN_ALSA: Final = Path(__file__).with_name("alsa.conf")
