"""How a content key is kept with its version."""

from __future__ import annotations

import msgspec


class WrappedKey(msgspec.Struct, array_like=True):
    """A content key as it is kept: under a data key of KMS (itself sealed by KMS), or under the customer's (b"")."""

    data_key: bytes
    nonce: bytes
    content_key: bytes
