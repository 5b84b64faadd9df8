"""Bodies as operations see them: what they take piece by piece, and what they answer with.

An operation marked `@operation(streams=True)` gets `request["Body"]` as bytes when it is small, else as a Body. It then
raises `Wait` and reads it there:

    while pieces := await body.read():            # raw bytes, at most some 100 KiB at a time
        ...                                       # in a thread: payload = body.take_apart(pieces)
    body.finish()                                 # only now is it known to be whole and what was signed

Its answer's "Body" may be bytes, an Outgoing (ranges of files) or an asynchronous iterator of bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cumulo.blobs import File


class Body(Protocol):
    """A request's body on its way. Raises AWS's faults for one that is not what was announced or signed."""

    @property
    def length(self) -> int | None:
        """Bytes of payload, None where the client did not say."""

    @property
    def trailers(self) -> dict[str, str]:
        """Header fields that came after the body, by lower-case names; known after `finish`."""

    async def read(self) -> list[bytes]:
        """The next raw bytes; empty at the end. Raises ConnectionError when the client is gone."""

    def take_apart(self, pieces: list[bytes]) -> list[bytes]:
        """The payload in raw bytes; in order, and in any thread."""

    def finish(self) -> None:
        """The end: refuse a body that is not whole or not the one that was signed."""


class Outgoing:
    """An answer's body that lies in files: it is sent from there, and the files are let go of."""

    __slots__ = ("files",)

    def __init__(self, files: Sequence[File]) -> None:
        self.files = files

    @property
    def size(self) -> int:
        """How many bytes will be sent."""
        return sum([file.count for file in self.files])

    def close(self) -> None:
        """Let go of the files."""
        for file in self.files:
            file.close()
