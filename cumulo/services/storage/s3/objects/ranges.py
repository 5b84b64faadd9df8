"""Byte ranges of objects. S3 knows one range a request; it ignores several, and what is no range, and answers whole.

Source: S3 API Reference, GetObject ("Range"); RFC 9110, "Range Requests".
"""

from __future__ import annotations

import re

from cumulo.services.storage.s3.errors import INVALID_RANGE

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z", re.ASCII | re.IGNORECASE)


def of_header(header: str, size: int) -> tuple[int, int] | None:
    """First byte and length of what is asked of `size` bytes; None when the whole is answered. Raises InvalidRange."""
    found = _RANGE.match(header.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        count = min(int(last), size)
        if count == 0:
            raise _invalid(header, size)
        return size - count, count
    begin = int(first)
    if last and int(last) < begin:
        return None
    if begin >= size:
        raise _invalid(header, size)
    end = min(int(last), size - 1) if last else size - 1
    return begin, end - begin + 1


def _invalid(header: str, size: int) -> Exception:
    return INVALID_RANGE(members={"RangeRequested": header, "ActualObjectSize": str(size)})


def content_range(offset: int, count: int, size: int) -> str:
    """The Content-Range of an answer."""
    return f"bytes {offset}-{offset + count - 1}/{size}"
