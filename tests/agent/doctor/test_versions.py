"""Which version runs, against which is installed."""

import pytest

from agent.doctor.finding import Verdict
from agent.doctor.versions import Version, judge_version


@pytest.mark.parametrize(
    ("current", "running", "verdict"),
    [
        ("0.1.0", "0.1.0", Verdict.OK),
        ("0.1.0-0123456789ab-board", "0.1.0", Verdict.OK),
        ("0.1.1-0123456789ab-board", "0.1.0", Verdict.WARNING),
    ],
)
def test_a_folder_that_says_more_than_the_version_is_still_that_version(
    current: str, running: str, verdict: Verdict
) -> None:
    assert judge_version(Version(current, whole=True, running=running)).verdict is verdict
