"""The skip-scan of listings: the same pages as a scan of everything, at the cost of what they show."""

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.storage.s3.listings.listing_pages import (
    Page,
    Row,
    begin_of,
    behind_key,
    behind_marker,
    collect,
    end_of,
    key_end,
    packed,
    unpacked,
)
from cumulo.store.keys import pack

ALPHABET = st.text(st.sampled_from("ab/-\x00é\U0001f600\x7f"), min_size=1, max_size=6)


class Scan:
    """Rows of keys (or of keys and orders), counting how they are read."""

    def __init__(self, keys: list[bytes], prefix: str = "") -> None:
        self.keys = sorted(keys)
        self.end = bisect_left(self.keys, end_of(packed(prefix)))
        self.seeks = self.read = 0

    def __call__(self, begin: bytes, limit: int) -> list[Row]:
        first = bisect_left(self.keys, begin)
        found = self.keys[first : min(first + limit, self.end)]
        self.seeks += 1
        self.read += len(found)
        return [(key, b"") for key in found]


def shown(page: Page) -> tuple[list[str], list[str]]:
    return [unpacked(key[1 : key_end(key)]) for key, _ in page.rows], [unpacked(prefix) for prefix in page.prefixes]


def expected(keys: list[str], prefix: str, delimiter: str) -> list[tuple[str, bool]]:
    """Everything that the listing shows: keys and common prefixes in order."""
    entries: dict[tuple[str, bool], None] = {}
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        entries[(key, False) if at < 0 else (key[: at + len(delimiter)], True)] = None
    return list(entries)


@given(
    st.sets(ALPHABET, max_size=40),
    st.one_of(st.just(""), ALPHABET),
    st.sampled_from(["", "/", "-", "a/", "\x00", "é"]),
    st.integers(1, 7),
)
def test_pages_together_are_the_whole_listing(keys: set[str], prefix: str, delimiter: str, limit: int) -> None:
    scan = Scan([pack(key) for key in keys], prefix)
    begin = begin_of(packed(prefix))
    entries: list[tuple[str, bool]] = []
    while True:
        page = collect(scan, begin, packed(prefix), packed(delimiter), limit)
        rows, prefixes = shown(page)
        assert len(rows) + len(prefixes) <= limit
        entries += sorted(
            [(key, False) for key in rows] + [(key, True) for key in prefixes], key=lambda e: e[0].encode()
        )
        if not page.truncated:
            break
        assert len(rows) + len(prefixes) == limit
        begin = end_of(page.last) if page.rolled_up else page.last + b"\x00"
    assert entries == expected(list(keys), prefix, delimiter)


@given(st.sets(ALPHABET, max_size=30), st.one_of(st.just(""), ALPHABET), st.sampled_from(["", "/", "-"]), ALPHABET)
def test_a_marker_shows_what_is_behind_it(keys: set[str], prefix: str, delimiter: str, marker: str) -> None:
    begin = max(begin_of(packed(prefix)), behind_marker(packed(marker), packed(prefix), packed(delimiter)))
    page = collect(Scan([pack(key) for key in keys], prefix), begin, packed(prefix), packed(delimiter), 1000)
    rows, prefixes = shown(page)
    entries = expected(list(keys), prefix, delimiter)
    assert sorted(rows) == sorted(key for key, rolled in entries if not rolled and key.encode() > marker.encode())
    behind = [
        key for key, rolled in entries if rolled and key.encode() > marker.encode() and not marker.startswith(key)
    ]
    assert sorted(prefixes) == sorted(behind)


def test_versions_of_a_key_are_one_after_the_other() -> None:
    keys = [pack("a"), pack("a", 2**62), pack("a", 2**62 + 47), pack("a\x00"), pack("a/b", 2**62 + 0x2F), pack("b")]
    page = collect(Scan(keys), begin_of(b""), b"", b"/", 10)
    assert [key for key, _ in page.rows] == [keys[0], keys[1], keys[2], keys[3], keys[5]]
    assert page.prefixes == [b"a/"]
    page = collect(Scan(keys), behind_key(b"a"), b"", b"", 10)
    assert [key for key, _ in page.rows] == keys[3:]


def test_what_a_prefix_hides_is_not_read() -> None:
    keys = [pack(f"{folder:04}/{file:03}") for folder in range(1000) for file in range(300)]
    scan = Scan(keys)
    page = collect(scan, begin_of(b""), b"", b"/", 1000)
    assert len(page.prefixes) == 1000
    assert not page.truncated
    assert scan.read < 3000
    assert scan.seeks < 1500


def test_flat_keys_are_read_in_large_pieces() -> None:
    scan = Scan([pack(f"{file:05}") for file in range(5000)])
    page = collect(scan, begin_of(b""), b"", b"/", 1000)
    assert len(page.rows) == 1000
    assert page.truncated
    assert scan.seeks < 8
    assert scan.read < 1100
