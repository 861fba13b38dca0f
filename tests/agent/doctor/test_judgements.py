"""Judgements of what cannot be broken here: plain facts in, a verdict out."""

from __future__ import annotations

from typing import Any

import pytest

from agent.clock import BUILT
from agent.doctor.board import Model, judge_model
from agent.doctor.configuration import Outputs, judge_outputs
from agent.doctor.daemon import Workers, judge_socket, judge_workers
from agent.doctor.finding import Finding, Verdict
from agent.doctor.sound import Card, Ear, judge_card, judge_decoder, judge_listener
from agent.doctor.trust import Operators, judge_operators

MIC = Card("USB PnP", ["USB PnP Audio Device"], ["USB PnP: Audio (hw:1,0)"])
PULSE = Card("pulse", [], [], refused="No output device matching 'pulse'")

TABLE: dict[str, tuple[Finding, Verdict, str]] = {
    "a 32-bit system": (judge_model(Model("Raspberry Pi 4", "aarch64", 32)), Verdict.FAULT, "64-bit"),
    "neither horn nor board": (judge_outputs(Outputs(0, False, 1, True)), Verdict.FAULT, "loa setup"),
    "no feed": (judge_outputs(Outputs(1, False, 0, True)), Verdict.FAULT, "loa enroll"),
    "no broker": (judge_outputs(Outputs(1, False, 1, False)), Verdict.WARNING, "loa enroll"),
    "no libVLC": (judge_decoder({"missing": "libvlc.so.5"}), Verdict.FAULT, "libvlc5"),
    "libVLC crashes": (judge_decoder({"crashed": "exit code -11"}), Verdict.FAULT, "--reinstall"),
    "a plug-in away": (
        judge_decoder({"version": "3.0.24 V", "lacks": ["opus"]}),
        Verdict.FAULT,
        "vlc-plugin-base",
    ),
    "no player": (judge_workers(Workers(["agent.player"], frozenset())), Verdict.FAULT, "journalctl"),
    "a stuck agent": (
        judge_socket("the agent did not answer within 4 s"),
        Verdict.FAULT,
        "systemctl restart",
    ),
    "no microphone": (
        judge_listener(Ear(Card("USB PnP", [], [], refused="No input device"), reference=True)),
        Verdict.FAULT,
        "plug the microphone in",
    ),
    "another microphone": (
        judge_listener(
            Ear(Card("C-Media", [], ["USB PnP: Audio (hw:1,0)"], refused="No input device"), True)
        ),
        Verdict.FAULT,
        "USB PnP",
    ),
    "no reference": (judge_listener(Ear(MIC, reference=False)), Verdict.WARNING, "self-test --reference"),
    "no PortAudio": (
        judge_card(Card("x", [], [], missing="PortAudio not found")),
        Verdict.FAULT,
        "libportaudio2",
    ),
    "no sound server": (judge_card(PULSE), Verdict.FAULT, "libasound2-plugins"),
    "a card that is used": (
        judge_card(Card("USB", ["USB"], ["USB: Audio (hw:1,0)"], refused="Device unavailable")),
        Verdict.FAULT,
        "fuser",
    ),
    "a card of 44.1 kHz": (
        judge_card(Card("hw:1,0", ["USB"], ["USB: Audio (hw:1,0)"], refused="Invalid sample rate")),
        Verdict.FAULT,
        "plughw",
    ),
    "nobody listed": (judge_operators(Operators(BUILT, True, [], True)), Verdict.WARNING, "operators.json"),
}


@pytest.mark.parametrize("name", TABLE)
def test_judgement(name: str) -> None:
    finding, verdict, remedy = TABLE[name]
    assert finding.verdict is verdict
    assert remedy in finding.remedy


def test_a_card_that_the_agent_sounds_through_is_not_missing() -> None:
    busy = Card("hw:0,0", ["USB"], [], refused="No output device matching 'hw:0,0'", in_use=True)
    assert judge_card(busy).verdict is Verdict.OK
    assert judge_listener(Ear(busy, reference=False)).verdict is Verdict.OK


@pytest.mark.parametrize(
    "finding",
    [judge_model(Model("Pi", "aarch64", 64)), judge_listener(Ear(MIC, reference=True)), judge_listener(None)],
)
def test_what_is_well_has_no_remedy(finding: Any) -> None:
    assert finding.verdict in (Verdict.OK, Verdict.ABSENT)
    assert not finding.remedy
