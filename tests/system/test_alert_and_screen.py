"""The board, and what a storm does to it: an alert takes sound and screen, its Cancel gives both back."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent.screen.theme import ALARMS, INK, THEMES, WHITE
from tests.support.centre import CentreUnderTest
from tests.support.house import LONG_HZ, House, in_s, media, open_house, speech, wait_until
from tests.support.node import ROOT
from tests.support.pictures import pixels, share
from tests.support.pulse import Sink
from tests.support.sound import sine, write_wav

SAMPLE = ROOT / "agent" / "station" / "sample"
ALARM = ALARMS["emergency"].ground
BOARD = {
    "bulletins": [
        {
            "id": "welcome",
            "content": {"text": {"heading": "Lịch tiêm chủng", "body": "Trạm y tế xã, thứ Tư, 7 giờ 30."}},
        },
        {"id": "running", "zone": "ticker", "content": {"text": {"body": "Kính chào bà con"}}},
    ],
    "layouts": [
        {
            "id": "default",
            "grid": [16, 9],
            "zones": [
                {"id": "main", "at": [0, 0, 16, 8]},
                {"id": "ticker", "at": [0, 8, 13, 1], "kind": "ticker"},
                {"id": "clock", "at": [13, 8, 3, 1], "kind": "clock"},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def kiosk(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node with a screen."""
    directory = tmp_path_factory.mktemp("kiosk")
    with open_house(
        centre, sink, directory, id="kiosk-01", screen=True, screen_size=(640, 360), ready=False
    ) as house:
        yield house


@pytest.fixture
def house(kiosk: House) -> Iterator[House]:
    """That node, at rest afterwards."""
    yield kiosk
    kiosk.quiet()


@pytest.fixture
def board(house: House) -> House:
    """The node, showing a board."""
    house.publish(**BOARD)
    wait_until(lambda: "commune/welcome" in showing(house), 10, f"the board is shown: {showing(house)}")
    return house


def showing(house: House) -> list[str]:
    """What the node says its screen shows."""
    found: list[str] = house.node.health()["now"]["screen"]["showing"]
    return found


def picture(house: House, path: Path):  # type: ignore[no-untyped-def]
    """The screen as it is now."""
    house.node.screenshot(path)
    return pixels(path)


def cap(name: str) -> str:
    """A CAP document of the sample commune, in Vietnamese and in few words."""
    text = (SAMPLE / name).read_text(encoding="utf-8")
    text = re.sub(r"(?s)(<info>.*?</info>).*(</alert>)", r"\1\2", text)
    return re.sub(r"(?s)<(description|instruction)>.*?</\1>", r"<\1>Bão tan.</\1>", text)


def test_a_board_is_painted_with_its_zones(board: House, tmp_path: Path) -> None:
    seen = picture(board, tmp_path / "board.png")
    theme = THEMES["dark"]
    assert seen.shape == (360, 640, 3)
    main = seen[:320]
    assert share(main, theme.surface) > 0.4
    assert 0.005 < share(main, theme.text, 60) < 0.3
    assert share(seen, ALARM) == 0
    screen = board.node.health()["now"]["screen"]
    assert (screen["driver"], screen["size"], screen["layout"]) == ("offscreen", [640, 360], "default")


def test_the_ticker_moves_and_the_rest_stands_still(board: House, tmp_path: Path) -> None:
    first = picture(board, tmp_path / "1.png")

    def moved() -> bool:
        second = picture(board, tmp_path / "2.png")[325:, :520]
        return share(second, THEMES["dark"].text, 60) > 0.002 and bool((first[325:, :520] != second).any())

    wait_until(moved, 5, "the ticker has come in")
    second = picture(board, tmp_path / "3.png")
    assert (first[:300] == second[:300]).all()


def test_an_alert_takes_sound_and_screen_and_its_cancel_gives_both_back(board: House, tmp_path: Path) -> None:
    house = board
    house.all_is_stored()
    known = len(house.centre.records(node=house.id, kind="alert"))  # the kiosk is other tests' too
    house.publish({"id": "long", "start": in_s(1.2).isoformat(), "items": [media("long")]}, **BOARD)
    began = time.monotonic()
    house.wait_for_moment("sound", "long", "started")
    house.ears.wait_for_sound(began, seconds=0.6)
    before = picture(house, tmp_path / "before.png")

    sent = time.monotonic()
    alert = house.command("alert", cap=cap("alert-storm.xml"))
    house.centre.wait_for_receipt(alert, "started")
    taken = house.wait_for_moment("screen", "", "takeover", after=sent)
    assert taken["monotonic_s"] - sent < 1.0
    during = picture(house, tmp_path / "during.png")
    assert share(during, ALARM) > 0.5
    assert share(during, ALARMS["emergency"].text, 30) > 0.01
    sounds = house.sounds()
    assert sounds is not None and sounds["alert"]
    alarm = house.ears.stretches(sent + 0.5, time.monotonic(), apart_s=0.5)
    assert all(abs(s.hz - LONG_HZ) > 5 for s in alarm)

    cancel = house.command("alert", cap=cap("alert-storm-cancel.xml"))
    house.wait_for_moment("screen", "", "board again", after=sent)
    assert house.ended(alert).state == "interrupted"
    house.ended(cancel, 30)
    resumed = house.wait_for_moment("sound", "long", "resumed", after=sent)
    after = picture(house, tmp_path / "after.png")
    assert share(after, ALARM) == 0
    assert (after[:300] == before[:300]).mean() > 0.99
    house.ears.wait_for_sound(resumed["monotonic_s"] - 0.1, seconds=0.6)
    assert house.ears.stretches(resumed["monotonic_s"] + 0.1)[-1].hz == pytest.approx(LONG_HZ, abs=3)
    kinds = [record["text"] for record in house.wait_for_records(known + 2, kind="alert")[known:]]
    assert kinds[0] == "in force"
    assert "cancelled" in kinds[1]


def test_an_alert_is_heard_in_its_own_recording_and_not_where_its_area_leaves_the_node_out(
    board: House, tmp_path: Path
) -> None:
    house = board
    began = time.monotonic()
    content = write_wav(tmp_path / "read.wav", sine(1_500.0, 0.8)).read_bytes()
    digest = hashlib.sha1(content).hexdigest()
    inline = base64.b64encode(content).decode()
    resource = (
        "<resource><resourceDesc>x</resourceDesc><mimeType>audio/wav</mimeType>"
        f"<derefUri>{inline}</derefUri><digest>{digest}</digest></resource><area>"
    )
    document = cap("alert-storm.xml").replace("0007", "0100").replace("<area>", resource)
    read = house.command("alert", cap=document)
    assert house.ended(read).state == "finished"
    heard = house.ears.stretches(began, apart_s=0.02)
    assert heard[-1].hz == pytest.approx(1_500.0, abs=5)
    assert heard[-1].seconds == pytest.approx(0.8, abs=0.1)
    assert house.sounds() is None
    assert house.node.health()["now"]["screen"]["takeover"] is not None

    update = cap("alert-storm-cancel.xml").replace(">Cancel<", ">Update<").replace("0008", "0101")
    elsewhere = "<area><areaDesc>Hà Giang</areaDesc><circle>22.8,104.9 40</circle></area></info>"
    away = re.sub(r"(?s)(<area>.*)?</info>", elsewhere, update).replace("0007", "0100")
    lifted = house.command("alert", cap=away)
    house.wait_for_moment("screen", "", "board again", after=began)
    house.centre.wait_for_receipt(lifted, "started")
    texts = [record["text"] for record in house.wait_for_records(1, kind="alert", command=lifted.id)]
    assert any("leaves this node out" in text for text in texts)


def test_a_test_alert_is_never_voiced_as_real(board: House) -> None:
    house = board
    began = time.monotonic()
    test = house.command(
        "alert", cap=cap("alert-storm.xml").replace("Actual", "Test").replace("0007", "0099")
    )
    ended = house.ended(test)
    assert ended.state == "finished"
    assert "Test" in (ended.reason or "") or "test" in (ended.reason or "")
    assert house.ears.stretches(began) == []
    assert house.node.health()["now"]["screen"]["takeover"] is None


def test_the_words_are_on_the_board_while_they_are_heard(board: House, tmp_path: Path) -> None:
    house = board
    before = picture(house, tmp_path / "before.png")[:315]
    first = "Kính mời bà con đến nhà văn hóa thôn để bàn về việc làm đường."
    began = time.monotonic()
    command = house.announce(speech(f"{first} Xin cảm ơn bà con đã lắng nghe."))
    bands = []
    while house.sounds() is not None:
        asked = time.monotonic()
        seen = picture(house, tmp_path / f"{len(bands)}.png")
        bands.append(((asked + time.monotonic()) / 2, seen[250:315]))
    assert house.ended(command).state == "finished"
    spoken = [(at, band) for at, band in bands if share(band, INK, 3) > 0.5]
    assert all(share(band, WHITE, 40) > 0.01 for _, band in spoken), "there are letters on it"
    heard = house.ears.stretches(began, apart_s=0.25)
    assert spoken[0][0] - heard[0].began < 1.0
    changed = next(at for (_, one), (at, other) in pairwise(spoken) if (one != other).mean() > 0.01)
    print(f"second sentence: seen {changed - heard[-1].began:+.2f} s from when it was heard")
    assert abs(changed - heard[-1].began) < 1.0

    def is_whole() -> bool:
        return bool((picture(house, tmp_path / "after.png")[:315] == before).all())

    wait_until(is_whole, 5, "the board is whole again")


def test_a_picture_reaches_the_centre_by_command(board: House) -> None:
    command = board.command("screenshot", width=320)
    board.centre.wait_for_receipt(command, "finished")

    def uploaded() -> bytes | None:
        archive = board.centre.archive()
        try:
            return archive.upload(command.id)
        finally:
            archive.close()

    png = wait_until(uploaded, 10, "the picture is at the centre")
    seen = pixels(png)
    assert seen.shape == (180, 320, 3)
    assert share(seen, THEMES["dark"].surface, 10) > 0.3


def test_the_socket_lets_owner_and_group_in_and_nobody_else(board: House) -> None:
    state = board.node.socket.stat()
    assert stat.S_ISSOCK(state.st_mode)
    assert stat.S_IMODE(state.st_mode) == 0o660
    assert state.st_uid == os.getuid()


def test_showings_are_summed_and_reported_when_the_node_ends(board: House) -> None:
    house = board
    house.node.stop()
    shows = house.wait_for_records(1, kind="show", bulletin="welcome", outcome="finished")
    house.node.start()
    assert all(record["shown_s"] > 0 and record["shown"] >= 1 for record in shows)
    wait_until(lambda: house.feed()["state"] == "current", 15, "the feed is current")


def test_the_pole_says_and_shows_who_it_is(board: House, tmp_path: Path) -> None:
    # the last test here: its number stays on the board for a while
    house = board
    began = time.monotonic()
    assert house.node.ask("identify")["number"] == "0007"
    house.wait_for_moment("screen", "identify", "takeover", after=began)
    seen = picture(house, tmp_path / "identify.png")
    assert share(seen, ALARMS["routine"].ground) > 0.5
    house.ears.wait_for_sound(began, seconds=0.3)
    wait_until(lambda: house.sounds() is None, 15, "it has been said")
