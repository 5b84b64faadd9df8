"""The JSON that subscribers receive: members in AWS's order, written as AWS writes them.

Notifications go out pretty-printed with ` : `, like AWS's own, since people compare bodies byte
by byte. A FIFO topic's notifications carry a sequence number and no signature.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from msgspec.json import encode

Attributes = dict[str, list[str]]  # name: [type, value]; a Binary value in base64


def _text(value: str) -> str:
    return encode(value).decode()


def document(members: dict[str, str], attributes: Attributes | None = None) -> str:
    """The members as SNS prints them, the message's attributes last."""
    lines = [f'  "{name}" : {_text(value)}' for name, value in members.items()]
    if attributes:
        inner = [
            f'    {_text(name)} : {{"Type":{_text(kind)},"Value":{_text(value)}}}'
            for name, (kind, value) in attributes.items()
        ]
        lines.append('  "MessageAttributes" : {\n' + ",\n".join(inner) + "\n  }")
    return "{\n" + ",\n".join(lines) + "\n}"


def event(members: dict[str, str], attributes: Attributes | None, subscription_arn: str) -> str:
    """The members as a function's event: two of them under names of their own, and Subject also where there is none."""
    names = ("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature")
    told: dict[str, Any] = {name: members.get(name) for name in names}
    told["SigningCertUrl"] = members["SigningCertURL"]
    told["UnsubscribeUrl"] = members["UnsubscribeURL"]
    told["MessageAttributes"] = {
        name: {"Type": kind, "Value": value} for name, (kind, value) in (attributes or {}).items()
    }
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription_arn, "Sns": told}
    return encode({"Records": [record]}).decode()


def string_to_sign(members: dict[str, str]) -> str:
    """The text whose signature a message carries.

    Source: SNS guide, "Manually building and verifying Amazon SNS message signatures": the signed members in byte
    order of their names, each name and value followed by a line feed; Subject only when there is one.
    """
    names: tuple[str, ...]
    if members["Type"] == "Notification":
        names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    else:
        names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    return "".join(f"{name}\n{members[name]}\n" for name in names if name in members)


def notification(message: dict[str, Any], text: str, unsubscribe_url: str) -> dict[str, str]:
    """The members of a notification, unsigned; `message` is as `publishing` keeps it."""
    members = {"Type": "Notification", "MessageId": message["id"]}
    if message.get("sequence"):
        members["SequenceNumber"] = message["sequence"]
    members["TopicArn"] = message["topic"]
    if message.get("subject") is not None:
        members["Subject"] = message["subject"]
    members["Message"] = text
    members["Timestamp"] = message["timestamp"]
    members["UnsubscribeURL"] = unsubscribe_url
    if message.get("replayed"):
        members["Replayed"] = "true"
    return members


def confirmation(
    kind: str, message_id: str, topic: str, subscription: str, token: str, endpoint: str, timestamp: str
) -> dict[str, str]:
    """The members of a SubscriptionConfirmation or UnsubscribeConfirmation, unsigned."""
    if kind == "SubscriptionConfirmation":
        text = (
            f"You have chosen to subscribe to the topic {topic}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message."
        )
    else:
        text = (
            f"You have chosen to deactivate subscription {subscription}.\n"
            "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
        )
    return {
        "Type": kind,
        "MessageId": message_id,
        "Token": token,
        "TopicArn": topic,
        "Message": text,
        "SubscribeURL": subscribe_url(endpoint, topic, token),
        "Timestamp": timestamp,
    }


def signed(members: dict[str, str], version: str, signature: str, certificate_url: str) -> dict[str, str]:
    """The members with the signature's three, in their place before the URL to unsubscribe."""
    out = {name: value for name, value in members.items() if name not in ("UnsubscribeURL", "Replayed")}
    out["SignatureVersion"] = version
    out["Signature"] = signature
    out["SigningCertURL"] = certificate_url
    for name in ("UnsubscribeURL", "Replayed"):
        if name in members:
            out[name] = members[name]
    return out


def subscribe_url(endpoint: str, topic: str, token: str) -> str:
    """The URL that confirms a subscription; anybody who has it may."""
    return f"{endpoint}/?Action=ConfirmSubscription&TopicArn={quote(topic, safe=':')}&Token={token}"


def unsubscribe_url(endpoint: str, subscription: str) -> str:
    """The URL that ends a subscription, unless it was confirmed with AuthenticateOnUnsubscribe."""
    return f"{endpoint}/?Action=Unsubscribe&SubscriptionArn={quote(subscription, safe=':')}"


def iso8601(seconds: float) -> str:
    """`2026-01-02T03:04:05.678Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
