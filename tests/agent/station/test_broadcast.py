"""`loa station live`: begun, renewed, ended; told when a node has it no more. Over a real broker."""

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from agent.station import centre, keys, onair
from agent.station.centre import Centre
from agent.station.cli import app
from agent.station.folder import Folder
from agent.uplink.session import Handlers, Session
from agent.uplink.wire import encode
from playlists.models.command import Receipt
from tests.support.broker import Mosquitto
from tests.support.centre import write_settings
from tests.support.wait import wait_until

URL = "https://studio.example:8000/live"
LEASE_S = 3.0


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    """A station's folder with keys and settings, and its broker."""
    directory = tmp_path_factory.mktemp("station")
    folder = Folder(directory / "station")
    folder.path.mkdir()
    keys.create(folder)
    with Mosquitto(directory / "broker") as broker:
        write_settings(folder, Centre(site="xa", broker=broker.settings()))
        yield folder


@pytest.fixture(autouse=True)
def signals(monkeypatch):
    """The tests' own process keeps its signals."""
    monkeypatch.setattr(onair, "asked_to_end", lambda: lambda: False)


class Pole:
    """A node's end of the broker: by type of command, the state and reason of its receipts."""

    def __init__(self, folder: Folder, name: str = "pole-07", **answers) -> None:
        self.answers = {"live": "started", "live-renew": "finished", "live-stop": "finished", **answers}
        self.heard = []
        self.name = name
        self.session = Session(
            centre.load(folder).broker,
            name,
            [f"loa/1/xa/node/{name}/command", "loa/1/xa/all/command"],
            Handlers(message=self._obey, up=lambda: None, down=lambda why: None),
            expiry_s=0,
        )

    def __enter__(self):
        self.session.start()
        wait_until(lambda: self.session.connected, 10, "the pole is connected")
        return self

    def __exit__(self, *_):
        self.session.stop()

    def done(self, type_):
        return [command for _, command in self.heard if command["do"]["type"] == type_]

    def _obey(self, message):
        command = json.loads(base64.b64decode(json.loads(message.payload)["payload"]))
        self.heard.append((time.monotonic(), command))
        for state in ("received", "verified", self.answers[command["do"]["type"]]):
            self._say(command, state, "said")
        if command["do"]["type"] == "live-stop":
            # as a node does: what became of the broadcast itself comes after it
            (live,) = self.done("live")
            self._say(live, "interrupted", "stopped")

    def _say(self, command, state, reason):
        receipt = Receipt(command=command["id"], state=state, reason=reason, at=datetime.now(UTC))
        self.session.publish(f"loa/1/xa/node/{self.name}/receipt", encode(receipt))


def broadcast(folder, *arguments, lease_s=LEASE_S):
    return CliRunner().invoke(app, ["live", str(folder.path), URL, "--lease", str(lease_s), *arguments])


def test_it_is_begun_renewed_three_times_a_lease_and_ended(station):
    with Pole(station) as pole:
        result = broadcast(station, "--for", "3.5", "--title", "Trực tiếp", "--to", "node:pole-07")
    assert result.exit_code == 0, result.output
    (live,) = pole.done("live")
    assert (
        live["do"] | {"stream": URL, "class": "priority", "title": "Trực tiếp", "lease_s": LEASE_S}
        == live["do"]
    )
    renewals = pole.done("live-renew")
    assert len(renewals) == 3
    assert {(r["do"]["live"], r["do"]["lease_s"]) for r in renewals} == {(live["id"], LEASE_S)}
    (stop,) = pole.done("live-stop")
    assert stop["do"]["live"] == live["id"]
    assert pole.heard[-1][1] == stop
    assert "pole-07: started" in result.output


@pytest.mark.parametrize("answers", [{"live": "refused"}, {"live": "failed"}, {"live-renew": "failed"}])
def test_when_no_node_has_it_any_more_it_ends_and_says_so(station, answers):
    with Pole(station, **answers) as pole:
        result = broadcast(station, "--for", "60")
    assert result.exit_code == 1
    assert f"pole-07: {next(iter(answers.values()))} (said)" in result.output
    assert "no node has it any more" in result.output
    assert not pole.done("live-stop")


def test_it_goes_on_while_one_of_two_has_it(station):
    with Pole(station, **{"live-renew": "failed"}) as lost, Pole(station, "pole-08") as pole:
        result = broadcast(station, "--for", "2.5")
    assert result.exit_code == 0, result.output
    assert result.output.count("pole-07: failed (said)") == 1
    assert len(pole.done("live-renew")) == len(lost.done("live-renew")) == 2


def test_a_link_that_breaks_costs_a_renewal_and_not_the_broadcast(station, monkeypatch):
    opened = []

    class Watched(onair.Desk):
        def __enter__(self):
            opened.append(self)
            return super().__enter__()

        def send(self, command, within_s=10.0):
            if command.do.type == "live-renew" and len(opened) == 1:
                opened.append("cut")
                self._session.interrupt()
            super().send(command, within_s)

    monkeypatch.setattr(onair, "Desk", Watched)
    with Pole(station) as pole:
        result = broadcast(station, "--for", "6", lease_s=6.0)
    assert opened[1:] == ["cut"]
    assert result.exit_code == 0, result.output
    assert len(pole.done("live-renew")) >= 1
    assert len(pole.done("live-stop")) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--class", "loud"], "class"), (["--to", "everybody"], "everybody"), (["--lease", "1"], "--lease")],
)
def test_what_cannot_be_is_one_clear_message_and_nothing_is_sent(station, arguments, words):
    with Pole(station) as pole:
        result = broadcast(station, *arguments)
        assert result.exit_code != 0
        assert words in result.output
        assert not pole.heard


def test_when_nobody_answers_that_is_no_success(station):
    result = broadcast(station, "--for", "1", "--wait", "0")
    assert result.exit_code == 1
    assert "no node has answered" in result.output
