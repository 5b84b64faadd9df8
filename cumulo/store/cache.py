"""Values read or written lately, so that a hot key costs a dictionary lookup."""

from cumulo.store.overlay import Writes

_ENTRY_BYTES = 130  # what a key and a value cost beside their bytes: two object heads and a slot
_LARGEST_PART = 16  # a value above this fraction of the room would only push the others out


class Cache:
    """Committed values by key, None for a key known to be absent; at most `limit_bytes`.

    Two generations stand for least-recently-used: new and re-read entries go into `young`; when that
    has half the room it becomes `old`, and what was old is forgotten. A hit in `young` moves nothing.
    """

    __slots__ = ("_limit", "_room", "old", "young")

    def __init__(self, limit_bytes: int) -> None:
        self.young: Writes = {}
        self.old: Writes = {}
        self._limit = self._room = limit_bytes // 2

    def put(self, key: bytes, value: bytes | None) -> None:
        """Remember a committed value."""
        cost = _ENTRY_BYTES + len(key) + (len(value) if value else 0)
        if cost * _LARGEST_PART > self._limit:
            self.forget(key)
            return
        self.young[key] = value
        self._spend(cost)

    def put_all(self, writes: Writes, size: int) -> None:
        """Remember a batch that was committed; `size` is the bytes of its keys and values."""
        cost = size + _ENTRY_BYTES * len(writes)
        if cost * _LARGEST_PART > self._limit:
            for key, value in writes.items():
                self.put(key, value)
            return
        self.young.update(writes)
        self._spend(cost)

    def forget(self, key: bytes) -> None:
        """Drop what is known of a key."""
        self.young.pop(key, None)
        self.old.pop(key, None)

    def _spend(self, cost: int) -> None:
        self._room -= cost
        if self._room < 0:
            self.old = self.young
            self.young = {}
            self._room = self._limit
