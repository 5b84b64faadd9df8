"""What a request says of an object beside its bytes: system headers, user metadata, storage class, tags, lock.

Source: Amazon S3 User Guide, "Working with object metadata"; S3 API Reference, PutObject.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.storage.s3.errors import (
    INVALID_REDIRECT_LOCATION,
    INVALID_STORAGE_CLASS,
    METADATA_TOO_LARGE,
)
from cumulo.services.storage.s3.objects import header_texts

if TYPE_CHECKING:
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

METADATA_MOST_B = 2048
REDIRECT_MOST = 2048  # characters
DEFAULT_TYPE = "binary/octet-stream"

SYSTEM = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")
# Of the model's, those that a general purpose bucket takes.
STORAGE_CLASSES = frozenset(
    (
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE",
        "GLACIER_IR",
    )
)  # fmt: skip


def system_headers(request: Mapping[str, Any]) -> dict[str, str]:
    """The system headers that a request gives, by member names. `aws-chunked` was the body's, not the object's."""
    found = {name: request[name] for name in SYSTEM if name in request}
    encoding = found.get("ContentEncoding")
    if encoding is not None and "aws-chunked" in encoding:
        left = ",".join([one.strip() for one in encoding.split(",") if one.strip().lower() != "aws-chunked"])
        if left:
            found["ContentEncoding"] = left
        else:
            del found["ContentEncoding"]
    if found.get("ContentType") == "":
        del found["ContentType"]
    return found


def redirect(location: str) -> str:
    """Where a website sends who asks for the object. Raises InvalidRedirectLocation."""
    if not location.startswith(("/", "http://", "https://")):
        raise INVALID_REDIRECT_LOCATION()
    if len(location) > REDIRECT_MOST:
        text = f"The length of website redirect location cannot exceed {REDIRECT_MOST:,} characters."
        raise INVALID_REDIRECT_LOCATION(text)
    return location


def metadata(request: Mapping[str, Any]) -> dict[str, str]:
    """The user's metadata, in plain text. Raises MetadataTooLarge."""
    given: dict[str, str] | None = request.get("Metadata")
    if not given:
        return {}
    found = {name.lower(): header_texts.decode(value) for name, value in given.items()}
    size = sum([len(name) + len(value.encode("utf-8", "replace")) for name, value in found.items()])
    if size > METADATA_MOST_B:
        raise METADATA_TOO_LARGE(members={"Size": str(size), "MaxSizeAllowed": str(METADATA_MOST_B)})
    return found


def storage_class(request: Mapping[str, Any]) -> str:
    """The storage class that a request asks for. Raises InvalidStorageClass."""
    asked: str = request.get("StorageClass") or "STANDARD"
    if asked not in STORAGE_CLASSES:
        raise INVALID_STORAGE_CLASS(members={"StorageClassRequested": asked})
    return asked


def shown(version: ObjectVersion, answer: dict[str, Any]) -> None:
    """Put a version's headers and metadata into an answer."""
    answer["ContentType"] = DEFAULT_TYPE
    answer.update(version.headers)
    if version.metadata:
        answer["Metadata"] = {name: header_texts.encode(value) for name, value in version.metadata.items()}
    if version.website_redirect:
        answer["WebsiteRedirectLocation"] = version.website_redirect
