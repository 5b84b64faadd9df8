"""Publishing: a numbered version that is $LATEST as it was, and never changes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cumulo.services.compute.lambda_ import functions, packages, versions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.functions import Function
    from cumulo.services.compute.lambda_.versions import Version


def publish(ctx: Context, function: Function, latest: Version, description: str | None = None) -> Version:
    """The next version of a function, kept; with the state that $LATEST has. Inside a transaction."""
    version = msgspec.structs.replace(latest, version=str(function.next_version), revision_id=ctx.uuid())
    if description is not None:
        version.description = description
    function.next_version += 1
    functions.keep(ctx, function)
    if version.code_sha256:
        packages.use_again(ctx, version.code_sha256)
    versions.keep(ctx, version)
    return version
