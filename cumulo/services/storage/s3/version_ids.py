"""Version ids: 32 characters that look like chance and say where the version is kept.

24 bytes in Base64 with "." and "_": 16 random bytes, and the version's sequence hidden under a digest of those. So a
version is found by its id without an index.
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
    chance = ctx.random_bytes(16)
    hidden = sequence ^ _mask(chance)
    return b64encode(chance + hidden.to_bytes(8, "big"), b"._").decode()


def sequence_of(version_id: str) -> int | None:
    """The sequence in an id; None for a text that is no version id of ours."""
    if len(version_id) != LENGTH or not version_id.isascii():
        return None
    try:
        data = b64decode(version_id, b"._", validate=True)
    except ValueError:
        return None
    sequence = int.from_bytes(data[16:], "big") ^ _mask(data[:16])
    return sequence if sequence < 1 << 63 else None


def _mask(chance: bytes) -> int:
    return int.from_bytes(blake2b(chance, digest_size=8).digest(), "big")
