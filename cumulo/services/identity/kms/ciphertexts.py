"""The form of cumulo's symmetric ciphertexts; pure: bytes in, bytes out.

    4   "CUK1"
    5   account, as a number
    1   length of the region, then the region
    1   1 for a multi-Region key
    16  the key id, as a UUID's bytes
    32  the id of the key material
    12  nonce of AES-256-GCM
    n   ciphertext and its tag of 16 bytes

All before the nonce, and the encryption context, are authenticated as additional data. AWS does not document its own
form; only that a ciphertext names its key, and is worth nothing to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

MAGIC = b"CUK1"
NONCE_BYTES = 12
TAG_BYTES = 16
MULTI_REGION_PREFIX = "mrk-"


class Header(NamedTuple):
    """What names the key: `account` of 12 digits, `material_id` of 64 hexadecimal digits."""

    account: str
    region: str
    key_id: str
    material_id: str


class Ciphertext(NamedTuple):
    """A ciphertext taken apart. `head` are the bytes of its header."""

    header: Header
    head: bytes
    nonce: bytes
    body: bytes


def write_header(header: Header) -> bytes:
    """The bytes of a header."""
    multi_region = header.key_id.startswith(MULTI_REGION_PREFIX)
    key_id = header.key_id.removeprefix(MULTI_REGION_PREFIX).replace("-", "")
    region = header.region.encode("ascii")
    return b"".join(
        (
            MAGIC,
            int(header.account).to_bytes(5, "big"),
            bytes((len(region),)),
            region,
            bytes((multi_region,)),
            bytes.fromhex(key_id),
            bytes.fromhex(header.material_id),
        )
    )


def read(blob: bytes) -> Ciphertext:
    """A ciphertext taken apart. ValueError for bytes that are none of ours."""
    if blob[:4] != MAGIC or len(blob) < 10:
        raise ValueError("not a ciphertext of this cloud")
    account = int.from_bytes(blob[4:9], "big")
    region_end = 10 + blob[9]
    head_end = region_end + 1 + 16 + 32
    if account >= 10**12 or len(blob) < head_end + NONCE_BYTES + TAG_BYTES or blob[region_end] > 1:
        raise ValueError("not a ciphertext of this cloud")
    key = blob[region_end + 1 : region_end + 17].hex()
    multi_region = blob[region_end] == 1
    key_id = MULTI_REGION_PREFIX + key if multi_region else _dashed(key)
    header = Header(
        f"{account:012d}", blob[10:region_end].decode("ascii"), key_id, blob[region_end + 17 : head_end].hex()
    )
    nonce_end = head_end + NONCE_BYTES
    return Ciphertext(header, blob[:head_end], blob[head_end:nonce_end], blob[nonce_end:])


def _dashed(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def additional_data(head: bytes, context: Mapping[str, str] | None) -> bytes:
    """What is authenticated beside the plaintext: the header, and the context in one order, whatever was given."""
    if not context:
        return head
    parts = [head]
    for key, value in sorted(context.items()):
        for text in (key.encode(), value.encode()):
            parts += (len(text).to_bytes(4, "big"), text)
    return b"".join(parts)
