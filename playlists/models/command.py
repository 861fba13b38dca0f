"""Commands, as they stand inside their DSSE envelope (contract §4), and the receipts that answer them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, FailFast, Field, StringConstraints

from playlists.models.base import BulletinClass, GainDb, Identifier, Language, Model, Title
from playlists.models.items import Item, StreamUrl
from playlists.models.schedule import Names, OnConflict

PAYLOAD_TYPE = "application/vnd.loa.command+json"
MAX_COMMAND_BYTES = 256_000

LeaseS = Annotated[float, Field(gt=0, le=3_600)]


class Announce(Model):
    """Plays items now."""

    type: Literal["announce"]
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=100), FailFast()]
    zones: Names = ("*",)
    class_: Annotated[BulletinClass, Field(alias="class")] = BulletinClass.ROUTINE
    title: Title = ""
    language: Language = "vi"
    volume_db: GainDb = 0.0
    on_conflict: OnConflict = "preempt"


class Live(Model):
    """Relays a stream while the lease is renewed; ends by itself when it is not."""

    type: Literal["live"]
    stream: StreamUrl
    zones: Names = ("*",)
    class_: Annotated[BulletinClass, Field(alias="class")] = BulletinClass.PRIORITY
    title: Title = ""
    language: Language = "vi"
    lease_s: LeaseS = 10.0


class LiveRenew(Model):
    """Extends the lease of a live broadcast."""

    type: Literal["live-renew"]
    live: Identifier
    lease_s: LeaseS = 10.0


class LiveStop(Model):
    """Ends a live broadcast."""

    type: Literal["live-stop"]
    live: Identifier


class AlertCommand(Model):
    """Carries a CAP 1.2 document: an alert, its update or its cancellation."""

    type: Literal["alert"]
    cap: Annotated[str, StringConstraints(min_length=1, max_length=200_000)]


class Stop(Model):
    """Ends what plays: one programme, or with `*` whatever it is."""

    type: Literal["stop"]
    programme: Annotated[str, StringConstraints(min_length=1, max_length=128)] = "*"
    zones: Names = ("*",)


class Volume(Model):
    """Sets the loudness of zones, until a moment or until the next such command."""

    type: Literal["volume"]
    volume_db: GainDb
    until: AwareDatetime | None = None
    zones: Names = ("*",)


class Mute(Model):
    """Silences zones until a moment; `until: null` lifts it. Emergencies still sound."""

    type: Literal["mute"]
    until: AwareDatetime | None = None
    zones: Names = ("*",)


class Screenshot(Model):
    """Asks for a picture of what the board shows."""

    type: Literal["screenshot"]
    width: Annotated[int, Field(ge=64, le=3_840)] = 640


class Maintain(Model):
    """A chore without parameters."""

    type: Literal["self-test", "sync", "send-logs", "restart", "reboot"]


class Update(Model):
    """Asks for an agent release from a feed that is configured for releases."""

    type: Literal["update"]
    feed: Identifier
    release: Identifier


Action = Annotated[
    Announce
    | Live
    | LiveRenew
    | LiveStop
    | AlertCommand
    | Stop
    | Volume
    | Mute
    | Screenshot
    | Maintain
    | Update,
    Field(discriminator="type"),
]

NEEDS: dict[str, str] = {
    "announce": "announce",
    "live": "live",
    "live-renew": "live",
    "live-stop": "live",
    "alert": "alert",
    "stop": "control",
    "volume": "control",
    "mute": "control",
    "screenshot": "maintain",
    "self-test": "maintain",
    "sync": "maintain",
    "send-logs": "maintain",
    "restart": "maintain",
    "reboot": "maintain",
    "update": "maintain",
}
"""Which entry of an operator's `actions` a command type needs."""


class Command(Model):
    """What an operator signed: what to do, by whom it is to be done, until when it may be done."""

    id: Identifier
    feed: Identifier
    issued: AwareDatetime
    expires: AwareDatetime
    to: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^(\*|(node|group):.{1,128})$")], ...],
        Field(min_length=1),
        FailFast(),
    ]
    do: Action

    def addresses(self, node: str, groups: frozenset[str]) -> bool:
        """Whether this node is meant."""
        mine = {"*", f"node:{node}", *(f"group:{group}" for group in groups)}
        return not mine.isdisjoint(self.to)


ReceiptState = Literal[
    "received", "verified", "started", "heard", "shown", "finished", "refused", "interrupted", "failed"
]
FINAL: Final[frozenset[ReceiptState]] = frozenset({"finished", "refused", "interrupted", "failed"})
"""After such a receipt no other follows for the same command."""
RefusalReason = Literal[
    "signature", "unknown key", "not allowed", "above ceiling", "expired", "replayed", "not addressed",
    "malformed", "policy",
]  # fmt: skip


class Receipt(Model):
    """What became of a command. For `refused`, `reason` begins with a `RefusalReason`."""

    command: str
    state: ReceiptState
    reason: str | None = None
    at: datetime
