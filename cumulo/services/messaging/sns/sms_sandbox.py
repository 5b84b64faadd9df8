"""The SMS sandbox: destination numbers that were verified with a code.

Accounts of cumulo are out of the sandbox, so every number can be sent to; the numbers are kept and
verified all the same. The code goes out as a text message, into the data directory's `sms` folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import sms
from cumulo.services.messaging.sns.envelopes import iso8601
from cumulo.services.messaging.sns.errors import (
    INVALID_PARAMETER,
    NOT_FOUND_PHONE_NUMBER,
    TOO_MANY_PHONE_NUMBERS,
    VERIFICATION_FAILED,
)
from cumulo.services.messaging.sns.phone_numbers import E164

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
MAX_NUMBERS = 10  # verified and pending ones (SNS guide, "SMS sandbox")
_CODE_LASTS_S = 86_400
_DEFAULT_LANGUAGE = "en-US"


class SandboxNumber(Record):
    """A destination; `code` is what was sent to it last, "" once it is verified."""

    number: str
    code: str
    sent_at: float
    language: str


SANDBOX_NUMBERS = Table(SandboxNumber, name="sns.sandbox_numbers", key="number", scope=REGION)


@operation
def get_sms_sandbox_account_status(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Whether the account may only send to verified numbers: never."""
    return {"IsInSandbox": False}


@operation
def create_sms_sandbox_phone_number(ctx: Context, request: dict[str, Any]) -> None:
    """Send a code to a number, to be verified with it; again sends another."""
    number = request["PhoneNumber"]
    if not E164.fullmatch(number):
        raise INVALID_PARAMETER(what="PhoneNumber Reason: input incorrectly formatted")
    found = SANDBOX_NUMBERS.peek(ctx, number)
    if found is None and len(SANDBOX_NUMBERS.range(ctx, limit=MAX_NUMBERS)) >= MAX_NUMBERS:
        raise TOO_MANY_PHONE_NUMBERS()
    code = f"{int.from_bytes(ctx.random_bytes(4), 'big') % 1_000_000:06d}"
    language = request.get("LanguageCode", _DEFAULT_LANGUAGE)
    SANDBOX_NUMBERS.put(ctx, SandboxNumber(number, code, ctx.now(), language))
    entry = {
        "time": iso8601(ctx.now()),
        "account": ctx.account,
        "region": ctx.region,
        "to": number,
        "from": "AWS",
        "type": "Transactional",
        "language": language,
        "message": f"Your Amazon SNS verification code is {code}. It is valid for 24 hours.",
        "message_id": ctx.uuid(),
    }
    ctx.later(sms.send_text, entry)


@operation
def verify_sms_sandbox_phone_number(ctx: Context, request: dict[str, Any]) -> None:
    """Verify a number with the code that it received."""
    found = _find(ctx, request["PhoneNumber"])
    if not found.code:
        return
    if found.code != request["OneTimePassword"] or ctx.now() - found.sent_at > _CODE_LASTS_S:
        raise VERIFICATION_FAILED(members={"Status": "InvalidCode"})
    found.code = ""
    SANDBOX_NUMBERS.put(ctx, found)


@operation
def delete_sms_sandbox_phone_number(ctx: Context, request: dict[str, Any]) -> None:
    """Forget a number."""
    SANDBOX_NUMBERS.delete(ctx, _find(ctx, request["PhoneNumber"]))


def _find(ctx: Context, number: str) -> SandboxNumber:
    found = SANDBOX_NUMBERS.peek(ctx, number)
    if found is None:
        raise NOT_FOUND_PHONE_NUMBER()
    return found


@operation
def list_sms_sandbox_phone_numbers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The numbers, verified or not."""
    found, token = paging.page(
        ctx,
        lambda after, limit: SANDBOX_NUMBERS.range(ctx, after=after, limit=limit),
        lambda each: (each.number,),
        token=request.get("NextToken"),
        limit=request.get("MaxResults", PAGE),
        error=INVALID_PARAMETER(what="NextToken"),
    )
    numbers = [{"PhoneNumber": each.number, "Status": "Pending" if each.code else "Verified"} for each in found]
    answer: dict[str, Any] = {"PhoneNumbers": numbers}
    if token:
        answer["NextToken"] = token
    return answer
