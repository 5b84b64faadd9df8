"""Why a payload is no JSON, in the words of the parser that stands before AWS's functions (Jackson).

Source: answers of AWS quoted in awsdocs/aws-lambda-developer-guide#351 and #382, aws/aws-sdk-js#1876 and
srcecde/aws-tutorial-code#4. The column stands behind the character (of a token: behind its end) that is at fault.
"""

from __future__ import annotations

import re

_SHOWN = 500
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
_WORD = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]*")
_SPACE = b" \t\r\n"


class _Fault(Exception):
    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.text = text
        self.at = at


def fault(payload: bytes) -> str:
    """What is wrong with a payload, "" when nothing is."""
    try:
        end = _value(payload, _skip(payload, 0))
        end = _skip(payload, end)
        if end < len(payload):
            raise _Fault(f"{_unexpected(payload, end)}: Expected space separating root-level values", end + 1)
    except _Fault as found:
        return f"{found.text}\n at [Source: (byte[]){_shown(payload)}; {_place(payload, found.at)}]"
    except RecursionError:
        return "Document nesting depth exceeds the maximum allowed"
    return ""


def _shown(payload: bytes) -> str:
    text = payload[:_SHOWN].decode("utf-8", "replace")
    more = len(payload) - _SHOWN
    return f'"{text}"' if more <= 0 else f'"{text}"[truncated {more} bytes]'


def _place(payload: bytes, at: int) -> str:
    before = payload[:at]
    return f"line: {before.count(10) + 1}, column: {at - (before.rfind(10) + 1) + 1}"


def _unexpected(payload: bytes, at: int) -> str:
    code = payload[at]
    shown = f"'{chr(code)}' (code {code})" if 32 <= code < 127 else f"(CTRL-CHAR, code {code})"
    return f"Unexpected character ({shown})"


def _skip(payload: bytes, at: int) -> int:
    while at < len(payload) and payload[at] in _SPACE:
        at += 1
    return at


def _value(payload: bytes, at: int) -> int:
    """The end of the value that begins here."""
    if at >= len(payload):
        raise _Fault("Unexpected end-of-input: was expecting a value", at)
    first = payload[at : at + 1]
    if first == b"{":
        return _members(payload, at)
    if first == b"[":
        return _elements(payload, at)
    if first == b'"':
        return _string(payload, at)
    if first in b"-0123456789":
        found = _NUMBER.match(payload, at)
        if found is None:
            raise _Fault(f"{_unexpected(payload, at)} in numeric value", at + 1)
        return found.end()
    word = _WORD.match(payload, at)
    if word is None:
        raise _Fault(f"{_unexpected(payload, at)}: expected a valid value {_VALUES}", at + 1)
    if word[0] not in (b"true", b"false", b"null"):
        raise _Fault(f"Unrecognized token '{word[0].decode()}': was expecting {_VALUES}", word.end() + 1)
    return word.end()


def _string(payload: bytes, at: int) -> int:
    found = _STRING.match(payload, at)
    if found is not None:
        return found.end()
    for place in range(at + 1, len(payload)):
        if payload[place] < 32:
            text = f"Illegal unquoted character ((CTRL-CHAR, code {payload[place]})): has to be escaped using backslash"
            raise _Fault(f"{text} to be included in string value", place + 1)
    raise _Fault("Unexpected end-of-input in VALUE_STRING", len(payload))


def _members(payload: bytes, at: int) -> int:
    at = _skip(payload, at + 1)
    if payload[at : at + 1] == b"}":
        return at + 1
    while True:
        at = _skip(payload, at)
        _more(payload, at, "Object")
        if payload[at] != 0x22:
            raise _Fault(f"{_unexpected(payload, at)}: was expecting double-quote to start field name", at + 1)
        at = _skip(payload, _string(payload, at))
        _more(payload, at, "Object")
        if payload[at] != 0x3A:
            text = "was expecting a colon to separate field name and value"
            raise _Fault(f"{_unexpected(payload, at)}: {text}", at + 1)
        at = _skip(payload, _value(payload, _skip(payload, at + 1)))
        _more(payload, at, "Object")
        if payload[at] == 0x7D:
            return at + 1
        if payload[at] != 0x2C:
            raise _Fault(f"{_unexpected(payload, at)}: was expecting comma to separate Object entries", at + 1)
        at += 1


def _elements(payload: bytes, at: int) -> int:
    at = _skip(payload, at + 1)
    if payload[at : at + 1] == b"]":
        return at + 1
    while True:
        at = _skip(payload, _value(payload, _skip(payload, at)))
        _more(payload, at, "Array")
        if payload[at] == 0x5D:
            return at + 1
        if payload[at] != 0x2C:
            raise _Fault(f"{_unexpected(payload, at)}: was expecting comma to separate Array entries", at + 1)
        at += 1


def _more(payload: bytes, at: int, what: str) -> None:
    if at >= len(payload):
        raise _Fault(f"Unexpected end-of-input: expected close marker for {what}", at)
