"""Alerts after the Common Alerting Protocol 1.2 (OASIS, July 2010).

`read_alert` reads one message; `Alert.spoken` and `Alert.headline` put it into words; `AlertBook` knows which
are in force; `meant_for` leaves out what is for other places; `next_telling` says when one is told again.
"""

from playlists.alert.area import NOWHERE, Coverage, Place, covers, meant_for
from playlists.alert.book import AlertBook, Began, Effect, Ended, Ignored, Replaced
from playlists.alert.message import (
    Alert,
    Area,
    Info,
    Kind,
    Reference,
    Resource,
    Status,
    Utterance,
)
from playlists.alert.reader import MAX_ALERT_BYTES, read_alert
from playlists.alert.repetition import Telling, next_telling

__all__ = [
    "MAX_ALERT_BYTES",
    "NOWHERE",
    "Alert",
    "AlertBook",
    "Area",
    "Began",
    "Coverage",
    "Effect",
    "Ended",
    "Ignored",
    "Info",
    "Kind",
    "Place",
    "Reference",
    "Replaced",
    "Resource",
    "Status",
    "Telling",
    "Utterance",
    "covers",
    "meant_for",
    "next_telling",
    "read_alert",
]
