"""A support bundle is whole whatever fails, bounded, for its owner alone, and without a secret of a real node."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli.tree import app
from agent.support import bundle
from agent.support.bundle import Missing, Source, Sources, Taken, gather, write
from agent.support.sources import secrets
from tests.support.node import ROOT, NodeProcess, NodeSettings

PASSWORD = "Tre-Lang-2026!"
WORDS = {
    "password of the broker": PASSWORD,
    "password in an address": "s3cret-of-feed",
    "token in an address": "9f8e7d6c5b4a",
    "line of the key": "MHcCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5GkMyZ6mQ2fLq",
    "token in a comment": "tok_live_123456789",
}
KEY = f"-----BEGIN EC PRIVATE KEY-----\n{WORDS['line of the key']}\n-----END EC PRIVATE KEY-----\n"


def contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {
            member.name.partition("/")[2]: found.read()
            for member in archive.getmembers()
            if (found := archive.extractfile(member)) is not None
        }


def source(name: str, text: str) -> Source:
    return Source(name, lambda: text)


def test_a_part_that_fails_costs_only_itself_and_says_why(tmp_path: Path) -> None:
    def absent() -> str:
        raise Missing("vcgencmd is not installed")

    def defect() -> str:
        raise ZeroDivisionError(f"with {PASSWORD}")

    parts = (Source("a", absent), Source("b", defect), source("c", "here"), source("d", ""))
    found = gather(Sources(parts, (PASSWORD,)))
    assert found == [
        Taken("a", missing="vcgencmd is not installed"),
        Taken("b", missing="ZeroDivisionError: with [secret]"),
        Taken("c", b"here"),
        Taken("d", missing="empty"),
    ]
    write(tmp_path / "x.tar.gz", found)
    told = contents(tmp_path / "x.tar.gz")
    assert set(told) == {"CONTENTS.txt", "c"}
    assert b"a: vcgencmd is not installed" in told["CONTENTS.txt"]


def test_of_a_long_part_the_newest_stays_and_all_of_them_have_a_bound(monkeypatch) -> None:
    monkeypatch.setattr(bundle, "MAX_PART_BYTES", 1_000)
    monkeypatch.setattr(bundle, "MAX_ALL_BYTES", 2_500)
    long = "\n".join(f"dòng {number}" for number in range(10_000))
    found = gather(Sources(tuple(source(str(n), long) for n in range(4))))
    assert [len(taken.data) for taken in found][:1] <= [1_000]
    assert sum(len(taken.data) for taken in found) <= 2_500
    text = found[0].data.decode()
    assert text.startswith(bundle.CUT + "dòng ")
    assert text.endswith("dòng 9999")
    assert found[3].missing == "empty"


def test_a_secret_at_the_cut_does_not_pass_by_half(monkeypatch) -> None:
    monkeypatch.setattr(bundle, "MAX_PART_BYTES", 60)
    text = "x" * 200 + PASSWORD + "y" * 22
    (taken,) = gather(Sources((source("a", text),), (PASSWORD,)))
    assert not any(PASSWORD[place:].encode() in taken.data for place in range(len(PASSWORD) - 4))


def test_it_is_for_its_owner_alone_and_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    assert write(path, [Taken("a", b"1")]) == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write(path, [Taken("a", b"2")])
    assert contents(path)["a"] == b"1"


def test_the_secrets_of_a_node_are_found_by_its_configuration_and_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[broker]\nhost = "b"\npassword_file = "pw"\nkey = "sub/k.pem"\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "pw").write_text("first-one\n")
    (tmp_path / "sub/k.pem").write_text(KEY)
    (tmp_path / "wifi-token").write_text("second-one")
    (tmp_path / "sub/other.key").write_text("third-one")
    found = set(secrets(tmp_path / "config.toml"))
    assert {"first-one", "second-one", "third-one", WORDS["line of the key"]} <= found
    (tmp_path / "config.toml").write_text("not [ toml")
    assert "second-one" in set(secrets(tmp_path / "config.toml"))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    """A real node whose configuration, files and log are full of secrets."""
    directory = tmp_path / "node"
    directory.mkdir()
    (directory / "broker-password").write_text(PASSWORD + "\n")
    (directory / "node.key").write_text(KEY)
    (directory / "root.json").write_text("{}")
    for name in ("broker-password", "node.key"):
        (directory / name).chmod(0o640)
    settings = NodeSettings(
        output="file",
        device=str(directory / "out.wav"),
        feed_url="http://127.0.0.1:9/x",
        root=directory / "root.json",
        broker_port=9,
        password_file=directory / "broker-password",
        extra=f"# old: https://pole:{WORDS['password in an address']}@feeds.example/"
        f"?token={WORDS['token in an address']}\n"
        f'# for tests: api_key = "{WORDS["token in a comment"]}"\n',
    )
    node = NodeProcess(directory, settings)
    node.start()
    yield node
    node.stop()


def loa(node: NodeProcess, *words: str, cwd: Path, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", f"--socket={node.socket}", *words],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "60"}, input=answer,
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip


def test_no_secret_of_a_real_node_is_in_its_bundle(node: NodeProcess, tmp_path: Path) -> None:
    node.ask("say", text=f"password: {PASSWORD}, see https://a.example/?token={WORDS['token in an address']}")
    done = loa(node, "support-bundle", "--yes", "--out", "b.tar.gz", "-c", str(node.config), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "b.tar.gz"
    told = contents(path)
    for name, data in {
        **told,
        "all": gzip.decompress(path.read_bytes()),
        "out": done.stdout.encode(),
    }.items():
        for what, secret in WORDS.items():
            assert secret.encode() not in data, f"{what} is in {name}"
        assert b"PRIVATE KEY" not in data, name
    for name in ("status.json", "log.json", "agent.log", "config.toml", "versions.json", "audit.json", "faults.json",
                 "link.json", "doctor.json", "check-config.txt", "files.txt", "disks.txt"):  # fmt: skip
        assert name in told, done.stdout
    assert b"feed-refused:commune" in told["faults.json"]
    assert b'host = "127.0.0.1"' in told["config.toml"]
    assert path.stat().st_size < 2_000_000
    assert max(map(len, done.stdout.splitlines())) <= 60
    assert node.ask("audit")["actions"][-1]["text"] == "support-bundle b.tar.gz"


def test_it_asks_before_it_writes_and_nobody_is_no_yes(node: NodeProcess, tmp_path: Path) -> None:
    done = loa(node, "support-bundle", "-c", str(node.config), cwd=tmp_path)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert list(tmp_path.glob("*.tar.gz")) == []


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("nope/x.tar.gz", "No such file"),
        ("file/x.tar.gz", "Not a directory"),
        ("shut/x.tar.gz", "Permission denied"),
    ],
)
def test_a_place_where_it_cannot_be_written_is_told_before_anything_is_gathered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, said: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "shut").mkdir()
    may = os.access
    # root may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "shut" and may(path, mode))
    result = CliRunner().invoke(
        app, ["support-bundle", "--yes", "--out", str(tmp_path / out)], env={"LANGUAGE": "en"}
    )
    assert result.exit_code == 1, result.output
    assert f"{tmp_path / out}: cannot be written: {said}" in result.output
    assert "gathering" not in result.output


def test_a_tar_of_nothing_still_says_what_is_missing(tmp_path: Path) -> None:
    write(tmp_path / "x.tar.gz", [Taken("a", missing="gone")])
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "x.tar.gz").read_bytes())) as archive:
        assert archive.getnames() == ["x/CONTENTS.txt"]
