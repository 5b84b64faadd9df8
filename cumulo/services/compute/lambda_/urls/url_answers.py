"""What a function gives back, as the HTTP answer of its URL.

Source: Lambda Developer Guide, "Invoking Lambda function URLs", Response payload format. Values to values.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import msgspec

JSON = "application/json"
STREAM_WITH_HEAD = "application/vnd.awslambda.http-integration-response"
HEAD_END = bytes(8)  # between the head of a streamed answer and its body
LONGEST_HEAD_B = 65_536

# Fields that belong to the connection: AWS gives them on under another name.
_REMAPPED = frozenset(("connection", "content-length", "date", "server", "transfer-encoding", "keep-alive", "upgrade"))


class MalformedAnswer(Exception):
    """The function's answer is none: the caller gets 502."""


class HttpAnswer(NamedTuple):
    """Status, header fields and body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def interpret(payload: bytes) -> HttpAnswer:
    """The answer that a function's result stands for. Raises MalformedAnswer."""
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedAnswer from None
    if not isinstance(document, dict) or "statusCode" not in document:
        return HttpAnswer(200, [("Content-Type", JSON)], payload)
    status, headers = head(document)
    return HttpAnswer(status, headers, _body(document))


def head(document: dict[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    """Status and header fields of a result or of the head of a streamed one. Raises MalformedAnswer."""
    status = document.get("statusCode", 200)
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise MalformedAnswer
    headers: list[tuple[str, str]] = []
    given = document.get("headers") or {}
    if not isinstance(given, dict):
        raise MalformedAnswer
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, dict | list):
            raise MalformedAnswer
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not _is_field(name, text):
            raise MalformedAnswer
        headers.append((f"x-amzn-remapped-{name}" if name.lower() in _REMAPPED else name, text))
    cookies = document.get("cookies") or []
    if not isinstance(cookies, list):
        raise MalformedAnswer
    for cookie in cookies:
        if not isinstance(cookie, str) or not _is_field("set-cookie", cookie):
            raise MalformedAnswer
        headers.append(("Set-Cookie", cookie))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", JSON))
    return status, headers


def _is_field(name: str, value: str) -> bool:
    """Whether this can stand in the head of an answer."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    if not name or not name.isascii() or any(character in " \r\n\0:" for character in name):
        return False
    return not any(character in "\r\n\0" for character in value)


def _body(document: dict[str, Any]) -> bytes:
    body = document.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswer
    if document.get("isBase64Encoded") is True:
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raise MalformedAnswer from None
    return body.encode("utf-8", "surrogatepass")


class StreamedHead:
    """Finds the head at the start of a streamed answer that has one."""

    def __init__(self) -> None:
        self._seen = b""

    def feed(self, piece: bytes) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """Status, header fields and the beginning of the body, None while more is needed. Raises MalformedAnswer."""
        self._seen += piece
        text, end, rest = self._seen.partition(HEAD_END)
        if not end:
            if len(self._seen) > LONGEST_HEAD_B:
                raise MalformedAnswer
            return None
        try:
            document = msgspec.json.decode(text)
        except msgspec.DecodeError:
            raise MalformedAnswer from None
        if not isinstance(document, dict):
            raise MalformedAnswer
        status, headers = head(document)
        return status, headers, rest
