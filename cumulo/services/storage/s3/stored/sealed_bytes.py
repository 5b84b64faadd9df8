"""How the bytes of encrypted objects lie: AES-256-GCM in chunks, so that a range is opened without the rest.

    8 random bytes, then chunks of CHUNK_B bytes of plaintext (the last one shorter), each followed by its tag

A chunk's nonce are those 8 bytes and its number, so no two chunks under one key have the same, nor does a chunk open in
another place. How many chunks there are says the version's record. A key of 64 bytes are two of AES-256, one after the
other: the dual-layer encryption of `aws:kms:dsse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

CHUNK_B = 64 * 1024
PREFIX_B = 8
TAG_B = 16
KEY_B = 32


class DamagedBytes(Exception):
    """Stored bytes are not those that were sealed."""


class Sealer:
    """Seals a body as it comes. `prefix` are 8 random bytes."""

    def __init__(self, key: bytes, prefix: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._layers = [AESGCM(key[at : at + KEY_B]) for at in range(0, len(key), KEY_B)]
        self._prefix = prefix
        self._number = 0
        self._held = bytearray()
        self._started = False

    def update(self, pieces: Sequence[bytes]) -> list[bytes]:
        """The sealed form of the next bytes, as far as whole chunks go."""
        held = self._held
        for piece in pieces:
            held += piece
        out = self._start()
        whole = len(held) - len(held) % CHUNK_B
        if whole:
            with memoryview(held) as view:
                out += [self._seal(view[at : at + CHUNK_B]) for at in range(0, whole, CHUNK_B)]
            del held[:whole]
        return out

    def finish(self) -> list[bytes]:
        """The rest."""
        out = self._start()
        if self._held:
            out.append(self._seal(memoryview(self._held)))
        return out

    def _start(self) -> list[bytes]:
        if self._started:
            return []
        self._started = True
        return [self._prefix]

    def _seal(self, chunk: bytes | memoryview) -> bytes:
        nonce = self._prefix + self._number.to_bytes(4, "big")
        self._number += 1
        sealed: bytes | memoryview = chunk
        for layer in self._layers:
            sealed = layer.encrypt(nonce, sealed, None)
        return bytes(sealed)


def seal(key: bytes, prefix: bytes, data: bytes) -> bytes:
    """Bytes at hand, sealed."""
    sealer = Sealer(key, prefix)
    return b"".join([*sealer.update([data]), *sealer.finish()])


def opened(key: bytes, size: int, offset: int, count: int, read: Callable[[int, int], bytes]) -> Iterator[bytes]:
    """`count` bytes from `offset` on of a sealed body of `size` bytes, chunk by chunk; for threads.

    `read(offset, count)` gives stored bytes. Raises DamagedBytes.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    layers = [AESGCM(key[at : at + KEY_B]) for at in range(0, len(key), KEY_B)]
    layers.reverse()
    stored = CHUNK_B + TAG_B * len(layers)
    prefix = read(0, PREFIX_B)
    end = offset + count
    for number in range(offset // CHUNK_B, -(-end // CHUNK_B) if count else 0):
        first = number * CHUNK_B
        length = min(CHUNK_B, size - first)
        chunk = read(PREFIX_B + number * stored, length + TAG_B * len(layers))
        try:
            for layer in layers:
                chunk = layer.decrypt(prefix + number.to_bytes(4, "big"), chunk, None)
        except InvalidTag:
            raise DamagedBytes(f"chunk {number} does not open") from None
        yield chunk[max(offset - first, 0) : end - first] if first < offset or end < first + length else chunk
