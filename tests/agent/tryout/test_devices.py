"""`loa test` without an agent: a real sink, a real window, a real broker and feed, and pins that are fakes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.cli.tree import app
from agent.control.client import Denied
from agent.setup import trying
from agent.tryout.tried import Bench
from tests.support.centre import CentreUnderTest
from tests.support.node import NodeSettings
from tests.support.pulse import Sink
from tests.support.screen import xvfb
from tests.support.sound import level_dbfs, onset
from tests.support.web import Host

MIC = '[listener]\ndevice = "pulse"\n'


class Node:
    """A configuration, and no agent."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = monkeypatch
        monkeypatch.setenv("LOA_SOCKET", str(folder / "run/control.sock"))

    def use(self, settings: NodeSettings, env: dict[str, str] | None = None) -> None:
        (self.folder / "config.toml").write_text(settings.toml(self.folder), encoding="utf-8")
        (self.folder / "state").mkdir(exist_ok=True)
        for name, value in (env or {}).items():
            self._patch.setenv(name, value)

    def test(self, *parts: str) -> tuple[int, dict[str, dict[str, Any]]]:
        result = CliRunner().invoke(app, ["test", *parts, "--json", "-c", str(self.folder / "config.toml")])
        return result.exit_code, {one["part"]: one for one in json.loads(result.stdout)}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    yield Node(tmp_path, monkeypatch)


def test_the_chime_reaches_the_sink_and_its_level_is_told(node: Node, sink: Sink) -> None:
    node.use(NodeSettings(), sink.env)
    with sink.record() as recorder:
        code, found = node.test("sound")
        recording = recorder.finish()
    assert (code, found["sound"]["verdict"]) == (0, "ok"), found
    first = onset(recording.samples, 0.003)
    assert first is not None
    heard = recording.samples[first : first + 2 * 48_000]
    # the level told is that of the whole chime, whose end is soft
    assert abs(level_dbfs(heard) - found["sound"]["facts"]["sounded_dbfs"]) < 4
    assert level_dbfs(heard) < -18


def test_outside_the_allowed_hours_it_is_silent(node: Node, sink: Sink) -> None:
    hour = (time.gmtime().tm_hour + 7 + 3) % 22
    node.use(NodeSettings(allowed_hours=(f"{hour:02}:00-{hour:02}:30",)), sink.env)
    with sink.record() as recorder:
        code, found = node.test("sound")
        recording = recorder.finish()
    assert (code, found["sound"]["verdict"]) == (5, "warning")
    assert "allowed_hours" in found["sound"]["remedy"]
    assert onset(recording.samples, 0.001) is None


def test_a_card_that_is_not_there_is_a_fault(node: Node, sink: Sink) -> None:
    node.use(NodeSettings(device="no such card"), sink.env)
    code, found = node.test("sound")
    assert (code, found["sound"]["verdict"]) == (1, "fault")
    assert "no such card" in found["sound"]["text"]


def test_relays_click_one_after_the_other(node: Node) -> None:
    node.use(NodeSettings())
    code, found = node.test("relay")
    assert code == 0
    assert list(found) == ["relay preamp", "relay amplifier"]
    for one in found.values():
        assert one["facts"]["read_back"] == [True, False, True, False]


def test_a_relay_that_does_not_take_the_order_is_a_fault(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.use(NodeSettings())
    answer = {"ok": False, "error": "relay 1 on GPIO17: the pin did not take the level, is it shorted?"}
    monkeypatch.setattr("agent.tryout.relays.on_the_device", lambda _request: answer)
    code, found = node.test("relay")
    assert (code, found["relay preamp"]["verdict"]) == (1, "fault")
    assert "shorted" in found["relay preamp"]["text"]


def test_the_test_page_is_seen_on_a_real_screen(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.tryout.screen.SECONDS", 0.5)
    with xvfb() as display:
        node.use(NodeSettings(screen=True, screen_driver="x11"), {"DISPLAY": display})
        code, found = node.test("screen")
    assert (code, found["screen"]["verdict"]) == (0, "ok"), found
    assert found["screen"]["facts"]["bars_seen"] == found["screen"]["facts"]["bars"] == 7


def test_no_screen_is_a_fault(node: Node) -> None:
    node.use(NodeSettings(screen=True, screen_driver="x11"), {"DISPLAY": ":987"})
    code, found = node.test("screen")
    assert (code, found["screen"]["verdict"]) == (1, "fault")


def test_a_microphone_is_metered(node: Node, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.tryout.hearing.SECONDS", 1.5)
    with sink.second("room") as room:
        node.use(NodeSettings(extra=MIC), {**sink.env, "PULSE_SOURCE": "room.mic"})
        dead = node.test("mic")
        assert (dead[0], dead[1]["mic"]["verdict"]) == (1, "fault")
        assert dead[1]["mic"]["facts"]["loudest_dbfs"] <= -100
        with playing(room, amplitude=0.1):
            code, found = node.test("mic")
    assert (code, found["mic"]["verdict"]) == (0, "ok"), found
    assert abs(found["mic"]["facts"]["loudest_dbfs"] - -20) < 1.5


def test_a_microphone_that_is_not_there_is_a_fault(node: Node, sink: Sink) -> None:
    node.use(NodeSettings(extra=MIC.replace("pulse", "no such microphone")), sink.env)
    code, found = node.test("mic")
    assert (code, found["mic"]["verdict"]) == (1, "fault")
    assert "no such microphone" in found["mic"]["text"]


def test_link_feed_and_clock_of_a_real_centre(node: Node, centre: CentreUnderTest) -> None:
    centre.publish([])
    node.use(centre.node_settings())
    code, found = node.test("link", "feed", "clock")
    assert code == 0, found
    assert 0 < found["link broker"]["facts"]["echo_ms"] < 1_000
    assert 0 < found["link commune"]["facts"]["took_ms"] < 5_000
    assert found["feed commune"]["facts"]["schedule_bytes"] > 0
    assert abs(found["clock"]["facts"]["ahead_of_feed_s"]) < 5
    # it leaves what the agent knows as it is
    assert not (node.folder / "state/feeds").exists()


def test_a_feed_of_a_stranger_is_not_believed(node: Node, centre: CentreUnderTest, tmp_path: Path) -> None:
    centre.publish([])
    with CentreUnderTest(tmp_path / "stranger") as stranger:
        node.use(centre.node_settings(root=stranger.folder.root))
        code, found = node.test("feed")
    assert (code, found["feed commune"]["verdict"]) == (1, "fault")
    assert "right root" in found["feed commune"]["remedy"]


def test_a_dead_centre_is_told_by_each_part(node: Node, centre: CentreUnderTest) -> None:
    settings = centre.node_settings(broker_port=9)
    with Host({}) as host:
        settings.feed_url = host.url
    node.use(settings)
    code, found = node.test("link", "feed")
    assert code == 1
    assert {name: one["verdict"] for name, one in found.items()} == dict.fromkeys(
        ("link broker", "link commune", "feed commune"), "fault"
    )
    assert "whether the broker runs" in found["link broker"]["remedy"]


def test_what_sounds_is_not_interrupted_for_a_trial(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = {"title": "Bản tin sáng", "programme": "news", "command": None, "alert": None}
    asked: list[str] = []

    def ask(_bench: Bench, op: str, **_arguments: Any) -> dict[str, Any]:
        asked.append(op)
        return {"health": {"now": {"audio": audio}, "relays": {"preamp": True, "amplifier": True}}}

    monkeypatch.setattr(Bench, "ask", ask)
    node.use(NodeSettings())
    code, found = node.test("sound", "relay")
    assert code == 5
    assert {one["verdict"] for one in found.values()} == {"warning"}
    assert "Bản tin sáng" in found["sound"]["text"]
    assert set(asked) == {"status"}


def test_who_may_not_act_is_told_so_by_the_exit_code(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_bench: Bench, op: str, **_arguments: Any) -> dict[str, Any]:
        if op == "status":
            return {"health": {"now": {"audio": None}, "relays": {}}}
        raise Denied("'play' is for the group loa-admin; join it")

    monkeypatch.setattr(Bench, "ask", ask)
    node.use(NodeSettings())
    result = CliRunner().invoke(app, ["test", "sound", "-c", str(node.folder / "config.toml")])
    assert result.exit_code == 4
    assert "loa-admin" in result.output


def test_what_this_node_has_not_fails_where_it_is_asked_for(node: Node) -> None:
    node.use(NodeSettings())
    code, found = node.test("mic")
    assert (code, found["mic"]["verdict"]) == (1, "not-here")


def test_an_unknown_part_and_a_broken_configuration_are_errors_of_usage(node: Node) -> None:
    node.use(NodeSettings())
    assert CliRunner().invoke(app, ["test", "sond", "-c", str(node.folder / "config.toml")]).exit_code == 2
    (node.folder / "config.toml").write_text("[node")
    result = CliRunner().invoke(app, ["test", "relay", "-c", str(node.folder / "config.toml")])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def playing(room: Sink, amplitude: float) -> Any:
    """A steady tone in a room."""
    import contextlib
    import subprocess

    @contextlib.contextmanager
    def sounding() -> Iterator[None]:
        source = f"sine=frequency=700:sample_rate=48000,volume={amplitude * 8}"
        argv = ["ffmpeg", "-loglevel", "error", "-re", "-f", "lavfi", "-i", source, "-f", "pulse", "-device"]
        child = subprocess.Popen([*argv, room.name, "test"], env={**os.environ, **room.env})
        try:
            time.sleep(1)
            yield
        finally:
            child.kill()
            child.wait(10)

    return sounding()


def test_a_trial_that_hangs_is_given_up(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.use(NodeSettings())
    monkeypatch.setattr(trying, "TRIAL_WITHIN_S", 0.01)
    code, found = node.test("relay")
    assert (code, found["relay preamp"]["verdict"]) == (1, "fault")
    assert found["relay preamp"]["text"]
