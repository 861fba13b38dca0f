"""Somebody at the broker who may say anything: forged, broken, old or true."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho

from tests.support.broker import USER, Mosquitto
from tests.support.wait import wait_until


class Wire:
    """Publishes under `loa/1/{site}/`, and hears what is said there. A context manager."""

    def __init__(self, broker: Mosquitto, site: str) -> None:
        self._prefix = f"loa/1/{site}/"
        self.heard: list[tuple[str, bytes]] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.username_pw_set(USER, broker.password_file.read_text())
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic.removeprefix(self._prefix), message.payload)
        )
        self._client.on_connect = lambda *_: self._client.subscribe(f"{self._prefix}#", 1)
        self._subscribed = False
        self._client.on_subscribe = lambda *_: setattr(self, "_subscribed", True)
        self._port = broker.port

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        wait_until(lambda: self._subscribed, 10, "the test is connected to the broker")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes | dict[str, Any], *, retain: bool = False) -> None:
        """Say it; returns when the broker has it."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(self._prefix + topic, body, 1, retain).wait_for_publish(10)

    def documents(self, topic: str) -> list[dict[str, Any]]:
        """What was said on a topic so far, as JSON."""
        return [json.loads(payload) for heard, payload in self.heard if heard == topic]
