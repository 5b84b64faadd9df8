"""What a function is given: its size, its form, and the client's context."""

from __future__ import annotations

import binascii
from base64 import b64decode

import msgspec

from cumulo.services.compute.lambda_.errors import INVALID_CLIENT_CONTEXT, INVALID_PAYLOAD, PAYLOAD_TOO_LARGE
from cumulo.services.compute.lambda_.running import json_faults

# Source: Lambda Developer Guide, "Lambda quotas", and the text of Invoke's Payload.
SYNCHRONOUS_B = 6_291_456
EVENT_B = 1_048_576
ANSWER_B = 6_291_556  # observed in AWS's answers: the size that Function.ResponseSizeTooLarge names
CLIENT_CONTEXT_B = 3_583

_is_json = msgspec.json.Decoder(msgspec.Raw).decode


def checked(payload: bytes | None, kind: str, limit: int) -> bytes:
    """The payload that a function gets: JSON, {} for none. Raises RequestTooLargeException, InvalidRequestContent…"""
    if not payload:
        return b"{}"
    if len(payload) > limit:
        raise PAYLOAD_TOO_LARGE(size=len(payload), kind=kind, limit=limit)
    try:
        _is_json(payload)
    except (msgspec.DecodeError, RecursionError):
        reason = json_faults.fault(payload)
        if reason:
            raise INVALID_PAYLOAD(reason=reason) from None
    return payload


def client_context(text: str | None) -> str:
    """The JSON of a client context. Raises InvalidRequestContentException."""
    if not text:
        return ""
    try:
        if len(text) > CLIENT_CONTEXT_B:
            raise ValueError
        data = b64decode(text, validate=True)
        if not isinstance(msgspec.json.decode(data), dict):
            raise ValueError
        return data.decode()
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise INVALID_CLIENT_CONTEXT() from None
