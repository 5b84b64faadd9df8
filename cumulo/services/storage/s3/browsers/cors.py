"""The CORS configuration of a bucket.

Source: S3 User Guide, "Elements of a CORS configuration"; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.storage.s3.errors import INVALID_REQUEST, MALFORMED_XML, NO_SUCH_CORS
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

KIND = "cors"
MOST_RULES = 100
_METHODS = frozenset(("GET", "PUT", "HEAD", "POST", "DELETE"))


@operation
def put_bucket_cors(ctx: Context, request: t.PutBucketCorsRequest) -> None:
    """Replace the rules."""
    bucket = access.bucket_for(ctx, request)
    rules = request["CORSConfiguration"]["CORSRules"]
    if not 1 <= len(rules) <= MOST_RULES:
        raise MALFORMED_XML()
    for rule in rules:
        _check(rule)
    configurations.put(ctx, bucket, KIND, {"CORSRules": rules})


def _check(rule: Mapping[str, Any]) -> None:
    if not rule["AllowedMethods"] or not rule["AllowedOrigins"] or len(rule.get("ID", "")) > 255:
        raise MALFORMED_XML()
    for method in rule["AllowedMethods"]:
        if method not in _METHODS:
            raise INVALID_REQUEST(f"Found unsupported HTTP method in CORS config. Unsupported method is {method}")
    for member, name in (("AllowedOrigins", "AllowedOrigin"), ("AllowedHeaders", "AllowedHeader")):
        for value in rule.get(member, ()):
            if value.count("*") > 1:
                raise INVALID_REQUEST(f'{name} "{value}" can not have more than one wildcard.')
    for value in rule.get("ExposeHeaders", ()):
        if "*" in value:
            raise INVALID_REQUEST(
                f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            )


@operation
def get_bucket_cors(ctx: Context, request: t.GetBucketCorsRequest) -> t.GetBucketCorsOutput:
    """The rules."""
    return configurations.get(ctx, access.bucket_for(ctx, request), KIND, NO_SUCH_CORS)  # type: ignore[return-value]


@operation
def delete_bucket_cors(ctx: Context, request: t.DeleteBucketCorsRequest) -> None:
    """Remove the rules, if there are any."""
    bucket = access.bucket_for(ctx, request)
    configurations.remove(ctx, bucket, KIND)
