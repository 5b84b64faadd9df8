"""The objects of a bucket, page by page: ListObjects and ListObjectsV2.

Both read CURRENT alone. Sources: S3 API Reference, ListObjects and ListObjectsV2; S3 User Guide, "Listing object keys
programmatically".
"""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import pack
from cumulo.core.written import Written
from cumulo.services.storage.s3 import directory_buckets
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT
from cumulo.services.storage.s3.listings import listing_entries, listing_pages
from cumulo.services.storage.s3.listings.listing_pages import Page, Row, packed, unpacked
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import remembered_pages
from cumulo.services.storage.s3.stored.object_versions import CURRENT

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.remembered_pages import Remembered
    from cumulo.stubs import s3 as t

MAXIMUM_KEYS = 1000
_LARGEST = 2**31 - 1
_DIGEST_B = 6


@operation
def list_objects(ctx: Context, request: t.ListObjectsRequest) -> t.ListObjectsOutput:
    """The first version of the operation, which goes on from a marker that is a key."""
    asked = Asked(request)
    bucket = access.bucket_for(ctx, request, context=asked.conditions)
    marker = request.get("Marker") or ""
    question = ("1", marker, *asked.question(ctx))
    remembered = asked.remembered(ctx, bucket, question, owners=True)
    if remembered is not None:
        return _charged(ctx, bucket, request, remembered)  # type: ignore[return-value]
    answer: dict[str, Any] = {
        "Name": request["Bucket"],
        "Prefix": asked.shown(asked.prefix),
        "Marker": asked.shown(marker),
    }
    page = asked.page(ctx, bucket, asked.behind(marker) if marker else b"")
    if page.truncated and asked.delimiter:
        answer["NextMarker"] = asked.shown(unpacked(page.last if page.rolled_up else page.last[1:-1]))
    answer["MaxKeys"] = asked.limit
    asked.finish(ctx, answer, page, owners=True)
    asked.remember(ctx, bucket, question, answer, page)
    return _charged(ctx, bucket, request, answer)  # type: ignore[return-value]


@operation
def list_objects_v2(ctx: Context, request: t.ListObjectsV2Request) -> t.ListObjectsV2Output:
    """The second, which goes on from a token."""
    asked = Asked(request)
    bucket = access.bucket_for(ctx, request, context=asked.conditions)
    if bucket.zone:
        directory_buckets.check_listing(request)
    token, after = request.get("ContinuationToken"), request.get("StartAfter")
    owners = bool(request.get("FetchOwner"))
    question = ("2", token, after, owners, *asked.question(ctx))
    remembered = asked.remembered(ctx, bucket, question, owners=owners)
    if remembered is not None:
        return _charged(ctx, bucket, request, remembered)  # type: ignore[return-value]
    answer: dict[str, Any] = {"Name": request["Bucket"], "Prefix": asked.shown(asked.prefix)}
    begin = b""
    if token is not None:  # it wins over StartAfter, which is not even answered then
        begin = _place_in(token)
        answer["ContinuationToken"] = token
    elif after is not None:
        begin = asked.behind(after) if after else b""
        answer["StartAfter"] = asked.shown(after)
    page = asked.page(ctx, bucket, begin)
    if page.truncated:
        answer["NextContinuationToken"] = _token(page)
    answer["KeyCount"] = len(page.rows) + len(page.prefixes)
    answer["MaxKeys"] = asked.limit
    asked.finish(ctx, answer, page, owners=owners)
    asked.remember(ctx, bucket, question, answer, page)
    return _charged(ctx, bucket, request, answer)  # type: ignore[return-value]


def _charged(ctx: Context, bucket: Bucket, request: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "RequestCharged": "requester"} if access.charged(ctx, bucket, request) else answer


class Asked:
    """What all listings of a bucket are asked with, checked."""

    __slots__ = ("conditions", "delimiter", "limit", "prefix", "restores", "url")

    def __init__(self, request: Mapping[str, Any], limit_name: str = "MaxKeys", shown_name: str = "maxKeys") -> None:
        self.prefix: str = request.get("Prefix") or ""
        self.delimiter: str = request.get("Delimiter") or ""
        encoding = request.get("EncodingType")
        if encoding is not None and encoding != listing_entries.URL:
            raise INVALID_ARGUMENT(
                "Invalid Encoding Method specified in Request",
                members={"ArgumentName": "encoding-type", "ArgumentValue": encoding},
            )
        self.url = encoding is not None
        limit = request.get(limit_name)
        if limit is not None and not 0 <= limit <= _LARGEST:
            raise INVALID_ARGUMENT(
                f"Argument {shown_name} must be an integer between 0 and {_LARGEST}",
                members={"ArgumentName": shown_name, "ArgumentValue": str(limit)},
            )
        self.limit: int = MAXIMUM_KEYS if limit is None else min(limit, MAXIMUM_KEYS)
        self.restores = "RestoreStatus" in (request.get("OptionalObjectAttributes") or ())
        # Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
        self.conditions: dict[str, Any] = {"s3:prefix": self.prefix} if "Prefix" in request else {}
        if self.delimiter:
            self.conditions["s3:delimiter"] = self.delimiter
        if limit is not None:
            self.conditions["s3:max-keys"] = str(limit)

    def shown(self, text: str) -> str:
        """A key, prefix or marker as the answer has it."""
        return listing_entries.encoded(text) if self.url else text

    def behind(self, marker: str) -> bytes:
        """The packed key from which to go on behind a marker."""
        return listing_pages.behind_marker(packed(marker), packed(self.prefix), packed(self.delimiter))

    def page(self, ctx: Context, bucket: Bucket, begin: bytes) -> Page:
        """The page of current objects from a packed key on."""
        if not self.limit:
            return Page()
        place = CURRENT.prefix("", "") + pack(bucket.name)
        prefix = packed(self.prefix)
        end = place + listing_pages.end_of(prefix)
        skip = len(place)
        read = ctx.txn.range

        def rows(start: bytes, limit: int) -> list[Row]:
            return [(key[skip:], data) for key, data in read(place + start, end, limit=limit)]

        first = max(begin, listing_pages.begin_of(prefix))
        page = listing_pages.collect(rows, first, prefix, packed(self.delimiter), self.limit)
        if not self.delimiter:
            page.first = first
        return page

    def finish(self, ctx: Context, answer: dict[str, Any], page: Page, *, owners: bool) -> None:
        """The members that both operations end with, in AWS's order."""
        if self.delimiter:
            answer["Delimiter"] = self.shown(self.delimiter)
        if self.url:
            answer["EncodingType"] = listing_entries.URL
        answer["IsTruncated"] = page.truncated
        now = ctx.now() if self.restores else 0
        if page.rows and ctx.protocol:
            page.texts = listing_entries.written(page.rows, url=self.url, owners=owners, now=now)
            answer["Contents"] = Written("".join(page.texts))
        elif page.rows:
            answer["Contents"] = listing_entries.values(page.rows, url=self.url, owners=owners, now=now)
        if page.prefixes and ctx.protocol:
            answer["CommonPrefixes"] = listing_entries.written_prefixes(page.prefixes, url=self.url)
        elif page.prefixes:
            answer["CommonPrefixes"] = self.common_prefixes(page)

    def question(self, ctx: Context) -> tuple[Any, ...]:
        """What tells this page from others; of services, which get values, and of restores nothing is remembered."""
        return (self.prefix, self.delimiter, self.url, self.limit, self.restores or not ctx.protocol)

    def remember(
        self, ctx: Context, bucket: Bucket, question: tuple[Any, ...], answer: dict[str, Any], page: Page
    ) -> None:
        """Keep an answer for who asks the same."""
        if not ctx.protocol or self.restores:
            return
        keys, ends = ([row[0] for row in page.rows], list(accumulate(map(len, page.texts)))) if page.first else ([], [])
        remembered_pages.keep(ctx, bucket.name, question, answer, page.first, keys, ends)

    def remembered(
        self, ctx: Context, bucket: Bucket, question: tuple[Any, ...], *, owners: bool
    ) -> dict[str, Any] | None:
        """The answer to the same question, with what has changed since; None when it has to be read anew."""
        there = remembered_pages.of(ctx, bucket.name)
        page = there.pages.get(question) if there is not None else None
        if there is None or page is None:
            return None
        if page.seen == len(there.changes):
            return page.answer
        changes = set(there.changes[page.seen :])
        return self._mended(ctx, bucket, question, page, changes, owners=owners) if page.first else None

    def _mended(
        self,
        ctx: Context,
        bucket: Bucket,
        question: tuple[Any, ...],
        page: Remembered,
        changes: set[str],
        *,
        owners: bool,
    ) -> dict[str, Any] | None:
        """A page with the rows of these keys read anew; None where rows would come or go at its end."""
        place = CURRENT.prefix("", "") + pack(bucket.name)
        keys, answer = list(page.keys), page.answer
        text, starts = answer.get("Contents", ""), [0, *page.ends]
        texts = [text[starts[at] : starts[at + 1]] for at in range(len(keys))]
        truncated: bool = answer["IsTruncated"]
        last = keys[-1] if truncated else listing_pages.end_of(packed(self.prefix))
        for key in changes:
            row = pack(key)
            if not page.first <= row <= last:
                continue
            data = ctx.txn.get(place + row)
            at = bisect_left(keys, row)
            there = at < len(keys) and keys[at] == row
            if data is not None and there:
                texts[at : at + 1] = listing_entries.written(((row, data),), url=self.url, owners=owners, now=0)
            elif data is not None:
                if truncated or len(keys) >= self.limit:
                    return None
                keys.insert(at, row)
                texts[at:at] = listing_entries.written(((row, data),), url=self.url, owners=owners, now=0)
            elif there:
                if truncated:
                    return None
                del keys[at], texts[at]
        mended = {name: value for name, value in answer.items() if name != "Contents"}
        if "KeyCount" in mended:
            mended["KeyCount"] = len(keys)
        if keys:
            mended["Contents"] = Written("".join(texts))
        remembered_pages.keep(ctx, bucket.name, question, mended, page.first, keys, list(accumulate(map(len, texts))))
        return mended

    def common_prefixes(self, page: Page) -> list[dict[str, str]]:
        """What was rolled up, as a value."""
        return [{"Prefix": self.shown(unpacked(prefix))} for prefix in page.prefixes]


def _token(page: Page) -> str:
    """Where to go on, in a form that tells nothing and that nobody can make: AWS calls it obfuscated, not a key."""
    place = listing_pages.end_of(page.last) if page.rolled_up else page.last + b"\x00"
    return base64.b64encode(hashlib.blake2b(place, digest_size=_DIGEST_B).digest() + place).decode()


def _place_in(token: str) -> bytes:
    try:
        data = base64.b64decode(token, validate=True)
    except ValueError:
        data = b""
    place = data[_DIGEST_B:]
    if not place or hashlib.blake2b(place, digest_size=_DIGEST_B).digest() != data[:_DIGEST_B]:
        raise INVALID_ARGUMENT(
            "The continuation token provided is incorrect",
            members={"ArgumentName": "continuation-token", **({"ArgumentValue": token} if token else {})},
        )
    return place
