"""The certificate that a node is given opens a real broker, in the node's own name and no other."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.config import Broker, load
from agent.config.editing import change
from agent.enrol.joining import Joining, changes, put_files
from agent.uplink.session import Handlers, Session
from agent.uplink.topics import Topics
from tests.agent.enrol.conftest import Centre
from tests.support.broker import Mosquitto
from tests.support.wait import wait_until

ACL = """\
pattern write loa/1/+/node/%u/#
pattern read loa/1/+/node/%u/#
"""


@pytest.fixture
def broker(centre: Centre, tmp_path: Path) -> Iterator[Mosquitto]:
    acl = tmp_path / "acl"
    acl.write_text(ACL)
    acl.chmod(0o600)
    made = Mosquitto(tmp_path / "broker", tls=True, extra=f"acl_file {acl}")
    toml = centre.folder.path / "station.toml"
    text = toml.read_text().replace("broker.example", "localhost").replace("8883", str(made.port))
    text = text.replace(
        "[enrolment]", f'ca = "{made.directory / "ca.pem"}"\n[enrolment]\nbroker_host = "localhost"'
    )
    toml.write_text(text)
    centre.desk.issue("nobody", valid=timedelta(hours=1))  # makes the authority
    with (made.directory / "ca.pem").open("ab") as trusted:
        trusted.write(centre.folder.certificate("nodes-ca").read_bytes())
    with made:
        yield made


def enrolled(centre: Centre, folder: Path, name: str) -> Broker:
    joined = Joining(centre.desk.issue(name, valid=timedelta(hours=1)), folder).ask(centre.url)
    put_files(joined, None)
    path = folder / "config.toml"
    path.write_text(change(path.read_text(), changes(joined, {})))
    found = load(path).broker
    assert found is not None
    return found


def test_an_enrolled_node_is_let_in_as_itself(centre: Centre, node: Path, broker: Mosquitto) -> None:
    settings = enrolled(centre, node, "pole-07")
    topics = Topics("xa-mau")
    heard: list[str] = []
    arrived = threading.Event()

    def take(message: object) -> None:
        heard.append(message.topic)  # type: ignore[attr-defined]  # an Arrived
        arrived.set()

    mine, other = topics.node("pole-07", "command"), topics.node("pole-08", "command")
    session = Session(
        settings, "pole-07", [mine, other], Handlers(message=take, up=lambda: None, down=lambda _why: None)
    )
    session.start()
    try:
        wait_until(lambda: session.connected, 15, "the broker lets it in")
        session.publish(other, b"x")
        session.publish(mine, b"x")
        assert arrived.wait(10)
        assert heard == [mine]
    finally:
        session.stop(2.0)


def test_without_the_certificate_nobody_is_let_in(centre: Centre, node: Path, broker: Mosquitto) -> None:
    settings = enrolled(centre, node, "pole-07").model_copy(update={"cert": None, "key": None})
    nobody = Handlers(message=lambda _m: None, up=lambda: None, down=lambda _why: None)
    session = Session(settings, "pole-07", [], nobody)
    log = broker.directory / "mosquitto.log"
    session.start()
    try:
        wait_until(lambda: "did not return a certificate" in log.read_text(), 15, "the broker refuses it")
        assert not session.connected
    finally:
        session.stop(2.0)
