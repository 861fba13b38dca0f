"""Takes secrets out of text: those that are known by their value, and whatever looks like one.

No library does this for logs and configurations alike; scanners (detect-secrets and its kin) find secrets in order to
report them, miss what is not in their list, and want a source tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "[secret]"

SHORTEST_ANYWHERE: Final = 6
"""A known secret that is shorter is only taken out where it stands alone: `loa` is in every line of a log."""

_NAMES: Final = "|".join(
    (r"pass(?:word|wd|phrase|code)", r"(?<![a-z])pass(?![a-z])", "pwd", "secret", "token", r"api_?key",
     r"private(?:_?key)?", "psk", "credential", "otp")
)  # fmt: skip

_PATTERNS: Final = (
    # private keys, also one that was cut off
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MASK,
    ),
    # the user and password of an address; a password may have an @ in it
    (re.compile(r"(?<=://)[^/\s\"'<>]*@(?=[^/\s\"'<>@]+)"), MASK + "@"),
    # parameters of an address that carry a right
    (
        re.compile(
            rf"([?&;](?:[\w.-]*(?:{_NAMES}|auth|sig|signature|key|code|session)[\w.-]*)=)[^&\s\"'<>#]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(Basic|Bearer|Digest)(\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1\2{MASK}"),
    # name = value and "name": "value"; the name of a file that holds one is no secret
    (
        re.compile(
            rf"((?<![A-Za-z0-9])[\w-]*(?:{_NAMES})(?!\w*_?(?:file|path))[\w-]*[\"']?\s*[=:]\s*)"
            r"(\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|[^\s,;}\]\"']+)",
            re.IGNORECASE | re.DOTALL,
        ),
        rf"\1{MASK}",
    ),
    # --password VALUE of a command line
    (re.compile(rf"(--(?:[\w-]*(?:{_NAMES})[\w-]*)\s+)(?!-)\S+", re.IGNORECASE), rf"\1{MASK}"),
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """`text` with a mask where a secret stood. `known` are the values of this node's secrets."""
    for secret in sorted({one for one in known if one.strip()}, key=len, reverse=True):
        pattern = re.escape(secret)
        if len(secret) < SHORTEST_ANYWHERE:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, MASK, text)
    for expression, mask in _PATTERNS:
        text = expression.sub(mask, text)
    return text
