"""The rules for what a message may carry: its body, its attributes and its system attributes. Pure.

Sources: Amazon SQS Developer Guide, "Amazon SQS message metadata" and "Amazon SQS message quotas";
API reference, SendMessage. The texts are AWS's where it was seen to give them.
"""

import re
from collections.abc import Mapping
from typing import Any

from cumulo.services.messaging.sqs.digests import Attribute
from cumulo.services.messaging.sqs.errors import INVALID_MESSAGE_CONTENTS, INVALID_PARAMETER, UNSUPPORTED_OPERATION

MAXIMUM_ATTRIBUTES = 10
MAXIMUM_NAME_LENGTH = 256
TRACE_HEADER = "AWSTraceHeader"
_RESERVED = ("aws.", "amazon.")
_LOGICAL_TYPES = ("String", "Number", "Binary")

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NUMBER = re.compile(r"[+-]?(?:(?P<whole>\d+)(?:\.(?P<part>\d*))?|\.(?P<bare>\d+))(?:[eE](?P<exponent>[+-]?\d+))?")
_PRECISION = 38
_IDENTIFIER = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


def check_characters(text: str) -> None:
    """InvalidMessageContents unless every character is one that XML 1.0 allows."""
    # isprintable() is many times faster than the pattern and true for most bodies without line breaks.
    if not text.isprintable() and _FORBIDDEN.search(text):
        raise INVALID_MESSAGE_CONTENTS()


def check_identifier(name: str, value: str) -> None:
    """The rule for MessageGroupId, MessageDeduplicationId and ReceiveRequestAttemptId."""
    if not _IDENTIFIER.fullmatch(value):
        reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise INVALID_PARAMETER(value=value, name=name, reason=reason)


def read(attributes: Mapping[str, Any]) -> dict[str, Attribute]:
    """MessageAttributes of a request, checked, as they are kept."""
    if len(attributes) > MAXIMUM_ATTRIBUTES:
        raise INVALID_PARAMETER(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MAXIMUM_ATTRIBUTES}]."
        )
    found: dict[str, Attribute] = {}
    for name, given in attributes.items():
        _check_name(name)
        found[name] = _read_one(name, given, "user", _LOGICAL_TYPES)
    return found


def read_system(attributes: Mapping[str, Any]) -> dict[str, Attribute]:
    """MessageSystemAttributes of a request, checked: AWSTraceHeader is the only one there is."""
    found: dict[str, Attribute] = {}
    for name, given in attributes.items():
        if name != TRACE_HEADER:
            raise INVALID_PARAMETER(
                f"Message system attribute name '{name}' is invalid. You must use only the following "
                f"supported system attribute names: [{TRACE_HEADER}]."
            )
        found[name] = _read_one(name, given, "system", ("String",))
    return found


def size_of(attributes: Mapping[str, Attribute]) -> int:
    """The bytes of names, types and values, which count towards the size of a message."""
    return sum(
        len(name.encode()) + len(data_type.encode()) + len(value if isinstance(value, bytes) else value.encode())
        for name, (data_type, value) in attributes.items()
    )


def wire_form(attributes: Mapping[str, Attribute]) -> dict[str, dict[str, str | bytes]]:
    """Kept attributes as MessageAttributeValue structures."""
    return {
        name: {"BinaryValue" if isinstance(value, bytes) else "StringValue": value, "DataType": data_type}
        for name, (data_type, value) in attributes.items()
    }


def select(attributes: Mapping[str, Attribute], names: list[str]) -> Mapping[str, Attribute]:
    """Those that ReceiveMessage's MessageAttributeNames asks for: names, `All`, `.*` or prefixes such as `bar.*`.

    A prefix ends before the `.*`: AWS answers `Hel.*` with Hello and Help.Me.
    """
    if "All" in names or ".*" in names:
        return attributes
    wanted = set(names)
    prefixes = tuple([name[:-2] for name in names if name.endswith(".*")])
    return {
        name: attribute
        for name, attribute in attributes.items()
        if name in wanted or (prefixes and name.startswith(prefixes))
    }


def _check_name(name: str) -> None:
    if not name:
        raise INVALID_PARAMETER("The request must contain non-empty message (user) attribute names.")
    if len(name.encode()) > MAXIMUM_NAME_LENGTH:
        raise INVALID_PARAMETER(f"Message (user) attribute names must be shorter than {MAXIMUM_NAME_LENGTH} Bytes")
    if name.lower().startswith(_RESERVED):
        raise INVALID_PARAMETER(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
            "These strings are reserved for internal use."
        )
    if not _NAME.fullmatch(name) or name[0] == "." or name[-1] == "." or ".." in name:
        raise INVALID_PARAMETER(
            f"The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, "
            "underscore (_), hyphen (-), and period (.) characters. It can't start or end with a period, "
            "or have periods in succession."
        )


def _read_one(name: str, given: Mapping[str, Any], kind: str, logical_types: tuple[str, ...]) -> Attribute:
    data_type = given.get("DataType") or ""
    if not data_type:
        raise INVALID_PARAMETER(f"The message attribute '{name}' must contain non-empty message attribute type.")
    logical, _, _ = data_type.partition(".")
    if logical not in logical_types or len(data_type.encode()) > MAXIMUM_NAME_LENGTH:
        raise INVALID_PARAMETER(
            f"The type of message ({kind}) attribute '{name}' is invalid. You must use only the following "
            f"supported type prefixes: {', '.join(sorted(logical_types))}."
        )
    if given.get("StringListValues") or given.get("BinaryListValues"):
        raise UNSUPPORTED_OPERATION("Message attribute list values in SendMessage operation are not supported.")
    value: str | bytes | None = given.get("BinaryValue" if logical == "Binary" else "StringValue")
    if not value:
        raise INVALID_PARAMETER(
            f"Message ({kind}) attribute '{name}' must contain a non-empty value of type '{data_type}'."
        )
    if isinstance(value, str):
        check_characters(value)
        if logical == "Number" and not _is_number(value):
            raise INVALID_PARAMETER(f"Can't cast the value of message ({kind}) attribute '{name}' to a number.")
    return data_type, value


def _is_number(text: str) -> bool:
    """Up to 38 digits, between 10^-128 and 10^126 in size (Developer Guide, "Message attribute data types")."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return False
    whole = (found["whole"] or "").lstrip("0")
    part = found["part"] or found["bare"] or ""
    digits = (whole + part).strip("0")
    if not digits:
        return True
    exponent = int(found["exponent"] or 0) if len(found["exponent"] or "") < 6 else 1000
    magnitude = exponent + (len(whole) if whole else len(part.lstrip("0")) - len(part))
    return len(digits) <= _PRECISION and -127 <= magnitude <= 127
