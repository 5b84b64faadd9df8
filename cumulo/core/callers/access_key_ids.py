"""Access key ids and unique ids, in AWS's form: a prefix for the kind, the account, chance, and our mark.

AWS writes the account into the id (sts:GetAccessKeyInfo reads it back): after the prefix come 16 base32 letters, 80
bits; the top bit is set, the next 40 are the account. Of the rest we use 27 for chance and 12 for a mark, so that a
key which this cloud once issued is known as such after it is gone, and is refused instead of being taken for one of
the free local keys. A key id of the real AWS bears the mark once in 4096.
Source: "IAM identifiers" (IAM User Guide), table "Understanding unique ID prefixes".
"""

from base64 import b32decode, b32encode
from collections.abc import Callable
from hashlib import sha256

USER_KEY = "AKIA"
SESSION_KEY = "ASIA"
_MARK_BITS = 12
_CHANCE_BITS = 27


def _mark(bits: int) -> int:
    digest = sha256(b"cumulo access key id" + bits.to_bytes(9, "big")).digest()
    return int.from_bytes(digest[:2], "big") >> (16 - _MARK_BITS)


def new_access_key_id(prefix: str, account: str, random_bytes: Callable[[int], bytes]) -> str:
    """A new id of this account: AKIA… for lasting keys, ASIA… for those of a session."""
    chance = int.from_bytes(random_bytes(4), "big") >> (32 - _CHANCE_BITS)
    bits = 1 << 67 | int(account) << _CHANCE_BITS | chance
    return prefix + b32encode((bits << _MARK_BITS | _mark(bits)).to_bytes(10, "big")).decode()


def _bits(access_key_id: str) -> int | None:
    if len(access_key_id) != 20 or access_key_id[:4] not in (USER_KEY, SESSION_KEY):
        return None
    try:
        bits = int.from_bytes(b32decode(access_key_id[4:]), "big")
    except ValueError:
        return None
    return bits if bits >> 79 else None


def account_of(access_key_id: str) -> str | None:
    """The account written into an id, ours or AWS's; None when there is none (old or foreign ids)."""
    bits = _bits(access_key_id)
    if bits is None:
        return None
    account = bits >> 39 & (1 << 40) - 1
    return f"{account:012d}" if account < 10**12 else None


def is_ours(access_key_id: str) -> bool:
    """Whether this cloud made the id, at any time."""
    bits = _bits(access_key_id)
    return bits is not None and _mark(bits >> _MARK_BITS) == bits & (1 << _MARK_BITS) - 1
