"""One page of a listing: keys in order, rolled up at a delimiter, without reading what is rolled up.

All of it works on packed keys (store/keys.py): `\\x02`, the key's UTF-8 with each `\\x00` as `\\x00\\xff`, `\\x00`; a
version adds its order. Their bytes sort as S3 sorts keys. At a common prefix the scan seeks behind it, so a page costs
as much as what it shows, wherever in the bucket it is and however much lies under a prefix.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

Row = tuple[bytes, bytes]
Rows = Callable[[bytes, int], list[Row]]  # at most so many rows from this packed key on, in order

_FIRST_CHUNK = 16  # a seek costs about as much as reading so many rows
_SEEKS = 32  # in a row, before it is looked at whether reading on would have been cheaper


class Page:
    """What a page shows. `rows` as they are stored; `prefixes` and `last` are packed: see `unpacked`.

    `last` is the last row's or prefix's, whichever came last; `rolled_up` says that it is a prefix. `first` is the
    packed key that it was read from, where nothing can be rolled up (b"" otherwise); `texts` are the rows as XML.
    """

    __slots__ = ("first", "last", "prefixes", "rolled_up", "rows", "texts", "truncated")

    def __init__(self) -> None:
        self.first = b""
        self.texts: list[str] = []
        self.rows: list[Row] = []
        self.prefixes: list[bytes] = []
        self.truncated = False
        self.last = b""
        self.rolled_up = False


def packed(text: str) -> bytes:
    """How a text stands inside a packed key."""
    data = text.encode()
    return data.replace(b"\x00", b"\x00\xff") if "\x00" in text else data


def unpacked(data: bytes) -> str:
    """The text that stands inside a packed key."""
    return data.replace(b"\x00\xff", b"\x00").decode() if b"\x00" in data else data.decode()


def key_end(row_key: bytes) -> int:
    """Where the S3 key in a packed key ends."""
    end = row_key.find(b"\x00", 1)
    while row_key[end + 1 : end + 2] == b"\xff":
        end = row_key.find(b"\x00", end + 2)
    return end


def begin_of(prefix: bytes) -> bytes:
    """Where keys with this packed prefix begin."""
    return b"\x02" + prefix


def end_of(prefix: bytes) -> bytes:
    """Behind all keys with this packed prefix: no byte of UTF-8 is as large."""
    return b"\x02" + prefix + b"\xff"


def behind_key(key: bytes) -> bytes:
    """Behind a packed key and all its versions, and before every longer key."""
    return b"\x02" + key + b"\x00\xfe"


def behind_marker(key: bytes, prefix: bytes, delimiter: bytes) -> bytes:
    """Where a listing goes on behind a marker: behind its common prefix, if it is under one.

    Source: seen of AWS: the marker `folder/sub/file` with the prefix `folder/` and the delimiter `/` shows no
    `folder/sub/` any more.
    """
    if delimiter and key.startswith(prefix):
        at = key.find(delimiter, len(prefix))
        if at >= 0:
            return end_of(key[: at + len(delimiter)])
    return behind_key(key)


def collect(rows: Rows, begin: bytes, prefix: bytes, delimiter: bytes, limit: int) -> Page:
    """The page of at most `limit` rows and common prefixes (at least one) from the packed key `begin` on.

    `rows` gives no key beyond the prefix; `begin` is not before it.
    """
    page = Page()
    if not delimiter:
        found = rows(begin, limit + 1)
        page.truncated = len(found) > limit
        page.rows = found[:limit] if page.truncated else found
        page.last = page.rows[-1][0] if found else b""
        return page
    left, chunk, start, width = limit, _FIRST_CHUNK, 1 + len(prefix), len(delimiter)
    while True:
        asked = min(chunk, left + 1)
        found = rows(begin, asked)
        shown, goes_on = _roll_up(page, found, start, delimiter, left)
        left -= shown
        if page.truncated or (len(found) < asked and goes_on is None):
            return page
        begin = goes_on if goes_on is not None else found[-1][0] + b"\x00"
        if shown * 2 > asked and (chunk > 1 or goes_on is None):
            chunk *= 4
            continue
        chunk = max(1, chunk // 4)
        if chunk > 1:
            continue
        # Large prefixes, one after the other: a seek for each, and now and then a look whether there are smaller ones.
        prefixes = page.prefixes
        for _ in range(min(_SEEKS, left)):
            found = rows(begin, 1)
            if not found:
                return page
            key = found[0][0]
            at = key.find(delimiter, start) + width
            if at < start + width or at > key_end(key):
                break  # a key that is not rolled up: read again, with others
            page.last = common = key[1:at]
            page.rolled_up = True
            prefixes.append(common)
            begin = b"\x02%b\xff" % common
            left -= 1
        chunk = 4


def _roll_up(page: Page, found: list[Row], start: int, delimiter: bytes, left: int) -> tuple[int, bytes | None]:
    """Add rows to the page; how many entries they made, and from where to go on if they end under a common prefix."""
    count, shown, position = len(found), 0, 0
    while position < count:
        key = found[position][0]
        at = key.find(delimiter, start)
        if at >= 0 and at + len(delimiter) > key_end(key):
            at = -1  # it stands in a version's order
        if shown == left:
            page.truncated = True
            return shown, None
        shown += 1
        page.rolled_up = at >= 0
        if at < 0:
            page.rows.append(found[position])
            page.last = key
            position += 1
            continue
        page.last = key[1 : at + len(delimiter)]
        page.prefixes.append(page.last)
        behind = end_of(page.last)
        if found[-1][0] < behind:
            return shown, behind
        position = bisect_left(found, (behind,), position + 1)
    return shown, None
