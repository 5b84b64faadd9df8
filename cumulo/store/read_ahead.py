"""Rows that a range read beyond its limit, for the range that goes on from there."""

from cumulo.store.overlay import Cover


class ReadAhead:
    """Rows of the database behind the last row that a limited range gave, for whoever goes on from there.

    A queue is emptied from its head by many, a listing goes page by page: each begins where the one before ended, and
    all but a few then ask SQLite nothing. The rows change only with a commit, which drops what it touches.
    """

    __slots__ = ("at", "rows", "size")

    def __init__(self) -> None:
        self.rows: list[tuple[bytes, bytes]] = []
        self.at = 0  # the first row that was not given yet
        self.size = 0  # how many were read ahead the last time

    def take(self, end: bytes, limit: int, covers: list[Cover]) -> list[tuple[bytes, bytes]] | None:
        """The next `limit` rows; None where there are fewer before `end`, or a layer lies over them or among them."""
        stop = self.at + limit
        rows = self.rows
        if stop > len(rows):
            return None
        last = rows[stop - 1][0]
        if last >= end:
            return None
        for _, keys in covers:
            if keys[0] <= last:
                return None
        taken = rows[self.at : stop]
        self.at = stop
        return taken
