"""The code that a technician types: 16 letters and digits in groups of four, as `4KQ7-9XW2-MC0T-H8R2`.

Crockford's Base32 (https://www.crockford.com/base32.html): no letter looks like another one, and what was typed
in lower case, or as O, I or L, is understood. The first four name the code, eleven are secret (55 bits), the last
is a sum that tells a slip of the finger before anybody is asked.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from agent.enrol.errors import BadCode
from agent.words import _

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 16
ID_LENGTH: Final = 4
_ALIKE: Final = str.maketrans("OIL", "011")

_N, _R, _P = 2**15, 8, 1
"""scrypt (RFC 7914): 32 MB and about 0.1 s, once at each end."""


@dataclass(frozen=True)
class Code:
    """One code. `str` of it is what is handed to the technician, `repr` is not."""

    letters: str

    @property
    def id(self) -> str:
        """What may be known of it: it names the code at the centre, and on a stick."""
        return self.letters[:ID_LENGTH]

    def key(self) -> bytes:
        """32 bytes that only who knows the code can make."""
        salt = f"loa.enrol/1 {self.id}".encode()
        secret = self.letters[ID_LENGTH:].encode()
        return hashlib.scrypt(secret, salt=salt, n=_N, r=_R, p=_P, maxmem=64_000_000, dklen=32)

    def __str__(self) -> str:
        return "-".join(self.letters[i : i + 4] for i in range(0, LENGTH, 4))

    def __repr__(self) -> str:
        return f"Code({self.id}…)"


def make() -> Code:
    """A new one."""
    letters = "".join(secrets.choice(ALPHABET) for _number in range(LENGTH - 1))
    return Code(letters + _sum(letters))


def read(text: str) -> Code:
    """The code that was typed.

    Raises:
        BadCode: it has another length, a letter that no code has, or its sum is wrong.
    """
    letters = "".join(text.upper().split()).replace("-", "").translate(_ALIKE)
    if len(letters) != LENGTH:
        long = _("a code has {count} letters and digits, this one {found}")
        raise BadCode(long.format(count=LENGTH, found=len(letters)))
    unknown = sorted(set(letters) - set(ALPHABET))
    if unknown:
        raise BadCode(_("no code has {letters} in it").format(letters=" ".join(unknown)))
    if _sum(letters[:-1]) != letters[-1]:
        raise BadCode(_("the code was mistyped: its letters do not fit each other"))
    return Code(letters)


def _sum(letters: str) -> str:
    """Odd weights modulo 32: one wrong letter always changes it."""
    return ALPHABET[
        sum((2 * place + 1) * ALPHABET.index(letter) for place, letter in enumerate(letters)) % 32
    ]
