"""How long a voice takes to render a text: what an urgent word waits for, and what is made ahead.

eSpeak NG speaks Vietnamese, reading included. piper speaks with a voice of a few kilobytes, so its figure is the
start of the process and of onnxruntime alone; a real voice comes on top of it (docs/speech.md).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from agent.speech import Speech, Voice
from agent.speech.reading import as_spoken
from agent.speech.speaking import speak
from tests.support.tiny_voice import tiny_voice

TARGETS: dict[str, float] = {}

SENTENCE = "Kính mời bà con đến nhà văn hóa thôn lúc 19h30 ngày 28/11 để họp."
LONGEST_TEXT = 20_000
"""Characters of the longest text that a document may carry."""


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    longest = (SENTENCE + " ") * (LONGEST_TEXT // (len(SENTENCE) + 1))
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "speech")
        tiny = Voice(engine="piper", model=tiny_voice(Path(folder, "vi.onnx")))

        def took_s(text: str, voice: Voice) -> float:
            begun = time.monotonic()
            speak(Speech(text, "vi", voice), raw)
            return time.monotonic() - begun

        sentence_s = [took_s(SENTENCE, Voice()) for _ in range(50)]
        begun = time.monotonic()
        speech_s = speak(Speech(longest, "vi"), raw).duration_s
        longest_s = time.monotonic() - begun
        piper_s = [took_s(SENTENCE, tiny) for _ in range(5)]
    begun = time.monotonic()
    as_spoken(longest, "vi")
    reading_s = time.monotonic() - begun
    return {
        "espeak_sentence_p50_ms": round(float(np.median(sentence_s)) * 1_000, 1),
        "espeak_sentence_max_ms": round(max(sentence_s) * 1_000, 1),
        "espeak_longest_text_s": round(longest_s, 2),
        "longest_text_speech_min": round(speech_s / 60, 1),
        "longest_text_reading_ms": round(reading_s * 1_000, 1),
        "piper_start_p50_s": round(float(np.median(piper_s)), 2),
    }
