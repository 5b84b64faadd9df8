"""Identifiers and chance, from one source that a test can seed."""

import os
import random  # noqa: TID251
from collections.abc import Callable
from typing import Final

_CHUNK = 4096
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}  # of RFC 9562's UUIDs


class Ids:
    """Random identifiers in AWS's forms. With a seed they repeat; without, the system's generator feeds them."""

    def __init__(self, seed: int | None = None) -> None:
        self._source: Callable[[int], bytes] = os.urandom if seed is None else random.Random(seed).randbytes
        self._pool = ""
        self._at = 0

    def hex(self, digits: int) -> str:
        """This many random lower-case hexadecimal digits."""
        at = self._at
        if at + digits > len(self._pool):
            self._pool = self._source(max(_CHUNK, digits)).hex()
            at = 0
        self._at = at + digits
        return self._pool[at : at + digits]

    def uuid(self) -> str:
        """A version 4 UUID in its usual form."""
        h = self.hex(32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:]}"

    def new_id(self, prefix: str, hex: int = 17) -> str:
        """An identifier such as `i-0123456789abcdef0`."""
        return prefix + self.hex(hex)

    def random_bytes(self, count: int) -> bytes:
        """This many random bytes."""
        return self._source(count)
