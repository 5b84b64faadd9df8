"""Revision ids: a change is made only to what the caller has seen, and only to what is at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.compute.lambda_.errors import CREATE_IN_PROGRESS, REVISION_MISMATCH, UPDATE_IN_PROGRESS

if TYPE_CHECKING:
    from cumulo.services.compute.lambda_.stored.versions import Version


def check(present: str, wanted: str | None, call: str = "GetFunction/GetAlias") -> None:
    """PreconditionFailedException unless the revision is the one that the caller named, if it named one."""
    if wanted is not None and wanted != present:
        raise REVISION_MISMATCH(call=call)


def check_quiet(version: Version) -> None:
    """ResourceConflictException while a version is being made or changed."""
    if version.state == "Pending":
        raise CREATE_IN_PROGRESS()
    if version.update_status == "InProgress":
        raise UPDATE_IN_PROGRESS(arn=version.arn)
