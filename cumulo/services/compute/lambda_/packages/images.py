"""Container images as code: found by their URI, pinned by their digest, unpacked where they run.

A version holds its image for as long as it is there, whatever becomes of the tag. Until there is a registry service an
image comes from what `cumulo image load` put into the state directory, from a registry on this machine, or from docker
or podman. Each node of a cloud unpacks for itself; all must share the folder `images`.

Sources: Lambda Developer Guide, "Create a Lambda function using a container image"; Lambda API Reference, FunctionCode,
ImageConfig.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.core.operation import reconciler
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.engines.environments.builds import NEEDS_ROOT
from cumulo.engines.images import references
from cumulo.engines.images.failures import ImageFailed, Unsupported
from cumulo.services.compute.lambda_.errors import (
    IMAGE_INVALID,
    IMAGE_MISSING,
    IMAGE_UNSUPPORTED,
    INVALID_PARAMETER,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cumulo.core.context import Context
    from cumulo.engines.images.manifests import Settings
    from cumulo.engines.images.store import Images
    from cumulo.services.compute.lambda_.stored.versions import Version

IMAGE = "Image"

WAYS = (
    "cumulo knows the images of `cumulo image load FILE`, of registries on localhost, and of docker or podman on this "
    "machine."
)

_UNPACKING = "lambda.images"
_SWEEP_S = 3600.0


class HeldImage(Record):
    """An image, and how many versions of functions use it."""

    digest: str  # hexadecimal: the SHA-256 of the manifest
    uses: int = 0


IMAGES = Table(HeldImage, name="lambda.images", key="digest", scope=GLOBAL)


class Pulled(NamedTuple):
    """An image that is here, but that no version uses yet; until `hold` is closed it stays."""

    digest: str
    uri: str
    hold: ExitStack


class Unpacked(NamedTuple):
    """An image as environments want it."""

    root: Path
    settings: Settings


def store_of(ctx: Context) -> Images:
    """Where this node keeps images."""
    from cumulo.engines.images.store import Images

    return Images(ctx.data_dir / "images")


async def check_machine(ctx: Context) -> None:
    """InvalidParameterValueException where images cannot be run."""
    if not await ctx.in_thread(partial(_has_roots, ctx.runtime.isolation)):
        raise INVALID_PARAMETER(f"cumulo cannot run this function: {NEEDS_ROOT}")


def _has_roots(isolation: str) -> bool:
    from cumulo.engines.containers import engines
    from cumulo.engines.sandboxes.probe import abilities

    return isolation != engines.NAMESPACES or abilities().own_root or bool(engines.for_images())


async def pull(ctx: Context, uri: str) -> Pulled:
    """Find the image of a URI, here or on this machine. Raises Lambda's words for one that cannot be had."""
    return await ctx.in_thread(partial(_pulled, store_of(ctx), uri))


def _pulled(store: Images, uri: str) -> Pulled:
    from cumulo.engines.images import daemons, registries

    try:
        reference = references.parse(uri)
    except ImageFailed:
        raise IMAGE_INVALID(uri=uri) from None
    if not reference.tag and not reference.digest:  # as AWS: it implies no tag
        raise IMAGE_INVALID(uri=uri)
    with store.held() as hold:
        try:
            digest = store.find(reference)
            if digest is None and reference.is_near:
                digest = registries.take(store, reference)
            digest = digest or daemons.take(store, reference)
            if digest is None:
                raise IMAGE_MISSING(uri=uri, hint=WAYS)
            store.image(digest)
        except Unsupported as failed:
            raise IMAGE_UNSUPPORTED(uri=uri, hint=f"It is {failed}.") from None
        except ImageFailed as failed:
            raise IMAGE_MISSING(uri=uri, hint=f"What is there cannot be used: {failed}.") from None
        return Pulled(digest.removeprefix("sha256:"), uri, hold.pop_all())


def use(ctx: Context, digest: str) -> None:
    """One more version uses an image; inside a transaction."""
    held = IMAGES.peek(ctx, digest) or HeldImage(digest)
    held.uses += 1
    IMAGES.put(ctx, held)


def release(ctx: Context, digest: str) -> None:
    """A version uses an image no more; with the last one it may be swept. Inside a transaction."""
    held = IMAGES.peek(ctx, digest)
    if held is None:
        return
    held.uses -= 1
    if held.uses > 0:
        IMAGES.put(ctx, held)
    else:
        IMAGES.delete(ctx, held)


def set_config(version: Version, wanted: dict[str, Any]) -> None:
    """What takes the place of the image's own settings; nothing that was set before stays."""
    version.image_config = {name: value for name, value in wanted.items() if value}


def resolved_uri(version: Version) -> str:
    """The URI of a version's image by its digest."""
    return f"{references.parse(version.image_uri).place}@sha256:{version.code_sha256}"


# --- where images run -----------------------------------------------------------------------------


async def unpacked(ctx: Context, digest: str) -> Unpacked:
    """The root file system of an image, made now if it was not yet. Raises ImageFailed."""
    known: dict[str, asyncio.Future[Unpacked]] = ctx.runtime.memory.setdefault(_UNPACKING, {})
    found = known.get(digest)
    if found is None or (found.done() and (found.exception() or not found.result().root.is_dir())):
        store = store_of(ctx)
        found = asyncio.ensure_future(asyncio.to_thread(_unpacked, store, digest))
        known[digest] = found
    return await asyncio.shield(found)


def _unpacked(store: Images, digest: str) -> Unpacked:
    name = f"sha256:{digest}"
    return Unpacked(store.root(name), store.image(name).settings)


@reconciler(every_s=_SWEEP_S)
async def sweep_images(ctx: Context) -> None:
    """Remove images that have no name and that nothing uses, and what a crash left half done."""
    store = store_of(ctx)
    if not store.is_there:
        return
    alone = await ctx.in_thread(store.alone)
    if alone is None:
        return  # somebody is adding: the next run finds it
    with alone:
        used = await ctx.transact(lambda ctx: {held.digest for held in IMAGES.range(ctx)})
        known: dict[str, asyncio.Future[Unpacked]] = ctx.runtime.memory.setdefault(_UNPACKING, {})
        for digest in [each for each in known if each not in used]:
            del known[digest]
        await ctx.in_thread(partial(store.sweep, {f"sha256:{digest}" for digest in used}))
