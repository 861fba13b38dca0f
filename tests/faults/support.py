"""The words of the table of processes: steps a node is in, faults that strike it, and ends to be expected."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from playlists.models.command import Command
from tests.support.house import LADDER_S, House, in_s, media, monotonic_of, wait_until
from tests.support.listening import RUNG_S, place_on_ladder
from tests.support.node import ROOT

BACK_WITHIN_S = 2.0
HUNG_BACK_WITHIN_S = 8.0
"""A player that stands still is given 5 s."""

THREE_TONES = (media("low"), media("high"), media("alarm"))
SAMPLE = ROOT / "agent" / "station" / "sample"


@dataclass
class Scene:
    """A row as it is played."""

    house: House
    began: float = field(default_factory=time.monotonic)
    struck: float = 0.0
    command: Command | None = None
    programme: str | None = None
    starts: float = 0.0
    pids: dict[str, int] = field(default_factory=dict)
    killed_daemon: bool = False

    @property
    def names(self) -> dict[str, str]:
        """The ids under which the log knows what sounds."""
        if self.command is not None:
            return {"command": self.command.id}
        return {"programme": self.programme or ""}

    def plays(self) -> list[dict[str, Any]]:
        """Records at the centre of what sounded in this row."""
        return self.house.records(kind="play", **self.names)


Part = Callable[[Scene], None]


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    step: Part
    fault: Part
    ends: tuple[Part, ...]

    def __str__(self) -> str:
        words = (self.step, self.fault)
        return "-".join(part.__name__ for part in words)

    def play(self, house: House) -> None:
        """Bring the node into the step, strike, and look at how it ends."""
        scene = Scene(house)
        self.step(scene)
        scene.pids = {name: house.node.child(name).pid for name in ("player", "screen")}
        scene.struck = time.monotonic()
        self.fault(scene)
        for end in self.ends:
            end(scene)


# ---- steps


def at_rest(scene: Scene) -> None:
    """Nothing sounds."""
    scene.house.quiet()


def a_programme_sounds(scene: Scene) -> None:
    """A programme sounds: the ladder, whose pitch tells where in it one is."""
    scene.programme = f"ladder-{scene.began:.0f}"
    start = in_s(1.2)
    scene.starts = monotonic_of(start)
    ladder = {"id": scene.programme, "start": start.isoformat(), "items": [media("ladder")]}
    scene.house.publish({**ladder, "if_late": "join", "grace_s": 60})
    scene.house.ears.wait_for_sound(scene.began, seconds=0.6)


def a_programme_is_about_to_start(scene: Scene) -> None:
    """It is planned in half a second."""
    scene.programme = f"soon-{scene.began:.0f}"
    start = in_s(1.2)
    scene.starts = monotonic_of(start)
    soon = {"id": scene.programme, "start": start.isoformat(), "items": [media("ladder")]}
    scene.house.publish({**soon, "if_late": "join", "grace_s": 60})
    wait_until(lambda: time.monotonic() > scene.starts - 0.4, 5, "it starts in a moment")


def an_announcement_sounds(scene: Scene) -> None:
    """An announcement sounds."""
    scene.command = scene.house.announce(*THREE_TONES)
    scene.house.ears.wait_for_sound(scene.began, seconds=0.4)


def an_announcement_was_accepted(scene: Scene) -> None:
    """An announcement has been answered with `verified`, and no more."""
    scene.command = scene.house.command("announce", items=list(THREE_TONES))
    scene.house.centre.wait_for_receipt(scene.command, "verified")


def an_alert_speaks(scene: Scene) -> None:
    """A storm alert has taken sound and screen. Each has an identifier of its own, and ends soon after its row."""
    name = f"VN-TEST-{time.monotonic_ns()}"
    sent = datetime.now(UTC).replace(microsecond=0)
    expires = sent + timedelta(minutes=1)
    cap = (SAMPLE / "alert-storm.xml").read_text(encoding="utf-8")
    cap = re.sub(r"<identifier>.*?</identifier>", f"<identifier>{name}</identifier>", cap)
    cap = re.sub(r"<sent>.*?</sent>", f"<sent>{sent.isoformat()}</sent>", cap)
    cap = re.sub(r"<expires>.*?</expires>", f"<expires>{expires.isoformat()}</expires>", cap)
    scene.command = scene.house.command("alert", cap=cap)
    scene.house.centre.wait_for_receipt(scene.command, "started")
    scene.house.wait_for_moment("screen", name, "takeover")
    scene.house.ears.wait_for_sound(scene.began, seconds=0.4)


def an_emergency_has_interrupted_a_programme(scene: Scene) -> None:
    """A programme waits while an emergency speaks."""
    a_programme_sounds(scene)
    emergency = scene.house.command("announce", items=[media("alarm")] * 4, **{"class": "emergency"})
    scene.house.centre.wait_for_receipt(emergency, "started")


# ---- faults


def the_player_is_killed(scene: Scene) -> None:
    """SIGKILL."""
    os.kill(scene.pids["player"], signal.SIGKILL)


def the_player_hangs(scene: Scene) -> None:
    """SIGSTOP: it lives and does nothing."""
    os.kill(scene.pids["player"], signal.SIGSTOP)


def the_screen_is_killed(scene: Scene) -> None:
    """SIGKILL."""
    os.kill(scene.pids["screen"], signal.SIGKILL)


def the_daemon_is_killed(scene: Scene) -> None:
    """SIGKILL; it is started again at once, as systemd does."""
    scene.killed_daemon = True
    scene.house.node.kill()
    scene.house.node.start(wait=False)


# ---- ends


def sound_is_back(scene: Scene) -> None:
    """It is heard again within two seconds, measured in the recording."""
    _back_within(scene, BACK_WITHIN_S)


def sound_is_back_after_the_hang_was_seen(scene: Scene) -> None:
    """It is heard again once the player has been found to stand still, and replaced."""
    _back_within(scene, HUNG_BACK_WITHIN_S)


def sound_went_on(scene: Scene) -> None:
    """Nothing was heard of it."""
    until = scene.struck + 1.5
    wait_until(lambda: time.monotonic() > until, 5, "a while has passed")
    # an alarm and words have pauses of their own
    pause_s = 0.05 if scene.programme else 0.7
    assert scene.house.ears.longest_silence(scene.struck - 0.2, until) < pause_s


def the_ladder_goes_on_where_it_was(scene: Scene) -> None:
    """A programme that lost its player goes on where it was cut, or later by no more than it was silent."""
    before = _place(scene, scene.struck - 0.15)
    back, after = _after(scene)
    assert before - RUNG_S < after < before + (back - scene.struck) + 3 * RUNG_S


def the_ladder_goes_on_where_it_should_be(scene: Scene) -> None:
    """A programme that lost its daemon goes on where all its neighbours are by now."""
    back, after = _after(scene)
    assert abs(after - (back + 0.2 - scene.starts)) < 0.15


def the_start_is_made(scene: Scene) -> None:
    """It starts, at most two seconds late, and only once."""
    first = scene.house.ears.wait_for_sound(scene.starts - 0.1, seconds=0.3)
    assert first - scene.starts < BACK_WITHIN_S


def it_is_finished_and_told_once(scene: Scene) -> None:
    """What was interrupted ends; the log has each part of it once, and not more than there was."""
    scene.house.node.wait_until_up()
    if scene.command is None:
        scene.house.node.ask("stop", name=scene.programme)
        wait_until(lambda: scene.house.sounds() is None, 15, "it has ended")
    else:
        scene.house.ended(scene.command, 20)
    scene.house.all_is_stored()
    plays = [play for play in scene.plays() if play["played_s"]]
    assert plays
    parts = sorted((play["item"], play["started"]) for play in plays)
    assert len(parts) == len(set(parts)), "a part is told twice"
    played_s = sum(play["played_s"] for play in plays)
    assert played_s <= LADDER_S + 2.5


def the_announcement_is_heard_whole(scene: Scene) -> None:
    """What was accepted is carried out: each item once, to its end."""
    assert _finished_items(scene) == list(range(len(THREE_TONES)))


def the_announcement_is_heard_to_its_end(scene: Scene) -> None:
    """What sounded goes on to its end; no item is told twice as finished."""
    items = _finished_items(scene)
    assert items[-1] == len(THREE_TONES) - 1
    assert len(items) == len(set(items))


def the_takeover_is_back(scene: Scene) -> None:
    """The screen shows the alert again."""

    def shown() -> bool:
        screen = scene.house.node.health()["now"]["screen"]
        return bool(screen and screen["takeover"])

    scene.house.node.wait_until_up()
    wait_until(shown, 10, "the takeover is on the screen")


def the_fault_is_told_and_gone(scene: Scene) -> None:
    """The log at the centre has when it came and when it went."""
    wait_until(lambda: not {"player", "screen"} & set(scene.house.faults()), 10, "no worker is missing")

    def told() -> bool:
        ends = [fault["ended"] for fault in scene.house.records(kind="fault") if fault.get("ended")]
        return any(monotonic_of(end) > scene.struck for end in ends)

    wait_until(told, 10, "the log at the centre has the fault and its end")


def the_node_speaks(scene: Scene) -> None:
    """The next announcement is heard."""
    scene.house.node.wait_until_up()
    wait_until(lambda: scene.house.reported("status").get("state") == "online", 15, "it is online")
    began = time.monotonic()
    scene.house.ended(scene.house.announce(media("high")))
    assert scene.house.ears.stretches(began)


def nothing_is_lost_or_doubled(scene: Scene) -> None:
    """The centre has every number of the log once, and one end of each command."""
    scene.house.all_is_stored()
    epoch = scene.house.reported("status")["epoch"]
    numbers = sorted(record["seq"] for record in scene.house.records(epoch=epoch))
    assert numbers == list(range(1, scene.house.node.health()["log"]["last"] + 1))
    if scene.command is not None:
        states = [state for state, _ in scene.house.receipts(scene.command)]
        assert states.count("finished") <= 1
        assert states.count("verified") == 1


def _finished_items(scene: Scene) -> list[int]:
    """Items of the announcement that came to their end."""
    assert scene.command is not None
    ended = scene.house.ended(scene.command, 20)
    assert ended.state == "finished", scene.house.receipts(scene.command)
    scene.house.all_is_stored()
    return sorted(play["item"] for play in scene.plays() if play["outcome"] == "finished")


def _back_within(scene: Scene, most_s: float) -> None:
    # what the sink still held is heard for a moment after the kill
    back = scene.house.ears.wait_for_sound(scene.struck + 0.3, timeout_s=most_s + 3, seconds=0.3)
    silent_s = scene.house.ears.longest_silence(scene.struck - 0.1, back + 0.2)
    assert silent_s < most_s, f"silent for {silent_s:.2f} s"


def _after(scene: Scene) -> tuple[float, float]:
    """When it is heard again, and where on the ladder it is 0.2 s later."""
    back = scene.house.ears.wait_for_sound(scene.struck + 0.3, seconds=0.4)
    return back, _place(scene, back + 0.15)


def _place(scene: Scene, at: float) -> float:
    return place_on_ladder(scene.house.ears.since(at, at + 0.1).samples)
