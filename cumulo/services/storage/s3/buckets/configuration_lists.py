"""What inventory, analytics, metrics and intelligent tiering have in common: up to 1,000 configurations by their ids.

Sources: S3 API Reference, PutBucketInventoryConfiguration and its like; MalformedXML for an id in the body that is not
the request's was observed in AWS's answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.services.storage.s3.errors import (
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    MALFORMED_XML,
    NO_SUCH_CONFIGURATION,
    TOO_MANY_CONFIGURATIONS,
)
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

MOST = 1000
PAGE = 100
_ID = re.compile(r"[a-zA-Z0-9\-_.]{1,64}")


def put(ctx: Context, bucket: Bucket, kind: str, request: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """Keep the configuration under its id, in place of the one before."""
    id = request["Id"]
    if document["Id"] != id:
        raise MALFORMED_XML()
    if not _ID.fullmatch(id):
        raise INVALID_ARGUMENT("Invalid ID value", members={"ArgumentName": "id", "ArgumentValue": id})
    there = configurations.all_of(ctx, bucket, kind)
    if len(there) >= MOST and id not in dict(there):
        raise TOO_MANY_CONFIGURATIONS()
    configurations.put(ctx, bucket, kind, dict(document), id)


def get(ctx: Context, request: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The configuration of the request's id."""
    bucket = access.bucket_for(ctx, request)
    found = configurations.find(ctx, bucket, kind, request["Id"])
    if found is None:
        raise NO_SUCH_CONFIGURATION()
    return found


def delete(ctx: Context, request: Mapping[str, Any], kind: str) -> None:
    """Drop the configuration of the request's id."""
    bucket = access.bucket_for(ctx, request)
    if not configurations.remove(ctx, bucket, kind, request["Id"]):
        raise NO_SUCH_CONFIGURATION()


def page(ctx: Context, request: Mapping[str, Any], kind: str, member: str) -> dict[str, Any]:
    """A page of at most 100 configurations, by id, under this member of the answer."""
    bucket = access.bucket_for(ctx, request)
    token = request.get("ContinuationToken")
    listed = configurations.all_of(ctx, bucket, kind)
    if token is not None:
        (after,) = paging.decode(ctx, token, INVALID_ARGUMENT("The continuation token provided is incorrect"))
        listed = [(id, document) for id, document in listed if id > str(after)]
    answer: dict[str, Any] = {"IsTruncated": len(listed) > PAGE}
    if listed:
        answer[member] = [document for _, document in listed[:PAGE]]
    if token is not None:
        answer["ContinuationToken"] = token
    if len(listed) > PAGE:
        answer["NextContinuationToken"] = paging.encode(ctx, (listed[PAGE - 1][0],))
    return answer


def check_filter(given: Mapping[str, Any] | None) -> None:
    """MalformedXML unless a filter has exactly one criterion; And joins at least two, of different tags."""
    if given is None:
        return
    if len(given) != 1:
        raise MALFORMED_XML()
    both = given.get("And")
    if both is None:
        return
    keys = [tag["Key"] for tag in both.get("Tags", ())]
    if len(keys) + ("Prefix" in both) + ("AccessPointArn" in both) < 2:
        raise MALFORMED_XML()
    if len(set(keys)) != len(keys):
        raise INVALID_REQUEST("Duplicate Tag Keys are not allowed.")


def bucket_name(arn: str) -> str:
    """The name in the ARN of a destination bucket. Raises InvalidArgument ("Invalid bucket ARN.")."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "s3" or not parts[5] or "/" in parts[5]:
        raise INVALID_ARGUMENT("Invalid bucket ARN.", members={"ArgumentName": "Bucket", "ArgumentValue": arn})
    return parts[5]
