"""How far the captions are from the voice: the beginning of each sentence as dealt out, against the voice itself.

eSpeak NG speaks the sample commune's Vietnamese notices whole; the truth is each sentence spoken alone, one after
the other. That this is the truth is measured too: `whole_off_s` is what the two ways differ in length.
"""

from __future__ import annotations

import tempfile
import tomllib
from itertools import accumulate
from pathlib import Path

import numpy as np

from agent.speech import Speech
from agent.speech.speaking import speak
from playlists.captions import captions
from playlists.units import Seconds
from tests.support.node import ROOT

TARGETS = {"caption_off_max_s": 1.0}

NOTICES = ROOT / "agent" / "station" / "sample" / "announcements.toml"


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    notices = tomllib.loads(NOTICES.read_text(encoding="utf-8"))["announcement"]
    off: list[float] = []
    whole_off: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "speech")

        def length_s(text: str) -> Seconds:
            return speak(Speech(text, "vi"), raw).duration_s

        for notice in notices:
            if notice["language"] != "vi":
                continue
            text = " ".join(notice["text"].split())
            whole_s = length_s(text)
            shown = captions(text, whole_s)
            spoken = [length_s(caption.text) for caption in shown]
            whole_off.append(abs(sum(spoken) - whole_s))
            begins = list(accumulate(spoken))[:-1]
            off += [abs(caption.begins_s - begin) for caption, begin in zip(shown[1:], begins, strict=True)]
    return {
        "captions": len(off),
        "caption_off_p50_s": round(float(np.median(off)), 2),
        "caption_off_p90_s": round(float(np.percentile(off, 90)), 2),
        "caption_off_max_s": round(max(off), 2),
        "whole_off_max_s": round(max(whole_off), 2),
    }
