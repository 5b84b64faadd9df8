"""Links to packages: what GetFunction and GetLayerVersion call `Location`. Each is signed, and good for ten minutes.

Source: Lambda API Reference, GetFunction: "a presigned URL … that's valid for 10 minutes".
"""

from __future__ import annotations

import hashlib
import hmac
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.compute.lambda_.packages.packages import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context

PATH = "/_cumulo/lambda/packages/"
VALID_S = 600
_SECRET = "lambda.download_secret"


class Secret(Record):
    """What signs the links of this cloud."""

    name: str
    secret: bytes


SECRETS = Table(Secret, name="lambda.secrets", key="name", scope=GLOBAL)


def url(ctx: Context, sha256: str) -> str:
    """A link to a package; inside a transaction."""
    expires = int(ctx.now()) + VALID_S
    return f"{ctx.endpoint}{PATH}{sha256}?Expires={expires}&Signature={_signature(_secret(ctx), sha256, expires)}"


async def path_of(ctx: Context, sha256: str, parameters: Mapping[str, str]) -> Path | None:
    """The file that a link leads to; None where it is not one of ours, or too old."""
    expires = parameters.get("Expires", "")
    if not expires.isdigit() or int(expires) < ctx.now():
        return None
    return await ctx.transact(
        partial(_file, sha256=sha256, expires=int(expires), given=parameters.get("Signature", ""))
    )


def _file(ctx: Context, sha256: str, expires: int, given: str) -> Path | None:
    if not hmac.compare_digest(_signature(_secret(ctx), sha256, expires), given):
        return None
    package = PACKAGES.peek(ctx, sha256)
    return ctx.blobs.path(package.blob) if package is not None else None


def _signature(secret: bytes, sha256: str, expires: int) -> str:
    return hmac.new(secret, f"{sha256} {expires}".encode(), hashlib.sha256).hexdigest()


def _secret(ctx: Context) -> bytes:
    known: bytes | None = ctx.runtime.memory.get(_SECRET)
    if known is not None:
        return known
    kept = SECRETS.peek(ctx, "downloads")
    if kept is None:
        kept = Secret("downloads", ctx.random_bytes(32))
        SECRETS.put(ctx, kept)
    ctx.txn.on_commit(partial(ctx.runtime.memory.__setitem__, _SECRET, kept.secret))
    return kept.secret
