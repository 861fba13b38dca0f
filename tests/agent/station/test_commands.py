"""The officer's side of commands: composed by the contract, sealed, sent, answered."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from securesystemslib.signer import CryptoSigner
from typer.testing import CliRunner

from agent.clock import FakeClock
from agent.config import Broker
from agent.journal import Journal
from agent.station import centre, enrolment, keys, officer
from agent.station.centre import Centre
from agent.station.commands import Desk, Mistake, compose, seal
from agent.station.errors import Retry, Technician
from agent.station.folder import Folder
from agent.uplink import Gate
from agent.uplink.session import Handlers, Session
from agent.uplink.wire import encode
from playlists.models.base import BulletinClass
from playlists.models.command import Announce, Receipt
from playlists.models.operators import Operators
from tests.support.broker import Mosquitto
from tests.support.centre import write_settings
from tests.support.wait import wait_until

ALERT = Path(officer.__file__).with_name("sample") / "alert-storm.xml"
NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
SPEECH = {"type": "announce", "items": [{"speech": {"text": "Mời bà con", "language": "vi"}}]}


def listed(signer: CryptoSigner) -> Operators:
    entry = {
        "keyid": signer.public_key.keyid,
        "key": signer.public_key.to_dict(),
        "name": "Chị Lan",
        "actions": ["announce", "control"],
        "expires": NOW + timedelta(days=9_999),
    }
    return Operators.model_validate({"format": "loa.operators/1", "operators": [entry]})


def test_a_sealed_command_passes_a_nodes_gate(tmp_path):
    signer, clock = CryptoSigner.generate_ed25519(), FakeClock(NOW)
    journal = Journal.open(tmp_path, max_mb=10)
    gate = Gate({"commune": (listed(signer), BulletinClass.ROUTINE)}, "pole-07", frozenset(), journal, clock)
    command = compose(SPEECH, feed="commune", to=["node:pole-07"], now=NOW)
    passed = gate.check(seal(command, signer))
    assert passed == command
    assert isinstance(passed.do, Announce)
    journal.close()


def test_ids_are_never_the_same_and_sort_by_time():
    commands = [compose(SPEECH, feed="commune", to=["*"], now=NOW + timedelta(seconds=n)) for n in range(50)]
    ids = [command.id for command in commands]
    assert ids == sorted(set(ids))
    assert len({compose(SPEECH, feed="commune", to=["*"], now=NOW).id for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("do", "to", "words"),
    [
        ({"type": "explode"}, ["*"], "explode"),
        ({"type": "announce", "items": []}, ["*"], "items"),
        ({"type": "volume", "volume_db": 99}, ["*"], "volume_db"),
        (SPEECH, ["pole-07"], "to.0"),
        (SPEECH, [], "to"),
    ],
)
def test_what_breaks_the_contract_is_told_before_it_is_signed(do, to, words):
    with pytest.raises(Mistake, match=words):
        compose(do, feed="commune", to=to, now=NOW)


def test_a_command_that_no_node_would_accept_is_not_sent():
    items = [{"speech": {"text": "x" * 19_000, "language": "vi"}}] * 12
    command = compose({"type": "announce", "items": items}, feed="commune", to=["*"], now=NOW)
    with pytest.raises(Mistake, match="256000"):
        seal(command, CryptoSigner.generate_ed25519())


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


class Pole:
    """A node's end of the broker, which answers what it is told to answer."""

    def __init__(self, folder: Folder, answer: str) -> None:
        self.heard = []
        self.answer = answer
        self.session = Session(
            centre.load(folder).broker,
            "pole-07",
            ["loa/1/xa/node/pole-07/command", "loa/1/xa/all/command"],
            Handlers(message=self._obey, up=lambda: None, down=lambda why: None),
            expiry_s=0,
        )

    def __enter__(self):
        self.session.start()
        wait_until(lambda: self.session.connected, 10, "the pole is connected")
        return self

    def __exit__(self, *_):
        self.session.stop()

    def _obey(self, message):
        self.heard.append(message)
        receipt = Receipt(command=officer_id(message.payload), state=self.answer, reason="said", at=NOW)
        self.session.publish("loa/1/xa/node/pole-07/receipt", b"junk")
        self.session.publish("loa/1/xa/node/pole-07/receipt", encode(receipt))


def officer_id(sealed: bytes) -> str:
    import base64

    return json.loads(base64.b64decode(json.loads(sealed)["payload"]))["id"]


def test_a_command_is_sent_to_each_addressee_and_its_receipts_are_heard(station):
    settings, signer = centre.load(station), keys.load(station, keys.OFFICER)
    command = compose(SPEECH, feed="commune", to=["node:pole-07", "group:none", "*"], now=datetime.now(UTC))
    with Pole(station, "finished") as pole, Desk(settings, signer) as desk:
        desk.send(command)
        answers = []
        for answer in desk.answers(command, 10):
            answers.append((answer.node, answer.receipt.state))
            if len(answers) == 2:
                break
        assert answers == [("pole-07", "finished")] * 2
        assert [m.topic.split("/")[3] for m in pole.heard] == ["node", "all"]


def test_without_a_broker_the_officer_is_told_to_try_later(station, monkeypatch):
    monkeypatch.setattr("agent.station.commands.CONNECT_WITHIN_S", 0.3)
    broker = centre.load(station).broker.model_copy(update={"port": 1})
    with (
        pytest.raises(Retry, match=r"no connection to the broker 127\.0\.0\.1:1"),
        Desk(Centre(site="xa", broker=broker), keys.load(station, keys.OFFICER)),
    ):
        pass


def officer_app() -> typer.Typer:
    app = typer.Typer()
    officer.register(app)
    return app


@pytest.mark.parametrize(("answer", "code"), [("finished", 0), ("refused", 1)])
def test_the_officers_command_line_sends_and_tells_what_became_of_it(station, answer, code):
    arguments = ["command", "announce", str(station.path), "Mời bà con", "--to", "node:pole-07"]
    with Pole(station, answer):
        result = CliRunner().invoke(officer_app(), arguments)
        assert result.exit_code == code, result.output
        assert f"pole-07: {answer} (said)" in result.output
        result = CliRunner().invoke(officer_app(), [*arguments, "--json"])
    document = json.loads(result.output)
    assert [r["state"] for r in document["receipts"]] == [answer]


@pytest.mark.parametrize(
    "arguments",
    [
        ["alert", "{dir}", "{cap}"],
        ["play", "{dir}", "media/chime.ogg", "--class", "priority"],
        ["stop", "{dir}", "morning-news"],
        ["identify", "{dir}", "--to", "node:pole-07"],
        ["mute", "{dir}", "--until", "15"],
        ["mute", "{dir}", "--until", "2027-01-01T20:00"],
        ["unmute", "{dir}"],
        ["volume", "{dir}", "--", "-6"],
        ["screenshot", "{dir}", "pole-07"],
        ["chore", "{dir}", "sync"],
    ],
    ids=" ".join,
)
def test_each_kind_of_command_can_be_given(station, tmp_path, arguments):
    cap = tmp_path / "alert.xml"
    cap.write_bytes(b"\xef\xbb\xbf" + ALERT.read_bytes())
    filled = [word.format(dir=station.path, cap=cap) for word in arguments]
    at = filled.index("--") if "--" in filled else len(filled)
    result = CliRunner().invoke(officer_app(), ["command", *filled[:at], "--wait", "0", *filled[at:]])
    assert result.exit_code == 0, result.output
    assert "sent to" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["announce", "{dir}", "x", "--class", "loud"], "class"),
        (["mute", "{dir}", "--until", "tomorrow"], "tomorrow"),
        (["chore", "{dir}", "dance"], "dance"),
        (["stop", "/nowhere"], "/nowhere/station.toml is not there; the least it needs"),
    ],
)
def test_a_wrong_command_line_is_one_clear_message_and_exit_1(station, arguments, words):
    filled = [word.format(dir=station.path) for word in arguments]
    result = CliRunner().invoke(officer_app(), ["command", *filled])
    assert result.exit_code == 1
    assert words in result.output


def test_settings_with_mistakes_are_told_all_at_once(station, tmp_path):
    path = tmp_path / centre.FILE
    for content, words in (
        ('site = "a b"\n[broker]\nhost = ""\nport = 0\n', ["site", "broker.host", "broker.port"]),
        ("site = ", ["station.toml"]),
    ):
        path.write_text(content)
        with pytest.raises(Technician) as caught:
            centre.load(Folder(tmp_path))
        assert all(word in str(caught.value) for word in words)
    shutil.copy(station.path / centre.FILE, path)
    assert centre.load(Folder(tmp_path)) == centre.load(station)


def test_the_template_lacks_a_site_and_a_host_and_nothing_else(tmp_path):
    folder, path = Folder(tmp_path), tmp_path / centre.FILE
    centre.write_template(folder)
    with pytest.raises(Technician) as caught:
        centre.load(folder)
    told = str(caught.value).splitlines()
    assert told[:2] == [f"{path}: site is not filled in", f"{path}: broker.host is not filled in"]
    filled = path.read_text().replace('site = ""', 'site = "xa-mau"').replace('host = ""', 'host = "b"')
    path.write_text(filled)
    assert centre.load(folder) == Centre(site="xa-mau", broker=Broker(host="b"))
    centre.write_template(folder)
    assert path.read_text() == filled, "what was filled in is kept"


def test_the_template_names_every_default_as_it_is(tmp_path):
    shown = {line[2:].split("#")[0].strip() for line in centre.TEMPLATE.splitlines() if line.startswith("# ")}
    least = Centre(site="x", broker=Broker(host="b"))
    assert {f'feed = "{least.feed}"', f"port = {least.broker.port}", "tls = true"} <= shown
    assert least.broker.tls
    everything = "\n".join(
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line
        for line in centre.TEMPLATE.splitlines()
    )
    (tmp_path / centre.FILE).write_text(
        everything.replace('site = ""', 'site = "x"').replace('host = ""', 'host = "b"')
    )
    assert centre.load(Folder(tmp_path)).broker.user == "station"
    offer = enrolment.Desk(Folder(tmp_path)).offer()
    assert offer.feed_url == "https://feeds.example/xa-mau"
    assert {f"level = {offer.level}", f'ceiling = "{offer.ceiling}"'} <= shown
    with pytest.raises(Technician, match=r"vi_VN-vais1000-medium\.onnx cannot be read"):
        centre.voices(Folder(tmp_path))
    (tmp_path / centre.FILE).write_text(centre.TEMPLATE)
    assert centre.voices(Folder(tmp_path)).configured == {}


def test_what_is_told_to_be_the_least_is_enough(tmp_path):
    (tmp_path / centre.FILE).write_text(centre.LEAST.split(":\n", 1)[1])
    assert centre.load(Folder(tmp_path)).site == "xa-mau"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Storm!", "is not XML"),
        (b"<alert/>", "is not an alert of CAP 1.2"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "a document type or an entity is not accepted"),
        (ALERT.read_bytes().replace(b"msgType", b"kind"), "msgType"),
    ],
    ids=["text", "other XML", "bytes", "entity", "incomplete"],
)
def test_what_is_no_alert_is_refused_in_one_line_before_it_is_signed(
    station, tmp_path, monkeypatch, content, words
):
    signed: list[object] = []
    monkeypatch.setattr("agent.station.commands.seal", lambda *what: signed.append(what))
    cap = tmp_path / "alert.xml"
    cap.write_bytes(content)
    result = CliRunner().invoke(officer_app(), ["command", "alert", str(station.path), str(cap)])
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith(f"loa: {cap}: ")
    assert words in line
    assert line.endswith("nothing was sent")
    assert signed == []
