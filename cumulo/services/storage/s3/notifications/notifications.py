"""Notifications: what happens to objects is told to queues, topics and functions.

`notify` runs in the transaction of what it tells, so that what happened and the task that tells it are one; the task
sends exactly once. S3 gives no order between events: `sequencer` tells the order of those of one key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import delivery
from cumulo.core.errors import Fault
from cumulo.core.operation import Retry, task
from cumulo.services.storage.s3.notifications import event_records, notification_rules
from cumulo.services.storage.s3.notifications.notification_configurations import KIND, send
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

RETRY_S = 30.0


def notify(ctx: Context, bucket: Bucket, event: str, version: ObjectVersion, **extra: Any) -> None:
    """Tell an event ("ObjectCreated:Put") of this version to whom the bucket's configuration names.

    Costs nothing where nothing is configured. `extra` are the event's own members (`glacierEventData={…}`).
    """
    if KIND not in bucket.configured:
        return
    document = configurations.find(ctx, bucket, KIND)
    if document is None:
        return
    if event == "ObjectCreated:Put" and ctx.operation == "PostObject":
        event = "ObjectCreated:Post"
    for rule in notification_rules.rules(document):
        if rule.wants(f"s3:{event}", version.key):
            record = event_records.record(ctx, bucket, event, version, rule.id, extra)
            payload = {
                "target": rule.target,
                "bucket": bucket.arn,
                "account": bucket.account,
                "body": event_records.message([record]),
                "trace": delivery.trace_of(ctx),
            }
            ctx.later(tell, payload)


@task
def tell(ctx: Context, payload: dict[str, Any]) -> None:
    """Send one message. What a destination refuses is lost, as on AWS; what fails inside is tried again."""
    try:
        send(ctx, payload["bucket"], payload["account"], payload["target"], payload["body"], payload.get("trace", ""))
    except Fault as fault:
        if not fault.sender or (fault.status or 400) >= 500:
            raise Retry(RETRY_S) from None
        ctx.logger.warning("%s did not take an event of %s: %s", payload["target"], payload["bucket"], fault)
