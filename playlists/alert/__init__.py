"""Alerts after the Common Alerting Protocol 1.2 (OASIS, July 2010).

`read_alert` reads one message; `Alert.spoken` and `Alert.headline` put it into words; `AlertBook` knows which
are in force.
"""

from playlists.alert.book import AlertBook, Began, Effect, Ended, Ignored, Replaced
from playlists.alert.message import Alert, Area, Info, Kind, Reference, Status
from playlists.alert.reader import MAX_ALERT_BYTES, read_alert

__all__ = [
    "MAX_ALERT_BYTES",
    "Alert",
    "AlertBook",
    "Area",
    "Began",
    "Effect",
    "Ended",
    "Ignored",
    "Info",
    "Kind",
    "Reference",
    "Replaced",
    "Status",
    "read_alert",
]
