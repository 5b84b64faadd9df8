"""Text messages: written into the data directory's `sms` folder; and their settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation, task
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import captures, deliveries, messages, sealing
from cumulo.services.messaging.sns.errors import (
    INVALID_DEFAULT_SENDER,
    INVALID_PARAMETER,
    INVALID_SMS_ATTRIBUTE,
    UNKNOWN_SMS_ATTRIBUTE,
)
from cumulo.services.messaging.sns.phone_numbers import E164, SUBSCRIBED, digits

if TYPE_CHECKING:
    from cumulo.core.context import Context

MAX_CHARACTERS = 1600
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
_TYPES = ("Promotional", "Transactional")
_ATTRIBUTES = (
    "MonthlySpendLimit",
    "DeliveryStatusIAMRole",
    "DeliveryStatusSuccessSamplingRate",
    "DefaultSenderID",
    "DefaultSMSType",
    "UsageReportS3Bucket",
)
_DEFAULTS = {"MonthlySpendLimit": "1"}  # US dollars; every account is born with this much


class SmsSettings(Record):
    """The account's settings in a region."""

    name: str
    attributes: dict[str, str]


SMS_SETTINGS = Table(SmsSettings, name="sns.sms_settings", key="name", scope=REGION)


def _settings(ctx: Context) -> dict[str, str]:
    found = SMS_SETTINGS.peek(ctx, "sms")
    return {**_DEFAULTS, **(found.attributes if found is not None else {})}


def _check_setting(name: str, value: str) -> None:
    """In AWS's words, its slip about the sender's id included."""
    if name not in _ATTRIBUTES:
        raise UNKNOWN_SMS_ATTRIBUTE(name=name)
    if name == "DefaultSenderID" and value and not _SENDER.fullmatch(value):
        raise INVALID_DEFAULT_SENDER()
    if name == "DefaultSMSType" and value not in _TYPES:
        raise INVALID_SMS_ATTRIBUTE(name=name)
    if name == "MonthlySpendLimit" and not value.isdigit():
        raise INVALID_SMS_ATTRIBUTE(name=name)
    if name == "DeliveryStatusSuccessSamplingRate" and not (value.isdigit() and int(value) <= 100):
        raise INVALID_SMS_ATTRIBUTE(name=name)


@operation
def set_sms_attributes(ctx: Context, request: dict[str, Any]) -> None:
    """Change the account's settings for text messages."""
    given: dict[str, str] = request["attributes"]
    for name, value in given.items():
        _check_setting(name, value)
    found = SMS_SETTINGS.peek(ctx, "sms")
    before = found.attributes if found is not None else {}
    SMS_SETTINGS.put(ctx, SmsSettings("sms", {**before, **given}))


@operation
def get_sms_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The settings, all or those that are asked for."""
    found = _settings(ctx)
    wanted = request.get("attributes")
    return {"attributes": {name: value for name, value in found.items() if not wanted or name in wanted}}


def _number(number: str) -> str:
    if not E164.fullmatch(number):
        raise INVALID_PARAMETER(what="PhoneNumber Reason: input incorrectly formatted")
    return number


@operation
def check_if_phone_number_is_opted_out(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Whether a number wants no messages: never. Its owner would answer STOP, and nobody answers what is in a file."""
    _number(request["phoneNumber"])
    return {"isOptedOut": False}


@operation
def list_phone_numbers_opted_out(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The numbers that want no messages: none (CheckIfPhoneNumberIsOptedOut tells why)."""
    if request.get("nextToken"):
        paging.decode(ctx, request["nextToken"], INVALID_PARAMETER(what="nextToken"))
    return {"phoneNumbers": []}


@operation
def opt_in_phone_number(ctx: Context, request: dict[str, Any]) -> None:
    """Let a number have messages again, which every number has."""
    _number(request["phoneNumber"])


@operation
def list_origination_numbers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Numbers that the account bought to send from: cumulo sells none, so there are none."""
    if request.get("NextToken"):
        paging.decode(ctx, request["NextToken"], INVALID_PARAMETER(what="NextToken"))
    limit = request.get("MaxResults", 30)
    numbers: list[dict[str, Any]] = []
    return {"PhoneNumbers": numbers[:limit]}


def publish(ctx: Context, request: dict[str, Any], number: str) -> dict[str, Any]:
    """Publish to a phone number: the message's text alone."""
    ctx.authorize("*")
    # With separators too: AWS CLI Command Reference, publish, "--phone-number +1-555-555-0100".
    if number[:1] != "+" or not SUBSCRIBED.fullmatch(number) or not E164.fullmatch(digits(number)):
        raise INVALID_PARAMETER(what=f"PhoneNumber Reason: {number} is not valid to publish to")
    number = digits(number)
    message, _size = messages.read(ctx, request, None)
    text = messages.text_for(message, "sms")
    if len(text) > MAX_CHARACTERS:
        raise INVALID_PARAMETER(what="Message too long")
    ctx.later(send_text, _entry(ctx, number, text, message))
    return {"MessageId": message["id"]}


def _entry(ctx: Context, number: str, text: str, message: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a text message."""
    settings = _settings(ctx)
    attributes = message.get("attributes") or {}
    sender = attributes.get("AWS.SNS.SMS.SenderID", ["", settings.get("DefaultSenderID", "")])[1]
    kind = attributes.get("AWS.SNS.SMS.SMSType", ["", settings.get("DefaultSMSType", "Promotional")])[1]
    return {
        "time": message["timestamp"],
        "account": ctx.account,
        "region": ctx.region,
        "to": number,
        "from": sender,
        "type": kind,
        "message": text,
        "message_id": message["id"],
    }


@task
async def send_text(ctx: Context, payload: dict[str, Any]) -> None:
    """Write a text message where a person can read it."""
    path = await captures.line(ctx, "sms", payload)
    ctx.logger.info("sms to %s (%s)", payload["to"], path)


@task
async def deliver_to_phone(ctx: Context, payload: dict[str, Any]) -> None:
    """A topic's message to an `sms` subscription."""

    def prepare(ctx: Context) -> dict[str, Any] | None:
        subscription = deliveries.to_send(ctx, payload)
        if subscription is None:
            return None
        message = sealing.opened(ctx, payload["message"])
        return _entry(ctx, digits(subscription.endpoint), messages.text_for(message, "sms"), message)

    entry = await ctx.transact(prepare)
    if entry is not None:
        await send_text(ctx, entry)
