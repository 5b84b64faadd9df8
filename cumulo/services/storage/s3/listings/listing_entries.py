"""How a listing shows an object: as XML at once, since a page has a thousand of them, or as a value for other services.

Source: S3 API Reference, ListObjects and ListObjectsV2, "Response syntax"; the order of the elements as AWS sends them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from cumulo.core.s3.access import canonical_user_id
from cumulo.core.written import Written, escape
from cumulo.services.storage.s3.listings.listed_versions import Listed, listed
from cumulo.services.storage.s3.listings.listing_pages import unpacked
from cumulo.services.storage.s3.stored import archives
from cumulo.services.storage.s3.stored.object_versions import CURRENT, ObjectVersion

URL = "url"
# What neither XML nor AWS's encoding of keys changes: letters, digits and . - * _ /
_plain = re.compile(r"[A-Za-z0-9.\-*_/]*").fullmatch
_MOMENTS = 4096  # as many last-modified texts are remembered


def encoded(text: str) -> str:
    """A key in a listing that was asked for with `encoding-type=url`.

    Source: S3 API Reference, ListObjectsV2, "encoding-type"; seen of AWS: slashes stay, `=` does not.
    """
    return text if _plain(text) else quote_plus(text, safe="/*").replace("~", "%7E")


_moments: dict[int, str] = {}


def moment(seconds: float) -> str:
    """A time as S3's XML has it, in whole seconds: 2009-10-12T17:50:30.000Z."""
    whole = int(seconds)
    text = _moments.get(whole)
    if text is None:
        if len(_moments) >= _MOMENTS:
            _moments.clear()
        text = _moments[whole] = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return text


def written(rows: Iterable[tuple[bytes, bytes]], *, url: bool, owners: bool, now: float) -> list[str]:
    """The Contents elements of rows of CURRENT, each a text; `now` is 0 where restores are not to be shown."""
    parts: list[str] = []
    owner_of: dict[str, str] = {}
    for _, data in rows:
        entry = CURRENT.codec.decode(data) if now else listed(data)
        key = entry.key
        if not _plain(key):
            key = encoded(key) if url else escape(key)
        owner = ""
        if owners:
            owner = owner_of.get(entry.owner) or ""
            if not owner:
                owner = owner_of[entry.owner] = f"<Owner><ID>{owner_id(entry.owner)}</ID></Owner>"
        restore = _written_restore(entry, now) if now else ""
        parts.append(
            f"<Contents><Key>{key}</Key><LastModified>{moment(entry.modified_at)}</LastModified>"
            f"<ETag>&quot;{entry.etag}&quot;</ETag>{_written_checksums(entry) if entry.checksums else ''}"
            f"<Size>{entry.size}</Size>{owner}<StorageClass>{entry.storage_class}</StorageClass>{restore}</Contents>"
        )
    return parts


def written_versions(entries: Iterable[tuple[Listed | ObjectVersion, bool]], *, url: bool, now: float) -> Written:
    """The Version and DeleteMarker elements of versions, each with whether it is the latest, as one list in order."""
    parts: list[str] = []
    owner_of: dict[str, str] = {}
    for entry, latest in entries:
        key = entry.key
        if not _plain(key):
            key = encoded(key) if url else escape(key)
        owner = owner_of.get(entry.owner) or ""
        if not owner:
            owner = owner_of[entry.owner] = f"<Owner><ID>{owner_id(entry.owner)}</ID></Owner>"
        head = (
            f"<Key>{key}</Key><VersionId>{entry.version_id}</VersionId><IsLatest>{'true' if latest else 'false'}"
            f"</IsLatest><LastModified>{moment(entry.modified_at)}</LastModified>"
        )
        if entry.delete_marker:
            parts.append(f"<DeleteMarker>{head}{owner}</DeleteMarker>")
            continue
        restore = _written_restore(entry, now) if now else ""
        parts.append(
            f"<Version>{head}<ETag>&quot;{entry.etag}&quot;</ETag>"
            f"{_written_checksums(entry) if entry.checksums else ''}<Size>{entry.size}</Size>"
            f"<StorageClass>{entry.storage_class}</StorageClass>{owner}{restore}</Version>"
        )
    return Written("".join(parts))


def _written_checksums(entry: Listed | ObjectVersion) -> str:
    checks = ""
    for algorithm in entry.checksums:
        checks += f"<ChecksumAlgorithm>{algorithm}</ChecksumAlgorithm>"
    return f"{checks}<ChecksumType>{entry.checksum_type}</ChecksumType>"


def written_prefixes(prefixes: Iterable[bytes], *, url: bool) -> Written:
    """The CommonPrefixes elements of packed prefixes."""
    parts: list[str] = []
    for prefix in prefixes:
        text = unpacked(prefix)
        if not _plain(text):
            text = encoded(text) if url else escape(text)
        parts.append(f"<CommonPrefixes><Prefix>{text}</Prefix></CommonPrefixes>")
    return Written("".join(parts))


def _written_restore(entry: Any, now: float) -> str:
    status = archives.status(entry, now)
    if status is None:
        return ""
    expires = status.get("RestoreExpiryDate")
    date = f"<RestoreExpiryDate>{moment(expires)}</RestoreExpiryDate>" if expires else ""
    going = "true" if status["IsRestoreInProgress"] else "false"
    return f"<RestoreStatus><IsRestoreInProgress>{going}</IsRestoreInProgress>{date}</RestoreStatus>"


def values(rows: Iterable[tuple[bytes, bytes]], *, url: bool, owners: bool, now: float) -> list[dict[str, Any]]:
    """The same for a caller that is another service."""
    return [entry_of(CURRENT.codec.decode(data), url=url, owners=owners, now=now) for _, data in rows]


def entry_of(version: ObjectVersion, *, url: bool, owners: bool, now: float) -> dict[str, Any]:
    """A version as a value."""
    entry: dict[str, Any] = {
        "Key": encoded(version.key) if url else version.key,
        "LastModified": float(int(version.modified_at)),
        "ETag": f'"{version.etag}"',
        "Size": version.size,
        "StorageClass": version.storage_class,
    }
    if version.checksums:
        entry["ChecksumAlgorithm"] = list(version.checksums)
        entry["ChecksumType"] = version.checksum_type
    if owners:
        entry["Owner"] = {"ID": owner_id(version.owner)}
    status = archives.status(version, now) if now else None
    if status is not None:
        entry["RestoreStatus"] = status
    return entry


def owner_id(account: str) -> str:
    """The canonical user id of the account that owns an object; "" of what anonymous callers wrote."""
    return canonical_user_id(account) if account else ""
