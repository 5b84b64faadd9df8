"""What the three batch operations share: the rules for entries, and one result for each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cumulo.core.errors import Fault
from cumulo.services.messaging.sqs.errors import (
    BATCH_ENTRY_IDS_NOT_DISTINCT,
    EMPTY_BATCH_REQUEST,
    INVALID_BATCH_ENTRY_ID,
    TOO_MANY_ENTRIES,
)

LIMIT = 10

_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")

Entry = Mapping[str, Any]


def check(entries: Sequence[Entry], kind: str) -> None:
    """The rules for the entries of any batch, in AWS's order; `kind` is the entry's name in the error text."""
    if not entries:
        raise EMPTY_BATCH_REQUEST(entry=kind)
    if len(entries) > LIMIT:
        raise TOO_MANY_ENTRIES(limit=LIMIT, count=len(entries))
    ids: set[str] = set()
    for entry in entries:
        if not _ID.fullmatch(entry["Id"]):
            raise INVALID_BATCH_ENTRY_ID()
    for entry in entries:
        if entry["Id"] in ids:
            raise BATCH_ENTRY_IDS_NOT_DISTINCT(id=entry["Id"])
        ids.add(entry["Id"])


def each(entries: Sequence[Entry], do: Callable[[Any], dict[str, Any]]) -> Any:
    """Do every entry; one that fails does not keep the others from succeeding.

    `do` must check an entry before it writes anything.
    """
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **do(entry)})
        except Fault as fault:
            failed.append(
                {"Id": entry["Id"], "SenderFault": fault.sender, "Code": fault.code, "Message": fault.message}
            )
    return {"Successful": successful, "Failed": failed}
