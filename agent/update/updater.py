"""`loa-update`: takes the wish that lies there, and brings the node to that release, or leaves it as it was.

It runs as root in `loa-update.service`, from the version that is being left: its own folder is in its first line, so
it goes on when `current` moves. Whatever cuts it off, `switch settle` (a shell script beside the versions, run by
systemd afterwards and at boot) leads back.

Exit code: 0 when the wish was answered, whatever the answer; 1 when it could not even be written down.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

from agent import __version__
from agent.config import ConfigError, load
from agent.update import archive, build, tryout
from agent.update.errors import Failed, Refused, UpdateError
from agent.update.fetch import Source
from agent.update.places import Places
from agent.update.progress import Outcome, Progress, Request, take
from agent.update.service import UNIT, Patience, await_health, restart_when_quiet, systemctl


def main(patience: Patience | None = None) -> int:
    """Answer one wish."""
    places = Places.here()
    try:
        request = take(places)
        if request is None:
            return 0
        progress = Progress(places, request, __version__)
    except (UpdateError, OSError) as error:
        print(f"loa-update: {error}", file=sys.stderr)
        return 1
    outcome: Outcome = "failed"
    try:
        outcome, text = Update(places, request, progress, patience or Patience()).run()
    except Refused as error:
        outcome, text = "refused", str(error)
    except (UpdateError, OSError, subprocess.SubprocessError) as error:
        text = str(error)
    finally:
        shutil.rmtree(places.state / "unpacked", ignore_errors=True)
    try:
        progress.end(outcome, text)
    except OSError as error:
        print(f"loa-update: {outcome}: {text}; and that cannot be written down: {error}", file=sys.stderr)
        return 1
    return 0


class Update:
    """One wish, from the feed to a node that is healthy, or back."""

    def __init__(self, places: Places, request: Request, progress: Progress, patience: Patience) -> None:
        self._places = places
        self._request = request
        self._progress = progress
        self._patience = patience
        self._old = places.current
        # the configuration may put it elsewhere only for a node that no systemd runs
        self._socket = places.root / "run/loa/control.sock"

    def run(self) -> tuple[Outcome, str]:
        """Do it; returns what came of it.

        Raises:
            Refused: the release is not to be installed here.
            Failed: it could not be fetched, built, tried, or did not work; the version before runs.
            OSError: the disk refuses; the version before runs.
        """
        source = Source(self._places)
        if self._request.feed != source.feed.name:
            raise Refused(f"releases come from the feed {source.feed.name} here, not {self._request.feed}")
        self._progress.step("fetching", f"from {source.feed.name}")
        version = self._request.release or source.newest()
        self._progress.step("fetching", f"release {version}", version)
        order = archive.newer(version, __version__)
        if order == 0:
            return "unchanged", f"{version} runs already"
        if order < 0 and not self._request.force:
            raise Refused(
                f"{version} is older than {__version__}; only sudo loa update {version} --force goes back"
            )
        folder = self._build(source.fetch(version), version)
        self._change_over(folder, version)
        build.tidy(self._places.opt, folder.name, self._old.name)
        return "updated", f"{version} runs; before it {__version__}"

    def _build(self, packed: Path, version: str) -> Path:
        info = archive.read_info(packed)
        if info.version != version or info.kind != archive.kind_here():
            raise Refused(f"{packed.name} holds {info.version} for {info.kind}")
        build.check_packages(info)
        build.check_room(self._places.opt, packed)
        self._progress.step("building", f"release {version}")
        unpacked = self._places.state / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        release = archive.unpack(packed, unpacked)
        board = self._places.console.exists()
        folder = build.build(release, info, self._places.opt, self._old, board=board)
        try:
            self._progress.step("trying", f"release {version}, without hardware")
            tryout.try_out(
                folder,
                version,
                self._places.config,
                screen=self._has_screen(),
                ready_s=self._patience.tried_s,
            )
        except UpdateError:
            if not (folder / build.COMPLETE).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
        build.finish(folder, release, tryout.completion_of(folder))
        packed.unlink()
        return folder

    def _has_screen(self) -> bool:
        with contextlib.suppress(ConfigError):
            return load(self._places.config).screen.enabled
        return False

    def _change_over(self, folder: Path, version: str) -> None:
        self._progress.step("waiting", "until the node is quiet")
        restart_when_quiet(
            self._socket,
            version,
            lambda: self._switch("try", folder.name),
            lambda: self._switch("back"),
            self._patience,
        )
        try:
            self._progress.step("watching", f"whether {version} is healthy")
            await_health(self._socket, version, self._patience)
        except (UpdateError, OSError) as error:
            self._go_back(error)
        self._switch("keep")

    def _go_back(self, error: Exception) -> None:
        self._progress.step("going back", f"to {__version__}: {error}")
        self._switch("back")
        systemctl("restart", UNIT)
        try:
            await_health(self._socket, __version__, self._patience)
        except Failed as second:
            raise Failed(f"{error}; back to {__version__}, but: {second}") from error
        raise Failed(f"{error}; back to {__version__}, which runs") from error

    def _switch(self, *arguments: str) -> None:
        done = subprocess.run(
            [self._places.opt / "switch", *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.stderr:
            print(done.stderr.rstrip(), flush=True)
        if done.returncode != 0:
            raise Failed(f"switch {arguments[0]}: {done.stderr.strip()[-300:] or done.returncode}")


if __name__ == "__main__":
    sys.exit(main())
