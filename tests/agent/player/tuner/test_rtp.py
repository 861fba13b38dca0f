"""RTP packets: what is one, what is in it, and what becomes of those that are lost, late, doubled or a stranger's."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.tuner import rtp
from agent.player.tuner.errors import NotSound
from agent.player.tuner.rtp import PCM, Row, decode, unpack
from tests.support.sound import RATE, Samples, level_dbfs, pitch, sine

STEP = 441
"""Samples in a packet of 10 ms."""


def packet(payload: bytes, kind: int = 11, number: int = 0, stamp: int = 0, source: int = 7) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, number % 65_536, stamp % 2**32, source) + payload


def l16(samples: Samples) -> bytes:
    return (samples * 32_767).astype(">i2").tobytes()


def tone_packets(seconds: float, first_stamp: int = 0, source: int = 7) -> list[rtp.Packet]:
    t = np.arange(round(seconds * 44_100)) / 44_100
    wave = 0.5 * np.sin(2 * np.pi * 500 * t)
    made = [
        unpack(packet(l16(wave[at : at + STEP]), number=at // STEP, stamp=first_stamp + at, source=source))
        for at in range(0, len(wave), STEP)
    ]
    return [p for p in made if p is not None]


def heard(packets: list[rtp.Packet], every_s: float = 0.01) -> Samples:
    row = Row(11)
    return np.concatenate([row.feed(p, i * every_s) for i, p in enumerate(packets)])


def test_a_packet_is_read_without_its_list_of_sources_its_extension_and_its_padding() -> None:
    header = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 0x80 | 11, 1, 99, 7)
    extension = struct.pack("!HH", 1, 1) + b"EEEE"
    found = unpack(header + b"SSSSSSSS" + extension + b"payload" + b"\0\0\3")
    assert found == rtp.Packet(11, 99, 7, b"payload")


@given(st.binary(max_size=80))
def test_no_datagram_is_the_end_of_a_tuner(datagram: bytes) -> None:
    found = unpack(datagram)
    if found is not None and found.kind in PCM:
        Row(found.kind).feed(found, 0.0)


@pytest.mark.parametrize("datagram", [b"", b"\x80" * 11, b"\x40" + bytes(20), b"\x90\x0b" + bytes(12)])
def test_what_is_no_rtp_is_left_out(datagram: bytes) -> None:
    assert unpack(datagram) is None


@pytest.mark.parametrize(("kind", "words"), [(97, "SDP"), (9, "not supported")])
def test_a_type_that_cannot_be_read_is_named(kind: int, words: str) -> None:
    with pytest.raises(NotSound, match=f"payload type {kind} .*{words}"):
        Row(kind)


def test_a_row_of_packets_becomes_48_khz() -> None:
    out = heard(tone_packets(1.0))
    assert len(out) == pytest.approx(RATE, abs=50)
    assert pitch(out) == pytest.approx(500, abs=1)
    assert level_dbfs(out) == pytest.approx(-6, abs=0.1)


def test_a_lost_packet_is_as_much_silence_and_a_late_or_doubled_one_is_left_out() -> None:
    packets = tone_packets(1.0)
    whole = heard(packets)
    lost = heard([*packets[:40], *packets[42:]])
    late = heard([*packets[:40], *packets[42:60], packets[41], packets[59], *packets[60:]])
    assert len(lost) == len(late) == len(whole)
    assert np.array_equal(lost, late)
    gap = lost[round(0.403 * RATE) : round(0.417 * RATE)]
    assert level_dbfs(gap) < -60
    assert np.array_equal(lost[round(0.43 * RATE) :], whole[round(0.43 * RATE) :])


def test_the_stamps_may_turn_over() -> None:
    packets = tone_packets(0.5, first_stamp=2**32 - 5 * STEP)
    assert np.array_equal(heard(packets), heard(tone_packets(0.5)))


def test_a_second_sender_is_heard_only_when_the_first_is_gone() -> None:
    mine, theirs = tone_packets(0.2), tone_packets(0.2, first_stamp=9_999_999, source=8)
    row = Row(11)
    row.feed(mine[0], 0.0)
    assert not len(row.feed(theirs[0], 0.3))
    assert len(row.feed(mine[1], 0.4))
    assert len(row.feed(theirs[1], 1.0))
    assert not len(row.feed(mine[2], 1.1))


def test_a_sender_that_jumps_in_time_goes_on_without_an_hour_of_silence() -> None:
    packets = [*tone_packets(0.2), *tone_packets(0.2, first_stamp=2_000_000)]
    assert len(heard(packets)) == pytest.approx(0.4 * RATE, abs=50)


@pytest.mark.parametrize(
    ("kind", "code", "value"),
    [
        (0, 0xFF, 0),
        (0, 0x80, 32_124),
        (0, 0x00, -32_124),
        (8, 0xD5, 8),
        (8, 0xAA, 32_256),
        (8, 0x2A, -32_256),
    ],
)
def test_g_711_by_the_ends_of_its_tables(kind: int, code: int, value: int) -> None:
    (found,) = decode(bytes([code]), PCM[kind], kind) * 32_768
    assert found == pytest.approx(value, abs=0.5)


@pytest.mark.parametrize("kind", [0, 8])
def test_g_711_tables_are_symmetric_and_rise(kind: int) -> None:
    values = np.sort(decode(bytes(range(256)), PCM[kind], kind))
    assert np.allclose(values, -values[::-1])
    assert len(np.unique(np.round(values * 32_768))) >= 255


def test_stereo_is_mixed() -> None:
    both = np.stack([sine(500, 0.01), -sine(500, 0.01)], axis=1)
    assert np.max(np.abs(decode(l16(both), PCM[10], 10))) < 0.001
    assert len(decode(l16(both), PCM[10], 10)) == len(both)
