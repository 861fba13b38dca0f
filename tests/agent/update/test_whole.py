"""Updates of a real node by real processes, from a signed feed: those that work, and those that must not."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from tests.agent.update.conftest import NEW, OLD, Node
from tests.agent.update.releases import DAEMON, archive, crashes, does_not_compile, hangs
from tests.support.centre import CentreUnderTest
from tests.support.wait import wait_until

pytestmark = pytest.mark.timeout(180)


def test_a_node_goes_to_the_newest_release_and_says_so(node: Node, tmp_path: Path) -> None:
    node.offer(archive(tmp_path / "new", NEW))
    done = node.loa("update")
    assert done.returncode == 0, done.stdout + done.stderr + node.supervisor.said()
    assert done.stdout.splitlines()[-1].endswith(f"updated: {NEW} runs; before it {OLD}")
    assert (node.supervisor.current, node.speaks) == (NEW, NEW)
    assert node.supervisor.starts == [OLD, NEW]
    assert (node.places.opt / "previous").read_text() == f"{OLD}\n"
    assert not (node.places.opt / "trial").exists()
    wait_until(
        lambda: any("update to 1.1: updated" in text for text in node.log()), 10, "it is in the play log"
    )
    again = node.loa("update")
    assert (again.returncode, again.stdout.splitlines()[-1].partition("  ")[2]) == (
        0,
        f"nothing to do: {NEW} runs already",
    )


def test_a_release_that_crashes_is_left_again_by_itself(node: Node, tmp_path: Path) -> None:
    node.offer(archive(tmp_path / "new", NEW, {DAEMON: crashes}))
    done = node.loa("update", NEW)
    assert done.returncode == 1
    assert f"back to {OLD}, which runs" in done.stdout
    assert (node.supervisor.current, node.speaks) == (OLD, OLD)
    assert node.supervisor.starts.count(NEW) >= 2
    assert not (node.places.opt / "trial").exists()


def test_a_release_that_is_never_ready_is_left_again_by_itself(node: Node, tmp_path: Path) -> None:
    node.supervisor.healthy_s = 5.0
    node.offer(archive(tmp_path / "new", NEW, {DAEMON: hangs}))
    done = node.loa("update")
    assert done.returncode == 1
    assert f"{NEW} was not healthy within 5 s" in done.stdout
    assert (node.supervisor.current, node.speaks) == (OLD, OLD)


def test_a_release_with_a_mistake_is_not_even_started(node: Node, tmp_path: Path) -> None:
    node.supervisor.tried_s = 6.0
    node.offer(archive(tmp_path / "new", NEW, {"agent/player/__main__.py": does_not_compile}))
    done = node.loa("update")
    assert done.returncode == 1
    assert "failed: the new version is not ready" in done.stdout
    assert node.supervisor.starts == [OLD]
    assert not (node.places.opt / NEW).exists()


def test_a_wheel_that_is_cut_off_is_not_even_built(node: Node, tmp_path: Path) -> None:
    node.offer(archive(tmp_path / "new", NEW, spoil=True))
    done = node.loa("update")
    assert done.returncode == 1
    assert "refused: loa_agent-1.1-py3-none-any.whl: is damaged" in done.stdout
    assert node.supervisor.starts == [OLD]


def test_an_older_release_is_refused_unless_root_forces_it(node: Node, tmp_path: Path) -> None:
    node.offer(archive(tmp_path / "old", "0.9"))
    done = node.loa("update", "0.9")
    assert done.returncode == 1
    assert "refused: 0.9 is older than 1.0; only sudo loa update 0.9 --force goes back" in done.stdout
    assert node.supervisor.starts == [OLD]
    forced = node.loa("update", "0.9", "--force")
    assert forced.returncode == 0, forced.stdout + forced.stderr
    assert (node.supervisor.current, node.speaks) == ("0.9", "0.9")


def test_debian_packages_that_are_not_here_are_named_before_anything_is_built(
    node: Node, tmp_path: Path
) -> None:
    node.offer(archive(tmp_path / "new", NEW, debian=("base-files", "loa-no-such-package")))
    done = node.loa("update")
    assert "needs Debian packages that are not here: loa-no-such-package." in done.stdout
    assert not (node.places.opt / NEW).exists()


def test_what_is_not_signed_for_is_refused(node: Node, tmp_path: Path) -> None:
    node.offer(archive(tmp_path / "new", NEW))
    (published,) = (node.station / "feed/targets/releases").glob("*.loa-agent-1.1-*.tar")
    published.write_bytes(b"x" * published.stat().st_size)
    done = node.loa("update")
    assert done.returncode == 1
    assert "was signed" in done.stdout
    assert node.supervisor.starts == [OLD]


def test_an_updater_that_is_killed_leads_back(node: Node, tmp_path: Path) -> None:
    node.supervisor.healthy_s = 60.0
    node.offer(archive(tmp_path / "new", NEW, {DAEMON: hangs}))
    node.loa("update", "--no-wait")
    node.step("watching")
    assert node.supervisor.current == NEW
    node.supervisor.kill_updater()
    seen = node.outcome()
    assert (seen.outcome, seen.text) == ("failed", f"the update was cut off; back to {OLD}")
    wait_until(lambda: node.supervisor.starts[-1] == OLD, 20, "the old version is started")
    wait_until(
        lambda: any("update to 1.1: failed" in text for text in node.log()), 20, "it is in the play log"
    )


@pytest.mark.parametrize("step", ["building", "trying", "watching"])
def test_a_power_cut_in_the_middle_leads_back(node: Node, tmp_path: Path, step: str) -> None:
    node.offer(archive(tmp_path / "new", NEW))
    node.loa("update", "--no-wait")
    node.step(step)
    node.supervisor.cut_power()
    node.reboot()
    assert (node.supervisor.current, node.speaks) == (OLD, OLD)
    seen = node.outcome()
    assert seen.outcome == "failed"
    assert seen.text.startswith("the power or the machine failed during the update")
    if step == "watching":
        again = node.loa("update")
        assert again.returncode == 0, again.stdout + again.stderr + node.supervisor.said()
        assert node.speaks == NEW


def test_it_waits_until_nobody_is_spoken_to(node: Node, tmp_path: Path) -> None:
    node.offer(archive(tmp_path / "new", NEW))
    with wave.open(str(tmp_path / "long.wav"), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(8_000)
        recording.writeframes(b"\x00\x20\x00\xe0" * 4_000 * 240)
    assert node.loa("play", str(tmp_path / "long.wav")).returncode == 0
    wait_until(lambda: node.ask("status")["health"]["now"]["audio"], 60, "it sounds")
    node.loa("update", "--no-wait")
    node.step("waiting")
    assert (node.supervisor.current, node.supervisor.starts) == (OLD, [OLD])
    assert node.ask("status")["health"]["now"]["audio"] is not None
    assert node.loa("stop").returncode == 0
    assert node.outcome().outcome == "updated"
    assert node.speaks == NEW


def test_an_emergency_that_comes_while_a_release_is_built_is_spoken_and_the_update_goes_on(
    commanded: tuple[Node, CentreUnderTest], tmp_path: Path
) -> None:
    node, centre = commanded
    node.offer(archive(tmp_path / "new", NEW))
    node.loa("update", "--no-wait")
    node.step("building")
    words = {"speech": {"text": "Nước dâng nhanh, bà con rời khỏi bờ sông ngay.", "language": "vi"}}
    emergency = centre.command({"type": "announce", "class": "emergency", "items": [words]})
    centre.wait_for_receipt(emergency, "started", 30)
    assert (node.supervisor.current, node.supervisor.starts) == (OLD, [OLD])
    centre.wait_for_receipt(emergency, "finished", 60)
    (play,) = centre.wait_for_records(1, 30, kind="play", command=emergency.id)
    assert play["sounded_dbfs"] > -40
    assert node.outcome().outcome == "updated"
    assert (node.speaks, node.supervisor.starts) == (NEW, [OLD, NEW])
