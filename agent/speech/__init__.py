"""Spoken text: who speaks which language, and how a text is read.

Importing this is cheap: what renders a text (`agent.speech.speaking`, `agent.speech.reading`) is loaded where the
first one is rendered.
"""

from agent.speech.errors import NoVoice, SpeechError, SpeechFailed, Unspeakable
from agent.speech.voices import PITCH, RATE_WPM, Speech, Voice, Voices

__all__ = [
    "PITCH",
    "RATE_WPM",
    "NoVoice",
    "Speech",
    "SpeechError",
    "SpeechFailed",
    "Unspeakable",
    "Voice",
    "Voices",
]
