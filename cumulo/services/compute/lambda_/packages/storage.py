"""How much code an account keeps in a region: every version of a function and of a layer counts its archive.

Source: Lambda Developer Guide, "Lambda quotas", Storage for uploaded functions and layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_.errors import CODE_STORAGE_EXCEEDED
from cumulo.services.compute.lambda_.packages import images, packages

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.versions import Version

LIMIT_BYTES = 75 * 1024**3


class Usage(Record):
    """What is kept: the archives of all versions of functions and layers together."""

    kind: str = "code"
    size: int = 0


USAGE = Table(Usage, name="lambda.usage", key="kind", scope=REGION)


def used(ctx: Context, account: str, region: str) -> int:
    """Bytes of all archives together."""
    usage = USAGE.peek(ctx, "code", account=account, region=region)
    return usage.size if usage is not None else 0


def add(ctx: Context, account: str, region: str, size: int) -> None:
    """Count so many bytes more, or fewer; CodeStorageExceededException when it is too much."""
    total = used(ctx, account, region) + size
    if size > 0 and total > LIMIT_BYTES:
        raise CODE_STORAGE_EXCEEDED()
    USAGE.put(ctx, Usage("code", max(total, 0)), account=account, region=region)


def hold_layers(ctx: Context, version: Version) -> None:
    """A version uses the packages of its layers."""
    for sha256 in version.layer_sha256s:
        packages.use_again(ctx, sha256)


def let_go(ctx: Context, version: Version) -> None:
    """A version that goes uses neither its package nor those of its layers any more, and its code counts no more."""
    let_go_code(ctx, version)
    let_go_layers(ctx, version)


def let_go_code(ctx: Context, version: Version) -> None:
    """A version gets other code."""
    if version.package_type == images.IMAGE:
        images.release(ctx, version.code_sha256)  # it is kept elsewhere, and counts nothing here
    elif version.code_sha256:
        packages.release(ctx, version.code_sha256)
        add(ctx, version.account, version.region, -version.code_size)


def let_go_layers(ctx: Context, version: Version) -> None:
    """A version gets other layers."""
    for sha256 in version.layer_sha256s:
        packages.release(ctx, sha256)
