"""What of systemd an update needs, for real processes in a root of the test's own: a service that is always started
again, with READY and its end; a path that starts the updater; what runs after the updater; and `systemctl`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import socketserver
import subprocess
import threading
import time
from pathlib import Path

from agent.update.places import Places
from agent.update.progress import waits
from tests.support.wait import wait_until

UPDATER = """\
import sys
from agent.update.service import Patience
from agent.update.updater import main
sys.exit(main(Patience(tried_s={tried_s}, quiet_s=60, quiet_each_s=0.2, healthy_s={healthy_s}, steady_s=1.5)))
"""
SYSTEMCTL = """\
#!{python} -S
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.connect({path!r})
    s.sendall(" ".join(sys.argv[1:]).encode() + b"\\n")
    sys.stdout.write(s.makefile().read())
"""
RESTART_S = 0.2


class Supervisor:
    """Runs `opt/loa/current/bin/loa run` in `root`, and `loa-update` whenever a wish lies there."""

    def __init__(self, root: Path, python: str) -> None:
        self.root = root
        self.healthy_s, self.tried_s = 30.0, 60.0
        self.log = root / "log"
        self.starts: list[str] = []
        """The version that `current` named at each start."""
        self._node: subprocess.Popen[bytes] | None = None
        self._updater: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._wanted = False
        self._off = False
        self._lock = threading.RLock()
        tools = root / "tools"
        tools.mkdir(exist_ok=True)
        path = str(root / "systemd.sock")
        (tools / "systemctl").write_text(SYSTEMCTL.format(python=python, path=path), encoding="utf-8")
        (tools / "systemctl").chmod(0o755)
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "LOA_ROOT": str(root),
            "LOA_SOCKET": str(root / "run/loa/control.sock"),
            "HOME": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        Path(path).unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        (root / "notify").unlink(missing_ok=True)
        self._notify.bind(str(root / "notify"))
        self._notify.settimeout(0.1)
        supervisor = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked = self.rfile.readline().decode().split()
                self.wfile.write(supervisor.systemctl(asked).encode())

        self._server = socketserver.ThreadingUnixStreamServer(path, Handler)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._keep_node, daemon=True),
            threading.Thread(target=self._hear, daemon=True),
            threading.Thread(target=self._watch_path, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    # ---- systemctl

    def systemctl(self, asked: list[str]) -> str:
        """Do what `systemctl` was asked for; returns what it prints."""
        match [word for word in asked if word != "--no-block"]:
            case ["show", *_]:
                with self._lock:
                    pid = self._node.pid if self._node is not None and self._node.poll() is None else 0
                    state = "active" if pid and self._ready else "activating" if self._wanted else "inactive"
                return f"ActiveState={state}\nMainPID={pid}\nResult=success\n"
            case ["restart", _]:
                self._wanted = True
                self._end_node()
            case ["try-restart", _]:
                self._end_node()
        return ""

    def start(self) -> None:
        """Start the node and wait until it is ready."""
        self._wanted = True
        try:
            wait_until(lambda: self._ready, 60, "the node is ready")
        except AssertionError as error:
            error.add_note(self.said()[-3_000:])
            raise

    def said(self) -> str:
        """What everything printed."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    @property
    def current(self) -> str:
        """The version that is started next."""
        return str((self.root / "opt/loa/current").readlink())

    @property
    def updating(self) -> bool:
        """Whether an updater is at work."""
        return self._updater is not None and self._updater.poll() is None

    def kill_updater(self) -> None:
        """SIGKILL, as for want of memory."""
        assert self._updater is not None
        self._updater.kill()

    # ---- power

    def cut_power(self) -> None:
        """Everything is gone at once; nothing runs afterwards that would tidy up."""
        self._off = True
        with self._lock:
            for process in (self._updater, self._node):
                if process is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(10)
        self._notify.close()

    # ---- threads

    def _keep_node(self) -> None:
        while not self._off:
            node = self._node
            if self._wanted and (node is None or node.poll() is not None):
                if node is not None:
                    self._ready = False
                    time.sleep(RESTART_S)
                with self._lock:
                    if self._off:
                        return
                    self.starts.append(self.current)
                    self._node = self._spawn(
                        [self.root / "opt/loa/current/bin/loa", "run", "--config", self._config]
                    )
            time.sleep(0.02)

    @property
    def _config(self) -> Path:
        return self.root / "etc/loa/config.toml"

    def _hear(self) -> None:
        while not self._off:
            with contextlib.suppress(OSError):
                if b"READY=1" in self._notify.recv(4_096).splitlines():
                    self._ready = True

    def _watch_path(self) -> None:
        while not self._off:
            if waits(Places(self.root)):
                # as `loa-update` does: the version's own folder, wherever `current` goes meanwhile
                python = (self.root / "opt/loa/current").resolve() / "bin/python"
                with self._lock:
                    if self._off:
                        return
                    self._updater = self._spawn(
                        [python, "-c", UPDATER.format(healthy_s=self.healthy_s, tried_s=self.tried_s)]
                    )
                self._updater.wait()
                if not self._off:
                    settle = [self.root / "opt/loa/switch", "settle", "the update was cut off"]
                    subprocess.run(settle, env=self.environment, check=True, timeout=60)
            time.sleep(0.05)

    def _end_node(self) -> None:
        node = self._node
        if node is None or node.poll() is not None:
            return
        node.terminate()
        try:
            node.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(node.pid, signal.SIGKILL)
            node.wait()

    def _spawn(self, command: list[object]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(word) for word in command],
                env={**self.environment, "NOTIFY_SOCKET": str(self.root / "notify")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
