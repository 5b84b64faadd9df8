"""Sealed files opened on their way out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from cumulo.blobs import File
from cumulo.services.storage.s3.stored import sealed_bytes


class Extent(NamedTuple):
    """A range of a blob, by its place in the plaintext, of which the blob holds `size` bytes."""

    file: File
    size: int


async def opened(found: list[Extent], key: bytes) -> AsyncIterator[bytes]:
    """The plaintext of sealed files, some chunks at a time, the next while one is sent."""
    try:
        for file, size in found:
            chunks = sealed_bytes.opened(key, size, file.offset, file.count, file.read)
            coming = asyncio.ensure_future(asyncio.to_thread(_some, chunks))
            try:
                while piece := await coming:
                    coming = asyncio.ensure_future(asyncio.to_thread(_some, chunks))
                    yield piece
            finally:
                if not coming.done():
                    await asyncio.wait([coming])
    finally:
        for file, _ in found:
            file.close()


def _some(chunks: Iterator[bytes]) -> bytes:
    return b"".join(itertools.islice(chunks, 8))
