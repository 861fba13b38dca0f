"""Sound in RTP packets (RFC 3550) of the static payload types (RFC 3551, table 4). Pure: packets in, samples out.

PCM is unpacked here rather than by libVLC, which holds back the first 1.5 s of an RTP stream (measured), takes
packets from anybody, and has no RTP of other types without SDP either. Types from 96 on mean what an SDP says, and
a command carries none: they are refused by name.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.player.resample import Resampler
from agent.player.tuner.errors import NotSound

Samples = NDArray[np.float32]

MPEG_AUDIO: Final = 14
MPEG_TS: Final = 33

LONGEST_GAP_S: Final = 1.0
"""Lost packets are heard as silence of their length; a longer gap is a sender that began anew."""

SENDER_GONE_S: Final = 0.5
"""Another source of packets is listened to only when the first has been quiet for so long."""

_HEADER: Final = struct.Struct("!BBHII")
_FIRST_DYNAMIC: Final = 96


@dataclass(frozen=True)
class Packet:
    """One packet, without header, extension and padding."""

    kind: int
    stamp: int
    """In samples of the payload's rate, modulo 2³²."""
    source: int
    payload: bytes


@dataclass(frozen=True)
class Pcm:
    """Layout of a payload type that is PCM."""

    name: str
    rate: int
    channels: int
    width: int


PCM: Final = {
    0: Pcm("PCMU", 8_000, 1, 1),
    8: Pcm("PCMA", 8_000, 1, 1),
    10: Pcm("L16 stereo", 44_100, 2, 2),
    11: Pcm("L16 mono", 44_100, 1, 2),
}


def unpack(datagram: bytes) -> Packet | None:
    """The packet in a datagram; None when it is no RTP, version 2 (RFC 3550, 5.1)."""
    if len(datagram) < _HEADER.size:
        return None
    flags, kind, _number, stamp, source = _HEADER.unpack_from(datagram)
    if flags >> 6 != 2:
        return None
    begin, end = _HEADER.size + 4 * (flags & 15), len(datagram)
    if flags & 0x10:
        if begin + 4 > end:
            return None
        begin += 4 + 4 * int.from_bytes(datagram[begin + 2 : begin + 4], "big")
    if flags & 0x20:
        end -= datagram[-1]
    if begin > end:
        return None
    return Packet(kind & 0x7F, stamp, source, datagram[begin:end])


class Row:
    """Brings the packets of one sender in a row, at 48 kHz mono. Late and doubled ones are left out."""

    def __init__(self, kind: int) -> None:
        """Raises NotSound: the payload type is no PCM that is known here."""
        if kind not in PCM:
            what = (
                "means what an SDP says, and there is none" if kind >= _FIRST_DYNAMIC else "is not supported"
            )
            raise NotSound(f"RTP payload type {kind} {what}; send L16, PCMA, PCMU, MPEG audio or MPEG-TS")
        self.kind = kind
        self.pcm = PCM[kind]
        self._source: int | None = None
        self._heard_at = 0.0
        self._following = 0
        self._resampler = Resampler(self.pcm.rate)

    def feed(self, packet: Packet, now: float) -> Samples:
        """Samples of the next packet, what was lost before it included; empty for one that is not used."""
        if packet.kind != self.kind:
            return _NONE
        if packet.source != self._source:
            if self._source is not None and now - self._heard_at < SENDER_GONE_S:
                return _NONE
            self._source, self._following = packet.source, packet.stamp
        self._heard_at = now
        samples = decode(packet.payload, self.pcm, self.kind)
        gap = (packet.stamp - self._following + 2**31) % 2**32 - 2**31
        if abs(gap) > LONGEST_GAP_S * self.pcm.rate:
            gap = 0
        elif gap < 0:
            return _NONE
        self._following = (packet.stamp + len(samples)) % 2**32
        return self._resampler.feed(np.concatenate([np.zeros(gap, np.float32), samples]) if gap else samples)


def decode(payload: bytes, pcm: Pcm, kind: int) -> Samples:
    """Samples of a payload, channels mixed."""
    frame = pcm.width * pcm.channels
    whole = payload[: len(payload) // frame * frame]
    if pcm.width == 1:
        table = _ULAW if kind == 0 else _ALAW
        return table[np.frombuffer(whole, np.uint8)]
    words = np.frombuffer(whole, ">i2").reshape(-1, pcm.channels)
    mixed: Samples = words.mean(axis=1, dtype=np.float32) / np.float32(32_768)
    return mixed


def mpeg_audio(payload: bytes) -> bytes:
    """Bytes of MPEG audio in a payload (RFC 2250, 3.5: four bytes come before them)."""
    return payload[4:]


def _ulaw() -> Samples:
    """G.711 µ-law, all 256 codes (ITU-T G.711, table 2)."""
    codes = ~np.arange(256, dtype=np.int32) & 0xFF
    size = (((codes & 0x0F) << 3) + 0x84 << ((codes & 0x70) >> 4)) - 0x84
    return (np.where(codes & 0x80, -size, size) / 32_768.0).astype(np.float32)


def _alaw() -> Samples:
    """G.711 A-law, all 256 codes (ITU-T G.711, table 1)."""
    codes = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, low = (codes & 0x70) >> 4, (codes & 0x0F) << 4
    size = np.where(exponent == 0, low + 8, (low + 0x108) << np.maximum(exponent - 1, 0))
    return (np.where(codes & 0x80, size, -size) / 32_768.0).astype(np.float32)


_NONE: Final[Samples] = np.zeros(0, np.float32)
_ULAW: Final = _ulaw()
_ALAW: Final = _alaw()
