"""Tries an answer: through the running agent where it holds the device, otherwise on the device itself."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from agent.config import Config
from agent.control.client import ControlError, NotRunning
from agent.setup.tones import write_tone
from agent.setup.trials import Click, Listen, Page, Tone, Trial
from agent.tones import CHIME
from agent.words import _

Ask = Callable[..., dict[str, Any]]
"""Asks the running agent: `agent.control.client.ask` without its path."""
Run = Callable[[dict[str, Any]], dict[str, Any]]

TRIAL_WITHIN_S: Final = 30.0
CLICK_S: Final = 0.6
TONE_DB: Final = -3.0
STOP: Final = "sudo systemctl stop loa-agent"


@dataclass(frozen=True)
class Outcome:
    """How a trial went, in words for who tried."""

    ok: bool
    text: str


class Tryer:
    """Tries answers.

    Args:
        config: what the running agent was started with, as far as it is known.
        ask: asks the agent.
        run: tries on the device itself.
        fake: pins are fakes here (`[hardware] gpio`).
    """

    def __init__(
        self, config: Config | None, ask: Ask, run: Run | None = None, *, fake: bool = False
    ) -> None:
        self._config = config
        self._ask = ask
        self._run = run or in_a_process
        self._fake = fake

    def try_(self, trial: Trial) -> Outcome:
        """Try; takes seconds. What is foreseen is an outcome, never an error."""
        try:
            held = self._config if self._config is not None and self._agent_runs() else None
            return self._of_kind(trial, held)
        except ControlError as error:
            return Outcome(False, _("the running agent refuses: {why}").format(why=error))
        except subprocess.TimeoutExpired:
            return Outcome(
                False,
                _("no answer within {seconds} s: is it plugged in?").format(seconds=int(TRIAL_WITHIN_S)),
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return Outcome(False, str(error))

    def _of_kind(self, trial: Trial, held: Config | None) -> Outcome:
        if isinstance(trial, Click):
            return self._click(trial, held)
        if isinstance(trial, Tone):
            return self._tone(trial, held)
        if isinstance(trial, Page):
            return self._page(trial, held)
        return self._listen(trial)

    def _agent_runs(self) -> bool:
        try:
            self._ask("status")
        except NotRunning:
            return False
        return True

    def _click(self, trial: Click, held: Config | None) -> Outcome:
        relay = next((relay for relay in held.relays if relay.pin == trial.pin), None) if held else None
        if relay is None:
            answer = self._run({"what": "click", "relay": asdict(trial), "fake": self._fake})
            return _told(answer, _("it has clicked twice, and rests off. Did you hear it?"))
        if (relay.active == "high") != trial.active_high:
            text = _("the running agent holds this relay, at the other level; stop it first: {command}")
            return Outcome(False, text.format(command=STOP))
        for _number in range(2):
            self._ask("relay", name=relay.name, on=True)
            time.sleep(CLICK_S)
            self._ask("relay", name=relay.name, on=False)
            time.sleep(CLICK_S)
        return Outcome(True, _("the running agent has clicked it twice. Did you hear it?"))

    def _tone(self, trial: Tone, held: Config | None) -> Outcome:
        if held is not None and trial.device == held.audio.device and held.audio.output == "portaudio":
            with tempfile.TemporaryFile(suffix=".wav") as file:
                write_tone(file, CHIME, TONE_DB)
                file.seek(0)
                self._ask("play", file=file, name=_("test tone"), zones=["*"])
            return Outcome(True, _("the running agent sounds it, with its relays. Did you hear it?"))
        ours = {relay.pin for relay in held.relays} if held else set()
        if any(relay.pin in ours for relay in trial.relays):
            text = _("the running agent holds the relays; stop it first: {command}")
            return Outcome(False, text.format(command=STOP))
        relays = [asdict(relay) for relay in trial.relays]
        answer = self._run({"what": "tone", "device": trial.device, "relays": relays, "fake": self._fake})
        return _told(answer, _("the card took the whole tone. Did you hear it?"))

    def _listen(self, trial: Listen) -> Outcome:
        answer = self._run({"what": "listen", "device": trial.device})
        if not answer["ok"]:
            return Outcome(False, str(answer["error"]))
        facts = answer["facts"]
        text = _("loudest {loudest} dBFS, quietest {quietest} dBFS. Speech near it should give -40 or more.")
        return Outcome(True, text.format(loudest=facts["loudest_dbfs"], quietest=facts["quietest_dbfs"]))

    def _page(self, trial: Page, held: Config | None) -> Outcome:
        if held is not None and held.screen.enabled and held.screen.rotate == trial.rotate:
            self._ask("test-page")
            return Outcome(True, _("the running agent shows a test page. Is it upright, and whole?"))
        if held is not None and held.screen.enabled:
            text = _("the running agent holds the screen; stop it first: {command}")
            return Outcome(False, text.format(command=STOP))
        driver = self._config.screen.driver if self._config is not None else "auto"
        answer = self._run({"what": "page", "rotate": trial.rotate, "driver": driver})
        if not answer["ok"]:
            return Outcome(False, str(answer["error"]))
        facts = answer["facts"]
        text = _("shown for six seconds: {width}×{height} ({driver}). Did the arrow point up?")
        return Outcome(True, text.format(**facts))


def in_a_process(
    request: Mapping[str, Any], command: Sequence[str] = (sys.executable, "-m", "agent.setup.trial")
) -> dict[str, Any]:
    """Try on the device itself.

    Raises:
        subprocess.TimeoutExpired: it hangs; it was killed, and pins rest off as their driver left them.
        ValueError: it crashed.
    """
    ended = subprocess.run(
        [*command, json.dumps(request)], capture_output=True, timeout=TRIAL_WITHIN_S, check=False
    )
    try:
        answer = json.loads(ended.stdout)
    except ValueError as error:
        last = ended.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(last[-1] if last else f"{ended.returncode}") from error
    return dict(answer)


def _told(answer: Mapping[str, Any], well: str) -> Outcome:
    return Outcome(True, well) if answer["ok"] else Outcome(False, str(answer["error"]))


def config_at(path: Path) -> Config | None:
    """The configuration that the agent was started with, most likely; None where there is none that is right."""
    from agent.config import ConfigError, load  # noqa: PLC0415

    try:
        return load(path)
    except ConfigError:
        return None
