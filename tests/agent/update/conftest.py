"""A node in a root of the test's own, and a station that publishes releases to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.control.client import ControlError, ask
from agent.station import releases as offering
from agent.station.folder import Folder
from agent.station.publish import init, publish
from agent.update import build
from agent.update.archive import read_info, unpack
from agent.update.places import Places
from agent.update.progress import Seen, look
from tests.agent.update.releases import ROOT, archive
from tests.agent.update.supervisor import Supervisor
from tests.support.broker import USER
from tests.support.centre import CentreUnderTest
from tests.support.wait import wait_until
from tests.support.web import Host

OLD = "1.0"
NEW = "1.1"
SCHEDULE = {
    "format": "loa.schedule/1",
    "timezone": "Asia/Ho_Chi_Minh",
    "programmes": [],
    "bulletins": [],
    "layouts": [],
}
CONFIG = """\
[node]
id = "pole-01"
site = "xa-mau"
[paths]
state = "{root}/var/lib/loa"
cache = "{root}/var/lib/loa/cache"
runtime = "{root}/run/loa"
[audio]
output = "file"
device = "{root}/out.wav"
[hardware]
gpio = "fake"
[policy]
allowed_hours = ["00:00-24:00"]
[[feeds]]
name = "commune"
url = "{url}"
root = "{root}/etc/loa/root.json"
ceiling = "emergency"
[update]
feed = "commune"
"""


@pytest.fixture(scope="session")
def old_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installed version, made by the code that makes the others; tests only link to it."""
    place = tmp_path_factory.mktemp("old")
    packed = archive(place, OLD)
    release = unpack(packed, place / "unpacked")
    like = place / "like"
    like.mkdir()
    (like / "pyvenv.cfg").write_text("include-system-site-packages = false\n", encoding="ascii")
    opt = place / "opt"
    opt.mkdir()
    folder = build.build(release, read_info(packed), opt, like)
    build.finish(folder, release)
    return folder


class Node:
    """One installed node, its supervisor, and its station."""

    def __init__(self, root: Path, old: Path, station: Path, url: str, more: str = "") -> None:
        self.root = root
        self.places = Places(root)
        self.station = station
        for folder in ("opt/loa", "etc/loa", "var/lib/loa/update", "var/lib/loa-update", "run/loa"):
            (root / folder).mkdir(parents=True)
        (self.places.opt / OLD).symlink_to(old)
        switch = self.places.opt / "switch"
        switch.write_bytes((ROOT / "systemd/switch").read_bytes())
        switch.chmod(0o755)
        self.places.config.write_text(CONFIG.format(root=root, url=url) + more, encoding="utf-8")
        (root / "etc/loa/root.json").write_bytes(Folder(station).root.read_bytes())
        self.supervisor = Supervisor(root, sys.executable)
        done = subprocess.run(
            [switch, "to", OLD], env=self.supervisor.environment, check=False, capture_output=True
        )
        assert done.returncode == 0, done.stderr

    def offer(self, *archives: Path) -> None:
        """Publish these releases."""
        offering.add(Folder(self.station), archives)
        publish(self.station, schedule_json=SCHEDULE, now=datetime.now(UTC))

    def loa(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What a technician types at the version that is in force."""
        return subprocess.run(
            [self.places.opt / "current/bin/loa", *arguments],
            env={**self.supervisor.environment, "LANG": "C.UTF-8"},
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
        )

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Ask the running node."""
        return ask(self.root / "run/loa/control.sock", op, **arguments)

    @property
    def speaks(self) -> str:
        """The version that answers."""
        return str(self.ask("status")["node"]["agent"])

    def outcome(self, timeout_s: float = 120.0) -> Seen:
        """What came of the update, when it is over and nothing of it runs."""
        seen = self._until(
            lambda: (now := look(self.places)) is not None and now.outcome is not None and now,
            timeout_s,
            "the update is over",
        )
        wait_until(lambda: not self.supervisor.updating, 30, "the updater has ended")
        assert isinstance(seen, Seen)
        return seen

    def step(self, step: str, timeout_s: float = 120.0) -> None:
        """Wait until the update has come so far."""
        self._until(
            lambda: (now := look(self.places)) is not None and now.state.step == step,
            timeout_s,
            f"the update is {step}",
        )

    def _until(self, probe: Callable[[], object], timeout_s: float, what: str) -> object:
        try:
            return wait_until(probe, timeout_s, what, 0.02)
        except AssertionError as error:
            error.add_note(self.supervisor.said()[-3_000:])
            raise

    def log(self) -> list[str]:
        """Texts of the play log; none while nobody answers."""
        try:
            records = self.ask("log", count=50)["records"]
        except ControlError:
            return []
        return [record["text"] for record in records if record["text"]]

    def reboot(self) -> None:
        """The power comes back: what systemd runs before the node, then the node."""
        self.supervisor = Supervisor(self.root, sys.executable)
        settle = [self.places.opt / "switch", "settle", "the power or the machine failed during the update"]
        subprocess.run(settle, env=self.supervisor.environment, check=True, timeout=60)
        self.supervisor.start()


@pytest.fixture
def node(tmp_path: Path, old_version: Path) -> Iterator[Node]:
    """A node of version 1.0 that runs."""
    station = tmp_path / "station"
    init(station)
    publish(station, schedule_json=SCHEDULE, now=datetime.now(UTC))
    with Host(Folder(station).feed) as host:
        made = Node(tmp_path / "root", old_version, station, host.url)
        try:
            made.supervisor.start()
            yield made
        finally:
            made.supervisor.cut_power()


BROKER = """\
[broker]
host = "127.0.0.1"
port = {port}
tls = false
user = "{user}"
password_file = "{password_file}"
[clock]
vouched = true
"""


@pytest.fixture
def commanded(tmp_path: Path, old_version: Path) -> Iterator[tuple[Node, CentreUnderTest]]:
    """The same node, which a centre also reaches through a real broker."""
    with CentreUnderTest(tmp_path / "centre") as centre:
        station = centre.folder.path
        publish(station, schedule_json=SCHEDULE, now=datetime.now(UTC))
        broker = centre.broker
        more = BROKER.format(port=broker.port, user=USER, password_file=broker.password_file)
        made = Node(tmp_path / "root", old_version, station, centre.feed_url, more)
        try:
            made.supervisor.start()
            yield made, centre
        finally:
            made.supervisor.cut_power()
