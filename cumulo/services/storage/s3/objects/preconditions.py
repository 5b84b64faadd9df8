"""Conditions on which a request is done: If-Match and its kin.

Source: Amazon S3 User Guide, "Add preconditions to S3 operations with conditional requests"; S3 API Reference,
GetObject ("If-Match and If-Unmodified-Since both present", "If-None-Match and If-Modified-Since both present").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.errors import (
    CONDITIONAL_REQUEST_CONFLICT,
    NO_SUCH_KEY,
    NOT_IMPLEMENTED_HEADER,
    NOT_MODIFIED,
    PRECONDITION_FAILED,
)
from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

_READ = ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
_MULTIPLE = "Multiple conditional request headers present in the request"


def matches(given: str, etag: str) -> bool:
    """Whether an ETag is among those of a header: quoted or not, several after commas, "*" for any."""
    if given in ('"' + etag + '"', etag, "*"):
        return True
    return "," in given and any(matches(one.strip(), etag) for one in given.split(","))


def check_read(request: Mapping[str, Any], version: ObjectVersion, now: float, prefix: str = "") -> None:
    """Refuse to read a version that is not as the request wants it: PreconditionFailed, or NotModified (304).

    `prefix` is "CopySource" for the source of a copy. Times are held against each other in whole seconds, and a time
    in the future says nothing.
    """
    if_match, if_none_match, since, until = [request.get(prefix + name) for name in _READ]
    modified = int(version.modified_at)
    if if_match is not None:
        if not matches(if_match, version.etag):
            raise _failed(prefix, "If-Match")
    elif until is not None and modified > until:
        raise _failed(prefix, "If-Unmodified-Since")
    if if_none_match is not None:
        if matches(if_none_match, version.etag):
            raise _failed(prefix, "If-None-Match") if prefix else not_modified(version)
    elif since is not None and modified <= since <= now:
        raise _failed(prefix, "If-Modified-Since") if prefix else not_modified(version)


def not_modified(version: ObjectVersion) -> Fault:
    """The answer to a client that has this version already."""
    return NOT_MODIFIED(members={"ETag": f'"{version.etag}"', "LastModified": int(version.modified_at)})


def _failed(prefix: str, condition: str) -> Fault:
    return PRECONDITION_FAILED(members={"Condition": f"x-amz-copy-source-{condition}" if prefix else condition})


def check_write_form(request: Mapping[str, Any]) -> None:
    """Refuse values that S3 does not accept on writes: any ETag but one, more than one condition."""
    if_match, if_none_match = request.get("IfMatch"), request.get("IfNoneMatch")
    if if_match is not None and if_none_match is not None:
        raise _unaccepted("If-Match,If-None-Match", _MULTIPLE)
    if if_none_match is not None and if_none_match != "*":
        raise _unaccepted("If-None-Match", "We don't accept the provided value of If-None-Match header for this API")
    if if_match == "*":
        raise _unaccepted("If-Match", "We don't accept the provided value of If-Match header for this API")


def _unaccepted(header: str, why: str) -> Fault:
    return NOT_IMPLEMENTED_HEADER(members={"Header": header, "additionalMessage": why})


def check_write(request: Mapping[str, Any], current: ObjectVersion | None, key: str) -> None:
    """Refuse to write over what is not as the request wants it: PreconditionFailed, NoSuchKey."""
    if_match = request.get("IfMatch")
    if if_match is not None:
        if current is None:
            raise NO_SUCH_KEY(members={"Key": key})
        if not matches(if_match, current.etag):
            raise PRECONDITION_FAILED(members={"Condition": "If-Match"})
    elif request.get("IfNoneMatch") is not None and current is not None:
        raise PRECONDITION_FAILED(members={"Condition": "If-None-Match"})


def is_conditional(request: Mapping[str, Any]) -> bool:
    """Whether a write depends on what is there."""
    return "IfMatch" in request or "IfNoneMatch" in request


def check_still(
    request: Mapping[str, Any], seen: ObjectVersion | None, current: ObjectVersion | None, key: str
) -> None:
    """The same when the body has come: what another request changed meanwhile is a ConditionalRequestConflict."""
    if not is_conditional(request):
        return
    before = seen.sequence if seen is not None else None
    if before == (current.sequence if current is not None else None):
        check_write(request, current, key)
        return
    condition = "If-Match" if "IfMatch" in request else "If-None-Match"
    raise CONDITIONAL_REQUEST_CONFLICT(members={"Condition": condition, "Key": key})
