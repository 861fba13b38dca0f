"""What a programme or an announcement is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag

from playlists.models.base import Language, LengthS, MediaPath, Model, Text

StreamUrl = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^(https?|rtp|rtsp|srt|udp)://\S+$")]


class MediaItem(Model):
    """A stored recording: a target of the feed."""

    media: MediaPath


class Speech(Model):
    """Words to be spoken by a voice of that language."""

    text: Annotated[Text, Field(min_length=1)]
    language: Language = "vi"


class SpeechItem(Model):
    """Text that the node speaks."""

    speech: Speech


class Relay(Model):
    """A station carried for a while (tiếp âm), and what sounds when it is silent."""

    url: StreamUrl
    for_s: Annotated[LengthS, Field(gt=0)]
    fallback: MediaPath | None = None


class RelayItem(Model):
    """A station to be relayed."""

    relay: Relay


def _kind(item: Any) -> str | None:
    for kind in ("media", "speech", "relay"):
        if (kind in item) if isinstance(item, dict) else hasattr(item, kind):
            return kind
    return None


Item = Annotated[
    Annotated[MediaItem, Tag("media")]
    | Annotated[SpeechItem, Tag("speech")]
    | Annotated[RelayItem, Tag("relay")],
    Discriminator(
        _kind,
        custom_error_type="item",
        custom_error_message="an item has one of the fields media, speech, relay",
    ),
]
