"""The MD5 digests by which a client checks that a message arrived whole. Pure.

Source: Amazon SQS Developer Guide, "Calculating the MD5 message digest for message attributes".
"""

from collections.abc import Mapping, Sequence
from hashlib import md5
from struct import pack
from typing import Any

# An attribute as it is kept: its data type and its value, bytes when the logical type is Binary.
# A tuple, and a list once it was stored.
Attribute = Sequence[Any]

_STRING = b"\x01"
_BINARY = b"\x02"


def of_body(body: bytes) -> str:
    """The digest of a message body, given as UTF-8."""
    return md5(body, usedforsecurity=False).hexdigest()


def of_attributes(attributes: Mapping[str, Attribute]) -> str:
    """The digest of message (or message system) attributes: names in order, each part with its length."""
    parts: list[bytes] = []
    for name in sorted(attributes):
        data_type, value = attributes[name]
        if isinstance(value, bytes):
            transport, data = _BINARY, value
        else:
            transport, data = _STRING, value.encode()
        for text in (name.encode(), data_type.encode()):
            parts += (pack(">I", len(text)), text)
        parts += (transport, pack(">I", len(data)), data)
    return md5(b"".join(parts), usedforsecurity=False).hexdigest()
