"""`./dev demo [--out DIR] [--real]`: the node's whole main job, with real parts, in a minute and a half.

A broker with a password, a centre that publishes the sample commune, a stream server, and one node. The node sounds
a programme at its planned second, obeys an announcement, is interrupted by a storm alert that takes sound and
screen, and resumes. It carries a station that fails and comes back, lets the officer speak live, and reports. What
came out is left in DIR.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.station.publish import compose, publish
from bench import studio
from tests.support.centre import CentreUnderTest
from tests.support.icecast import Icecast
from tests.support.node import NodeProcess, running
from tests.support.pulse import Recorder, private_sink
from tests.support.wait import wait_until

SAMPLE = Path(__file__).parents[1] / "agent" / "station" / "sample"
ANNOUNCEMENT = "Mời đại diện các hộ gia đình thôn 5 đến nhà văn hóa thôn lúc 19 giờ 30 tối nay."
HEAD_START_S = 6.0
"""From publishing to the planned start: the node has to fetch and decode first, as any node would."""

RELAYED_S = 32.0
LIVE_S = 7.0

LEFT = ("pole.wav", "timeline.json", "report.json")

console = Console(stderr=True, highlight=False)


def step(text: str) -> None:
    """One line of progress."""
    console.print(f"[dim]·[/dim] {text}")


@dataclass
class Demo:
    """What is under way, and what it leaves."""

    out: Path
    real: bool
    planned: datetime | None = None
    pictures: list[Path] = field(default_factory=list)
    commands: dict[str, str] = field(default_factory=dict)
    """Ids of the commands that were sent, and what they were."""

    def picture(self, node: NodeProcess) -> None:
        """Keep what the screen shows now."""
        path = self.out / f"screen-{len(self.pictures) + 1}.png"
        node.screenshot(path)
        self.pictures.append(path)

    def send(self, centre: CentreUnderTest, what: str, do: dict[str, Any]) -> Any:
        """Sign and send a command, and remember its name."""
        command = centre.command(do)
        self.commands[command.id] = what
        return command


def publish_commune(centre: CentreUnderTest, *programmes: dict[str, Any]) -> None:
    """The sample commune as its officer wrote it, and these programmes."""
    composed = compose(centre.folder.path)
    schedule = {**composed.schedule, "programmes": [*composed.schedule["programmes"], *programmes]}
    publish(centre.folder.path, schedule_json=schedule, media=composed.media)


def introduction(planned: datetime) -> dict[str, Any]:
    """A programme of chime and announcement that starts at `planned`."""
    items = [{"media": "media/chime.opus"}, {"media": "media/hop-thon.opus"}]
    return {
        "id": "gioi-thieu",
        "title": "Chương trình giới thiệu",
        "start": planned.isoformat(),
        "length_s": 11,
        "on_conflict": "preempt",
        "items": items,
    }


def relayed(icecast: Icecast, start: datetime) -> dict[str, Any]:
    """A programme that carries the station, with music for when it is away."""
    relay = {"url": icecast.url(studio.MOUNT), "for_s": RELAYED_S, "fallback": "media/music-120s.opus"}
    return {
        "id": "tiep-am",
        "title": "Tiếp âm đài tỉnh",
        "start": start.isoformat(),
        "on_conflict": "preempt",
        "items": [{"relay": relay}],
    }


def main_job(demo: Demo, centre: CentreUnderTest, node: NodeProcess) -> None:
    """From the first picture of the board to the last record at the centre."""
    assert demo.planned is not None
    wait_until(lambda: node.health()["now"]["screen"]["showing"], 15, "the board shows bulletins")
    time.sleep(1.5)  # for the ticker's first words to come in
    step(f"the board is up; the programme is planned for {demo.planned.astimezone():%H:%M:%S}")
    demo.picture(node)
    wait_until(lambda: programme_sounds(node), 20, "the programme sounds")
    step("the programme sounds, through both relays")
    time.sleep(4.0)
    step("the officer sends an announcement")
    announcement = demo.send(
        centre,
        "announce",
        {
            "type": "announce",
            "class": "priority",
            "title": "Mời họp thôn",
            "items": [{"speech": {"text": ANNOUNCEMENT, "language": "vi"}}],
        },
    )
    centre.wait_for_receipt(announcement, "finished", 20)
    demo.picture(node)
    step("a storm comes: the alert takes sound and screen")
    storm = (SAMPLE / "alert-storm.xml").read_text(encoding="utf-8")
    alert = demo.send(centre, "alert", {"type": "alert", "cap": storm})
    centre.wait_for_receipt(alert, "started", 10)
    time.sleep(7.0)
    demo.picture(node)
    step("the storm has passed: the alert is cancelled, the programme resumes")
    cancel = demo.send(
        centre,
        "cancel",
        {"type": "alert", "cap": (SAMPLE / "alert-storm-cancel.xml").read_text(encoding="utf-8")},
    )
    centre.wait_for_receipt(cancel, "finished", 20)
    demo.picture(node)
    wait_until(lambda: node.health()["now"]["audio"] is None, 30, "the programme is over")


def streams(demo: Demo, centre: CentreUnderTest, node: NodeProcess, icecast: Icecast) -> None:
    """A station that fails and comes back, and a live announcement over it."""
    start = (datetime.now(UTC) + timedelta(seconds=HEAD_START_S + 1)).replace(microsecond=0)
    step(f"the officer publishes that the province's station is carried from {start.astimezone():%H:%M:%S}")
    publish_commune(centre, relayed(icecast, start))
    wait_until(lambda: stream_is(node, "playing"), 30, "the station sounds")
    time.sleep(3.0)
    step("the station's server loses its power: music stands in for it")
    icecast.stop()
    wait_until(lambda: stream_is(node, "reconnecting", "stalled"), 10, "the node misses the station")
    time.sleep(3.0)
    step("the server has power again")
    icecast.start()
    wait_until(lambda: stream_is(node, "playing"), 15, "the station is back")
    time.sleep(1.5)
    step("the station is back; the officer speaks live over it: loa station live")
    studio.go_live(centre, LIVE_S, lambda command: demo.commands.update({command: "live"}))
    wait_until(lambda: stream_is(node, "playing"), 15, "the station goes on")
    wait_until(lambda: node.health()["now"]["audio"] is None, RELAYED_S, "its time is over")


def all_is_told(node: NodeProcess) -> None:
    """The amplifier is off, and the centre has the whole log."""
    wait_until(lambda: not any(node.health()["relays"].values()), 10, "the amplifier is off")
    last = node.health()["log"]["last"]
    wait_until(lambda: node.health()["log"]["stored_through"] >= last, 10, "the centre has the whole log")


def programme_sounds(node: NodeProcess) -> bool:
    """Whether a level of it has been measured at the output."""
    audio = node.health()["now"]["audio"]
    return bool(audio and audio["programme"] == "gioi-thieu" and audio["level_dbfs"] is not None)


def stream_is(node: NodeProcess, *states: str) -> bool:
    """Whether the station's programme is what sounds, and stands like this."""
    audio = node.health()["now"]["audio"]
    stream = audio["stream"] if audio and audio["programme"] == "tiep-am" else None
    return stream is not None and stream["state"] in states


def write_report(demo: Demo, centre: CentreUnderTest) -> dict[str, Any]:
    """The play log, receipts and health as the centre has stored them."""
    archive = centre.archive()
    try:
        report = {
            "records": archive.records(),
            "receipts": archive.receipts(),
            "health": archive.latest("health"),
            "status": archive.latest("status"),
        }
    finally:
        archive.close()
    (demo.out / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=2), encoding="utf-8")
    return report


def write_timeline(demo: Demo, node: NodeProcess) -> list[dict[str, Any]]:
    """Every relay edge, start and end, with wall and monotonic times."""
    moments: list[dict[str, Any]] = node.ask("timeline")["moments"]
    document = {"planned": demo.planned.isoformat() if demo.planned else None, "moments": moments}
    (demo.out / "timeline.json").write_text(
        json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8"
    )
    return moments


def show_timeline(demo: Demo, moments: list[dict[str, Any]]) -> None:
    """The timeline as a person reads it."""
    assert demo.planned is not None
    colours = {"relay": "yellow", "sound": "green", "screen": "cyan"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("time", "from plan", "", "what", ""):
        table.add_column(column, justify="right" if column == "from plan" else "left", overflow="fold")
    for moment in moments:
        wall = datetime.fromisoformat(moment["wall"])
        since_s = (wall - demo.planned).total_seconds()
        colour = (
            "red" if "alert" in moment["name"] or "VN-SAMPLE" in moment["name"] else colours[moment["kind"]]
        )
        name = readable(demo, moment["name"])
        reason = readable(demo, moment["reason"] or "")
        table.add_row(
            f"{wall.astimezone():%H:%M:%S}.{wall.microsecond // 1000:03d}",
            f"{since_s:+.3f} s",
            f"[{colour}]{moment['kind']}[/]",
            f"[{colour}]{name}[/] {moment['state']}",
            f"[dim]{reason}[/]",
        )
    Console(highlight=False).print(table)


def readable(demo: Demo, text: str) -> str:
    """Ids of commands and alerts in words."""
    for command, what in demo.commands.items():
        text = text.replace(f"command/{command}", f"announcement ({what})").replace(command, what)
    sender, identifier = "alert/pctt@tinh.example/", "VN-SAMPLE-2026-0911-000"
    for number, name in (("7", "storm alert"), ("8", "all-clear")):
        text = text.replace(f"{sender}{identifier}{number}", name).replace(f"{identifier}{number}", name)
    return text.split("@", maxsplit=1)[0].removeprefix("commune/")


@contextlib.contextmanager
def sink_and_recording(demo: Demo) -> Iterator[tuple[dict[str, str], Recorder | None]]:
    """Where the node sounds: a sink that is recorded, or (`--real`) the machine's own card."""
    if demo.real:
        yield {}, None
        return
    with private_sink() as sink, sink.record() as recorder:
        yield sink.env, recorder


def run(demo: Demo, work: Path) -> None:
    """Everything, from broker to report."""
    step("starting broker, centre and sound sink")
    with (
        CentreUnderTest(work / "centre", sample=True) as centre,
        sink_and_recording(demo) as (env, recorder),
    ):
        step("the officer publishes the commune's feed: speech is rendered, loudness measured, all is signed")
        compose(centre.folder.path)
        now = datetime.now(UTC)
        demo.planned = (now + timedelta(seconds=HEAD_START_S + 1)).replace(microsecond=0)
        publish_commune(centre, introduction(demo.planned))
        settings = centre.node_settings(
            id="pole-01",
            screen=True,
            screen_size=(1920, 1080),
            env=env,
            device=None if demo.real else "pulse",
        )
        step("the node starts, fetches the feed and verifies it")
        with studio.station() as icecast, running(work / "node", settings) as node:
            main_job(demo, centre, node)
            streams(demo, centre, node, icecast)
            all_is_told(node)
            moments = write_timeline(demo, node)
        centre.wait_for_records(kind="system", text="agent stopped")
        report = write_report(demo, centre)
        if recorder is not None:
            recorder.finish().save(demo.out / "pole.wav")
    show_timeline(demo, moments)
    summary(demo, report)


def summary(demo: Demo, report: dict[str, Any]) -> None:
    """What was left where."""
    plays = [record for record in report["records"] if record["kind"] == "play"]
    sounded_s = sum(record["played_s"] or 0 for record in plays)
    console.print()
    if not demo.real:
        console.print(f"[bold]{demo.out / 'pole.wav'}[/]  what came out of the sink")
    names = ", ".join(path.name for path in demo.pictures)
    console.print(f"[bold]{demo.out}/[/]{names}  the board, the ticker, the takeover")
    console.print(f"[bold]{demo.out / 'timeline.json'}[/]  every relay edge, start and end")
    console.print(
        f"[bold]{demo.out / 'report.json'}[/]  as stored at the centre: {len(plays)} play records"
        f" ({sounded_s:.1f} s), {len(report['receipts'])} receipts, health"
    )


def main() -> int:
    """Entry point of `./dev demo`."""
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="where to leave what came out")
    parser.add_argument("--real", action="store_true", help="sound through this machine's own card")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for old in [*asked.out.glob("screen-[0-9].png"), *(asked.out / name for name in LEFT)]:
        old.unlink(missing_ok=True)
    begun = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="loa-demo-"))
    try:
        run(Demo(asked.out, asked.real), work)
    except AssertionError as error:
        console.print(f"[red]the demo did not come to its end: {error}[/]")
        console.print(f"logs are kept in {work}")
        return 1
    shutil.rmtree(work)
    console.print(f"[dim]done in {time.monotonic() - begun:.0f} s[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
