"""The sections of `config.toml`. `config.example.toml` explains every key; a test keeps them equal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from agent.config.agree import disagreements
from agent.config.fields import (
    Day,
    FilePath,
    Flag,
    Geocode,
    Host,
    Hours,
    Link,
    Name,
    Number,
    Repeat,
    SecureAddress,
    StreamHost,
    TimeOfDay,
    TimeZone,
    Url,
    Whole,
)
from playlists.models.base import MAX_FEEDS, BulletinClass, Language


class Section(BaseModel):
    """Base of all sections: frozen; the file is ours, so an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Position(Section):
    """WGS 84, in degrees."""

    lat: Annotated[Number, Field(ge=-90, le=90)]
    lon: Annotated[Number, Field(ge=-180, le=180)]


class Node(Section):
    """Who this node is."""

    id: Name
    site: Name
    groups: tuple[Name, ...] = ()
    public_number: Annotated[str, Field(max_length=64)] = ""
    position: Position | None = None
    geocodes: Annotated[tuple[Geocode, ...], Field(max_length=100)] = ()
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("vi",)
    timezone: TimeZone = "Asia/Ho_Chi_Minh"

    @property
    def called(self) -> str:
        """What the node says when it is asked who it is."""
        return self.public_number or self.id

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the wall times in `[policy]`."""
        return ZoneInfo(self.timezone)


class Paths(Section):
    """Where the node keeps things."""

    state: FilePath = Path("/var/lib/loa")
    cache: FilePath = Path("/var/lib/loa/cache")
    runtime: FilePath = Path("/run/loa")


class Feed(Section):
    """A source of signed schedules that this node follows."""

    name: Name
    url: Url
    root: FilePath
    level: Annotated[Whole, Field(ge=0, le=100)] = 0
    ceiling: BulletinClass = BulletinClass.ROUTINE
    poll_s: Annotated[Number, Field(ge=10, le=86_400)] = 900.0
    expired_days: Annotated[Whole, Field(ge=0, le=366)] = 30


class AlertSource(Section):
    """A CAP feed that this node asks for alerts. What its certificates have signed sounds as an emergency."""

    name: Name
    url: SecureAddress
    certificates: Annotated[tuple[FilePath, ...], Field(min_length=1, max_length=8)]
    level: Annotated[Whole, Field(ge=0, le=100)] = 0
    poll_s: Annotated[Number, Field(ge=5, le=3_600)] = 60.0
    link_hosts: Annotated[tuple[Host, ...], Field(max_length=16)] = ()
    ca: FilePath | None = None


class Broker(Section):
    """The MQTT broker that carries hints, commands and reports."""

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
    port: Annotated[Whole, Field(ge=1, le=65_535)] = 8_883
    tls: Flag = True
    ca: FilePath | None = None
    cert: FilePath | None = None
    key: FilePath | None = None
    user: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    password_file: FilePath | None = None
    keepalive_s: Annotated[Whole, Field(ge=10, le=3_600)] = 60


class Button(Section):
    """A push button on one pin, and what it is for."""

    name: Name
    pin: Annotated[Whole, Field(ge=2, le=27)]
    active: Literal["high", "low"]
    does: Literal["identify", "read", "next", "back", "language", "useful", "useless"]


class Audio(Section):
    """Where sound goes out."""

    output: Literal["portaudio", "file"] = "portaudio"
    device: Annotated[str, Field(min_length=1, max_length=1_000)] = "default"
    latency_ms: Annotated[Number, Field(ge=5, le=1_000)] = 20.0

    @model_validator(mode="before")
    @classmethod
    def _file_starts_at_base(cls, data: Any, info: ValidationInfo) -> Any:
        """The path of a WAV file is a path like all others in the configuration."""
        base = (info.context or {}).get("base")
        if base is None or not isinstance(data, dict) or data.get("output") != "file":
            return data
        device = data.get("device")
        return {**data, "device": str(base / device)} if isinstance(device, str) else data


class Listener(Section):
    """The microphone or line-in that hears what the node puts out."""

    device: Annotated[str, Field(min_length=1, max_length=1_000)]
    self_test_at: TimeOfDay | None = None


class Relay(Section):
    """One relay on one pin."""

    name: Name
    pin: Annotated[Whole, Field(ge=2, le=27)]
    active: Literal["high", "low"]
    delay_s: Annotated[Number, Field(ge=0, le=30)] = 0.5


class Zone(Section):
    """Loudspeakers that sound together: the relays that must be closed for them."""

    name: Name
    relays: tuple[Name, ...] = ()
    settle_s: Annotated[Number, Field(ge=0, le=30)] = 0.5
    tail_s: Annotated[Number, Field(ge=0, le=120)] = 2.0


class Amplifier(Section):
    """What holds for all relays."""

    longest_on_s: Annotated[Number, Field(ge=10, le=86_400)] = 7_200.0


class Loudness(Section):
    """A gain for some hours of the day."""

    hours: Hours
    gain_db: Annotated[Number, Field(ge=-60, le=0)]


class PolicySection(Section):
    """When and how loud the node may speak. Emergencies pass all of it."""

    allowed_hours: Annotated[tuple[Hours, ...], Field(min_length=1, max_length=48)] = ("05:00-21:00",)
    longest_session_s: Annotated[Number, Field(ge=10, le=86_400)] = 3_600.0
    loudness: Annotated[tuple[Loudness, ...], Field(max_length=48)] = (
        Loudness(hours="05:00-06:00", gain_db=-6.0),
    )
    quiet_days: Annotated[tuple[Day, ...], Field(max_length=1_000)] = ()
    resume_within_s: Annotated[Number, Field(ge=0, le=86_400)] = 900.0
    tie_break: Annotated[tuple[Name, ...], Field(max_length=MAX_FEEDS)] = ()


class Alerts(Section):
    """How alerts are told."""

    repeat_s: Repeat = 300.0
    hosts: Annotated[tuple[Host, ...], Field(max_length=100)] = ()


class Streams(Section):
    """Live broadcasts and relayed stations: from whom, and when one counts as dead."""

    hosts: Annotated[tuple[StreamHost, ...], Field(max_length=1_000)] = ()
    dead_air_dbfs: Annotated[Number, Field(ge=-90, le=-20)] = -50.0
    dead_air_s: Annotated[Number, Field(ge=1, le=600)] = 10.0


class Voice(Section):
    """Who speaks a language, and how."""

    language: Language
    voice: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")] | None = None
    model: FilePath | None = None
    rate_wpm: Annotated[Whole, Field(ge=80, le=300)] = 150
    pitch: Annotated[Whole, Field(ge=0, le=99)] = 50


Pixels = Annotated[Whole, Field(ge=64, le=16_384)]


class Screen(Section):
    """The bulletin board."""

    enabled: Flag = False
    driver: Literal["auto", "kmsdrm", "wayland", "x11", "offscreen", "dummy"] = "auto"
    size: tuple[Pixels, Pixels] | None = None
    fullscreen: Flag = True
    theme: Literal["dark", "light", "contrast"] = "dark"
    colours: Annotated[
        dict[str, Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]], Field(max_length=7)
    ] = {}
    emblem: FilePath | None = None
    transitions: Flag = True
    rotate: Literal[0, 90, 180, 270] = 0
    overscan_percent: Annotated[Number, Field(ge=0, le=10)] = 0.0
    shift_px: Annotated[Whole, Field(ge=0, le=16)] = 2
    on_hours: Annotated[tuple[Hours, ...], Field(max_length=48)] = ()
    power: Literal["none", "cec", "xset", "wlr-randr", "fake"] = "none"
    touch: Flag = False
    feedback_url: Link | None = None


class Limits(Section):
    """Bounds of what the node keeps on disk, in MB of 1,000,000 bytes."""

    cache_mb: Annotated[Whole, Field(ge=10, le=1_000_000)] = 2_000
    pcm_mb: Annotated[Whole, Field(ge=10, le=1_000_000)] = 1_500
    journal_mb: Annotated[Whole, Field(ge=5, le=10_000)] = 200


class Releases(Section):
    """Where this node's own program comes from."""

    feed: Name


class Hardware(Section):
    """What is really wired to this machine."""

    gpio: Literal["real", "fake"] = "real"


class Clock(Section):
    """How far the wall clock may be believed."""

    vouched: Flag = False


class Log(Section):
    """What goes to the system's journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Section):
    """All of `config.toml`."""

    node: Node
    paths: Paths = Paths()
    feeds: Annotated[tuple[Feed, ...], Field(max_length=MAX_FEEDS)] = ()
    alert_sources: Annotated[tuple[AlertSource, ...], Field(max_length=16)] = ()
    broker: Broker | None = None
    audio: Audio = Audio()
    listener: Listener | None = None
    relays: Annotated[tuple[Relay, ...], Field(max_length=26)] = ()
    buttons: Annotated[tuple[Button, ...], Field(max_length=26)] = ()
    zones: Annotated[tuple[Zone, ...], Field(max_length=64)] = ()
    amplifier: Amplifier = Amplifier()
    policy: PolicySection = PolicySection()
    streams: Streams = Streams()
    voices: Annotated[tuple[Voice, ...], Field(max_length=64)] = ()
    alerts: Alerts = Alerts()
    screen: Screen = Screen()
    limits: Limits = Limits()
    update: Releases | None = None
    hardware: Hardware = Hardware()
    clock: Clock = Clock()
    log: Log = Log()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        found = disagreements(self.model_dump(mode="json", exclude_none=True))
        if found:
            raise ValueError("; ".join(str(problem) for _, problem in found))
        return self

    def describe(self) -> dict[str, Any]:
        """The whole configuration in force, defaults included, ready for JSON. Secrets are only paths."""
        return self.model_dump(mode="json")
