"""PutBucketNotificationConfiguration and its other half: what is kept, and whether S3 may send where it should.

A destination is tried with the test event that AWS sends too: it arrives with the configuration, or the configuration
is refused. Source: S3 API Reference, PutBucketNotificationConfiguration; S3 User Guide, "Granting permissions to
publish event notification messages to a destination".
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from cumulo.core import delivery
from cumulo.core.arns import Arn
from cumulo.core.errors import Fault, not_implemented
from cumulo.core.operation import operation
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT
from cumulo.services.storage.s3.notifications import event_records, notification_rules
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.notifications.notification_rules import Rule
    from cumulo.stubs import s3 as t

KIND = "notification"
SUBJECT = "Amazon S3 Notification"
SERVICES = {"Topic": "sns", "Queue": "sqs", "CloudFunction": "lambda"}

_GONE = frozenset(("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound", "NotFoundException"))


@operation
def get_bucket_notification_configuration(
    ctx: Context, request: t.GetBucketNotificationConfigurationRequest
) -> t.NotificationConfiguration:
    bucket = access.bucket_for(ctx, request)
    return configurations.find(ctx, bucket, KIND) or {}  # type: ignore[return-value]


@operation
def put_bucket_notification_configuration(ctx: Context, request: t.PutBucketNotificationConfigurationRequest) -> None:
    bucket = access.bucket_for(ctx, request)
    wanted = request["NotificationConfiguration"]
    if "EventBridgeConfiguration" in wanted:
        raise not_implemented("s3", "PutBucketNotificationConfiguration", "EventBridgeConfiguration")
    document = notification_rules.checked(wanted)
    for rule in notification_rules.rules(document):
        _check_arn(bucket, rule)
    if not request.get("SkipDestinationValidation"):
        _try_destinations(ctx, bucket, document)
    notification_rules.check_together(document)
    for kind, _, _ in notification_rules.DESTINATIONS:
        for entry in document.get(kind, ()):
            entry.setdefault("Id", b64encode(ctx.uuid().encode()).decode())
    if document:
        configurations.put(ctx, bucket, KIND, document)
    else:
        configurations.remove(ctx, bucket, KIND)


def _check_arn(bucket: Bucket, rule: Rule) -> None:
    members = {"ArgumentName": rule.name, "ArgumentValue": rule.target}
    try:
        arn = Arn.parse(rule.target)
    except ValueError:
        arn = None
    if arn is None or arn.service != SERVICES[rule.name]:
        raise INVALID_ARGUMENT("The ARN could not be parsed", members=members)
    if arn.region != bucket.region:
        text = "The notification destination service region is not valid for the bucket location constraint"
        raise INVALID_ARGUMENT(text, members=members)


def _try_destinations(ctx: Context, bucket: Bucket, document: dict[str, Any]) -> None:
    wrong: list[tuple[str, str]] = []
    functions = False
    for target, name in {rule.target: rule.name for rule in notification_rules.rules(document)}.items():
        if name == "CloudFunction":
            if not _callable(ctx, bucket, target):  # both texts as AWS answered: awslabs/aws-lambda-redshift-loader#219
                wrong.append((f"{target}, null", f"Not authorized to invoke function [{target}]"))
                functions = True
            continue
        reason = _tried(ctx, bucket, target, name.lower())
        if reason:
            wrong.append((target, reason))
    if not wrong:
        return
    if len(wrong) == 1 and not functions:
        members = {"ArgumentName": wrong[0][0], "ArgumentValue": wrong[0][1]}
    else:
        names = {f"ArgumentName{number}": target for number, (target, _) in enumerate(wrong, 1)}
        members = {**names, **{f"ArgumentValue{number}": reason for number, (_, reason) in enumerate(wrong, 1)}}
    raise INVALID_ARGUMENT("Unable to validate the following destination configurations", members=members)


def _tried(ctx: Context, bucket: Bucket, target: str, noun: str) -> str:
    """Send the test event; why it did not arrive, "" when it did."""
    if target.endswith(".fifo"):
        return f"FIFO {'SQS queues' if noun == 'queue' else 'SNS topics'} are not supported."
    try:
        send(ctx, bucket.arn, bucket.account, target, event_records.test_event(ctx, bucket.name))
    except Fault as fault:
        if fault.code in _GONE:
            return f"The destination {noun} does not exist"
        return f"Permissions on the destination {noun} do not allow S3 to publish notifications from this bucket"
    return ""


def _callable(ctx: Context, bucket: Bucket, target: str) -> bool:
    """Whether a function lets S3 call it for the bucket; functions are asked, and get no test event."""
    arn = Arn.parse(target)
    request = {"FunctionName": target, "InvocationType": "DryRun"}
    try:
        ctx.call(
            "lambda", "Invoke", request, service="s3", source_arn=bucket.arn, account=arn.account, region=arn.region,
            source_account=bucket.account,
        )  # fmt: skip
    except Fault:
        return False
    return True


def send(ctx: Context, bucket_arn: str, account: str, target: str, body: str, trace: str = "") -> None:
    """Send a text to a destination, as S3 and for the bucket. Raises the destination's Fault."""
    message = {"body": body, "subject": SUBJECT, "trace_header": trace}
    delivery.deliver(ctx, target, message, service="s3", source_arn=bucket_arn, source_account=account)
