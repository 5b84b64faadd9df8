"""What a function says of a batch where ReportBatchItemFailures is on.

Pure. Source: Lambda Developer Guide, "Implementing partial batch responses" of SQS, Kinesis and DynamoDB.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec


def failures(payload: bytes, known: Collection[str]) -> list[str] | None:
    """The records that failed, by their ids in the order that the function gave; None when the whole batch did.

    No list, or an empty one, is success. An identifier that is none of the batch's, is empty or stands under another
    name makes all of it fail.
    """
    try:
        answer = msgspec.json.decode(payload) if payload else None
    except (msgspec.DecodeError, RecursionError):
        return None
    entries = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not entries:
        return []
    if not isinstance(entries, list):
        return None
    named: list[str] = []
    for entry in entries:
        identifier = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(identifier, str) or identifier not in known:
            return None
        named.append(identifier)
    return named
