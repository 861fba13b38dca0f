"""Which streams may be opened: by whom they are sent, in whatever way that is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.streams import StreamHosts, UnclearStream, host_of, read_stream, without_secrets

HOSTS = StreamHosts.of(
    [
        "radio.example",
        "studio.example:8000",
        "*.vov.example",
        "192.0.2.7",
        "[2001:db8::1]:80",
        "239.1.2.3",
        "@:5004",
    ]
)


@pytest.mark.parametrize(
    "url",
    [
        "http://radio.example/a",
        "https://radio.example:8443/a",
        "http://RADIO.Example./a",
        "http://me:secret@radio.example/a",
        "http://studio.example:8000/live",
        "https://a.vov.example/x.m3u8?k=1",
        "https://a.b.vov.example/",
        "http://[2001:db8:0:0::1]/",
        "rtsp://192.0.2.7/a",
        "srt://192.0.2.7:9000?mode=caller",
        "rtp://192.0.2.7:5004",
        "rtp://192.0.2.7@:6000",
        "rtp://192.0.2.7@239.9.9.9:6000",
        "rtp://radio.example:6000",
        "rtp://239.1.2.3:6000",
        "rtp://@239.1.2.3:6000",
        "udp://@239.1.2.3",
        "rtp://@:5004",
        "rtp://:5004",
        "rtp://0.0.0.0:5004",
        "rtp://@10.0.0.5:5004",
    ],
)
def test_who_is_named_may_send(url: str) -> None:
    assert HOSTS.refusal(url) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://evil.example/a", "host evil.example is not allowed"),
        ("http://radio.example.evil.example/", "host radio.example.evil.example is not allowed"),
        ("http://xradio.example/", "host xradio.example is not allowed"),
        ("http://vov.example/", "host vov.example is not allowed"),
        ("http://xvov.example/", "host xvov.example is not allowed"),
        ("http://radio.example@evil.example/", "host evil.example is not allowed"),
        ("http://evil.example#@radio.example/", "host evil.example is not allowed"),
        ("http://evil.example?@radio.example/", "host evil.example is not allowed"),
        ("http://studio.example/", "host studio.example is not allowed"),
        ("http://3221226119/", "host 3221226119 is not allowed"),
        ("http://[::ffff:192.0.2.7]/", "host ::ffff:c000:207 is not allowed"),
        ("https://[2001:db8::1]/", "host 2001:db8::1 is not allowed"),
        ("rtp://@239.1.2.4:5004", "host 239.1.2.4 is not allowed"),
        ("rtp://evil.example@239.1.2.3:5004", "host evil.example is not allowed"),
        ("rtp://@:5006", "port 5006 is not allowed to be open to anybody"),
        ("rtp://0.0.0.0:5006", "port 5006 is not allowed to be open to anybody"),
        ("udp://@10.0.0.5:1", "port 1 is not allowed to be open to anybody"),
        ("http://evil.example\\@radio.example/", "a character that no URL has"),
        ("http://evil.example\t@radio.example/", "a character that no URL has"),
        ("http://radio.example/\n", "a character that no URL has"),
        ("http://rádio.example/", "a character that no URL has"),
        ("http://radio%2eexample/", "neither a host name nor an address"),
        ("http:///a", "names no host"),
        ("http://radio.example:0/", "port 0"),
        ("http://radio.example:99999/", "unclear"),
        ("http://[radio.example/", "unclear"),
        ("srt://@:9000", "names no host"),
        ("srt://192.0.2.7:9000?mode=listener", "mode=listener"),
        ("srt://192.0.2.7:9000?mode=caller&mode=listener", "mode="),
        ("rtp://@radio.example:5004", "behind the @"),
        ("file:///etc/passwd", "file:// is not among"),
        ("http+unix://x", "is not among"),
    ],
)
def test_everything_else_is_refused_and_says_what(url: str, words: str) -> None:
    assert words in (HOSTS.refusal(url) or "")


def test_without_a_list_nothing_may() -> None:
    assert StreamHosts().refusal("https://radio.example/") == "host radio.example is not allowed"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("*", "host name"),
        ("a.*.example", "host name"),
        ("*.192.0.2.1", "whole first part"),
        ("*.", "whole first part"),
        ("@", "must name its port"),
        ("radio.example:0", "between 1 and 65535"),
        ("radio.example:99999", "between 1 and 65535"),
        ("http://radio.example", "must be like"),
        ("radio example", "host name"),
        ("", "must be like"),
    ],
)
def test_an_entry_that_is_none_is_refused(entry: str, words: str) -> None:
    with pytest.raises(UnclearStream, match=words):
        StreamHosts.of([entry])


@given(
    st.text(max_size=60),
    st.sampled_from(["http://", "rtp://", "srt://", "udp://", "", "https://radio.example"]),
)
def test_no_text_does_anything_but_be_allowed_or_refused(rest: str, begin: str) -> None:
    refusal = HOSTS.refusal(begin + rest)
    assert refusal is None or refusal
    host_of(begin + rest)
    without_secrets(begin + rest)


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAME = (
    st.lists(LABEL, min_size=2, max_size=4)
    .map(".".join)
    .filter(lambda name: not name.replace(".", "").isdigit())
)


@given(NAME, NAME, st.sampled_from(["http", "https", "rtsp", "srt", "rtp"]), st.integers(1, 65_535))
def test_a_name_allows_itself_and_a_star_what_is_below_it(a: str, b: str, scheme: str, port: int) -> None:
    plain, star = StreamHosts.of([a]), StreamHosts.of([f"*.{a}"])
    for host, by_name, by_star in (
        (a, True, False),
        (b, a == b, b.endswith(f".{a}")),
        (f"x.{a}", False, True),
    ):
        url = f"{scheme}://{host}:{port}/x"
        assert (plain.refusal(url) is None) == by_name
        assert (star.refusal(url) is None) == by_star


@given(NAME, st.integers(1, 65_535), st.integers(1, 65_535))
def test_an_entry_with_a_port_allows_that_port_only(name: str, allowed: int, asked: int) -> None:
    hosts = StreamHosts.of([f"{name}:{allowed}"])
    assert (hosts.refusal(f"http://{name}:{asked}/") is None) == (allowed == asked)


def test_what_a_reader_is_shown() -> None:
    assert host_of("http://me:secret@radio.example/a") == "radio.example:80"
    assert host_of("rtp://@239.1.2.3:5004") == "239.1.2.3:5004"
    assert host_of("http://[2001:db8::1]/") == "[2001:db8::1]:80"
    assert without_secrets("https://me:secret@radio.example:8000/a@b") == "https://radio.example:8000/a@b"
    assert without_secrets("rtp://studio@239.1.2.3:5004") == "rtp://studio@239.1.2.3:5004"
    assert read_stream("rtp://studio@239.1.2.3").group == "239.1.2.3"
