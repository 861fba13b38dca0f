"""A whole node without a network: its feed comes on a stick, and its log goes back on the same one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli.tree import app
from agent.enrol.identity import key_at, read_csr, request_for
from agent.station.authority import Authority
from agent.usb import mounting
from tests.support.centre import CentreUnderTest
from tests.support.disk import ext4, loop_device, mounted
from tests.support.house import in_s, media, wait_until
from tests.support.node import NodeProcess
from tests.support.pulse import Sink
from tests.support.sound import level_dbfs

NAME = "pole-usb"


class Pole:
    """A node that reaches nobody, and what a technician types there."""

    def __init__(self, node: NodeProcess, config: Path) -> None:
        self.node = node
        self.config = config

    def has_sounded(self) -> bool:
        records = self.node.ask("log", count=100)["records"]
        return any(each["kind"] == "play" and each["outcome"] == "finished" for each in records)

    def loa(self, *words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, [*words, "-c", str(self.config)])
        assert result.exit_code == code, f"{result.output}\n{self.node.tail(20)}"
        return result.output


@pytest.fixture
def pole(
    centre: CentreUnderTest, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pole]:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    key = key_at(tmp_path / "node.key")
    certificate = Authority(centre.folder, now).sign(read_csr(request_for(key)), NAME)
    (tmp_path / "node.pem").write_text(certificate)
    broker = (
        f'[broker]\nhost = "127.0.0.1"\nport = 9\ncert = "{tmp_path}/node.pem"\nkey = "{tmp_path}/node.key"'
    )
    settings = centre.node_settings(
        id=NAME, env=sink.env, latency_ms=40.0, feed_url="http://127.0.0.1:9/", broker_port=None, extra=broker
    )
    node = NodeProcess(tmp_path / "node", settings)
    node.start()
    monkeypatch.setenv("LOA_SOCKET", str(tmp_path / "node/run/control.sock"))
    monkeypatch.setattr(mounting, "BELOW", tmp_path / "mounts")
    monkeypatch.setattr(mounting, "TYPES", {"ext4": ""})  # the kernel here has no others
    try:
        yield Pole(node, tmp_path / "node/config.toml")
    finally:
        node.stop()


def put_feed(centre: CentreUnderTest, image: Path, at: Path) -> None:
    with mounted(image, at) as stick:
        result = CliRunner().invoke(app, ["station", "stick", str(centre.directory / "station"), str(stick)])
        assert result.exit_code == 0, result.output


def test_a_stick_brings_the_feed_and_takes_the_log_along(
    centre: CentreUnderTest, sink: Sink, pole: Pole, tmp_path: Path
) -> None:
    version = centre.publish(
        [{"id": "noon", "start": in_s(3600).isoformat(), "items": [media("low")]}],
        media={"media/low.wav": centre.directory / "shelf/low.wav"},
    ).version
    image = ext4(tmp_path / "image", 30)
    put_feed(centre, image, tmp_path / "at")
    with loop_device(image) as device, sink.record() as recorder:
        said = pole.loa("usb", "plugged", str(device))
        assert f"version {version} is in force" in said
        assert "records in" in said
        wait_until(pole.has_sounded, 15, "a tone says that it is done")
        assert level_dbfs(recorder.finish().samples) > -45
    feed = pole.node.health()["feeds"]["commune"]
    assert (feed["version"], feed["state"]) == (version, "current")
    with mounted(image, tmp_path / "at") as stick:
        result = CliRunner().invoke(
            app, ["station", "collect-usb", str(centre.directory / "station"), str(stick), "--json"]
        )
        assert result.exit_code == 0, result.output
    collected = json.loads(result.output)["nodes"][NAME]
    assert collected["new"] == collected["records"] > 0
    assert centre.records(node=NAME)
    assert not list((tmp_path / "mounts").iterdir())


def test_by_hand_as_json_and_a_second_time_nothing_changes(
    centre: CentreUnderTest, pole: Pole, tmp_path: Path
) -> None:
    image = ext4(tmp_path / "image", 30)
    put_feed(centre, image, tmp_path / "at")
    with mounted(image, tmp_path / "at") as stick:
        for _ in range(2):
            (taken,) = json.loads(pole.loa("usb", "import", str(stick), "--json"))["feeds"]
            assert (taken["feed"], taken["ok"], taken["missing"]) == ("commune", True, 0)


def test_what_is_no_use_is_one_message_and_the_node_goes_on(
    centre: CentreUnderTest, sink: Sink, pole: Pole, tmp_path: Path
) -> None:
    (tmp_path / "zeros").write_bytes(bytes(3_000_000))
    with loop_device(tmp_path / "zeros") as device:
        assert pole.loa("usb", "plugged", str(device), code=1).count("\n") <= 2
    empty = ext4(tmp_path / "empty")
    with loop_device(empty) as device:
        assert "left alone" in pole.loa("usb", "plugged", str(device))
    foreign = ext4(tmp_path / "foreign")
    with mounted(foreign, tmp_path / "at") as stick:
        (stick / "loa/feeds/commune/metadata").mkdir(parents=True)
        (stick / "loa/feeds/commune/metadata/timestamp.json").write_text("{}")
        (stick / "loa/feeds/commune/metadata/1.root.json").symlink_to("/etc/hostname")
        assert "none that this node follows" in pole.loa("usb", "import", str(stick), code=1)
    with loop_device(foreign) as device:
        assert "none that this node follows" in pole.loa("usb", "plugged", str(device), code=1)
    assert pole.node.ask("status")["health"]["feeds"]["commune"]["version"] is None


def test_a_stick_that_somebody_changed_is_refused_with_the_place_what_was_kept_and_what_to_do(
    centre: CentreUnderTest, pole: Pole, tmp_path: Path
) -> None:
    image = ext4(tmp_path / "image", 30)
    put_feed(centre, image, tmp_path / "at")
    with mounted(image, tmp_path / "at") as stick:
        file = stick / "loa/feeds/commune/metadata/timestamp.json"
        file.write_bytes(file.read_bytes().replace(b'"version":', b'"version":1'))
        said = " ".join(pole.loa("usb", "import", str(stick), code=1).split())
        assert "loa/feeds/commune/metadata/timestamp.json: is not signed by the keys" in said
        assert "what the node had stays in force" in said
        assert "→ copy the feed onto the stick anew" in said
        assert "http" not in said
        assert "Error" not in said


def test_without_an_agent_it_says_so(pole: Pole, centre: CentreUnderTest, tmp_path: Path) -> None:
    image = ext4(tmp_path / "image", 30)
    put_feed(centre, image, tmp_path / "at")
    pole.node.stop()
    with mounted(image, tmp_path / "at") as stick:
        assert "not running" in pole.loa("usb", "import", str(stick), code=3)
        assert "not running" in pole.loa("usb", "export", str(stick), code=3)
