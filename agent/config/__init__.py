"""The node's configuration: read once at start, checked whole, never reset silently."""

from agent.config.errors import ConfigError, Problem
from agent.config.files import check_files
from agent.config.load import load, parse
from agent.config.model import (
    AlertSource,
    Amplifier,
    Audio,
    Broker,
    Clock,
    Config,
    Feed,
    Hardware,
    Limits,
    Log,
    Loudness,
    Node,
    Paths,
    PolicySection,
    Position,
    Relay,
    Screen,
    Zone,
)

__all__ = [
    "AlertSource",
    "Amplifier",
    "Audio",
    "Broker",
    "Clock",
    "Config",
    "ConfigError",
    "Feed",
    "Hardware",
    "Limits",
    "Log",
    "Loudness",
    "Node",
    "Paths",
    "PolicySection",
    "Position",
    "Problem",
    "Relay",
    "Screen",
    "Zone",
    "check_files",
    "load",
    "parse",
]
