"""`python -m tests.faults.soak [KILLS] [SEED]`: SIGKILLs at random moments, and nothing lost or doubled by them.

While a programme repeats, announcements and records come and go, any process of the node is killed at any moment;
the daemon is started again at once, as systemd does it. Prints JSON.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from playlists.models.command import Command
from tests.support.house import House, in_s, media, open_centre, open_house, wait_until
from tests.support.pulse import private_sink

LONGEST_PAUSE_S = 0.5
SILENT_AT_MOST_S = 2.0


@dataclass
class Soaked:
    """What came of it."""

    kills: dict[str, int] = field(default_factory=dict)
    silences_s: list[float] = field(default_factory=list)
    """The longest of each stretch that was to sound."""
    commands: int = 0
    unfinished: list[str] = field(default_factory=list)
    """Commands that were answered `verified` and came to no end."""
    missing: list[int] = field(default_factory=list)
    """Numbers of the log that the centre has not."""
    doubled: list[str] = field(default_factory=list)
    """Items of announcements that were told as finished more than once."""

    @property
    def clean(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return not (self.unfinished or self.missing or self.doubled)


class Soak:
    """One run on one node."""

    def __init__(self, house: House, seed: int) -> None:
        self._house = house
        self._random = random.Random(seed)
        self._killed: Counter[str] = Counter()
        self._commands: list[Command] = []
        self._silences: list[float] = []

    def run(self, kills: int) -> Soaked:
        """Kill so often, let it come to rest, and look."""
        self._house.publish(self._programme())
        self._house.ears.wait_for_sound(time.monotonic(), seconds=0.3)
        quiet_from = time.monotonic()
        for number in range(kills):
            if number % 8 == 1:
                self._commands.append(self._announce())
            self._pause()
            self._kill()
            if number % 25 == 24:
                quiet_from = self._listen(quiet_from)
        self._house.node.wait_until_up()
        return self._look()

    def _programme(self) -> dict[str, Any]:
        start = in_s(1.0).isoformat()
        items = [media("long")]
        return {
            "id": "soak",
            "start": start,
            "items": items,
            "loops": 80,
            "if_late": "join",
            "grace_s": 86_000,
        }

    def _announce(self) -> Command:
        return self._house.command("announce", items=[media("high")])

    def _pause(self) -> None:
        time.sleep(self._random.uniform(0.0, LONGEST_PAUSE_S))

    def _kill(self) -> None:
        """Kill one of its processes; one that is just being started is waited for."""
        name = self._random.choice(("player", "screen", "daemon"))
        node = self._house.node
        if name == "daemon":
            node.kill()
            node.start(wait=False)
        else:
            with contextlib.suppress(psutil.NoSuchProcess):
                node.child(name).kill()
        self._killed[name] += 1

    def _listen(self, since: float) -> float:
        """Let it come back, and measure how long it was silent since then."""
        now = time.monotonic()
        back = self._house.ears.wait_for_sound(now, timeout_s=15, seconds=0.3)
        self._silences.append(round(max(0.0, back - now), 3))
        return back

    def _look(self) -> Soaked:
        house = self._house
        house.publish()
        sent = [command for command in self._commands if "verified" in dict(house.receipts(command))]
        ends = {"finished", "interrupted", "failed", "refused"}

        def open_ones() -> list[str]:
            return [c.id for c in sent if not ends & set(dict(house.receipts(c)))]

        with contextlib.suppress(AssertionError):  # what is still open then is told below
            wait_until(lambda: not open_ones(), 20, "every command has come to its end")
        house.all_is_stored()
        epoch = house.reported("status")["epoch"]
        have = {record["seq"] for record in house.records(epoch=epoch)}
        finished = Counter(
            (record["command"], record["item"])
            for record in house.records(kind="play", outcome="finished")
            if record.get("command")
        )
        return Soaked(
            kills=dict(self._killed),
            silences_s=self._silences,
            commands=len(sent),
            unfinished=open_ones(),
            missing=sorted(set(range(1, house.node.health()["log"]["last"] + 1)) - have),
            doubled=[f"{command} item {item}" for (command, item), n in finished.items() if n > 1],
        )


def main() -> int:
    """Run it on a node of its own; exit code 1 when something was lost or doubled."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    with tempfile.TemporaryDirectory(prefix="loa-soak-") as folder, private_sink() as sink:
        directory = Path(folder)
        with (
            open_centre(directory / "centre") as centre,
            open_house(centre, sink, directory / "node", screen=True, screen_size=(640, 360)) as house,
        ):
            soaked = Soak(house, seed).run(kills)
    sys.stdout.write(json.dumps({"seed": seed, "clean": soaked.clean, **asdict(soaked)}, indent=1) + "\n")
    return 0 if soaked.clean and max(soaked.silences_s, default=0.0) < SILENT_AT_MOST_S else 1


if __name__ == "__main__":
    sys.exit(main())
