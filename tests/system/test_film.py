"""A film on the board of a whole node: its picture on a real X server, its sound at the sink, together."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xcffib
from xcffib import xproto

from tests.support.centre import CentreUnderTest
from tests.support.house import House, open_house, wait_until
from tests.support.pulse import RATE, Sink
from tests.support.screen import xvfb
from tests.support.sound import pitch

HALF_S = 2.0


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with xvfb("640x360") as display:
        yield display


@pytest.fixture(scope="module")
def kiosk(
    centre: CentreUnderTest, sink: Sink, display: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A node with a screen under X."""
    directory = tmp_path_factory.mktemp("cinema")
    screen: dict[str, Any] = {"screen": True, "screen_driver": "x11", "screen_size": (640, 360)}
    with open_house(
        centre, sink, directory, id="kiosk-02", ready=False, env={"DISPLAY": display}, **screen
    ) as house:
        yield house


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Red with a low tone, then blue with a high one."""
    picture = [f"color={colour}:s=320x180:r=25:d={HALF_S}" for colour in ("red", "blue")]
    tone = [f"sine=frequency={hz}:sample_rate=48000:duration={HALF_S}" for hz in (440, 880)]
    joined = f"{picture[0]}[a];{picture[1]}[b];{tone[0]}[c];{tone[1]}[d];[a][c][b][d]concat=n=2:v=1:a=1[v][s]"
    path = tmp_path / "film.mp4"
    subprocess.run(
        [
            *("ffmpeg", "-loglevel", "error", "-y", "-filter_complex", joined, "-map", "[v]", "-map", "[s]"),
            *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "aac", str(path)),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return path


class Eye:
    """Looks at one pixel of an X server's screen."""

    def __init__(self, display: str) -> None:
        self._connection = xcffib.connect(display=display)
        self._root = self._connection.get_setup().roots[0].root

    def colour(self) -> str:
        """What is in the middle of it."""
        get = self._connection.core.GetImage
        reply = get(xproto.ImageFormat.ZPixmap, self._root, 320, 150, 1, 1, 0xFFFFFFFF).reply()
        blue, green, red, _ = reply.data.buf()
        return (
            "red" if red > 200 > 60 > blue else "blue" if blue > 200 > 60 > red else f"{red},{green},{blue}"
        )

    def when(self, colour: str) -> float:
        """The monotonic instant at which it has this colour."""
        wait_until(lambda: self.colour() == colour, 20, f"the screen is {colour}")
        return time.monotonic()


def test_a_film_is_seen_and_heard_together_and_is_in_the_log(kiosk: House, display: str, film: Path) -> None:
    content = {"video": {"media": "media/film.mp4", "sound": True, "fit": "cover"}}
    notice = {"text": {"heading": "Thông báo", "body": "Sáng thứ Hai."}}
    began = time.monotonic()
    kiosk.publish(
        files={film.name: film},
        bulletins=[
            {"id": "film", "content": content},
            {"id": "notice", "duration_s": 5, "content": notice},
        ],
    )
    eye = Eye(display)
    eye.when("red")
    turned = eye.when("blue")
    kiosk.ears.wait_for_sound(turned, seconds=0.5)
    heard = kiosk.ears.since(began)
    step = RATE // 20
    ends = range(2 * step, len(heard.samples), step)
    high = next(end for end in ends if pitch(heard.samples[end - 2 * step : end]) > 660)
    rose = heard.at(high - step)
    assert rose == pytest.approx(turned, abs=0.4), "the picture turned with the tone"
    (play,) = kiosk.wait_for_records(kind="play", title="media/film.mp4")
    assert (play["outcome"], play["class"], play["feed"]) == ("finished", "routine", "commune")
