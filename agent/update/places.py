"""Where versions, wishes and outcomes of updates lie. `$LOA_ROOT` is put before every path; tests use it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Paths; nothing is made or read here."""

    root: Path

    @classmethod
    def here(cls) -> Places:
        """Those of this machine."""
        return cls(Path(os.environ.get("LOA_ROOT") or "/"))

    @property
    def opt(self) -> Path:
        """One folder for each version, the link `current`, and `switch`."""
        return self.root / "opt/loa"

    @property
    def current(self) -> Path:
        """The folder of the version that is started."""
        return (self.opt / "current").resolve()

    @property
    def config(self) -> Path:
        """The node's configuration."""
        return self.root / "etc/loa/config.toml"

    @property
    def console(self) -> Path:
        """Is there where the screen is a bare console: `install.sh --board` puts it, and goes by it afterwards."""
        return self.root / "etc/systemd/system/loa-agent.service.d/screen-kmsdrm.conf"

    @property
    def request(self) -> Path:
        """What is wished for. The daemon may write here."""
        return self.root / "var/lib/loa/update/request.json"

    @property
    def forced(self) -> Path:
        """What root itself wishes for. It lies in root's folder: nobody else can put it here, or keep it."""
        return self.state / "request.json"

    @property
    def told(self) -> Path:
        """Which outcome the daemon has passed on already. The daemon writes it."""
        return self.root / "var/lib/loa/update/told"

    @property
    def state(self) -> Path:
        """The updater's own folder: root's, readable to all."""
        return self.root / "var/lib/loa-update"

    @property
    def progress(self) -> Path:
        """How far an update is, and what became of it."""
        return self.state / "state.json"

    @property
    def busy(self) -> Path:
        """Is there while an update is under way; `switch settle` looks for it."""
        return self.state / "busy"

    @property
    def settled(self) -> Path:
        """Why an update was cut off, as `switch settle` wrote it."""
        return self.state / "settled"
