"""What listings decode of a version: a part of its record, as a page has a thousand of them."""

from __future__ import annotations

import msgspec

from cumulo.services.storage.s3.stored.object_versions import CURRENT, ObjectVersion


class Listed(msgspec.Struct, array_like=True):
    """The fields at the head of an ObjectVersion that a listing shows; what stands between them is left undecoded."""

    bucket: str
    key: str
    sequence: int
    version_id: str
    modified_at: float
    size: int
    etag: str
    owner: str
    storage_class: str
    content: msgspec.Raw
    stored: msgspec.Raw
    delete_marker: bool
    headers: msgspec.Raw
    metadata: msgspec.Raw
    checksums: dict[str, str]
    checksum_type: str


_decode_listed = msgspec.msgpack.Decoder(Listed).decode
_FORM = CURRENT.codec.encode(ObjectVersion("", "", 0, "", 0))[0]


def listed(data: bytes) -> Listed | ObjectVersion:
    """What a listing shows of a row of CURRENT."""
    return _decode_listed(data[1:]) if data[0] == _FORM else CURRENT.codec.decode(data)
