"""Encoded authorization messages: why a call was denied, sealed so that only those who may can read it.

Services put the text of `encode` into their denials ("Encoded authorization failure message: …");
sts:DecodeAuthorizationMessage opens it with `decode`. The key is the data directory's own.
"""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

LONGEST_DECODED_B = 256 * 1024
_NONCE_B = 12
_LABEL = b"cumulo authorization message 1"


class SealingKey(Record):
    """The key that seals this cloud's messages; made when it is first needed, the same on every node."""

    name: str
    secret: bytes


SEALING_KEYS = Table(SealingKey, name="credentials.sealing_keys", key="name", scope=GLOBAL)


class Unreadable(Exception):
    """The text is no message of this cloud."""


def _key(ctx: Context, make: bool) -> bytes:
    key = SEALING_KEYS.peek(ctx, "authorization-messages")
    if key is None:
        if not make:
            raise Unreadable("no message was ever sealed here")
        key = SealingKey("authorization-messages", ctx.random_bytes(32))
        SEALING_KEYS.put(ctx, key)
    return key.secret


def ensure_key(ctx: Context) -> None:
    """Make the key where it is missing, in a transaction that commits: a denied call's own writes are undone."""
    _key(ctx, make=True)


def encode(ctx: Context, decision: dict[str, Any]) -> str:
    """Seal a decision (a JSON-like document) into the text that a denial carries."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = ctx.random_bytes(_NONCE_B)
    packed = zlib.compress(msgspec.json.encode(decision), 6)
    sealed = AESGCM(_key(ctx, make=True)).encrypt(nonce, packed, _LABEL)
    return urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def decode(ctx: Context, message: str) -> str:
    """The JSON text that a message holds. Raises Unreadable."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        sealed = urlsafe_b64decode(message.encode("ascii") + b"=" * (-len(message) % 4))
        packed = AESGCM(_key(ctx, make=False)).decrypt(sealed[:_NONCE_B], sealed[_NONCE_B:], _LABEL)
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, LONGEST_DECODED_B)
    except (ValueError, InvalidTag, zlib.error):
        raise Unreadable("not a message of this cloud") from None
    return text.decode()
