"""Data types of parameters: what a value must look like. Pure.

Source: Systems Manager User Guide, "Working with parameter data types in Parameter Store"; API Reference, PutParameter.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from cumulo.services.operations.ssm.errors import VALIDATION

TEXT = "text"
# Types whose values other services would have to check: they are not here yet.
UNCHECKED = frozenset(("aws:ec2:image", "aws:ssm:integration"))

_HOST_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}$){_HOST_LABEL}(\.{_HOST_LABEL})*")
_EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_HOST_LABEL}(\.{_HOST_LABEL})+")
_INTEGER = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_REGION = re.compile(r"[a-z]{2,3}(-[a-z]+)+-\d{1,2}")
_ACCOUNT = re.compile(r"\d{12}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]+[^\s]*")
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])', re.DOTALL)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _binary(value: str) -> bool:
    import base64

    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return bool(value)


def _address(version: int) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        import ipaddress  # once in a while

        try:
            return ipaddress.ip_address(value).version == version
        except ValueError:
            return False

    return test


def _json(value: str) -> bool:
    try:
        msgspec.json.decode(value)
    except msgspec.DecodeError:
        return False
    return True


def _jsonc(value: str) -> bool:
    bare = _COMMENT.sub(lambda found: found[1] or " ", value)
    return _json(_TRAILING_COMMA.sub(lambda found: found[1] or found[2], bare))


_TESTS: dict[str, Callable[[str], bool]] = {
    TEXT: lambda value: True,
    "aws:region": _matches(_REGION),
    "aws:account:id": _matches(_ACCOUNT),
    "boolean": lambda value: value.lower() in ("true", "false"),
    "integer": _matches(_INTEGER),
    "float": _matches(_FLOAT),
    "binary": _binary,
    "hostname": _matches(_HOSTNAME),
    "email": _matches(_EMAIL),
    "ipv4-address": _address(4),
    "ipv6-address": _address(6),
    "url": _matches(_URL),
    "json": _json,
    "jsonc": _jsonc,
}


def check(data_type: str, value: str) -> None:
    """ValidationException for an unknown data type, or a value that is not of it."""
    test = _TESTS.get(data_type)
    if test is None:
        raise VALIDATION(f"The following data type is not supported: {data_type} (Data type names are all lowercase.)")
    if not test(value):
        raise VALIDATION(f"The parameter value is not valid for the data type {data_type}.")
