"""The difference between two contents of a configuration, with secrets masked."""

from __future__ import annotations

import difflib
import re

from agent.config.show import MASK, is_secret, without_userinfo

CONTEXT_LINES = 2

_ASSIGNED = re.compile(
    r"""(?P<quote>["']?)(?P<key>[A-Za-z0-9_-]+)(?P=quote)(?P<equals>\s*=\s*)"""
    r'''(?:"""[\s\S]*?(?:"""|\Z)|''' + r"""'''[\s\S]*?(?:'''|\Z)"""
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\[[^\]]*\]?|[^,}\]#\n]+)"""
)


def difference(old: str, new: str, old_name: str, new_name: str) -> list[str]:
    """Lines of a unified diff, without line ends; none where both are equal.

    What may be a secret (see `agent.config.show`) is `***` on both sides; that it changed is still seen.
    """
    before, after = masked(old), masked(new)
    lines = list(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), old_name, new_name, n=CONTEXT_LINES, lineterm=""
        )
    )
    if not lines and old != new:
        return [f"--- {old_name}", f"+++ {new_name}", f" {MASK}"]
    return lines


def masked(text: str) -> str:
    """The text of a configuration without secrets; a correct one has none, only the paths of their files."""
    return without_userinfo(_ASSIGNED.sub(_mask, text))


def _mask(found: re.Match[str]) -> str:
    if not is_secret(found["key"]):
        return found[0]
    return f"{found['quote']}{found['key']}{found['quote']}{found['equals']}{MASK}"
