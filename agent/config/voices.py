"""The voices that a configuration names: of a node in config.toml, of a station in station.toml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agent.config.errors import ConfigError, Problem
from agent.config.model import Config, Voice
from agent.config.show import shown
from agent.speech import SpeechError, Voices
from agent.speech import Voice as Speaker


def voices_of(sections: Iterable[Voice]) -> Voices:
    """Who speaks, as `[[voices]]` says."""
    return Voices(
        {
            section.language: Speaker(
                engine="espeak-ng" if section.model is None else "piper",
                name=section.voice,
                model=section.model,
                rate_wpm=section.rate_wpm,
                pitch=section.pitch,
            )
            for section in sections
        }
    )


def check_voices(config: Config, where: str = "config.toml") -> None:
    """Ask whether each configured voice can speak. Not asked at start: a node without one voice has others.

    Raises:
        ConfigError: with all problems at once.
    """
    problems = list(problems_of(config.voices))
    if problems:
        raise ConfigError(where, problems)


def problems_of(sections: Sequence[Voice]) -> Iterator[Problem]:
    """Voices that are not there, models that cannot be read or speak another language, piper not installed."""
    from agent.speech.speaking import spoken_by  # noqa: PLC0415 - brings the engines with it

    for index, section in enumerate(sections):
        try:
            spoken_by(voices_of([section]), section.language)
        except SpeechError as error:
            key = next((key for key in ("model", "voice") if getattr(section, key) is not None), "language")
            value = shown(key, str(getattr(section, key)))
            yield Problem(f"[[voices]] number {index + 1}", key, value, str(error))
