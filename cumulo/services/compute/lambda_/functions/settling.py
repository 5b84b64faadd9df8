"""What brings a new or changed version into service: its code is unpacked, its runtime started, then it is Active.

The task is durable: a cloud that dies in between goes on with it when it starts again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Retry, task
from cumulo.engines.images.failures import ImageFailed
from cumulo.services.compute.lambda_.packages import archives
from cumulo.services.compute.lambda_.running import build, fleet
from cumulo.services.compute.lambda_.stored import versions
from cumulo.services.compute.lambda_.stored.runtime_identifiers import SNAP_START_ON
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.versions import Version

RETRY_S = 5.0
MOMENT_S = 1.0
"""How long GetFunction waits for a version that is under way."""
CREATING = ("The function is being created.", "Creating")


def begin_update(ctx: Context, version: Version) -> None:
    """Keep a version that was changed, and start what makes it ready; inside a transaction."""
    version.revision_id = ctx.uuid()
    version.modified_at = ctx.now()
    version.update_status, version.update_reason, version.update_reason_code = "InProgress", *CREATING
    versions.keep(ctx, version)
    begin(ctx, version)


def begin(ctx: Context, version: Version) -> None:
    """Start what makes a kept version ready; inside the transaction that keeps it."""
    payload = {
        "account": version.account,
        "region": version.region,
        "name": version.name,
        "version": version.version,
        "revision_id": version.revision_id,
    }
    ctx.later(settle_version, payload)


@task
async def settle_version(ctx: Context, payload: dict[str, Any]) -> None:
    """Unpack the code of a version that was made or changed, and put it into service."""
    version = await ctx.transact(partial(_pending, payload=payload))
    if version is None:
        return
    failure: tuple[str, str] | None = None
    try:
        made = await build.program_of(ctx, version)
    except ImageFailed as error:
        failure = (f"The image of the function cannot be unpacked: {error}", "InvalidImage")
    except archives.BadArchive as error:
        failure = (f"The code of the function cannot be unpacked: {error}", "InvalidZipFileException")
    except KeyError:
        return  # it was changed or deleted meanwhile
    except OSError as error:  # a full disk, or a blob on another node: later, or there
        ctx.logger.warning("the code of %s cannot be unpacked yet: %s", version.arn, error)
        raise Retry(RETRY_S) from None
    else:
        await fleet.of(ctx).prepare(made)
    await ctx.transact(partial(_settle, payload=payload, failure=failure))


def _pending(ctx: Context, payload: dict[str, Any]) -> Version | None:
    """The version, if it still is what the task was started for."""
    version = versions.of(ctx, payload["account"], payload["region"], payload["name"], payload["version"])
    return version if version is not None and version.revision_id == payload["revision_id"] else None


def _settle(ctx: Context, payload: dict[str, Any], failure: tuple[str, str] | None) -> None:
    version = _pending(ctx, payload)
    if version is None:
        return
    if version.state == "Pending":
        version.state = "Failed" if failure else "Active"
        version.state_reason, version.state_reason_code = failure or ("", "")
    version.update_status = "Failed" if failure else "Successful"
    version.update_reason, version.update_reason_code = failure or ("", "")
    if version.version != LATEST and version.snap_start == SNAP_START_ON and not failure:
        version.snap_start_status = "On"
    version.revision_id = ctx.uuid()
    versions.keep(ctx, version)
    ctx.signal(_signal(version))


def _signal(version: Version) -> str:
    return ":".join(("lambda.settled", *_key(version)))


def is_under_way(version: Version) -> bool:
    """Whether it is Pending or being updated."""
    return version.state == "Pending" or version.update_status == "InProgress"


async def settled(ctx: Context, version: Version) -> None:
    """Wait a moment for a version that is under way, as most are for a hundredth of a second.

    A client's waiter that sees Pending once sleeps for a second or for five.
    """
    until = ctx.now() + MOMENT_S
    with ctx.listen(_signal(version)) as heard:
        found = await ctx.transact(lambda ctx: versions.of(ctx, *_key(version)))
        if found is not None and is_under_way(found):
            await heard.wait(until)


def _key(version: Version) -> tuple[str, str, str, str]:
    return version.account, version.region, version.name, version.version
