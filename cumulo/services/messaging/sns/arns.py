"""SNS's own ARNs in requests, and the words for those that are none.

The checks and their order are as AWS answered them: the number of elements, then the parts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cumulo.services.messaging.sns.errors import INVALID_PARAMETER

if TYPE_CHECKING:
    from cumulo.core.context import Context

MIN_ELEMENTS = 6
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def elements(arn: str, parameter: str) -> list[str]:
    """The parts of an ARN, at least six; else the error about that parameter."""
    parts = arn.split(":")
    if len(parts) < MIN_ELEMENTS:
        reason = f"{parameter} Reason: An ARN must have at least {MIN_ELEMENTS} elements, not {len(parts)}"
        raise INVALID_PARAMETER(what=reason)
    return parts


def topic(ctx: Context, arn: str, parameter: str = "TopicArn") -> tuple[str, str]:
    """(account, name) of a topic's ARN in this region."""
    parts = elements(arn, parameter)
    if len(parts) != MIN_ELEMENTS or parts[2] != "sns" or parts[3] != ctx.region or not parts[5]:
        raise INVALID_PARAMETER(what=parameter)
    return parts[4], parts[5]


def subscription(ctx: Context, arn: str) -> tuple[str, str, str]:
    """(account, topic, id) of a subscription's ARN in this region."""
    if not arn:
        raise INVALID_PARAMETER(what="SubscriptionArn Reason: no value for required parameter")
    parts = elements(arn, "SubscriptionArn")
    if len(parts) != MIN_ELEMENTS + 1 or not _UUID.fullmatch(parts[6]):
        raise INVALID_PARAMETER(what="SubscriptionId")
    if parts[2] != "sns" or parts[3] != ctx.region:
        raise INVALID_PARAMETER(what="SubscriptionArn")
    return parts[4], parts[5], parts[6]


def application(ctx: Context, arn: str, parameter: str = "PlatformApplicationArn") -> tuple[str, str, str]:
    """(account, platform, name) of `…:app/PLATFORM/NAME`."""
    parts = elements(arn, parameter)
    path = parts[5].split("/")
    if len(path) != 3:
        raise INVALID_PARAMETER(what=f"{parameter} Reason: Wrong number of slashes in relative portion of the ARN.")
    if path[0] != "app" or parts[2] != "sns" or parts[3] != ctx.region:
        raise INVALID_PARAMETER(what=parameter)
    return parts[4], path[1], path[2]


def endpoint(ctx: Context, arn: str, parameter: str = "EndpointArn") -> tuple[str, str, str, str]:
    """(account, platform, application, id) of `…:endpoint/PLATFORM/NAME/ID`."""
    parts = elements(arn, parameter)
    path = parts[5].split("/")
    if len(path) != 4:
        raise INVALID_PARAMETER(what=f"{parameter} Reason: Wrong number of slashes in relative portion of the ARN.")
    if path[0] != "endpoint" or parts[2] != "sns" or parts[3] != ctx.region:
        raise INVALID_PARAMETER(what=parameter)
    return parts[4], path[1], path[2], path[3]
