"""No secret passes, and what is none stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.support.redact import MASK, redact

SECRET = "Hoa5en-Trang"

PRIVATE = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5GkMy
-----END EC PRIVATE KEY-----"""


@pytest.mark.parametrize(
    "line",
    [
        "url = \"https://pole-07:{}@feeds.example/xa-mau\"",
        "fetching https://pole-07:{}@feeds.example/xa-mau/timestamp.json: 403",
        "icecast://source:{}@studio.example:8000/live",
        "rtsp://{}@camera/1",
        "https://feeds.example/a?token={}&v=1",
        "https://feeds.example/a?v=1&X-Amz-Signature={}#x",
        "https://feeds.example/a?access_key={}",
        'password = "{}"',
        "password={}",
        "wifi-password: {}",
        "PASSWORD='{}'",
        '{{"api_key": "{}", "a": 1}}',
        '{{"private": "{}"}}',
        "broker_passwd = '''{}'''",
        "psk={}",
        "Authorization: Bearer {}",
        "authorization: Basic {}",
        "mosquitto_pub --password {} -t x",
        "secret = \"two {}\\\"words\"",
    ],
)  # fmt: skip
def test_a_secret_is_taken_out_wherever_it_stands(line: str) -> None:
    told = redact(line.format(SECRET))
    assert SECRET not in told
    assert MASK in told


@pytest.mark.parametrize(
    "line",
    [
        'password_file = "/etc/loa/broker-password"',
        'key = "/etc/loa/enrolment-7/node.key"',
        'id = "pole-07"',
        "https://feeds.example/xa-mau/metadata/timestamp.json?v=3",
        "the reader joins: sudo adduser minh loa",
        "relay preamp on; 12 checks passed: all",
        "pin = 17",
        "minh@example.vn wrote",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redact(line) == line


def test_private_keys_go_whole_also_when_they_are_cut_off() -> None:
    told = redact(f"before\n{PRIVATE}\nafter")
    assert told == f"before\n{MASK}\nafter"
    assert "MHcC" not in redact(PRIVATE[:60])


def test_a_known_secret_goes_wherever_it_stands_and_a_short_one_where_it_stands_alone() -> None:
    assert redact(f"x{SECRET}y", [SECRET]) == f"x{MASK}y"
    assert redact("user loa, loa-agent, aloa, pw loa.", ["loa"]) == (
        f"user {MASK}, {MASK}-agent, aloa, pw {MASK}."
    )
    assert redact("unchanged", ["", "  "]) == "unchanged"


@given(
    st.text(max_size=200),
    st.text(st.characters(categories=("L", "N", "P", "S")), min_size=6, max_size=40).filter(
        lambda s: s not in MASK
    ),
    st.text(max_size=200),
)
def test_whatever_is_around_it_a_known_secret_never_passes(before: str, secret: str, after: str) -> None:
    assert secret not in redact(before + secret + after, [secret]).replace(MASK, "")
