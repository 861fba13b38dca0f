"""Alerts take sound and screen, survive a restart, and end when they should."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.conductor.workers import UNANSWERED
from agent.worker import WorkerDied, WorkerSaid, WorkerStarted
from tests.agent.conductor.fakes import START, House, programme

SOON = START + timedelta(seconds=60)


class FakeScreen:
    """A screen that shows whatever it is told."""

    def __init__(self) -> None:
        self.alive = True
        self.sent: list[dict[str, Any]] = []

    def start(self) -> None:
        """It is told to be ready by the test."""

    def stop(self) -> None:
        self.alive = False

    def kill(self, reason: str) -> None:
        self.alive = False

    def send(self, message: dict[str, Any]) -> bool:
        self.sent.append(message)
        return self.alive

    def ops(self, op: str) -> list[dict[str, Any]]:
        return [message for message in self.sent if message["op"] == op]


def say(house: House, **message: Any) -> None:
    house.conductor.post(WorkerSaid("screen", message))
    house.run_for(0.0)


@pytest.fixture
def screen() -> FakeScreen:
    return FakeScreen()


@pytest.fixture
def house(build, screen: FakeScreen) -> House:
    house: House = build(screen=screen)
    house.conductor.post(WorkerStarted("screen", 7))
    say(house, event="ready", driver="offscreen", size=[1280, 720])
    return house


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S-00:00")


def cap(
    identifier: str, house: House, kind: str = "Alert", *, for_s: float = 600, names: str = "", **parts: str
) -> str:
    now = house.clock.now()
    references = f"<references>{names}</references>" if names else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{identifier}</identifier><sender>pctt@tinh.example</sender><sent>{stamp(now)}</sent>
<status>{parts.get("status", "Actual")}</status><msgType>{kind}</msgType><scope>Public</scope>{references}
<info><language>vi</language><category>Met</category><event>Bão</event><urgency>Immediate</urgency>
<severity>Extreme</severity><certainty>Observed</certainty><expires>{stamp(now + timedelta(seconds=for_s))}</expires>
<headline>Bão số 9</headline><description>Bão đổ bộ.</description><instruction>Sơ tán ngay.</instruction>
{parts.get("resource", "")}<area><areaDesc>Xã Mẫu</areaDesc>{parts.get("area", "")}</area></info></alert>"""


def name_of(document: str) -> str:
    """The document as another one refers to it."""
    sent = document.partition("<sent>")[2].partition("</sent>")[0]
    identifier = document.partition("<identifier>")[2].partition("</identifier>")[0]
    return f"pctt@tinh.example,{identifier},{sent}"


def test_an_alert_takes_sound_and_screen_and_gives_them_back(house: House, screen: FakeScreen) -> None:
    house.schedule(programme("music", SOON, "long.mp3"))
    house.run_for(100)
    house.command("c1", type="alert", cap=cap("A1", house, for_s=60))
    asked = house.now
    house.run_for(20)
    first = house.heard("alert/")[0]
    assert first.began - asked < 0.1
    assert screen.ops("takeover")[0]["takeover"]["headline"] == "Bão số 9"
    assert house.receipts("c1") == ["started", "finished"]
    assert house.heard("music")[-1].began > first.began
    house.run_for(60)
    assert screen.sent[-1]["op"] == "clear"
    assert [r.text for r in house.records(kind="alert")] == ["in force", "expired"]


def test_it_ends_by_itself_in_mid_sentence(house: House) -> None:
    house.library.lengths.clear()
    house.node.sounds.forget_failures()
    document = cap("A1", house, for_s=2)
    house.command("c1", type="alert", cap=document)
    house.run_for(30)
    assert all(h.ended - h.began < 3 for h in house.heard("alert/"))
    assert house.receipts("c1")[-1] == "interrupted"


def test_a_cancel_silences_it_and_tells(house: House, screen: FakeScreen) -> None:
    document = cap("A1", house)
    house.command("c1", type="alert", cap=document)
    house.run_for(2)
    house.command("c2", type="alert", cap=cap("A2", house, "Cancel", names=name_of(document)))
    house.run_for(30)
    assert house.receipts("c1") == ["started", "interrupted"]
    assert house.receipts("c2")[-1] == "finished"
    assert [m["op"] for m in screen.sent if m["op"] in ("takeover", "clear")][-1] == "clear"


def test_an_update_takes_its_place(house: House, screen: FakeScreen) -> None:
    document = cap("A1", house)
    house.command("c1", type="alert", cap=document)
    house.run_for(2)
    house.command("c2", type="alert", cap=cap("A2", house, "Update", names=name_of(document)))
    house.run_for(30)
    assert house.receipts("c1") == ["started", "interrupted"]
    assert house.receipts("c2") == ["started", "finished"]
    assert screen.ops("takeover")[-1]["takeover"]["id"] == "A2"


def test_an_exercise_never_hides_what_is_meant_in_earnest(house: House, screen: FakeScreen) -> None:
    house.command("c1", type="alert", cap=cap("A1", house))
    house.run_for(2)
    house.command("c2", type="alert", cap=cap("E1", house, status="Exercise"))
    house.run_for(2)
    assert screen.ops("takeover")[-1]["takeover"]["id"] == "A1"
    assert house.receipts("c1") == ["started"]
    assert house.receipts("c2") == []
    house.run_for(60)
    assert house.receipts("c1") == ["started", "finished"]
    assert house.receipts("c2") == ["started", "finished"]


def test_what_is_meant_in_earnest_cuts_an_exercise(house: House, screen: FakeScreen) -> None:
    house.command("c1", type="alert", cap=cap("E1", house, status="Exercise"))
    house.run_for(2)
    house.command("c2", type="alert", cap=cap("A1", house))
    house.run_for(2)
    assert screen.ops("takeover")[-1]["takeover"]["id"] == "A1"
    assert house.receipts("c2") == ["started"]


@pytest.mark.parametrize(
    ("parts", "states"), [({"status": "Test"}, ["finished"]), ({"status": "Draft"}, ["finished"])]
)
def test_a_test_is_never_voiced_and_is_answered_once(
    house: House, parts: dict[str, str], states: list[str]
) -> None:
    house.command("c1", type="alert", cap=cap("A1", house, **parts))
    house.run_for(10)
    assert not house.player.heard
    assert house.receipts("c1") == states
    assert "not told" in (house.uplink.receipts[-1].reason or "")


def test_a_document_that_is_none_is_refused(house: House) -> None:
    house.command("c1", type="alert", cap="<!DOCTYPE a [<!ENTITY b 'c'>]><alert>&b;</alert>")
    assert house.receipts("c1") == ["refused"]
    assert (house.uplink.receipts[-1].reason or "").startswith("malformed")


def test_after_a_crash_it_is_spoken_again_and_its_command_answered(build, house: House) -> None:
    house.command("c1", type="alert", cap=cap("A1", house))
    house.run_for(2)
    house.crash()
    after = build(clock=house.clock)
    after.run_for(30)
    assert after.heard("alert/")
    assert after.receipts("c1") == ["started", "finished"]
    after.crash()
    again = build(clock=house.clock)
    again.run_for(30)
    assert not again.player.heard


def test_what_somebody_has_stopped_is_not_spoken_again_after_a_restart(build, house: House) -> None:
    house.command("c1", type="alert", cap=cap("A1", house))
    house.run_for(2)
    house.command("s1", type="stop")
    house.run_for(2)
    house.crash()
    after = build(clock=house.clock)
    after.run_for(30)
    assert not after.player.heard


def test_a_screen_that_is_started_again_is_told_all_of_it(house: House, screen: FakeScreen) -> None:
    house.command("c1", type="alert", cap=cap("A1", house))
    house.run_for(1)
    screen.sent.clear()
    house.conductor.post(WorkerDied("screen", "ended by SIGKILL"))
    house.run_for(0.1)
    assert "screen" in house.faults()
    house.conductor.post(WorkerStarted("screen", 8))
    say(house, event="ready", driver="offscreen", size=[1280, 720])
    assert {message["op"] for message in screen.sent} == {"takeover", "board"}
    assert "screen" not in house.faults()


def test_what_was_shown_is_summed_by_the_hour(house: House) -> None:
    for count in (2, 3):
        since = house.clock.now().isoformat()
        say(house, event="shown", bulletin="commune/a", **{"from": since}, seconds=30.0, count=count)
    house.run_for(3_700)
    house.node.stage.write_sums()
    (record,) = house.records(kind="show")
    assert (record.bulletin, record.feed, record.shown, record.shown_s) == ("a", "commune", 5, 60.0)


def test_a_bulletin_that_cannot_be_shown_is_in_the_log(house: House) -> None:
    say(house, event="failed", bulletin="commune/a", reason="no picture")
    (record,) = house.records(kind="show")
    assert (record.outcome, record.reason) == ("failed", "no picture")


def test_a_bulletin_that_the_node_leaves_out_is_in_the_log_once(build, screen: FakeScreen) -> None:
    house = build(screen=screen, ceiling="routine")
    urgent = {"id": "flood", "class": "emergency", "content": {"text": {"heading": "Lũ"}}}
    for _ in range(2):
        house.schedule(bulletins=[urgent])
    (record,) = house.records(kind="show")
    assert (record.feed, record.bulletin, record.outcome) == ("commune", "flood", "skipped")
    assert (record.reason or "").startswith("above ceiling")


def test_thousands_that_are_left_out_do_not_fill_the_log(house: House) -> None:
    lost = [{"id": f"b{n}", "zone": "roof", "content": {"text": {"heading": "x"}}} for n in range(3_000)]
    house.schedule(bulletins=lost)
    assert len(house.records(kind="show")) == 20
    assert [r.text for r in house.records(kind="system") if "left out" in (r.text or "")] == [
        "2980 more bulletins are left out, like those before"
    ]


def test_a_screen_that_cannot_be_opened_is_a_fault_until_it_can(house: House) -> None:
    say(house, event="ready", driver=None, size=None, reason="no display", retry_s=10)
    assert "screen" in house.faults()
    say(house, event="ready", driver="offscreen", size=[1280, 720])
    assert "screen" not in house.faults()


def test_a_picture_is_taken_and_sent(house: House, screen: FakeScreen) -> None:
    house.command("x1", type="screenshot", width=320)
    (order,) = screen.ops("picture")
    path = Path(order["path"])
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x89PNG")
    say(house, event="picture", request=order["request"], path=order["path"], size=[320, 180])
    assert house.receipts("x1") == ["finished"]


def test_a_screen_that_dies_over_a_picture_is_answered(house: House, screen: FakeScreen) -> None:
    house.command("x1", type="screenshot")
    house.conductor.post(WorkerDied("screen", "ended by SIGKILL"))
    house.run_for(0.1)
    assert house.receipts("x1") == ["failed"]


def test_a_picture_that_arrives_late_is_shown_at_once(house: House, screen: FakeScreen) -> None:
    from agent.feeds.events import MediaArrived

    house.feeds.missing.add("map.png")
    bulletin = {"id": "map", "content": {"image": {"media": "media/map.png"}}}
    house.schedule(bulletins=[bulletin])
    assert screen.ops("board")[-1]["board"]["zones"][0]["bulletins"] == []
    house.feeds.missing.clear()
    house.conductor.post(MediaArrived("commune", "media/map.png", "x"))
    house.run_for(0.0)
    assert screen.ops("board")[-1]["board"]["zones"][0]["bulletins"][0]["image"]["path"] == "/media/map.png"


def test_a_stuck_screen_is_a_fault_and_then_killed(house: House, screen: FakeScreen) -> None:
    for _ in range(UNANSWERED):
        house.node.workers.ping()
    assert "stuck-screen" in house.faults()
    assert screen.alive
    house.node.workers.ping()
    assert not screen.alive
