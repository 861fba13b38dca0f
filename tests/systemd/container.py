"""A whole Debian in a container, with its own systemd as process 1: booted, asked, cut off from power."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PLACE = Path("/var/tmp/loa-install-test")
MIRROR = "http://deb.debian.org/debian"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
"""Whom this machine trusts, its containers trust: it may reach the network through a proxy of its own."""
BASE = "systemd-sysv,udev,dbus,ca-certificates"
"""What Raspberry Pi OS Lite and Debian's images have and a bare root has not."""


def say(text: str) -> None:
    """Tell whoever watches."""
    print(f"· {text}", file=sys.stderr, flush=True)


def base(suite: str, architecture: str) -> Path:
    """A clean root of Debian as a tar file, made by mmdebstrap once."""
    PLACE.mkdir(parents=True, exist_ok=True)
    tar = PLACE / f"{suite}-{architecture}.tar"
    if not tar.exists():
        say(f"making a clean Debian {suite} for {architecture} (minutes)")
        aside = tar.with_suffix(".aside.tar")
        subprocess.run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                f"--arch={architecture}",
                f"--include={BASE}",
                suite,
                str(aside),
                MIRROR,
            ],
            check=True,
        )
        aside.rename(tar)
    return tar


def forget(suite: str, architecture: str) -> None:
    """Remove the root that `base` made, and the packages that were fetched for it."""
    (PLACE / f"{suite}-{architecture}.tar").unlink(missing_ok=True)
    shutil.rmtree(PLACE / f"apt-{suite}-{architecture}", ignore_errors=True)
    with contextlib.suppress(OSError):  # another test is at work there
        PLACE.rmdir()


class Container:
    """A root made from `tar`, with `share` seen read-only at /media/loa, and a cache of packages that outlives it."""

    def __init__(self, tar: Path, share: Path) -> None:
        self.root = PLACE / f"root-{tar.stem}"
        self.share = share
        self.cache = PLACE / f"apt-{tar.stem}"
        (self.cache / "partial").mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        subprocess.run(["tar", "-xf", tar, "-C", self.root], check=True)
        shutil.copy(TRUSTED, self.root / TRUSTED.relative_to("/"))
        self.data = PLACE / f"data-{tar.stem}"
        self._apart: tuple[str, ...] = ()
        self._nspawn: subprocess.Popen[bytes] | None = None
        self.log = PLACE / f"console-{tar.stem}"

    def __enter__(self) -> Container:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        self.cut_power()
        if kind is not None:
            say(self._last_words())
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def boot(self, *, read_only_but: Sequence[str] | None = None) -> None:
        """Start its systemd, and wait until it has started everything.

        With `read_only_but` all is read-only but for these folders, which lie elsewhere, and its logs are in memory.
        """
        self._whole_again()
        more: list[str] = []
        if read_only_but is not None:
            more = ["--read-only", "--tmpfs=/var/log", "--tmpfs=/var/tmp"]
            for folder in read_only_but:
                place = Path(f"{self.data}{folder}")
                place.parent.mkdir(parents=True, exist_ok=True)
                Path(f"{self.root}{folder}").rename(place)
                Path(f"{self.root}{folder}").mkdir()
                more.append(f"--bind={place}:{folder}")
            self._apart = tuple(read_only_but)
        with self.log.open("ab") as log:
            self._nspawn = subprocess.Popen(
                [
                    "systemd-nspawn",
                    "--quiet",
                    "--boot",
                    "--register=no",
                    "--keep-unit",
                    "--console=pipe",
                    f"--machine=loa-{self.root.name}",
                    f"--directory={self.root}",
                    f"--bind={self.cache}:/var/cache/apt/archives",
                    f"--bind-ro={self.share}:/media/loa",
                    *more,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(LookupError):
                done = self.run("systemctl", "is-system-running", check=False)
                if done.stdout.strip() in ("running", "degraded"):
                    return
            time.sleep(0.2)
        raise AssertionError(f"the container does not boot: {self.log.read_text(errors='replace')[-2_000:]}")

    def _whole_again(self) -> None:
        for folder in self._apart:
            Path(f"{self.root}{folder}").rmdir()
            Path(f"{self.data}{folder}").rename(f"{self.root}{folder}")
        self._apart = ()

    def cut_power(self) -> None:
        """SIGKILL to all of it at once."""
        if self._nspawn is None:
            return
        with contextlib.suppress(LookupError, ProcessLookupError):
            os.kill(self._leader(), signal.SIGKILL)  # process 1 of its name space: the kernel ends all others
        self._nspawn.kill()
        self._nspawn.wait()
        self._nspawn = None

    def run(
        self, *command: str, check: bool = True, timeout_s: float = 900.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        enter = [
            "nsenter",
            f"--target={self._leader()}",
            "--mount",
            "--uts",
            "--ipc",
            "--pid",
            "--net",
            "--cgroup",
        ]
        enter += ["--root", "--wd", "env", "-i", f"PATH={PATH}", "HOME=/root", "TERM=dumb", "LANG=C.UTF-8"]
        done = subprocess.run(
            [*enter, *command],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def chroot(self, *command: str, timeout_s: float = 3_600.0) -> subprocess.CompletedProcess[str]:
        """Run a command in the root without booting it (another architecture's systemd does not run here)."""
        where: Sequence[str] = [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--pipe",
            f"--directory={self.root}",
            f"--bind={self.cache}:/var/cache/apt/archives",
            f"--bind-ro={self.share}:/media/loa",
        ]
        return subprocess.run(
            [*where, *command],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )

    def _last_words(self) -> str:
        """Of the installer and of the journal, for who looks for what went wrong: the root is not kept."""
        tail = ["tail", "-n", "20", self.root / "var/log/loa-install.log"]
        journal = ["journalctl", f"--directory={self.root}/var/log/journal", "--no-pager", "-n", "60"]
        said = [
            subprocess.run(each, check=False, capture_output=True, text=True, errors="replace").stdout
            for each in (tail, journal)
        ]
        return "\n".join(said)

    def _leader(self) -> int:
        if self._nspawn is None:
            raise LookupError("it is not booted")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        if not children:
            raise LookupError("it has no process yet")
        return int(children[0])
