"""Packages: the zip archives of functions and layers, each kept once however many versions use it.

A package is a blob, named by its SHA-256. Where code runs, it is unpacked into a folder: a copy, made once and swept
when nothing uses the package any more. Each node unpacks for itself; the blob must be in its reach.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core import kept_blobs
from cumulo.core.operation import reconciler
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.compute.lambda_.errors import BAD_ZIP, EMPTY_ZIP, UNZIPPED_TOO_LARGE, ZIPPED_TOO_LARGE
from cumulo.services.compute.lambda_.packages import archives

if TYPE_CHECKING:
    from cumulo.blobs import Blobs
    from cumulo.core.context import Context

# Source: Lambda Developer Guide, "Lambda quotas", Deployment package size.
ZIPPED_BYTES = 50 * 1024 * 1024
UNZIPPED_BYTES = 250 * 1024 * 1024

_UNPACKING = "lambda.unpacking"
_SWEEP_S = 3600.0
_OWNER = "lambda"


class Package(Record):
    """A zip archive, and how many versions of functions and layers use it."""

    sha256: str  # hexadecimal
    size: int
    unpacked_size: int
    blob: str
    uses: int = 0


PACKAGES = Table(Package, name="lambda.packages", key="sha256", scope=GLOBAL)


class Upload(NamedTuple):
    """An archive that is on disk, but of which the state knows nothing yet."""

    sha256: str
    size: int
    unpacked_size: int
    blob: str


def shown(sha256: str) -> str:
    """A SHA-256 as Lambda shows it: base64."""
    return b64encode(bytes.fromhex(sha256)).decode()


async def upload(ctx: Context, data: bytes) -> Upload:
    """Check an archive and write it down; what `use` or `discard` must follow. Raises Lambda's words for a bad one."""
    if len(data) > ZIPPED_BYTES:
        raise ZIPPED_TOO_LARGE(limit=ZIPPED_BYTES)
    if not data:
        raise BAD_ZIP()
    return await ctx.in_thread(partial(written, ctx.blobs, data))


def written(blobs: Blobs, data: bytes) -> Upload:
    """The same of an archive of any size that Lambda takes. Blocks."""
    stored = blobs.put(data)
    return checked(blobs, Upload(hashlib.sha256(data).hexdigest(), stored.size, 0, stored.blob))


def checked(blobs: Blobs, upload: Upload) -> Upload:
    """The same with its unpacked size; a blob that is no archive, or too large a one, is gone. Blocks."""
    try:
        size = archives.unpacked_size(blobs.path(upload.blob))
        if size > UNZIPPED_BYTES:
            raise UNZIPPED_TOO_LARGE(limit=UNZIPPED_BYTES)
    except archives.BadArchive as fault:
        blobs.delete([upload.blob])
        raise (EMPTY_ZIP if isinstance(fault, archives.EmptyArchive) else BAD_ZIP)() from None
    except BaseException:
        blobs.delete([upload.blob])
        raise
    return upload._replace(unpacked_size=size)


def discard(ctx: Context, upload: Upload | None) -> None:
    """Nobody came to use the upload."""
    if upload is not None:
        ctx.runtime.delete_blobs([upload.blob])


def use(ctx: Context, upload: Upload) -> Package:
    """One more version uses these bytes, which are kept if they were not yet; inside a transaction."""
    package = PACKAGES.peek(ctx, upload.sha256)
    if package is None:
        package = Package(upload.sha256, upload.size, upload.unpacked_size, upload.blob)
        kept_blobs.keep(ctx, upload.blob, _OWNER)
    elif package.blob != upload.blob:
        ctx.txn.on_commit(partial(discard, ctx, upload))
    package.uses += 1
    PACKAGES.put(ctx, package)
    return package


def use_again(ctx: Context, sha256: str) -> None:
    """One more version uses a package that another one uses already; inside a transaction."""
    package = PACKAGES.peek(ctx, sha256)
    if package is not None:
        package.uses += 1
        PACKAGES.put(ctx, package)


def release(ctx: Context, sha256: str) -> None:
    """A version uses a package no more; with the last one it goes. Inside a transaction."""
    package = PACKAGES.peek(ctx, sha256)
    if package is None:
        return
    package.uses -= 1
    if package.uses > 0:
        PACKAGES.put(ctx, package)
        return
    PACKAGES.delete(ctx, package)
    kept_blobs.drop(ctx, [package.blob])


# --- where code runs ----------------------------------------------------------------------------


def folder_of(ctx: Context, sha256: str) -> Path:
    """Where a package is unpacked on this node, if it is."""
    return ctx.data_dir / "lambda" / "code" / sha256


async def unpacked(ctx: Context, sha256: str) -> Path:
    """The folder with the files of a package, unpacked now if it was not yet. Raises KeyError for no package."""
    folder = folder_of(ctx, sha256)
    known: dict[str, asyncio.Future[Path] | Path] = ctx.runtime.memory.setdefault(_UNPACKING, {})
    found = known.get(sha256)
    if isinstance(found, Path) and found.is_dir():
        return found
    if isinstance(found, asyncio.Future):
        return await asyncio.shield(found)
    package = await ctx.transact(lambda ctx: PACKAGES.peek(ctx, sha256))
    if package is None:
        raise KeyError(sha256)
    found = known.get(sha256)
    if isinstance(found, asyncio.Future):
        return await asyncio.shield(found)
    temporary = folder.with_name(ctx.new_id("new-"))
    work = asyncio.get_running_loop().run_in_executor(None, _unpacked, ctx.blobs.path(package.blob), temporary, folder)
    known[sha256] = work
    try:
        known[sha256] = await asyncio.shield(work)
    except BaseException:
        if work.done():
            known.pop(sha256, None)
        raise
    return folder


def _unpacked(blob: Path, temporary: Path, folder: Path) -> Path:
    if folder.is_dir():
        return folder
    if not blob.exists():
        raise FileNotFoundError(f"{blob} is not here: nodes of one cloud must share the folder of blobs")
    try:
        archives.unpack(blob, temporary, UNZIPPED_BYTES)
        temporary.rename(folder)
    except BaseException:
        archives.remove(temporary)
        raise
    return folder


@reconciler(every_s=_SWEEP_S)
async def sweep_packages(ctx: Context) -> None:
    """Remove the folders of packages that nothing uses, and what a crash left half unpacked."""
    root = ctx.data_dir / "lambda" / "code"
    known: dict[str, object] = ctx.runtime.memory.setdefault(_UNPACKING, {})
    names = await ctx.in_thread(lambda: [path.name for path in root.iterdir()] if root.is_dir() else [])
    busy = any(isinstance(found, asyncio.Future) for found in known.values())
    for name in names:
        if name.startswith("new-"):
            if not busy:
                await ctx.in_thread(partial(archives.remove, root / name))
        elif not isinstance(known.get(name), asyncio.Future) and not await ctx.transact(partial(_is_kept, sha256=name)):
            known.pop(name, None)
            await ctx.in_thread(partial(archives.remove, root / name))


def _is_kept(ctx: Context, sha256: str) -> bool:
    return PACKAGES.peek(ctx, sha256) is not None
