"""RedrivePolicy and RedriveAllowPolicy: read, checked and written. Pure.

Sources: API reference, SetQueueAttributes; Amazon SQS Developer Guide, "Using dead-letter queues in
Amazon SQS". The texts for RedrivePolicy are AWS's; those for RedriveAllowPolicy follow their pattern.
"""

from typing import Any

import msgspec

from cumulo.core.arns import Arn
from cumulo.core.errors import Fault
from cumulo.services.messaging.sqs.errors import INVALID_PARAMETER

MAXIMUM_RECEIVES = 1000
MAXIMUM_SOURCES = 10
ALLOW_ALL, DENY_ALL, BY_QUEUE = "allowAll", "denyAll", "byQueue"


def invalid(name: str, text: str, reason: str) -> Fault:
    """The error for a redrive (allow) policy."""
    return INVALID_PARAMETER(value=text, name=name, reason=reason)


def read(text: str) -> tuple[Arn, int]:
    """The target and maxReceiveCount of a RedrivePolicy."""
    policy = _read_map("RedrivePolicy", text, "Redrive policy")
    for member in ("maxReceiveCount", "deadLetterTargetArn"):
        if member not in policy:
            reason = f"Redrive policy does not contain mandatory attribute: {member}."
            raise invalid("RedrivePolicy", text, reason)
    if len(policy) > 2:
        reason = "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]."
        raise invalid("RedrivePolicy", text, reason)
    try:
        target = Arn.parse(str(policy["deadLetterTargetArn"]))
    except ValueError:
        raise invalid("RedrivePolicy", text, "Invalid value for deadLetterTargetArn.") from None
    if target.service != "sqs":
        raise invalid("RedrivePolicy", text, "Invalid value for deadLetterTargetArn.")
    count = policy["maxReceiveCount"]
    number = int(count) if str(count).isdecimal() and not isinstance(count, bool) else 0
    if not 1 <= number <= MAXIMUM_RECEIVES:
        reason = (
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to {MAXIMUM_RECEIVES} both inclusive."
        )
        raise invalid("RedrivePolicy", text, reason)
    return target, number


def write(target_arn: str, maximum_receives: int) -> str:
    """A RedrivePolicy as GetQueueAttributes answers it: compact, the count a number however it was given."""
    return msgspec.json.encode({"deadLetterTargetArn": target_arn, "maxReceiveCount": maximum_receives}).decode()


def check_allow_policy(text: str) -> None:
    """The rules of a RedriveAllowPolicy."""
    name = "RedriveAllowPolicy"
    policy = _read_map(name, text, "Redrive allow policy")
    if set(policy) - {"redrivePermission", "sourceQueueArns"}:
        raise invalid(name, text, "Only following attributes are supported: [redrivePermission, sourceQueueArns].")
    permission = policy.get("redrivePermission")
    if permission is None:
        raise invalid(name, text, "Redrive allow policy does not contain mandatory attribute: redrivePermission.")
    if permission not in (ALLOW_ALL, DENY_ALL, BY_QUEUE):
        reason = f"Invalid value for redrivePermission: {permission}, valid values are: [allowAll, denyAll, byQueue]."
        raise invalid(name, text, reason)
    sources = policy.get("sourceQueueArns")
    if permission != BY_QUEUE:
        if sources is not None:
            raise invalid(name, text, "sourceQueueArns can be specified only when redrivePermission is byQueue.")
        return
    if not isinstance(sources, list) or not sources:
        raise invalid(name, text, "Redrive allow policy does not contain mandatory attribute: sourceQueueArns.")
    if len(sources) > MAXIMUM_SOURCES:
        raise invalid(name, text, f"At most {MAXIMUM_SOURCES} sourceQueueArns can be specified.")
    for source in sources:
        try:
            Arn.parse(str(source))
        except ValueError:
            raise invalid(name, text, f"Invalid value for sourceQueueArns: {source}.") from None


def allows(allow_policy: str, source_arn: str) -> bool:
    """Whether a queue with this RedriveAllowPolicy (or none) takes the dead letters of that source."""
    if not allow_policy:
        return True
    policy = msgspec.json.decode(allow_policy)
    permission = policy["redrivePermission"]
    return permission == ALLOW_ALL or (permission == BY_QUEUE and source_arn in policy["sourceQueueArns"])


def _read_map(name: str, text: str, title: str) -> dict[str, Any]:
    try:
        policy = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        policy = None
    if not isinstance(policy, dict):
        raise invalid(name, text, f"{title} is not a valid JSON map.")
    return policy
