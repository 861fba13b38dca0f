"""`./dev install-test`: the installer from nothing in a clean Debian, the units under its real systemd, an update, an
update that fails, one that is killed, one whose power goes, a read-only system, and the removal.

Needs root, mmdebstrap, systemd-nspawn.
Prints what was seen, and figures as JSON. `--arm64`: the installer alone, under qemu-user, from this clone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from agent import __version__
from agent.station import releases as offering
from agent.station.folder import Folder
from agent.station.publish import init, publish
from agent.update.archive import read_info, unpack
from tests.agent.update.conftest import SCHEDULE
from tests.agent.update.releases import DAEMON, ENTRY_POINTS, ROOT, Change, crashes, sources, wheel
from tests.support.web import Host
from tests.systemd.container import PLACE, Container, base, forget, say

READY_WITHIN_S = 300.0
SOURCES = (
    "agent",
    "drivers",
    "playlists",
    "systemd",
    "docs/man",
    "dev",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "config.example.toml",
)
MAKE_RELEASE = """\
apt-get update -qq
apt-get install -qq -y --no-install-recommends python3-venv >/root/log 2>&1 || { cat /root/log; exit 1; }
cp -r /media/loa/clone /root/clone
/root/clone/dev release /root/release
"""
STICK = (
    "mkdir -p /run/loa-usb/sdz1; mount -t tmpfs -o nosuid,nodev,noexec,ro none /run/loa-usb/sdz1; "
    "mount -o remount,rw,nosuid,nodev,noexec /run/loa-usb/sdz1; echo x >/run/loa-usb/sdz1/report; "
    "while ! [ -e /run/loa-usb/seen ]; do sleep 0.1; done; umount /run/loa-usb/sdz1; "
    "/opt/loa/current/bin/loa usb plugged /dev/sdz1 || true; "
    '/opt/loa/current/bin/python -c "import numpy, agent.usb.exporting, agent.setup.tones"; '
    "mount -t tmpfs none /run/loa-usb/sdz1"
)
"""What `loa usb plugged` does with a stick, by hand; the last mount is left for ExecStopPost=."""
DATA = ("/opt/loa", "/etc/loa", "/var/lib/loa", "/var/lib/loa-update")
"""What systemd/README.md puts on the data partition of a read-only system."""
CONFIG = """\
[node]
id = "pole-01"
site = "xa-mau"
[audio]
output = "file"
device = "/var/lib/loa/out.wav"
[hardware]
gpio = "fake"
[policy]
allowed_hours = ["00:00-24:00"]
[[relays]]
name = "horn"
pin = 17
active = "low"
[[zones]]
name = "all"
relays = ["horn"]
[[feeds]]
name = "commune"
url = "{url}"
root = "root.json"
[update]
feed = "commune"
"""


def main() -> int:
    """Run it all; 0 when everything was as it should be."""
    parser = argparse.ArgumentParser(prog="./dev install-test")
    parser.add_argument("--arm64", action="store_true", help="the installer alone, for arm64 under qemu-user")
    parser.add_argument(
        "--keep", action="store_true", help="the clean Debian and its packages, for the next time"
    )
    parser.add_argument("--suite", default="bookworm", help="of Debian")
    given = parser.parse_args()
    if os.geteuid() != 0:
        sys.stderr.write("install-test: needs root\n")
        return 2
    try:
        figures = other_architecture(given.suite) if given.arm64 else this_architecture(given.suite)
    finally:
        if not given.keep:
            forget(given.suite, "arm64" if given.arm64 else "amd64")
    print(json.dumps(figures, indent=2))
    return 0


def this_architecture(suite: str) -> dict[str, object]:
    """Everything, in a container that boots."""
    root = base(suite, "amd64")
    with fresh(f"share-{suite}") as share:
        packed = make_release(root, share)
        release = unpack(packed, share / "unpacked")
        station = share / "station"
        init(station)
        with Host(Folder(station).feed) as host, Container(root, share) as container:
            walk = Walk(container, station, release, f"/media/loa/unpacked/{release.name}", packed)
            walk.prepare(host.url)
            walk.install()
            walk.service()
            walk.stick()
            walk.again()
            walk.update()
            walk.crashing()
            walk.killed()
            walk.power()
            walk.read_only()
            walk.remove()
            return {"suite": suite, **walk.figures}


@contextlib.contextmanager
def fresh(name: str) -> Iterator[Path]:
    """A folder with nothing in it, removed afterwards."""
    folder = PLACE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def sources_into(folder: Path) -> None:
    """What of a clone the installer and `./dev release` need."""
    for name in SOURCES:
        source, copy = ROOT / name, folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)


def make_release(root: Path, share: Path) -> Path:
    """The release of this version for that Debian, made in it by `./dev release`."""
    say("making the release")
    sources_into(share / "clone")
    with Container(root, share) as container:
        done = container.chroot("/bin/sh", "-ec", MAKE_RELEASE)
        assert done.returncode == 0, done.stdout + done.stderr
        (made,) = (container.root / "root/release").glob("loa-agent-*.tar")
        shutil.rmtree(share / "clone")
        return Path(shutil.move(made, share))


class Walk:
    """The way of one node, from nothing to nothing."""

    def __init__(self, container: Container, station: Path, release: Path, inside: str, packed: Path) -> None:
        self.container = container
        self.station = station
        self.release = release
        self.install_sh = f"{inside}/systemd/install.sh"
        self.packed = packed
        self.figures: dict[str, object] = {"machine": platform.machine(), "release": __version__}
        self.version = __version__

    def offer(self, version: str, changes: dict[str, Change] | None = None) -> None:
        """Publish this release as another version, changed."""
        with fresh(f"offer-{self.container.root.name}") as place:
            self._offer(place / f"loa-agent-{version}", version, changes or {})

    def _offer(self, work: Path, version: str, changes: dict[str, Change]) -> None:
        shutil.copytree(self.release, work)
        (own,) = (work / "wheels").glob("loa_agent-*.whl")
        own.unlink()
        wheel(work / "wheels", "loa_agent", version, sources(version, changes), ENTRY_POINTS)
        info = read_info(self.packed).model_copy(update={"version": version})
        (work / "release.json").write_text(info.model_dump_json(), encoding="utf-8")
        with (work / "systemd/loa.tmpfiles").open("a", encoding="ascii") as folders:
            folders.write(f"d /var/lib/loa/made-by-{version} 0750 loa loa-{version.replace('.', '-')}\n")
        with (work / "systemd/loa.sysusers").open("a", encoding="ascii") as users:
            users.write(f"g loa-{version.replace('.', '-')} -\n")
        archive = work.parent / f"{work.name}.tar"
        subprocess.run(["tar", "-cf", archive, "-C", work.parent, work.name], check=True)
        offering.add(Folder(self.station), [archive])
        publish(self.station, schedule_json=SCHEDULE)

    def loa(self, *arguments: str, check: bool = True) -> str:
        """What a technician types."""
        done = self.container.run("loa", *arguments, check=check)
        return done.stdout + done.stderr

    def speaks(self) -> str:
        """The version that answers."""
        return str(json.loads(self.loa("status", "--json", check=False))["node"]["agent"])

    def prepare(self, url: str) -> None:
        """A clean machine with a prepared configuration; its packages lie in the cache, as on a second visit."""
        publish(self.station, schedule_json=SCHEDULE)
        self.container.boot()
        say(f"systemd {self.container.run('systemctl', '--version').stdout.split()[1]} runs in the container")
        check = self.container.run(self.install_sh, "--check", check=False)
        assert check.returncode == 1, check.stdout
        packages = json.loads((self.release / "release.json").read_text())["debian"]
        self.container.run("apt-get", "update", "-q")
        fetch = ["apt-get", "install", "-y", "--no-install-recommends", "--download-only", *packages]
        self.container.run(*fetch)
        etc = self.container.root / "etc/loa"
        etc.mkdir()
        (etc / "config.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
        shutil.copy(Folder(self.station).root, etc / "root.json")

    def install(self) -> None:
        """From nothing to ready."""
        began = time.monotonic()
        done = self.container.run(self.install_sh)
        took_s = time.monotonic() - began
        assert "it is ready to speak" in done.stdout, done.stdout
        self.figures["ready_s"] = round(took_s, 1)
        say(f"installed and ready in {took_s:.1f} s")
        assert took_s <= READY_WITHIN_S
        assert self.container.run(self.install_sh, "--check").returncode == 0

    def service(self) -> None:
        """It runs as it should, and comes back when it is killed."""
        pid = self._pid()
        said = self.container.run(
            "grep", "-E", "^(Uid|CapEff|NoNewPrivs):", f"/proc/{pid}/status"
        ).stdout.split()
        assert said[said.index("Uid:") + 1] != "0", said
        assert said[said.index("CapEff:") + 1] == "0" * 16, said
        assert said[said.index("NoNewPrivs:") + 1] == "1", said
        exposure = self.container.run("systemd-analyze", "security", "loa-agent.service").stdout.splitlines()[
            -1
        ]
        self.figures["exposure"] = float(exposure.split(":")[1].split()[0])
        assert self.loa("say", "Xin chào bà con.")
        wait(lambda: "finished" in self.journal(), 30, "it has spoken")
        self.container.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "loa-agent.service")
        began = time.monotonic()
        wait(lambda: self._pid() not in ("0", pid) and self._active(), 30, "it is back after SIGKILL")
        self.figures["back_after_kill_s"] = round(time.monotonic() - began, 1)
        say(f"runs without root and without capabilities; {exposure.strip('→ ')}")

    def stick(self) -> None:
        """What mounts a stick is as its unit says, still can, and the agent sees what it mounts.

        Here is neither a stick nor udev: the unit is started without waiting for a device, and mounts a tmpfs.
        """
        text = (self.release / "systemd/loa-usb@.service").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(BindsTo|After)=.*\n", "", text).replace("%I", "sdz1")
        text = re.sub(r"(?m)^ExecStart=.*", f"ExecStart=/bin/sh -ec '{STICK}'", text)
        (self.container.root / "etc/systemd/system/stick.service").write_text(text, encoding="utf-8")
        self.container.run("systemctl", "daemon-reload")
        self.container.run("systemctl", "start", "--no-block", "stick.service")
        mounts = f"/proc/{self._pid()}/mountinfo"
        seen = partial(self.container.run, "grep", "-q", "/run/loa-usb/sdz1 ", mounts, check=False)
        wait(lambda: seen().returncode == 0, 30, "the agent sees what was mounted")
        self.container.run("touch", "/run/loa-usb/seen")
        ended = partial(self.container.run, "systemctl", "show", "-P", "ActiveState", "stick.service")
        wait(lambda: ended().stdout.strip() in ("inactive", "failed"), 60, "the stick's service has ended")
        said = self.container.run("journalctl", "-u", "stick", "--no-pager", "-o", "cat").stdout
        assert ended().stdout.strip() == "inactive", said
        assert "no device of a stick" not in said, said
        assert "/dev/sdz1: cannot be mounted" in said, said
        wait(lambda: seen().returncode != 0, 30, "nothing is left mounted")
        say("the agent sees what loa-usb@ mounts, and nothing stays mounted")

    def again(self) -> None:
        """A second run changes nothing, and does not touch the node that runs."""
        pid = self._pid()
        began = time.monotonic()
        done = self.container.run(self.install_sh)
        self.figures["second_run_s"] = round(time.monotonic() - began, 1)
        assert "it runs already" in done.stdout, done.stdout
        assert self._pid() == pid

    def update(self) -> None:
        """To a newer release, by the path unit and root's updater."""
        self.offer("99.1")
        page = self.container.root / "usr/local/share/man/man1/loa.1"
        its_own = page.read_bytes()
        page.write_text("of another version", encoding="ascii")
        began = time.monotonic()
        said = self.loa("update")
        self.figures["update_s"] = round(time.monotonic() - began, 1)
        assert f"99.1 runs; before it {__version__}" in said, said
        assert self.speaks() == "99.1"
        assert page.read_bytes() == its_own  # the updater, too, may write there
        made = self.container.run("stat", "-c", "%U %G %a", "/var/lib/loa/made-by-99.1")
        assert made.stdout == "loa loa-99-1 750\n", made.stdout
        exposure = self.container.run(
            "systemd-analyze", "security", "loa-update.service"
        ).stdout.splitlines()[-1]
        self.figures["updater_exposure"] = float(exposure.split(":")[1].split()[0])
        say(f"updated in {self.figures['update_s']} s")
        self.version = "99.1"

    def crashing(self) -> None:
        """A release that passes its trial and crashes in earnest."""
        self.offer("99.2", {DAEMON: crashes})
        began = time.monotonic()
        said = self.loa("update", "99.2", check=False)
        self.figures["failed_update_s"] = round(time.monotonic() - began, 1)
        assert "back to 99.1, which runs" in said, said
        assert self.speaks() == "99.1"
        say(f"a release that crashes: {said.splitlines()[-1]}")

    def killed(self) -> None:
        """The updater is killed while a version is on trial."""
        self._to_the_trial("99.3")
        self.container.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "loa-update.service")
        wait(lambda: self._current() == "99.1", 30, "the link leads back")
        wait(lambda: self._active() and self.speaks() == "99.1", 60, "the old version speaks")
        said = self.loa("update", "--show", check=False)
        assert "the update was cut off" in said, said
        say(f"the updater was killed: {said.strip()}")

    def power(self) -> None:
        """The power goes while a version is on trial."""
        self.container.run("systemctl", "reset-failed")
        self._to_the_trial("99.4")
        self.container.cut_power()
        self.container.boot()
        wait(self._active, 60, "the node runs after the power cut")
        assert self._current() == "99.1"
        assert self.speaks() == "99.1"
        said = self.loa("update", "--show", check=False)
        assert "the power or the machine failed during the update; back to 99.1" in said, said
        say(f"the power went: {said.strip()}")

    def read_only(self) -> None:
        """A system that is read-only but for one data partition, as systemd/README.md lays it out."""
        self.container.cut_power()
        self.container.boot(read_only_but=DATA)
        assert self.container.run("touch", "/etc/touched", check=False).returncode != 0
        wait(self._active, 60, "the node runs on a read-only system")
        assert self.loa("say", "Xin chào bà con.")
        wait(lambda: "finished" in self.journal(), 30, "it has spoken")
        folders = self.container.root / "etc/tmpfiles.d/loa.conf"
        before = folders.read_bytes()
        self.offer("99.5")
        said = self.loa("update", "99.5")
        assert "99.5 runs; before it 99.1" in said, said
        assert self.speaks() == "99.5"
        assert folders.read_bytes() == before  # what lies on the system stays, and stops nothing
        self.container.cut_power()
        self.container.boot()
        wait(self._active, 60, "the node runs on a system that can be written again")
        say("a read-only system: it speaks, and was updated")

    def remove(self) -> None:
        """Nothing is left but what is to be kept; then nothing."""
        self.container.run(self.install_sh, "--uninstall")
        root = self.container.root
        assert not (root / "opt/loa").exists()
        assert (root / "etc/loa/config.toml").exists()
        assert not list((root / "etc/systemd/system").glob("loa-*"))
        self.container.run(self.install_sh, "--uninstall", "--purge")
        assert not (root / "etc/loa").exists()
        assert not (root / "var/lib/loa").exists()
        assert "loa:" not in (root / "etc/passwd").read_text()
        say("removed")

    def journal(self) -> str:
        """What the node said into systemd's journal since it was started."""
        return self.container.run("journalctl", "-u", "loa-agent", "--no-pager", "-o", "cat").stdout

    def _to_the_trial(self, version: str) -> None:
        self.offer(version)
        self.loa("update", version, "--no-wait")

        def on_trial() -> bool:
            seen = json.loads(self.loa("update", "--show", "--json", check=False))
            assert seen["outcome"] is None or seen["release"] != version, seen
            return bool(seen["release"] == version and seen["step"] == "watching")

        wait(on_trial, 300, f"{version} is on trial")
        assert self._current() == version

    def _current(self) -> str:
        return str((self.container.root / "opt/loa/current").readlink())

    def _pid(self) -> str:
        return self.container.run("systemctl", "show", "--value", "-p", "MainPID", "loa-agent").stdout.strip()

    def _active(self) -> bool:
        return (
            self.container.run("systemctl", "is-active", "loa-agent", check=False).stdout.strip() == "active"
        )


def other_architecture(suite: str) -> dict[str, object]:
    """The installer alone in a root of arm64; its systemd cannot boot under qemu-user."""
    foreign_programs()
    root = base(suite, "arm64")
    with fresh(f"share-{suite}-arm64") as share, Container(root, share) as container:
        sources_into(share)
        began = time.monotonic()
        done = container.chroot("/media/loa/systemd/install.sh")
        took_s = round(time.monotonic() - began, 1)
        assert done.returncode == 0, done.stdout + done.stderr
        say(done.stdout)
        version = container.chroot("/usr/local/bin/loa", "--version").stdout.strip()
        assert version == f"loa-agent {__version__}", version
        said = container.chroot("/media/loa/systemd/install.sh", "--check").stdout
        assert said.count("missing") == 1, said  # the configuration
        machine = "aarch64 under qemu-user"
        return {"suite": suite, "machine": machine, "installed_s": took_s, "version": version}


def foreign_programs() -> None:
    """Let this kernel start programs for arm64 through qemu."""
    if not Path("/proc/sys/fs/binfmt_misc/register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"], check=True)
    subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], check=True)


def wait(probe: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Ask until it is true."""
    deadline = time.monotonic() + timeout_s
    while not probe():
        assert time.monotonic() < deadline, f"after {timeout_s} s still not: {what}"
        time.sleep(0.3)


if __name__ == "__main__":
    sys.exit(main())
