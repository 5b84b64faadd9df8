"""What functions return for HeadObject: header fields by their names, as values of the operation's answer.

Source: S3 User Guide, "Writing Lambda functions for S3 Object Lambda Access Points", "Working with HeadObject requests
in Lambda": the status code and Content-Length are required; fields that HeadObject does not have are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from cumulo.services.storage.s3.errors import LAMBDA_INVALID_RESPONSE

if TYPE_CHECKING:
    from cumulo.core.context import Context

_METADATA = "x-amz-meta-"


def answer(ctx: Context, said: dict[str, Any]) -> dict[str, Any]:
    """HeadObject's answer. Raises LambdaInvalidResponse."""
    given = said.get("headers")
    if not isinstance(given, dict):
        raise LAMBDA_INVALID_RESPONSE("The Lambda function must return headers for HeadObject")
    fields = {name.lower(): value for name, value in given.items() if value is not None}
    if "content-length" not in fields:
        raise LAMBDA_INVALID_RESPONSE("The Lambda function must return the header Content-Length for HeadObject")
    found: dict[str, Any] = {"StatusCode": said["statusCode"]}
    shape = ctx.handler.model.output if ctx.handler is not None else None
    for member in shape.members.values() if shape is not None else ():
        name = member.wire_name.lower()
        if member.location == "header" and name in fields:
            found[member.name] = _value(name, fields[name], member.shape.type)
    own = {name: str(value) for name, value in fields.items() if name.startswith(_METADATA)}
    if own:
        found["Metadata"] = {name.removeprefix(_METADATA): value for name, value in own.items()}
    return found


def _value(name: str, value: Any, kind: str) -> Any:
    try:
        return _READERS.get(kind, str)(value)
    except (ValueError, TypeError):
        raise LAMBDA_INVALID_RESPONSE(f"The Lambda function returned an invalid value of the header {name}") from None


def _whole(value: Any) -> int:
    return int(value)


def _flag(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _moment(value: Any) -> float:
    """Seconds since 1970 of a date as HTTP or ISO 8601 write it."""
    text = str(value)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return parsedate_to_datetime(text).timestamp()


_READERS: dict[str, Callable[[Any], Any]] = {"integer": _whole, "long": _whole, "boolean": _flag, "timestamp": _moment}
