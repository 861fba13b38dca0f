"""The way to the centre and back: one MQTT session, commands in, receipts, log and health out."""

from agent.uplink.errors import Refused, Technician, TooBig, UplinkError
from agent.uplink.events import CommandRefused, CommandVerified, FeedHint, LinkDown, LinkUp
from agent.uplink.gate import Gate
from agent.uplink.uplink import Uplink

__all__ = [
    "CommandRefused",
    "CommandVerified",
    "FeedHint",
    "Gate",
    "LinkDown",
    "LinkUp",
    "Refused",
    "Technician",
    "TooBig",
    "Uplink",
    "UplinkError",
]
