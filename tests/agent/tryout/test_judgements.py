"""What trials make of what they have measured: a dead device is never called well."""

from __future__ import annotations

from typing import Any

import pytest

from agent.doctor.finding import Finding, Verdict
from agent.tryout.hearing import judge_microphone
from agent.tryout.screen import changed, judge_screen
from agent.tryout.sound import judge_record, judge_self_test

RECORD: dict[str, Any] = {
    "kind": "play", "outcome": "finished", "reason": None, "sounded_dbfs": -26.0, "amplifier_on": True,
}  # fmt: skip
HEARD = {"seconds": 4.0, "loudest_dbfs": -32.0, "quietest_dbfs": -55.0, "peak_dbfs": -20.0}
PAGE = {"changed": 0.9, "colours": 9, "size": [1280, 720], "driver": "x11"}
TONES = [{"hz": 520.0, "heard_dbfs": -31.0}, {"hz": 830.0, "heard_dbfs": None}]


def replied(
    state: str = "finished", verdict: str = "good", tones: Any = TONES, text: str = "as at installation"
) -> Any:
    return {"state": state, "text": text, "result": {"verdict": verdict, "tones": tones} if tones else None}


TABLE: dict[str, tuple[Finding, Verdict, str]] = {
    "it sounded": (judge_record(RECORD), Verdict.OK, "-26 dBFS"),
    "it never came": (judge_record(None), Verdict.FAULT, "loa now"),
    "it failed": (
        judge_record({**RECORD, "outcome": "failed", "reason": "the card is gone"}),
        Verdict.FAULT,
        "the card is gone",
    ),
    "samples of silence": (judge_record({**RECORD, "sounded_dbfs": -90.0}), Verdict.FAULT, "silent"),
    "no level": (judge_record({**RECORD, "sounded_dbfs": None}), Verdict.FAULT, "silent"),
    "no amplifier": (judge_record({**RECORD, "amplifier_on": False}), Verdict.FAULT, "loa test relay"),
    "heard": (judge_self_test(replied(), RECORD), Verdict.OK, "-26 dBFS, 1 of 2 tones heard"),
    "heard, no reference": (
        judge_self_test(replied(verdict="no-reference"), None),
        Verdict.WARNING,
        "--reference",
    ),
    "not heard": (
        judge_self_test(replied("failed", "silent", text="nothing came back"), RECORD),
        Verdict.FAULT,
        "nothing",
    ),
    "no microphone": (
        judge_self_test(replied("failed", tones=None, text="it is gone"), None),
        Verdict.FAULT,
        "gone",
    ),
    "never ended": (judge_self_test(None, None), Verdict.FAULT, "loa log"),
    "a microphone": (judge_microphone(None, HEARD), Verdict.OK, "-55 to -32 dBFS"),
    "digital silence": (judge_microphone(None, {**HEARD, "loudest_dbfs": -120.0}), Verdict.FAULT, "muted"),
    "driven too hard": (judge_microphone(None, {**HEARD, "peak_dbfs": -0.2}), Verdict.WARNING, "gain down"),
    "very soft": (judge_microphone(None, {**HEARD, "loudest_dbfs": -70.0}), Verdict.WARNING, "gain up"),
    "nothing came": (judge_microphone(None, {**HEARD, "loudest_dbfs": None}), Verdict.FAULT, "nothing came"),
    "gone": (judge_microphone("unplugged", HEARD), Verdict.FAULT, "unplugged"),
    "a page": (judge_screen(PAGE, "test-page", None), Verdict.OK, "1280×720 (x11)"),
    "a page that did not come": (
        judge_screen({**PAGE, "changed": 0.001}, "test-page", None),
        Verdict.FAULT,
        "restart",
    ),
    "one colour": (judge_screen({**PAGE, "colours": 1}, "test-page", None), Verdict.FAULT, "one colour"),
    "under an alert": (judge_screen(PAGE, "urn:alert:1", None), Verdict.WARNING, "alert"),
    "black": (judge_screen(PAGE, "test-page", "the screen is black"), Verdict.FAULT, "black"),
}


@pytest.mark.parametrize("name", TABLE)
def test_judgement(name: str) -> None:
    finding, verdict, words = TABLE[name]
    assert finding.verdict is verdict
    assert words in f"{finding.text} {finding.remedy}"
    assert bool(finding.remedy) is (verdict is not Verdict.OK)


def test_what_scaling_leaves_is_no_change_and_a_picture_is() -> None:
    grey = {"grey": bytes(range(0, 200, 2))}
    assert changed(grey, {"grey": bytes(value + 3 for value in grey["grey"])}) == 0
    assert changed(grey, {"grey": bytes(255 - value for value in grey["grey"])}) > 0.8
    assert changed(grey, {"grey": b"\0"}) == 1
