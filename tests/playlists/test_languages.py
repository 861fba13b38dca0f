"""Language tags."""

import pytest

from playlists.languages import beginnings, language_of


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("vi", ["vi"]),
        ("vi-VN-x-south", ["vi-vn-x-south", "vi-vn-x", "vi-vn", "vi"]),
        ("zh-yue", ["zh-yue"]),
        ("zh-yue-HK", ["zh-yue-hk", "zh-yue"]),
        ("zh-Hant", ["zh-hant", "zh"]),
    ],
)
def test_a_tag_begins_with_its_own_language_only(tag: str, expected: list[str]) -> None:
    assert list(beginnings(tag)) == expected
    assert language_of(tag) == expected[-1]
