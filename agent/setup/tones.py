"""The node's own tones as files, to be played by the running agent."""

from __future__ import annotations

import wave
from typing import BinaryIO


def write_tone(file: BinaryIO, name: str, gain_db: float) -> None:
    """Write a tone of `agent.tones` as WAV.

    Raises:
        KeyError: no such tone.
        OSError: the file cannot be written.
    """
    import numpy as np  # noqa: PLC0415 - only where a tone is wanted

    from agent.player.protocol import RATE  # noqa: PLC0415
    from agent.player.synth import tone  # noqa: PLC0415

    samples = tone(name) * 10 ** (gain_db / 20)
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32_767).astype(np.int16).tobytes())
