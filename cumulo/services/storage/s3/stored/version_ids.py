"""Version ids: 32 characters that look like chance and say where the version is kept.

24 bytes in Base64 with "." and "_": 12 random bytes, then the version's sequence and four bytes that tell an id of ours
from another text, both hidden under a digest of the first. So a version is found by its id without an index.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.context import Context

LENGTH = 32


def new_version_id(ctx: Context, sequence: int) -> str:
    """The id of the version with this sequence."""
    chance = ctx.random_bytes(12)
    return b64encode(chance + _hidden(chance, sequence << 32), b"._").decode()


def sequence_of(version_id: str) -> int | None:
    """The sequence in an id; None for a text that is no version id of ours."""
    if len(version_id) != LENGTH or not version_id.isascii():
        return None
    try:
        data = b64decode(version_id, b"._", validate=True)
    except ValueError:
        return None
    shown = int.from_bytes(_hidden(data[:12], int.from_bytes(data[12:], "big")), "big")
    return None if shown & 0xFFFFFFFF else shown >> 32


def _hidden(chance: bytes, number: int) -> bytes:
    mask = int.from_bytes(blake2b(chance, digest_size=12).digest(), "big")
    return (number ^ mask).to_bytes(12, "big")
