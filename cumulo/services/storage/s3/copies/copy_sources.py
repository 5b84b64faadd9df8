"""What `x-amz-copy-source` names: a bucket or access point, a key and perhaps a version.

Source: S3 API Reference, CopyObject, "x-amz-copy-source": `bucket/key`, or
`arn:aws:s3:region:account:accesspoint/name/object/key`, URL-encoded, with `?versionId=…` behind it.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from cumulo.services.storage.s3.errors import INVALID_ARGUMENT

_VERSION = "?versionId="


class CopySource(NamedTuple):
    """Where the bytes come from; `bucket` may be an access point's ARN."""

    bucket: str
    key: str
    version_id: str | None


def read(text: str) -> CopySource:
    """What a copy source names. Raises InvalidArgument."""
    path, found, version_id = text.partition(_VERSION)
    try:
        # A plus is a blank here, as in a form: clients that mean a plus write %2B.
        path = unquote_to_bytes(path.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise _invalid() from None
    path = path.removeprefix("/")
    if path.startswith("arn:"):
        bucket, _, key = path.partition("/object/")
    else:
        bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise _invalid()
    if found and not version_id:
        raise INVALID_ARGUMENT(
            "Version id cannot be the empty string", members={"ArgumentName": "versionId", "ArgumentValue": ""}
        )
    return CopySource(bucket, key, version_id if found else None)


def _invalid() -> Exception:
    # Seen of AWS: the value that is answered is the header's name.
    return INVALID_ARGUMENT(
        "Invalid copy source object key",
        members={"ArgumentName": "x-amz-copy-source", "ArgumentValue": "x-amz-copy-source"},
    )
