"""One line of the journal."""

from __future__ import annotations

from typing import Any

import msgspec


class Call(msgspec.Struct, omit_defaults=True):
    """One call. `time` is cloud time in seconds; `denial` says which policy decided and how.

    `actions` are the permissions that were asked for, each on the resource at its place in `resources`. `audited` are
    the denials that AWS would have answered with, in audit mode.
    """

    time: float
    request_id: str
    service: str
    operation: str
    account: str
    region: str
    principal: str
    access_key_id: str = ""
    source_ip: str = ""
    user_agent: str = ""
    resources: list[str] = []
    error: str = ""
    message: str = ""
    denial: dict[str, Any] | None = None
    audited: list[dict[str, Any]] = []
    actions: list[str] = []
