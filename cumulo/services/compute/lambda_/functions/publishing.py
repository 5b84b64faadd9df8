"""Publishing: a numbered version that is $LATEST as it was, and never changes again.

Sources: Lambda API Reference, PublishVersion; Developer Guide, "Manage Lambda function versions"; texts observed in
AWS's answers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.errors import OTHER_CODE
from cumulo.services.compute.lambda_.functions import settling
from cumulo.services.compute.lambda_.packages import images, packages, storage
from cumulo.services.compute.lambda_.stored import configurations, functions, qualifiers, revisions, versions
from cumulo.services.compute.lambda_.stored.runtime_identifiers import SNAP_START_ON

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.functions import Function
    from cumulo.services.compute.lambda_.stored.versions import Version

# What may differ between two versions that are the same to Lambda.
_PASSING = {
    "version": "", "modified_at": 0.0, "revision_id": "", "state": "", "state_reason": "",
    "state_reason_code": "", "update_status": "", "update_reason": "", "update_reason_code": "",
    "snap_start_status": "", "published_digest": "", "variables_sealed": b"", "update_runtime_on": "",
}  # fmt: skip


@operation(unsupported=("PublishTo",))
def publish_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A version of what $LATEST is now; the newest one again if nothing has changed since."""
    function, latest = qualifiers.changeable(ctx, request["FunctionName"])
    revisions.check(latest.revision_id, request.get("RevisionId"))
    revisions.check_quiet(latest)
    shown = configurations.shown_sha256(latest)
    if request.get("CodeSha256", shown) != shown:
        raise OTHER_CODE(given=request["CodeSha256"], latest=shown)
    version = publish(ctx, function, latest, request.get("Description"))
    return configurations.configuration(ctx, version)


def publish(
    ctx: Context, function: Function, latest: Version, description: str | None = None, *, pending: bool = False
) -> Version:
    """A version of what $LATEST is, kept: the newest again if nothing has changed since. Inside a transaction.

    `pending`: its code is not in place yet.
    """
    digest = _digest(latest)
    version = versions.of(ctx, function.account, function.region, function.name, str(function.next_version - 1))
    if version is not None and version.published_digest == digest:
        return version
    version = msgspec.structs.replace(latest, version=str(function.next_version), revision_id=ctx.uuid())
    version.published_digest = digest
    if description is not None:
        version.description = description
    function.next_version += 1
    functions.keep(ctx, function)
    if version.package_type == images.IMAGE:
        images.use(ctx, version.code_sha256)
    else:
        packages.use_again(ctx, version.code_sha256)
        storage.add(ctx, version.account, version.region, version.code_size)
    storage.hold_layers(ctx, version)
    if pending or version.snap_start == SNAP_START_ON:
        version.state, version.state_reason, version.state_reason_code = "Pending", *settling.CREATING
        version.update_status = version.update_reason = version.update_reason_code = ""
        settling.begin(ctx, version)
    versions.keep(ctx, version)
    return version


def _digest(version: Version) -> str:
    """What tells two versions apart, whatever they are called and when they were made."""
    same = msgspec.structs.replace(version, **_PASSING)
    return hashlib.sha256(msgspec.msgpack.encode(same) + version.variables_sealed).hexdigest()
