"""What is really seen: a screen that goes black or freezes, is turned, rests, is touched, shows a film."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from agent.screen.manner import Manner
from agent.screen.protocol import (
    act_message,
    board_message,
    break_message,
    clear_message,
    picture_message,
    ping_message,
    quit_message,
    rest_message,
    takeover_message,
)
from agent.screen.theme import ALARMS, THEMES
from tests.agent.screen.test_worker import CLOCK, MAIN, OFFSCREEN, STORM, TICKER
from tests.support.screen import Child, board, grab, worker, xvfb
from tests.support.wait import wait_until

FILM_S = 1.2


def manner(**fields: Any) -> tuple[str, str]:
    return "--manner", Manner(**{"look_each_s": 0.3, "transitions": False, **fields}).to_json()


def seconds_shown(child: Child) -> dict[str, float]:
    sums: dict[str, float] = {}
    for said in child.said:
        if said["event"] == "shown":
            sums[said["bulletin"]] = sums.get(said["bulletin"], 0.0) + said["seconds"]
    return sums


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with xvfb() as display:
        yield display


@pytest.mark.parametrize("breakage", ["black", "frozen"])
def test_under_x_a_screen_that_does_not_show_what_is_drawn_is_seen_and_counts_for_nothing(
    display: str, breakage: str
) -> None:
    with worker("--driver", "x11", *manner(), DISPLAY=display) as child:
        child.send(board(MAIN, TICKER))
        child.heard("showing", showing=["a", "t"])
        child.send(break_message(breakage))
        assert child.heard("seen", state=breakage)["reason"]
        child.send(takeover_message(STORM))
        child.heard("showing", takeover="storm")
        if breakage == "frozen":
            # a third of a second of a takeover that nobody sees is no news: the screen is known not to show it
            assert [s["state"] for s in child.said if s["event"] == "seen"] == ["frozen"]
        child.send(clear_message(), break_message(None))
        child.heard("ready", driver=None)
        wait_until(lambda: child.said[-1]["event"] == "showing", 15, "it shows again")
        child.send(quit_message())
        child.process.wait(15)
        child.end()
        assert seconds_shown(child)["a"] < 20


@pytest.mark.parametrize("breakage", ["black", "frozen"])
def test_where_nothing_but_the_window_can_be_looked_at_a_broken_screen_is_seen_too(breakage: str) -> None:
    with worker(*OFFSCREEN, *manner()) as child:
        child.send(board(MAIN, TICKER))
        child.heard("showing", showing=["a", "t"])
        child.send(break_message(breakage))
        child.heard("seen", state=breakage)
        child.send(quit_message())
        assert child.process.wait(15) == 0
        child.end()
        last = [said for said in child.said if said["event"] == "shown" and said["bulletin"] == "a"][-1]
        assert last["seconds"] < 15


def test_a_window_over_the_board_is_seen(display: str) -> None:
    cover = (
        "import xcffib, time; from xcffib import xproto; c = xcffib.connect(); s = c.get_setup().roots[0];"
        "w = c.generate_id(); c.core.CreateWindow(s.root_depth, w, s.root, 0, 0, 1280, 500, 0,"
        "xproto.WindowClass.InputOutput, s.root_visual, xproto.CW.BackPixel | xproto.CW.OverrideRedirect,"
        "[0xff00ff, 1]); c.core.MapWindow(w); c.flush(); time.sleep(60)"
    )
    with worker("--driver", "x11", *manner(), DISPLAY=display) as child:
        child.send(board(MAIN))
        child.heard("showing", showing=["a"])
        with subprocess.Popen([sys.executable, "-c", cover], env={"DISPLAY": display}) as window:
            try:
                assert "something other than what was drawn" in child.heard("seen", state="frozen")["reason"]
            finally:
                window.kill()
        child.heard("seen", state="well")


def test_a_screen_that_is_pulled_out_is_seen_and_taken_again_when_it_comes_back(
    display: str, tmp_path: Path
) -> None:
    status = tmp_path / "sys/class/drm/card1-HDMI-A-1/status"
    status.parent.mkdir(parents=True)
    status.write_text("connected\n")
    # as `python -m agent.screen --driver x11`, on a machine with a socket for HDMI
    code = (
        "import sys; from pathlib import Path; from agent.child import take_over_pipes;"
        "from drivers.outputs import connected_outputs; from agent.screen.manner import Manner;"
        "from agent.screen.display_environment import prepare_environment; v = take_over_pipes();"
        "prepare_environment('x11'); from agent.screen.worker import Options, Worker;"
        "options = Options(manner=Manner(look_each_s=0.3)); root = Path(sys.argv[1]);"
        "Worker(options, v, outputs=lambda: connected_outputs(root)).run()"
    )
    with worker(str(tmp_path), start=("-c", code), DISPLAY=display) as child:
        child.send(board(MAIN))
        child.heard("showing", showing=["a"])
        status.write_text("disconnected\n")
        child.heard("seen", state="unplugged")
        status.write_text("connected\n")
        child.heard("ready", driver=None, reason="a screen was plugged in")
        wait_until(lambda: child.said[-1]["event"] == "showing", 15, "it shows again")


def test_a_well_screen_is_never_called_broken(display: str) -> None:
    with worker("--driver", "x11", *manner(transitions=True), DISPLAY=display) as child:
        turning = MAIN | {
            "bulletins": [
                {"id": f"b{n}", "duration_s": 1, "text": {"heading": f"Thông báo {n}"}} for n in range(3)
            ]
        }
        child.send(board(turning, TICKER, CLOCK))
        child.heard("showing", showing=["b2", "t"])
        child.send(takeover_message(STORM))
        child.heard("showing", takeover="storm")
        child.send(clear_message(), rest_message(resting=True))
        child.heard("showing", showing=[])
        child.send(rest_message(resting=False))
        count = len(child.said)
        wait_until(lambda: [s for s in child.said[count:] if s["event"] == "showing"], 15, "it is back")
        assert not [said for said in child.said if said["event"] == "seen"]


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"rotate": 90}, (720, 1280)),
        ({"rotate": 180, "overscan_percent": 5.0}, (1152, 648)),
        ({"rotate": 270, "shift_px": 4}, (712, 1272)),
    ],
)
def test_a_turned_picture_is_on_the_screen_as_the_screenshot_says(
    display: str, tmp_path: Path, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    with worker("--driver", "x11", *manner(**fields), DISPLAY=display) as child:
        child.send(board(MAIN))
        ready = child.heard("ready")
        assert (ready["size"], ready["canvas"]) == ([1280, 720], list(size))
        child.heard("showing", showing=["a"])
        child.send(picture_message("p", tmp_path / "p.png"))
        assert child.heard("picture", request="p")["size"] == list(size)
        with Image.open(tmp_path / "p.png") as image:
            picture = image.convert("RGB")
        turned = picture.rotate(-fields["rotate"], expand=True)
        left = (1280 - turned.width) // 2, (720 - turned.height) // 2
        box = (*left, left[0] + turned.width, left[1] + turned.height)

        def same() -> bool:
            seen = grab(display, tmp_path / "x.png")
            ground = THEMES["dark"].ground
            margin_is_ground = seen.getpixel((0, 0)) == seen.getpixel((1279, 719)) == ground
            return margin_is_ground and ImageChops.difference(seen.crop(box), turned).getbbox() is None

        wait_until(same, 15, "the window shows it")


def test_a_screen_that_rests_is_black_but_for_an_emergency(tmp_path: Path) -> None:
    def colours(name: str) -> set[tuple[int, int, int]]:
        child.send(picture_message(name, tmp_path / f"{name}.png"))
        child.heard("picture", request=name, reason=None)
        with Image.open(tmp_path / f"{name}.png") as image:
            return {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []}  # type: ignore[misc]

    with worker(*OFFSCREEN, *manner()) as child:
        child.send(board(MAIN, TICKER, CLOCK))
        child.heard("showing", showing=["a", "t"])
        child.send(rest_message(resting=True))
        child.heard("showing", showing=[], takeover=None)
        assert colours("rest") == {(0, 0, 0)}
        child.send(ping_message(1))
        frames = child.heard("pong", n=1)["frames"]
        child.send(takeover_message(STORM))
        child.heard("showing", takeover="storm")
        assert ALARMS["emergency"].ground in colours("storm")
        child.send(clear_message())
        wait_until(lambda: child.said[-1].get("takeover", "") is None, 15, "the takeover is over")
        assert colours("again") == {(0, 0, 0)}
        child.send(ping_message(2))
        assert child.heard("pong", n=2)["frames"] < frames + 10, "nothing moves while it rests"
        child.send(rest_message(resting=False))
        wait_until(lambda: child.said[-1].get("showing") == ["a", "t"], 15, "the board is back")
        assert len(colours("awake")) > 50


def test_what_a_finger_presses_is_done_and_told(display: str) -> None:
    zone = MAIN | {
        "bulletins": [
            {"id": "a", "duration_s": 60, "text": {"heading": "Một"}},
            {"id": "b", "duration_s": 60, "text": {"heading": "Hai"}, "language": "en"},
        ]
    }
    with worker("--driver", "x11", *manner(touch=True), DISPLAY=display) as child:
        child.send(board(zone))
        child.heard("showing", showing=["a"])
        # six buttons below the zone: back, next, read, language, useful, useless
        for x, then in (
            (1280 * 5 // 12 // 1, ("touched", {"action": "read", "bulletin": "a"})),
            (1280 * 9 // 12, ("touched", {"action": "useful", "bulletin": "a"})),
            (1280 * 3 // 12, ("showing", {"showing": ["b"]})),
        ):
            press(display, x, 600)
            child.heard(then[0], **then[1])
        child.send(act_message("back"))
        wait_until(lambda: child.said[-1].get("showing") == ["a"], 15, "the one before is back")
        press(display, 1280 * 7 // 12, 600)
        press(display, 1280 * 7 // 12, 600)
        wait_until(lambda: child.said[-1].get("showing") == ["b"], 15, "in the other language")


def test_a_finger_is_heard_soon_while_a_ticker_runs(display: str) -> None:
    """The window server's word of it may come with the answer to a frame, and wakes nobody then."""
    with worker("--driver", "x11", *manner(touch=True), DISPLAY=display) as child:
        two = [{"id": name, "duration_s": 60, "text": {"heading": name}} for name in "ab"]
        child.send(board(MAIN | {"bulletins": two}, TICKER))
        child.heard("showing", showing=["a", "t"])
        for count in range(1, 6):
            press(display, 1280 * 3 // 12, 600)  # the next one
            began = time.monotonic()
            wait_until(
                lambda count=count: child.said[-1].get("showing") == ["ab"[count % 2], "t"], 5, "it is heard"
            )
            assert time.monotonic() - began < 0.6


def press(display: str, x: int, y: int) -> None:
    """A finger, by the X server's own test extension (XTEST)."""
    code = (
        "import sys, xcffib, xcffib.xtest as t; c = xcffib.connect(); r = c.get_setup().roots[0].root;"
        "x = c(t.key); p = [x.FakeInput(k, d, 0, r, int(sys.argv[1]), int(sys.argv[2]), 0, is_checked=True)"
        " for k, d in ((6, 0), (4, 1), (5, 1))]; [q.check() for q in p]"
    )
    subprocess.run([sys.executable, "-c", code, str(x), str(y)], env={"DISPLAY": display}, check=True)


# -- films -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films, good and bad: red, then blue, with a tone."""
    folder = tmp_path_factory.mktemp("films")
    half = FILM_S / 2
    source = f"color=red:s=320x180:r=25:d={half}[a];color=blue:s=320x180:r=25:d={half}[b];[a][b]concat=n=2"
    tone = f"sine=frequency=440:duration={FILM_S}"
    subprocess.run(
        [
            *("ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", tone),
            *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "aac", str(folder / "film.mp4")),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    whole = (folder / "film.mp4").read_bytes()
    (folder / "noise.mp4").write_bytes(bytes(n * 7 % 251 for n in range(50_000)))
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    (folder / "empty.mp4").write_bytes(b"")
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", tone, str(folder / "sound.mp4")],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    # it claims ten hours: `duration` of its movie and track headers, in timescale units (ISO/IEC 14496-12)
    lying = bytearray(whole)
    for box, offset in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):
        at = lying.find(box)
        while at >= 0:
            lying[at + offset - 4 + 4 : at + offset + 4] = (36_000_000).to_bytes(4, "big")
            at = lying.find(box, at + 4)
    (folder / "lying.mp4").write_bytes(lying)
    return folder


def film(name: str, path: Path, **fields: Any) -> dict[str, Any]:
    return {"id": name, "duration_s": 600, "video": {"path": str(path), **fields}}


def film_board(*bulletins: dict[str, Any]) -> dict[str, Any]:
    zone = {"id": "main", "kind": "bulletins", "at": [0, 0, 16, 9], "bulletins": list(bulletins)}
    return board_message({"layout": "default", "grid": [16, 9], "zones": [zone]})


def test_a_film_is_seen_to_its_end_and_then_it_is_the_next_one_s_turn(films: Path, tmp_path: Path) -> None:
    still = {"id": "still", "duration_s": 1, "text": {"heading": "Thông báo"}}
    with worker(*OFFSCREEN, *manner()) as child:
        child.send(film_board(film("film", films / "film.mp4", fit="cover"), still))
        child.heard("showing", showing=["film"])
        seen: list[str] = []
        for number in range(200):
            path = tmp_path / "now.png"
            child.send(picture_message(f"p{number}", path))
            child.heard("picture", request=f"p{number}", reason=None)
            with Image.open(path) as image:
                red, green, blue = image.convert("RGB").getpixel((640, 360))  # type: ignore[misc]
            colour = "red" if red > 200 and blue < 60 else "blue" if blue > 200 and red < 60 else "other"
            assert green < 255
            if not seen or seen[-1] != colour:
                seen.append(colour)
            if any(s["event"] == "showing" and s["showing"] == ["still"] for s in child.said):
                break
        assert seen[:2] == ["red", "blue"]
        child.heard("showing", showing=["still"])
        assert not [said for said in child.said if said["event"] == "failed"]


def test_films_that_cannot_be_shown_cost_their_turn_and_nothing_else(films: Path) -> None:
    bad = [film(name, films / f"{name}.mp4") for name in ("noise", "empty", "sound", "missing", "cut")]
    still = {"id": "still", "duration_s": 1, "text": {"heading": "Thông báo"}}
    with worker(*OFFSCREEN, *manner()) as child:
        child.send(film_board(*bad, still))
        for name in ("noise", "empty", "sound", "missing"):
            assert f"film {name}.mp4: " in child.heard("failed", bulletin=name)["reason"]
        child.heard("showing", showing=["still"])
        child.send(ping_message(1))
        child.heard("pong", n=1)


def test_a_film_that_lies_about_its_length_is_over_when_it_is_over(films: Path) -> None:
    still = {"id": "still", "duration_s": 1, "text": {"heading": "Thông báo"}}
    with worker(*OFFSCREEN, *manner()) as child:
        child.send(film_board(film("lying", films / "lying.mp4"), still))
        child.heard("showing", showing=["lying"])
        child.heard("showing", showing=["still"])


def test_a_film_whose_process_is_killed_is_over_and_the_next_turn_opens_another(films: Path) -> None:
    still = {"id": "still", "duration_s": 1, "text": {"heading": "Thông báo"}}
    with worker(*OFFSCREEN, *manner()) as child:
        child.send(film_board(film("film", films / "film.mp4"), still))
        child.heard("showing", showing=["film"])
        for pid in children_of(child.process.pid):
            subprocess.run(["kill", "-9", str(pid)], check=True)
        child.heard("showing", showing=["still"])
        count = len(child.said)
        wait_until(
            lambda: [s for s in child.said[count:] if s.get("showing") == ["film"]], 15, "it comes again"
        )


def test_a_film_with_sound_waits_to_be_told_and_stands_still_under_a_takeover(films: Path) -> None:
    still = {"id": "still", "duration_s": 1, "text": {"heading": "Thông báo"}}
    with worker(*OFFSCREEN, *manner()) as child:
        child.send(film_board(film("film", films / "film.mp4", sound=True), still))
        child.heard("film", bulletin="film", waits=True)
        child.send({"op": "film", "bulletin": "film", "at": None}, takeover_message(STORM))
        child.heard("showing", takeover="storm")
        # nothing is waited for here: the film must not end meanwhile
        with pytest.raises(AssertionError):
            wait_until(lambda: child.said[-1].get("showing") == ["still"], FILM_S + 0.5, "it goes on")
        child.send(clear_message())
        child.heard("showing", showing=["still"])
        child.heard("film", bulletin="film", waits=False)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]


def test_a_picture_that_wanders_takes_its_ground_with_it_and_goes_on(display: str, tmp_path: Path) -> None:
    # as `python -m agent.screen --driver x11`, but each step comes after a third of a second
    code = (
        "from agent.screen import display_environment as e, fitting; fitting.WANDER_EACH_S = 0.3;"
        "from agent.child import take_over_pipes; v = take_over_pipes(); e.prepare_environment('x11');"
        "from agent.screen.worker import Options, Worker; from agent.screen.manner import Manner;"
        "Worker(Options(manner=Manner(shift_px=4, look_each_s=0.3)), v).run()"
    )
    turning = MAIN | {
        "bulletins": [
            {"id": f"b{n}", "duration_s": 1, "text": {"heading": f"Thông báo {n}"}} for n in range(2)
        ]
    }
    ground, surface = THEMES["dark"].ground, THEMES["dark"].surface
    with worker(start=("-c", code), DISPLAY=display) as child:
        child.send(board(turning, TICKER))
        child.heard("showing", showing=["b1", "t"])
        places: set[tuple[int, int]] = set()

        def wandered() -> bool:
            seen = grab(display, tmp_path / "x.png")
            edge = [seen.getpixel((x, 0)) for x in range(0, 1280, 40)]
            assert set(edge) == {ground}
            left = next(x for x in range(80) if seen.getpixel((x, 300)) != ground)
            top = next(y for y in range(80) if seen.getpixel((640, y)) == surface)
            places.add((left, top))
            return len(places) >= 3

        wait_until(wandered, 20, "it wanders")
        count = len(child.said)
        wait_until(lambda: [s for s in child.said[count:] if s["event"] == "showing"], 15, "it goes on")
        assert not [said for said in child.said if said["event"] in {"seen", "failed"}]
