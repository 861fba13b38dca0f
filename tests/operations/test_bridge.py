"""docs/operations/mosquitto-bridge.conf between two real brokers: a commune's and the province's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.uplink.topics import UPWARD, Topics
from tests.support.broker import USER, Mosquitto
from tests.support.wait import wait_until

CONFIG = Path(__file__).parents[2] / "docs" / "operations" / "mosquitto-bridge.conf"
SITE = Topics("xa-mau")


class Ear:
    """A client that publishes, and keeps what it hears."""

    def __init__(self, broker: Mosquitto, name: str) -> None:
        self.heard: Queue[mqtt.MQTTMessage] = Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        self._client.username_pw_set(USER, broker.password_file.read_text())
        self._client.on_message = lambda _client, _data, message: self.heard.put(message)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        wait_until(self._client.is_connected, 10, "connected")

    def listen(self, topic: str) -> None:
        done = threading.Event()
        self._client.on_subscribe = lambda *_args: done.set()
        self._client.subscribe(topic, options=SubscribeOptions(qos=1, retainAsPublished=True))
        assert done.wait(10)

    def forget(self, topic: str) -> None:
        """Listen to `topic` no more, and drop what has come."""
        done = threading.Event()
        self._client.on_unsubscribe = lambda *_args: done.set()
        self._client.unsubscribe(topic)
        assert done.wait(10)
        while not self.heard.empty():
            self.heard.get()

    def say(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ("command", "c-1")
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        sent = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        sent.wait_for_publish(10)

    def next(self, within_s: float = 15.0) -> mqtt.MQTTMessage:
        return self.heard.get(timeout=within_s)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "province") as broker:
        yield broker


@pytest.fixture
def commune(tmp_path: Path, province: Mosquitto) -> Iterator[Mosquitto]:
    text = CONFIG.read_text(encoding="utf-8")
    for written, here in (
        ("address broker.province.example:8883", f"address 127.0.0.1:{province.port}"),
        ("bridge_cafile /etc/mosquitto/province-ca.pem\n", ""),
        ("remote_username bridge-xa-mau", f"remote_username {USER}"),
        ("remote_password CHANGE-ME", f"remote_password {province.password_file.read_text()}"),
        ("restart_timeout 5 60", "restart_timeout 1 1"),
    ):
        assert written in text
        text = text.replace(written, here)
    with Mosquitto(tmp_path / "commune", extra=text) as broker:
        yield broker


@pytest.fixture
def both(province: Mosquitto, commune: Mosquitto) -> Iterator[tuple[Ear, Ear]]:
    """The centre at the province's broker, a node at the commune's; the bridge is up."""
    centre, node = Ear(province, "centre"), Ear(commune, "pole-07")
    probe = SITE.node(
        "probe", "logs"
    )  # what a bridge carries begins some time after it says that it is there
    centre.listen(probe)

    def carried() -> bool:
        node.say(probe, b"probe")
        return not centre.heard.empty()

    wait_until(carried, 20, "the bridge carries")
    centre.forget(probe)
    yield centre, node
    centre.close()
    node.close()


def test_all_that_a_node_says_comes_up_once_with_what_it_belongs_to(both: tuple[Ear, Ear]) -> None:
    centre, node = both
    for what in UPWARD:
        centre.listen(SITE.node("+", what))
    for what in UPWARD:
        node.say(SITE.node("pole-07", what), what.encode(), retain=what in ("status", "health"))
    found = {}
    for _count in UPWARD:
        message = centre.next()
        assert ("command", "c-1") in message.properties.UserProperty
        found[message.topic] = (message.payload, message.retain)
    assert found == {
        SITE.node("pole-07", what): (what.encode(), what in ("status", "health")) for what in UPWARD
    }
    with pytest.raises(Empty):  # and nothing goes round and round
        centre.next(1.0)


def test_what_a_centre_says_comes_down_with_its_end_and_other_communes_hear_nothing(
    both: tuple[Ear, Ear],
) -> None:
    centre, node = both
    node.listen("loa/1/#")
    down = [topic.replace("+", "x") for topic in SITE.down("pole-07", ["g"], ["commune"])]
    centre.say("loa/1/xa-khac/all/command", b"for others")
    for topic in down:
        centre.say(topic, topic.encode(), expiry_s=300)
    found = {}
    while len(found) < len(down):
        message = node.next()
        if message.topic.endswith("bridge/state"):
            continue
        assert 0 < message.properties.MessageExpiryInterval <= 300
        found[message.topic] = message.payload
    assert found == {topic: topic.encode() for topic in down}


def test_what_is_said_while_the_link_is_down_arrives_when_it_is_back(
    both: tuple[Ear, Ear], province: Mosquitto
) -> None:
    _centre, node = both
    province.stop()
    for number in range(50):
        node.say(SITE.node("pole-07", "log"), str(number).encode())
    province.start()
    centre = Ear(province, "collector")
    centre.listen(SITE.node("+", "log"))
    assert [int(centre.next(30.0).payload) for _number in range(50)] == list(range(50))
    centre.close()
