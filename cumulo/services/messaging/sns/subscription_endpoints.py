"""What an endpoint of each protocol must look like.

The texts are AWS's where AWS was heard: SMS numbers, protocols, FIFO queues.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cumulo.core.errors import not_implemented
from cumulo.services.messaging.sns import arns, platform_endpoints
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER, INVALID_SMS_ENDPOINT
from cumulo.services.messaging.sns.phone_numbers import SUBSCRIBED

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.topics import Topic

PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|[^@\s]+@localhost")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):([^/@]*)@")


def check(ctx: Context, topic: Topic, protocol: str, endpoint: str) -> tuple[str, str]:
    """(endpoint as shown, password hidden in it), or AWS's error."""
    if protocol not in PROTOCOLS:
        raise INVALID_PARAMETER(what=f"Does not support this protocol string: {protocol}")
    if topic.fifo and protocol != "sqs":
        raise INVALID_PARAMETER(what=f"Invalid protocol type: {protocol}")
    if not endpoint:
        raise INVALID_PARAMETER(what="Endpoint Reason: Endpoint must not be empty")
    if protocol in ("http", "https"):
        return _url(protocol, endpoint)
    if protocol in ("email", "email-json"):
        if not _EMAIL.fullmatch(endpoint):
            raise INVALID_PARAMETER(what="Email address")
    elif protocol == "sms":
        if not SUBSCRIBED.fullmatch(endpoint):
            raise INVALID_SMS_ENDPOINT(endpoint=endpoint)
    elif protocol == "sqs":
        _queue(topic, endpoint)
    elif protocol == "application":
        if platform_endpoints.peek(ctx, endpoint, "Endpoint") is None:
            raise INVALID_PARAMETER(what=f"Endpoint Reason: Endpoint does not exist for endpoint {endpoint}")
    else:
        _function_or_stream(protocol, endpoint)
    return endpoint, ""


def _url(protocol: str, endpoint: str) -> tuple[str, str]:
    if not endpoint.startswith(f"{protocol}://"):
        raise INVALID_PARAMETER(what="Endpoint must match the specified protocol")
    try:
        parts = urlsplit(endpoint)
        valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or any(character <= " " for character in endpoint):
        raise INVALID_PARAMETER(what=f"Unreachable Endpoint: {endpoint}")
    return _PASSWORD.sub(r"\1:****@", endpoint), parts.password or ""


def _queue(topic: Topic, endpoint: str) -> None:
    parts = endpoint.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts[3:]):
        raise INVALID_PARAMETER(what="SQS endpoint ARN")
    if parts[5].endswith(".fifo") and not topic.fifo:
        reason = "FIFO SQS Queues can not be subscribed to standard SNS topics"
        raise INVALID_PARAMETER(what=f"Invalid parameter: Endpoint Reason: {reason}")


def _function_or_stream(protocol: str, endpoint: str) -> None:
    """Lambda functions; well-formed Firehose streams are refused by name until that service is here."""
    parts = arns.elements(endpoint, "Endpoint")
    if parts[0] != "arn" or parts[2] != protocol or not all(parts[3:6]):
        raise INVALID_PARAMETER(what=f"{protocol.capitalize()} endpoint ARN")
    if protocol != "lambda":
        raise not_implemented("sns", "Subscribe", f"the protocol {protocol}")
