"""Streams over HTTP: redirects, playlists, HLS, and hosts that are not allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agent.player.tuner import web as tuner_web
from agent.player.tuner.errors import NotAllowed, NotReceived, NotSound
from agent.player.tuner.formats import begin_of, sniff
from agent.player.tuner.hls import segments
from agent.player.tuner.web import Web
from playlists.streams import StreamHosts
from tests.support.broker import free_port
from tests.support.web import Host, cut, drip_body, instead, redirect, stall, status

HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n"


def as_type(kind: str, body: bytes = b"\xff\xfb" + bytes(2_000)) -> Callable[..., None]:
    return instead(body, {"Content-Type": kind})


@pytest.fixture
def host() -> Iterator[Host]:
    with Host({}) as host:
        yield host


@pytest.fixture
def elsewhere() -> Iterator[Host]:
    """A host that nobody allows; it is the same machine by another name."""
    with Host({"a.mp3": b"sound"}) as host:
        yield host


@pytest.fixture
def web(host: Host) -> Iterator[Web]:
    web = Web(StreamHosts.of([f"127.0.0.1:{host.server_address[1]}"]))
    yield web
    web.close()


def asked(host: Host) -> list[str]:
    return [request.path for request in host.requests]


def test_what_comes_is_handed_on_with_its_format(host: Host, web: Web) -> None:
    host.break_path("live", as_type("audio/mpeg; charset=x"))
    incoming = web.open(f"{host.url}live")
    assert incoming.demux == "mp3"
    assert b"".join(incoming.chunks) == b"\xff\xfb" + bytes(2_000)
    assert not incoming.paced  # its length is known: a file


def test_a_redirect_is_followed_on_a_host_that_is_allowed(host: Host, web: Web) -> None:
    host.break_path("live", redirect("/other"))
    host.break_path("other", as_type("audio/ogg"))
    assert web.open(f"{host.url}live").demux == "ogg"


@pytest.mark.parametrize("answer", ["redirect", "m3u", "pls", "hls", "variant", "map"])
def test_no_way_leads_to_a_host_that_is_not_allowed(
    host: Host, elsewhere: Host, web: Web, answer: str
) -> None:
    there = f"{elsewhere.url}a.mp3"
    faults = {
        "redirect": redirect(there),
        "m3u": as_type("audio/x-mpegurl", f"#EXTM3U\n#EXTINF:-1,x\n{there}\n".encode()),
        "pls": as_type("audio/x-scpls", f"[playlist]\nFile1={there}\n".encode()),
        "hls": as_type("audio/mpegurl", f"{HLS.format(first=0)}#EXTINF:2,\n{there}\n".encode()),
        "variant": as_type("audio/mpegurl", f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{there}\n".encode()),
        "map": as_type(
            "audio/mpegurl",
            f'{HLS.format(first=0)}#EXT-X-MAP:URI="{there}"\n#EXTINF:2,\na.mp4\n'.encode(),
        ),
    }
    host.break_path("live", faults[answer])
    with pytest.raises(NotAllowed, match=r"host 127\.0\.0\.1 is not allowed"):
        list(web.open(f"{host.url}live").chunks)
    assert asked(elsewhere) == []


def test_a_redirect_inside_hls_is_looked_at_as_well(host: Host, elsewhere: Host, web: Web) -> None:
    host.break_path("live", as_type("audio/mpegurl", f"{HLS.format(first=0)}#EXTINF:2,\n/a.ts\n".encode()))
    host.break_path("a.ts", redirect(f"{elsewhere.url}a.mp3"))
    with pytest.raises(NotAllowed):
        list(web.open(f"{host.url}live").chunks)
    assert asked(elsewhere) == []


@pytest.mark.parametrize(
    "to", ["ftp://127.0.0.1/a", "file:///etc/passwd", "rtp://@:5004", "//[broken", "http://a\\@127.0.0.1/"]
)
def test_a_redirect_to_something_else_than_the_web_is_refused(host: Host, web: Web, to: str) -> None:
    host.break_path("live", redirect(to))
    with pytest.raises(NotReceived):
        web.open(f"{host.url}live")


def test_redirects_in_a_circle_end(host: Host, web: Web) -> None:
    host.break_path("live", redirect("/live"))
    with pytest.raises(NotReceived, match="more than 5 redirects"):
        web.open(f"{host.url}live")
    assert len(asked(host)) == 5


def test_none_leads_from_https_to_http() -> None:
    with pytest.raises(NotAllowed, match="from https to http"):
        Web(StreamHosts.of(["a.example"]))._aside("https://a.example/live", "http://a.example/live")


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (status(404), NotReceived, "answers 404"),
        (status(503), NotReceived, "answers 503"),
        (as_type("text/html", b"<html>"), NotSound, "sends text/html, no sound"),
        (as_type("audio/x-scpls", b"[playlist]\n"), NotSound, "names no stream"),
        (as_type("audio/mpegurl", b"#EXTM3U\n" + b"#x\n" * 200_000), NotSound, "a playlist of more than"),
        (
            as_type("audio/mpegurl", b"#EXTM3U\n#EXT-X-TARGETDURATION:x\n#EXT-X-ENDLIST"),
            NotSound,
            "HLS playlist",
        ),
    ],
)
def test_what_cannot_be_sounded_is_told(
    host: Host, web: Web, fault: Callable[..., None], error: type[Exception], words: str
) -> None:
    host.break_path("live", fault)
    with pytest.raises(error, match=words):
        list(web.open(f"{host.url}live").chunks)


def test_a_server_that_accepts_and_never_answers(
    host: Host, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuner_web, "ANSWER_S", 0.3)
    host.break_path("live", stall)
    with pytest.raises(NotReceived, match=r"no answer within 0\.3 s"):
        web.open(f"{host.url}live")


def test_a_playlist_that_drips_is_given_up(host: Host, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuner_web, "SLOWEST_PLAYLIST_S", 0.3)
    host.break_path("live.m3u8", drip_body)
    with pytest.raises(NotSound, match="a playlist of more than"):
        web.open(f"{host.url}live.m3u8")


def test_nobody_there_is_told_in_few_words() -> None:
    port = free_port()
    with pytest.raises(NotReceived, match=rf"^127\.0\.0\.1:{port}: connection refused$"):
        Web(StreamHosts.of(["127.0.0.1"])).open(f"http://127.0.0.1:{port}/x")


def test_a_stream_that_is_cut_off_says_so(host: Host, web: Web) -> None:
    host.content = {"live.mp3": bytes(20_000)}
    host.break_path("live", cut(5_000))
    with pytest.raises(NotReceived, match="the connection was cut"):
        list(web.open(f"{host.url}live.mp3").chunks)


class Playlists:
    """A live HLS playlist, one edition after the other; segments are their own names."""

    def __init__(self, *editions: str) -> None:
        self.editions = list(editions)
        self.slept = 0.0
        self.fetched: list[str] = []

    def heard(self, most: int = 100) -> list[str]:
        chunks = segments("http://x/live.m3u8", self.editions.pop(0), self._text, self._chunks, self._sleep)
        found = []
        try:
            for chunk in chunks:
                found.append(chunk.decode())
                if len(found) == most:
                    break
        except NotReceived as error:
            if isinstance(error, NotSound):
                raise
            found.append("end")
        return found

    def _text(self, url: str) -> tuple[str, str]:
        self.fetched.append(url)
        if not self.editions:
            raise NotReceived("gone")
        return url, self.editions.pop(0)

    def _chunks(self, url: str) -> Iterator[bytes]:
        yield url.removeprefix("http://x/").encode()

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds


def edition(first: int, *names: str, end: bool = False) -> str:
    lines = "".join(f"#EXTINF:2,\n{name}\n" for name in names)
    return HLS.format(first=first) + lines + ("#EXT-X-ENDLIST\n" if end else "")


def test_hls_begins_near_the_end_and_goes_on_without_a_gap_or_a_repetition() -> None:
    playlists = Playlists(
        edition(10, *"abcde"), edition(12, *"cdef"), edition(12, *"cdef"), edition(14, *"efgh", end=True)
    )
    assert playlists.heard() == ["c", "d", "e", "f", "g", "h"]
    assert playlists.slept == pytest.approx(3.0)


def test_hls_that_is_numbered_anew_begins_anew() -> None:
    assert Playlists(edition(900, *"abc"), edition(0, *"xyz", end=True)).heard() == [*"abcxyz"]


def test_hls_that_is_a_recording_begins_at_its_beginning() -> None:
    assert Playlists(edition(0, *"abcdef", end=True)).heard() == [*"abcdef"]


def test_of_variants_the_smallest_is_taken() -> None:
    master = "#EXTM3U\n" + "".join(
        f"#EXT-X-STREAM-INF:BANDWIDTH={rate}\n{name}.m3u8\n"
        for name, rate in (("big", 128_000), ("small", 48_000))
    )
    playlists = Playlists(master, edition(0, "a", end=True))
    assert playlists.heard() == ["a"]
    assert playlists.fetched == ["http://x/small.m3u8"]


def test_hls_that_brings_nothing_new_ends() -> None:
    playlists = Playlists(*[edition(0, *"abc")] * 50)
    assert playlists.heard() == ["a", "b", "c", "end"]


@pytest.mark.parametrize(
    ("line", "words"),
    [('#EXT-X-KEY:METHOD=AES-128,URI="k"', "encrypted"), ("#EXT-X-BYTERANGE:100@0", "byte ranges")],
)
def test_hls_that_cannot_be_read_is_told(line: str, words: str) -> None:
    text = f"{HLS.format(first=0)}{line}\n#EXTINF:2,\na\n#EXT-X-ENDLIST\n"
    with pytest.raises(NotSound, match=words):
        Playlists(text).heard()


@pytest.mark.parametrize(
    ("begin", "demux"),
    [
        (b"OggS\0", "ogg"),
        (b"fLaC", "flac"),
        (b"RIFF....WAVE", "wav"),
        (b"\0\0\0\x18ftypiso5", "mp4"),
        (b"G" + bytes(187) + b"G" + bytes(300), "ts"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"ID3\x04\0\0\0\0\0\x05.....\xff\xf1\x50", "aac"),
        (b"ID3\x04\0\0\0\0\0\x05.....\xff\xfb\x50", "mp3"),
        (b"#EXTM3U\nhttp://elsewhere.example/", "mp3"),
        (b"", "mp3"),
    ],
)
def test_a_format_is_known_by_its_first_bytes(begin: bytes, demux: str) -> None:
    assert sniff(begin) == demux


def test_looking_at_the_first_bytes_loses_none() -> None:
    chunks = [b"a" * 100, b"b" * 500, b"c" * 100]
    begin, whole = begin_of(iter(chunks))
    assert begin == b"a" * 100 + b"b" * 500
    assert b"".join(whole) == b"".join(chunks)
