"""One MQTT 5 session, for the node and for the centre alike: paho-mqtt behind a small face.

What paho does not do is done here: its queue lives in memory without a bound, so nothing is handed to it
while the link is down; an exception in a callback ends its thread while it still says `connected`, so every
callback is wrapped and a thread that ends is replaced, client and all; requests and answers wait for each
other under Nagle's algorithm, so TCP_NODELAY is set.

Protocol: MQTT 5.0 (OASIS), QoS 1, one persistent session a client id.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.config import Broker
from agent.uplink.credentials import check_dates, password_of, tls_context
from agent.uplink.errors import UplinkError
from playlists.units import MonotonicS, Seconds

SESSION_EXPIRY_S: Final = 7 * 86_400
MAX_PACKET_BYTES: Final = 400_000
"""What we let the broker send us: an envelope of 256 KB, and then some."""

CONNECT_TIMEOUT_S: Final = 15.0
LONGEST_BACKOFF_S: Final = 120.0
log = logging.getLogger("loa.uplink")


class NotConnected(UplinkError):  # noqa: N818 - says what is, the remedy is to wait for `on_up`
    """Error raised when something is to be published and the link is down: it was not queued."""


@dataclass(frozen=True)
class Arrived:
    """One message from the broker."""

    topic: str
    payload: bytes
    again: bool = False
    """The broker says that it sent it before: we may have had it, without its hearing so."""
    user: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Handlers:
    """What a session calls, on its own thread. What they raise is logged, and the session goes on."""

    message: Callable[[Arrived], None]
    up: Callable[[], None]
    down: Callable[[str], None]
    delivered: Callable[[int], None] = lambda mid: None
    reborn: Callable[[], None] = lambda: None
    """The client was replaced: what was published and not delivered is forgotten."""
    will: Callable[[], tuple[str, bytes]] | None = None
    """The retained message that the broker publishes when this session breaks; asked at each connection."""
    believes_clock: Callable[[], bool] = lambda: True
    """While it says no, the dates of certificates are not checked: a node with an unset clock must connect,
    for verified emergencies reach it this way, and they do not rely on the broker."""


class Session:
    """A connection that is kept up. Thread-safe."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        subscriptions: Sequence[str],
        handlers: Handlers,
        expiry_s: int = SESSION_EXPIRY_S,
    ) -> None:
        """Nothing is opened yet. The broker keeps our place for `expiry_s` after the link broke.

        Raises:
            Technician: a certificate, key or password file cannot be read.
        """
        self._broker = broker
        self._client_id = client_id
        self._subscriptions = list(subscriptions)
        self._handlers = handlers
        self._expiry_s = expiry_s
        self._tls = tls_context(broker)
        self._password = password_of(broker)
        self._stopping = threading.Event()
        self._connected = False
        self._complained = False
        self._under_way: dict[int, MonotonicS] = {}
        self.latency_s: Seconds | None = None
        """From the last message that the broker acknowledged to its acknowledgement."""
        self.answered_at: MonotonicS | None = None
        """When that was."""
        self._client = self._new_client()

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in, as far as we know."""
        return self._connected

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
        properties.SessionExpiryInterval = self._expiry_s
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        self._client.connect_async(
            self._broker.host,
            self._broker.port,
            keepalive=self._broker.keepalive_s,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self, deadline_s: float = 2.0) -> None:
        """Disconnect; wait at most `deadline_s` for the thread to go."""
        self._stopping.set()
        self._client.disconnect()
        # loop_stop joins without a bound: it may wait for acknowledgements that never come
        stopper = threading.Thread(target=self._client.loop_stop, name="mqtt-stop", daemon=True)
        stopper.start()
        stopper.join(deadline_s)
        self._connected = False

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        user: dict[str, str] | None = None,
        expires_s: float | None = None,
    ) -> int:
        """Hand a message to the broker with QoS 1; `delivered` is called with the number returned here.

        Raises:
            NotConnected: the link is down; nothing was queued.
        """
        if not self._connected:
            raise NotConnected(f"{topic}: the link to {self._broker.host} is down")
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
        if user:
            properties.UserProperty = list(user.items())
        if expires_s is not None:
            properties.MessageExpiryInterval = max(1, int(expires_s))
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise NotConnected(f"{topic}: no packet number is free")
        # with MQTT_ERR_NO_CONN paho has queued it all the same: it counts as handed over
        self._under_way[int(info.mid)] = MonotonicS(time.monotonic())
        return int(info.mid)

    def interrupt(self) -> None:
        """Break the connection, as a lost carrier would; it is taken up again."""
        connection: Any = self._client.socket()
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)

    # -- the client and its callbacks ----------------------------------------------------------

    def _new_client(self) -> _Client:
        client = _Client(self._died, self._client_id)
        client.suppress_exceptions = True  # each callback below guards itself; this is the second net
        client.connect_timeout = CONNECT_TIMEOUT_S
        # uneven, so that a province does not come back in the same second; fractions work, the hints say int
        delays: Any = (_about_a_second(), LONGEST_BACKOFF_S * _about_a_second() / 1.5)
        client.reconnect_delay_set(*delays)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._password)
        client.on_pre_connect = self._on_pre_connect
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _died(self, client: mqtt.Client, error: Exception) -> None:
        """On the thread that dies: put a new client in its place."""
        log.error("the network thread ended with %r: it is replaced", error)
        self._gone(f"network thread: {error}")
        connection = client.socket()
        if connection is not None:
            connection.close()
        if self._stopping.wait(_about_a_second()):
            return
        self._client = self._new_client()
        self._handlers.reborn()
        self.start()

    def _on_pre_connect(self, client: mqtt.Client, _: Any) -> None:
        if self._tls is not None:
            check_dates(self._tls, self._handlers.believes_clock())
        if self._handlers.will is not None:
            topic, payload = self._handlers.will()
            client.will_set(topic, payload, qos=1, retain=True)

    def _on_socket_open(self, client: mqtt.Client, _: Any, connection: Any) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, client: mqtt.Client, _: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._complain(f"the broker refuses: {reason}")
            return
        self._complained = False
        if self._subscriptions:
            # up is who hears: what is sent to us before the broker knows our topics would be lost
            client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._subscriptions])
        else:
            self._arrive()

    def _on_subscribe(self, client: mqtt.Client, _: Any, mid: int, reasons: Any, properties: Any) -> None:
        for topic, reason in zip(self._subscriptions, reasons, strict=False):
            if reason.is_failure:
                log.error("the broker does not let us hear %s: %s", topic, reason)
        self._arrive()

    def _arrive(self) -> None:
        self._connected = True
        log.info("connected to %s:%d as %s", self._broker.host, self._broker.port, self._client_id)
        self._guard("up", self._handlers.up)

    def _on_connect_fail(self, client: mqtt.Client, _: Any) -> None:
        self._complain("it does not answer, or TLS does not agree")

    def _on_disconnect(self, client: mqtt.Client, _: Any, flags: Any, reason: Any, properties: Any) -> None:
        # without a packet from the broker there is no reason to tell: MQTT's words for it say nothing
        told = flags.is_disconnect_packet_from_server
        self._gone(f"the broker ended it: {reason}" if told else "the connection broke off")

    def _on_message(self, client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        def take() -> None:
            pairs = getattr(message.properties, "UserProperty", None) or []
            self._handlers.message(
                Arrived(
                    message.topic, bytes(message.payload), message.dup, {str(k): str(v) for k, v in pairs}
                )
            )

        self._guard("message", take)

    def _on_publish(self, client: mqtt.Client, _: Any, mid: int, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            log.warning("the broker refuses a message: %s", reason)
        if (sent_at := self._under_way.pop(mid, None)) is not None:
            self.answered_at = MonotonicS(time.monotonic())
            self.latency_s = Seconds(self.answered_at - sent_at)
        self._guard("delivered", lambda: self._handlers.delivered(mid))

    def _gone(self, why: str) -> None:
        was, self._connected = self._connected, False
        self._under_way.clear()  # what is sent again was not under way all the time
        if was:
            # who hangs up need not be warned of it
            level = logging.DEBUG if self._stopping.is_set() else logging.WARNING
            log.log(level, "the link to %s is down: %s", self._broker.host, why)
            self._guard("down", lambda: self._handlers.down(why))

    def _complain(self, why: str) -> None:
        """Warn at the first failure of a row; the others are noise."""
        level = logging.DEBUG if self._complained else logging.WARNING
        log.log(level, "no link to %s:%d: %s", self._broker.host, self._broker.port, why)
        self._complained = True

    def _guard(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            # whatever a message or a mistake of ours raises, the link must live
            log.exception("%s: left unhandled", what)


class _Client(mqtt.Client):
    """Paho's client, which tells when its thread ends by an exception."""

    def __init__(self, died: Callable[[mqtt.Client, Exception], None], client_id: str) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        self._tell_death = died

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        try:
            return super().loop_forever(timeout, retry_first_connection)
        except Exception as error:  # noqa: BLE001 - a packet that paho cannot read may raise anything
            self._tell_death(self, error)
            return MQTTErrorCode.MQTT_ERR_UNKNOWN


def _about_a_second() -> float:
    return random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, hides nothing
