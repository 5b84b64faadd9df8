"""Tags of objects: with the object in the header x-amz-tagging, or by PutObjectTagging and its kin.

Sources: S3 API Reference, PutObjectTagging; S3 User Guide, "Categorizing your objects using tags"; texts as seen
of AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.tags import is_key, is_text, is_value, to_list
from cumulo.services.storage.s3.errors import BAD_REQUEST, INVALID_ARGUMENT, INVALID_TAG
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.replication import replications
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import versions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion
    from cumulo.stubs import s3 as t

MOST = 10
_HEADER = "x-amz-tagging"
_HEADER_TEXT = (
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
    "duplicates."
)
_TOO_MANY = f"Object tags cannot be greater than {MOST}"


def of_header(text: str) -> dict[str, str]:
    """The tags in x-amz-tagging: a query string. Raises InvalidArgument, InvalidTag, BadRequest."""
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise _bad_header(text) from None
    tags = dict(pairs)
    if len(tags) != len(pairs) or not all(is_text(part) for pair in pairs for part in pair):
        raise _bad_header(text)
    _check(pairs)
    return tags


def _bad_header(text: str) -> Fault:
    return INVALID_ARGUMENT(_HEADER_TEXT, members={"ArgumentName": _HEADER, "ArgumentValue": text})


def of_list(given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The tags of a TagSet. Raises InvalidTag, BadRequest."""
    pairs = [(tag["Key"], tag["Value"]) for tag in given]
    _check(pairs)
    tags = dict(pairs)
    if len(tags) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise INVALID_TAG("Cannot provide multiple Tags with the same key", members={"TagKey": twice})
    return tags


def _check(pairs: list[tuple[str, str]]) -> None:
    if len(pairs) > MOST:
        raise BAD_REQUEST(_TOO_MANY)
    for key, value in pairs:
        if key.lower().startswith("aws:"):
            raise INVALID_TAG("Your TagKey cannot be prefixed with aws:", members={"TagKey": key})
        if not is_key(key):
            raise INVALID_TAG("The TagKey you have provided is invalid", members={"TagKey": key})
        if not is_value(value):
            raise INVALID_TAG("The TagValue you have provided is invalid", members={"TagKey": key, "TagValue": value})


def _tagged(ctx: Context, request: Mapping[str, Any]) -> tuple[Bucket, ObjectVersion]:
    bucket = access.located(ctx, request)
    return bucket, lookups.found(ctx, bucket, request)


def _answer(bucket: Bucket, version: ObjectVersion) -> dict[str, Any]:
    return {"VersionId": version.version_id} if bucket.versioning else {}


@operation
def put_object_tagging(ctx: Context, request: t.PutObjectTaggingRequest) -> t.PutObjectTaggingOutput:
    """Replace a version's tags."""
    bucket, version = _tagged(ctx, request)
    version.tags = of_list(request["Tagging"].get("TagSet") or ())
    versions.update(ctx, version)
    replications.changed(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectTagging:Put", version)
    return cast("t.PutObjectTaggingOutput", _answer(bucket, version))


@operation
def get_object_tagging(ctx: Context, request: t.GetObjectTaggingRequest) -> t.GetObjectTaggingOutput:
    """A version's tags."""
    try:
        bucket, version = _tagged(ctx, request)
    except Fault as fault:
        if fault.code == "NoSuchKey":  # seen of AWS, which names the bucket in this one answer
            fault.members["Key"] = f"{request['Bucket']}/{request['Key']}"
        raise
    answer = _answer(bucket, version)
    answer["TagSet"] = to_list(version.tags)
    return cast("t.GetObjectTaggingOutput", answer)


@operation
def delete_object_tagging(ctx: Context, request: t.DeleteObjectTaggingRequest) -> t.DeleteObjectTaggingOutput:
    """Drop all of a version's tags."""
    bucket, version = _tagged(ctx, request)
    version.tags = {}
    versions.update(ctx, version)
    replications.changed(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectTagging:Delete", version)
    return cast("t.DeleteObjectTaggingOutput", _answer(bucket, version))
