"""One short MQTT 5 session beside the daemon's: in, a message to ourselves, out."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.config import Broker
from agent.doctor.contact import ANSWER_S, CONNECT_S, Stage, broken
from agent.words import _

REFUSALS: Final = {"Bad user name or password", "Not authorized", "Bad authentication method", "Banned"}


@dataclass(frozen=True, slots=True)
class Greeting:
    """How it went."""

    stage: Stage
    welcome_ms: float | None = None
    """From the first byte to the broker's welcome."""
    echo_ms: float | None = None
    """From a message to its return; None where it was not asked for, or did not come back."""


def _hung_up(broker: Broker) -> Stage:
    """With TLS 1.3 a broker judges our certificate after the handshake, and says nothing to us."""
    if broker.cert is not None:
        return Stage("certificate", _("it does not take the certificate of this node"))
    if broker.tls:
        return Stage("certificate", _("it hangs up: does it want a certificate of this node?"))
    return Stage("refused", _("it hangs up without a word"))


def greet(
    broker: Broker, node: str, context: ssl.SSLContext | None, password: str | None, echo: str | None = None
) -> Greeting:
    """Connect, have a message on the topic `echo` come back if one is given, and leave."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{node}-doctor", protocol=mqtt.MQTTv5)
    client.connect_timeout = CONNECT_S
    if context is not None:
        client.tls_set_context(context)
    if broker.user is not None:
        client.username_pw_set(broker.user, password)
    heard: dict[str, Any] = {}

    def note(what: str, value: Any = True) -> None:
        heard.setdefault(what, value)

    client.on_connect = lambda _client, _data, _flags, reason, _properties: note("welcome", reason)
    client.on_disconnect = lambda _client, _data, _flags, reason, _properties: note("gone", reason)
    client.on_subscribe = lambda *_: note("subscribed")
    client.on_message = lambda *_: note("echo")

    def wait(what: str) -> bool:
        deadline = time.monotonic() + ANSWER_S
        while what not in heard and "gone" not in heard and time.monotonic() < deadline:
            client.loop(0.05)
        return what in heard

    began = time.monotonic()
    try:
        client.connect(broker.host, broker.port, keepalive=10, clean_start=True)
        if not wait("welcome"):
            return Greeting(_hung_up(broker))
        welcome_ms = (time.monotonic() - began) * 1_000
        reason = heard["welcome"]
        if reason.is_failure:
            kind = "password" if str(reason) in REFUSALS else "refused"
            return Greeting(Stage(kind, _("it refuses: {reason}").format(reason=reason)))  # type: ignore[arg-type]
        echo_ms = None
        if echo is not None:
            client.subscribe(echo, qos=1)
            if wait("subscribed"):
                sent = time.monotonic()
                client.publish(echo, b"echo", qos=1)
                echo_ms = (time.monotonic() - sent) * 1_000 if wait("echo") else None
        return Greeting(Stage("done", _("it lets us in")), welcome_ms, echo_ms)
    except OSError as error:
        return Greeting(broken(error))
    finally:
        client.disconnect()
