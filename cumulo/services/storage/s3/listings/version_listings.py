"""All versions and delete markers of a bucket, page by page: ListObjectVersions.

CURRENT and NONCURRENT are read side by side: a key's current version sorts before its others, newest first.
Sources: S3 API Reference, ListObjectVersions; how markers work was seen of AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import pack
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT
from cumulo.services.storage.s3.listings import listing_entries, listing_pages
from cumulo.services.storage.s3.listings.listed_versions import listed
from cumulo.services.storage.s3.listings.listing_pages import Row, packed, unpacked
from cumulo.services.storage.s3.listings.object_listings import Asked
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import version_ids
from cumulo.services.storage.s3.stored.object_versions import CURRENT, NEWEST, NONCURRENT, NULL, NULLS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t


@operation
def list_object_versions(ctx: Context, request: t.ListObjectVersionsRequest) -> t.ListObjectVersionsOutput:
    """Versions and delete markers in the order of their keys, the newest of a key first."""
    asked = Asked(request)
    bucket = access.bucket_for(ctx, request, context=asked.conditions)
    key_marker, id_marker = request.get("KeyMarker") or "", request.get("VersionIdMarker") or ""
    answer: dict[str, Any] = {
        "Name": request["Bucket"],
        "Prefix": asked.shown(asked.prefix),
        "KeyMarker": asked.shown(key_marker),
        "VersionIdMarker": id_marker,
    }
    begin = _begin(ctx, bucket, asked, key_marker, id_marker)
    page = listing_pages.Page()
    if asked.limit:
        rows = rows_of(ctx, bucket, packed(asked.prefix))
        first = max(begin, listing_pages.begin_of(packed(asked.prefix)))
        page = listing_pages.collect(rows, first, packed(asked.prefix), packed(asked.delimiter), asked.limit)
    decode = CURRENT.codec.decode if asked.restores or not ctx.protocol else listed
    found: list[Any] = [decode(data) for _, data in page.rows]  # both tables keep the same record
    if page.truncated:
        if page.rolled_up:
            answer["NextKeyMarker"] = asked.shown(unpacked(page.last))
        else:
            answer["NextKeyMarker"] = asked.shown(found[-1].key)
            answer["NextVersionIdMarker"] = found[-1].version_id
    answer["MaxKeys"] = asked.limit
    if asked.delimiter:
        answer["Delimiter"] = asked.shown(asked.delimiter)
    if asked.url:
        answer["EncodingType"] = listing_entries.URL
    answer["IsTruncated"] = page.truncated
    _show(ctx, answer, asked, found)
    if page.prefixes:
        answer["CommonPrefixes"] = asked.common_prefixes(page)
    return answer  # type: ignore[return-value]


def _begin(ctx: Context, bucket: Bucket, asked: Asked, key: str, version_id: str) -> bytes:
    if not version_id:
        return asked.behind(key) if key else b""
    if not key:
        raise INVALID_ARGUMENT(
            "A version-id marker cannot be specified without a key marker.",
            members={"ArgumentName": "version-id-marker", "ArgumentValue": version_id},
        )
    sequence = _sequence(ctx, bucket, key, version_id)
    if sequence is None:
        raise INVALID_ARGUMENT(
            "Invalid version id specified",
            members={"ArgumentName": "version-id-marker", "ArgumentValue": version_id},
        )
    current = CURRENT.peek(ctx, bucket.name, key)
    if current is not None and current.sequence < sequence:
        return pack(key)  # what was the newest then is gone
    return pack(key, NEWEST - sequence) + b"\x00"


def _sequence(ctx: Context, bucket: Bucket, key: str, version_id: str) -> int | None:
    if version_id != NULL:
        return version_ids.sequence_of(version_id)
    current = CURRENT.peek(ctx, bucket.name, key)
    if current is not None and current.version_id == NULL:
        return current.sequence
    place = ctx.txn.get(NULLS.key(ctx, bucket.name, key))
    return None if place is None else int.from_bytes(place, "big")


def rows_of(ctx: Context, bucket: Bucket, prefix: bytes) -> listing_pages.Rows:
    """Versions and delete markers with this packed prefix, in the order of their keys, newest first."""
    current = CURRENT.prefix("", "") + pack(bucket.name)
    noncurrent = NONCURRENT.prefix("", "") + pack(bucket.name)
    end = listing_pages.end_of(prefix)
    read = ctx.txn.range

    def rows(start: bytes, limit: int) -> list[Row]:
        found = [(key[len(current) :], data) for key, data in read(current + start, current + end, limit=limit)]
        found += [
            (key[len(noncurrent) :], data) for key, data in read(noncurrent + start, noncurrent + end, limit=limit)
        ]
        found.sort()
        return found[:limit]

    return rows


def _show(ctx: Context, answer: dict[str, Any], asked: Asked, found: list[Any]) -> None:
    entries: list[tuple[Any, bool]] = []
    before = ""
    for index, version in enumerate(found):
        first_of_key = index == 0 or version.key != before
        before = version.key
        entries.append((version, first_of_key and (index > 0 or _is_latest(ctx, version))))
    now = ctx.now() if asked.restores else 0
    if ctx.protocol:
        answer["Versions"] = listing_entries.written_versions(entries, url=asked.url, now=now)
        return
    shown: list[dict[str, Any]] = []
    markers: list[dict[str, Any]] = []
    for version, latest in entries:
        entry: dict[str, Any] = {
            "Key": asked.shown(version.key),
            "VersionId": version.version_id,
            "IsLatest": latest,
        }
        if version.delete_marker:
            entry["LastModified"] = float(int(version.modified_at))
            entry["Owner"] = {"ID": listing_entries.owner_id(version.owner)}
            markers.append(entry)
        else:
            shown.append(entry | listing_entries.entry_of(version, url=asked.url, owners=True, now=now))
    if shown:
        answer["Versions"] = shown
    if markers:
        answer["DeleteMarkers"] = markers


def _is_latest(ctx: Context, version: Any) -> bool:
    """Of the first version of a page: those before it may stand on the page before."""
    current = CURRENT.peek(ctx, version.bucket, version.key)
    if current is not None:
        return bool(current.sequence == version.sequence)
    newest = NONCURRENT.range(ctx, version.bucket, version.key, limit=1)
    return bool(newest) and newest[0].sequence == version.sequence
