"""Unique ids: four letters for the kind and seventeen of base32, never used twice.

Source: IAM User Guide, "IAM identifiers", table "Understanding unique ID prefixes".
"""

from __future__ import annotations

from base64 import b32encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.context import Context

USER = "AIDA"
GROUP = "AGPA"
ROLE = "AROA"
POLICY = "ANPA"
INSTANCE_PROFILE = "AIPA"
CERTIFICATE = "ASCA"


def new_unique_id(ctx: Context, prefix: str) -> str:
    """A new id of this kind, 21 characters long as AWS's are."""
    return prefix + b32encode(ctx.random_bytes(11)).decode()[:17]
