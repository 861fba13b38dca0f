"""Language tags (BCP 47, RFC 5646), as far as finding a voice needs them. Pure."""

from __future__ import annotations

from collections.abc import Iterator


def beginnings(tag: str) -> Iterator[str]:
    """The tag in lower case, and what it begins with, the longest first: `vi-VN` → `vi-vn`, `vi`.

    Three letters behind the language name a language of their own (`zh-yue`: RFC 5646, 2.2.2), so what comes
    before them is another language, and is not given.
    """
    parts = tag.lower().split("-")
    least = 2 if len(parts) > 1 and len(parts[1]) == 3 and parts[1].isalpha() else 1
    for count in range(len(parts), least - 1, -1):
        yield "-".join(parts[:count])


def language_of(tag: str) -> str:
    """The language alone: `vi-VN` → `vi`."""
    return list(beginnings(tag))[-1]
