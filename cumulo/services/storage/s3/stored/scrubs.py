"""Scrubbing: every stored object is read and held against its checksums; `cumulo scrub` shows what is not as it was.

It goes on page by page, so that it may take as long as it wants and never holds anything up. What is sealed under a
key of KMS or of a customer cannot be opened here: of that, only the presence and the length are known to be right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cumulo.core import kept_blobs
from cumulo.services.storage.s3.stored import checksums, contents
from cumulo.services.storage.s3.stored.object_versions import (
    CURRENT,
    IN_PARTS,
    NONCURRENT,
    PARTS,
    ObjectVersion,
    Part,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
PAGE_B = 256 * 1024**2  # a page ends after so many bytes


class Report(msgspec.Struct):
    """What a page found. `damaged` says what is wrong with which version; `after` continues, "" is the end."""

    versions: int = 0
    bytes: int = 0
    sealed: int = 0
    damaged: list[dict[str, str]] = []
    after: str = ""


class _Check(NamedTuple):
    """One version to be read: its pieces, each with the part it is of (None: it is the whole)."""

    version: ObjectVersion
    pieces: list[tuple[Part | None, Iterator[bytes]]]
    problem: str


async def scrub(ctx: Context, after: str = "") -> Report:
    """Read the next page of versions, current ones first."""
    report = Report()
    checks, report.after = await ctx.transact(partial(_page, after=after))
    for check in checks:
        version = check.version
        report.versions += 1
        report.bytes += version.size
        report.sealed += bool(version.sealed_key)
        problem = check.problem or await ctx.in_thread(partial(_problem, check))
        if problem:
            report.damaged.append(
                {"bucket": version.bucket, "key": version.key, "version": version.version_id, "problem": problem}
            )
    return report


async def sweep(ctx: Context) -> int:
    """Delete the files that nothing names; how many that were."""
    return await kept_blobs.sweep(ctx)


def _page(ctx: Context, after: str) -> tuple[list[_Check], str]:
    """The versions of a page with their files opened, and where the next one begins: the table, and the key."""
    kind, begin = after[:1] or "c", bytes.fromhex(after[1:])
    table = NONCURRENT if kind == "n" else CURRENT
    place = table.prefix("", "")
    checks: list[_Check] = []
    size = 0
    found = ctx.txn.range(max(begin, place), place + b"\xff", limit=PAGE)
    for key, value in found:
        version = table.codec.decode(value)
        if not version.delete_marker:
            checks.append(_check(ctx, version))
            size += version.size
        if size >= PAGE_B:
            return checks, kind + (key + b"\x00").hex()
    if len(found) == PAGE:
        return checks, kind + (found[-1][0] + b"\x00").hex()
    return checks, "n" if kind == "c" else ""


def _check(ctx: Context, version: ObjectVersion) -> _Check:
    try:
        if version.content != IN_PARTS:
            return _Check(version, [(None, _stored(ctx, version, version.content, version.stored))], "")
        listed = PARTS.peek(ctx, version.bucket, version.key, version.sequence)
        parts = listed.parts if listed is not None else []
        if sum(part.size for part in parts) != version.size:
            return _Check(version, [], "its parts are not all listed")
        return _Check(version, [(part, _stored(ctx, version, part.blob, part.stored)) for part in parts], "")
    except (FileNotFoundError, LookupError):
        return _Check(version, [], "its bytes are gone")


def _stored(ctx: Context, version: ObjectVersion, blob: str, size: int) -> Iterator[bytes]:
    """The bytes as they lie there, in a row or in a blob that is opened now."""
    if blob:
        return contents.pieces_of(ctx.blobs.open(blob, 0, size))
    return iter((contents.row(ctx, version),))


def _problem(check: _Check) -> str:
    """What is wrong with a version's bytes, "" when nothing is; in a thread."""
    version = check.version
    whole = checksums.Digest(next(iter(version.checksums))) if len(check.pieces) == 1 and version.checksums else None
    for part, pieces in check.pieces:
        md5 = hashlib.md5(usedforsecurity=False)
        size = 0
        try:
            for piece in pieces:
                size += len(piece)
                md5.update(piece)
                if whole is not None:
                    whole.update(piece)
        except EOFError:
            return "its bytes end too early"
        if size != (version.stored if part is None else part.stored):
            return "its bytes are not as many as they were"
        if version.sealed_key:
            continue
        if (part.etag if part is not None else version.etag) != md5.hexdigest() and not _of_parts(version, part):
            return "its MD5 is another"
    if whole is not None and not version.sealed_key and version.checksum_type == checksums.FULL_OBJECT:
        said = version.checksums[whole.algorithm]
        if whole.digest() != said:
            return f"its {whole.algorithm} is another"
    return ""


def _of_parts(version: ObjectVersion, part: Part | None) -> bool:
    """Whether the ETag is of several parts though the bytes lie in one piece."""
    return part is None and "-" in version.etag
