"""What answers tell of lifecycle rules: when an object expires, when an upload is aborted.

Source: S3 API Reference, PutObject ("x-amz-expiration") and CreateMultipartUpload ("x-amz-abort-date").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.storage.s3.dates import http_date
from cumulo.services.storage.s3.lifecycles import lifecycle_configurations, lifecycle_rules
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.lifecycles.lifecycle_rules import Rule
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion


def show_expiration(ctx: Context, bucket: Bucket, version: ObjectVersion, answer: dict[str, Any]) -> None:
    """Put x-amz-expiration into an answer about a current version: when it expires, and by which rule."""
    if bucket.zone:
        answer["Expiration"] = "NotImplemented"  # seriously: API Reference, PutObject, "x-amz-expiration"
        return
    rules = _rules(ctx, bucket)
    found = lifecycle_rules.expiration(rules, version.key, version.size, version.tags, version.modified_at)
    if found is not None:
        answer["Expiration"] = f'expiry-date="{http_date(found[0])}", rule-id="{found[1]}"'


def show_abort(ctx: Context, bucket: Bucket, key: str, initiated_at: float, answer: dict[str, Any]) -> None:
    """Put x-amz-abort-date and x-amz-abort-rule-id into an answer about an upload; directory buckets do not tell."""
    if bucket.zone:
        return
    found = lifecycle_rules.upload_abort(_rules(ctx, bucket), key, initiated_at)
    if found is not None:
        answer["AbortDate"], answer["AbortRuleId"] = found


def _rules(ctx: Context, bucket: Bucket) -> list[Rule]:
    document = configurations.find(ctx, bucket, lifecycle_configurations.KIND)
    return [] if document is None else lifecycle_rules.rules_of(document)
