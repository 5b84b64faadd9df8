"""A browser's upload form (multipart/form-data): its fields, and then its file piece by piece.

The file is the last thing that counts: what follows it is ignored, as S3 does. Fields are small and are read first.
Source: RFC 7578; S3 API Reference, "POST Object" (fields after the file are ignored, 20 KB of fields at most).
"""

import re
from collections.abc import AsyncIterator

from cumulo.wire.faults import Fault

FIELDS_LIMIT = 20 * 1024
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;,\s]+))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([A-Za-z*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


def malformed() -> Fault:
    """The refusal of a body that is no form. Source: S3 API Reference, "Error responses"."""
    text = "The body of your POST request is not well-formed multipart/form-data."
    return Fault("MalformedPOSTRequest", text, status=400)


class Form:
    """What comes before the file: fields by lower-case name (the first of each), and the file's own name and type."""

    __slots__ = ("fields", "file_name", "file_type")

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.file_name = ""
        self.file_type = ""


class FormReader:
    """Reads one form: `await form()`, then the file as an asynchronous iterator of its pieces."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise malformed()
        self._mark = b"\r\n--" + (found[1] or found[2]).encode("latin-1", "replace")
        self._body = aiter(body)
        self._buffer = b"\r\n"  # so that the first boundary looks like the others
        self._ended = False
        self._in_file = False

    async def form(self) -> Form:
        """The fields before the file. Raises MalformedPOSTRequest, MaxPostPreDataLengthExceededError, …"""
        form = Form()
        size = 0
        await self._skip_to_boundary()
        while True:
            if await self._at_end():
                raise Fault(
                    "InvalidArgument",
                    "POST requires exactly one file upload per request.",
                    status=400,
                    members={"ArgumentName": "file", "ArgumentValue": "0"},
                )
            head = await self._until(b"\r\n\r\n", size)
            name, file_name, kind = _disposition(head)
            if name.lower() == "file":
                form.file_name, form.file_type = file_name or "", kind
                self._in_file = True
                return form
            value = await self._until(self._mark, size)
            size += len(head) + len(value)
            if size > FIELDS_LIMIT:
                raise _too_large()
            form.fields.setdefault(name.lower(), _text(value))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.file()

    async def file(self) -> AsyncIterator[bytes]:
        """The pieces of the file. Raises MalformedPOSTRequest when the form breaks off inside."""
        keep = len(self._mark) - 1
        while self._in_file:
            at = self._buffer.find(self._mark)
            if at >= 0:
                piece, self._buffer = self._buffer[:at], b""
                self._in_file = False
                if piece:
                    yield piece
                async for _ in self._body:  # what follows the file does not count
                    pass
                return
            if len(self._buffer) > keep:
                piece, self._buffer = self._buffer[:-keep], self._buffer[-keep:]
                yield piece
            await self._more()

    async def _skip_to_boundary(self) -> None:
        await self._until(self._mark, 0)

    async def _at_end(self) -> bool:
        """Whether the boundary just passed was the last one; else its line end is taken too."""
        while len(self._buffer) < 2:
            await self._more()
        if self._buffer.startswith(b"--"):
            return True
        await self._until(b"\r\n", 0)
        return False

    async def _until(self, mark: bytes, size: int) -> bytes:
        """What comes before the mark, which is taken too."""
        while True:
            at = self._buffer.find(mark)
            if at >= 0:
                found, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
                return found
            if size + len(self._buffer) > FIELDS_LIMIT:
                raise _too_large()
            await self._more()

    async def _more(self) -> None:
        if self._ended:
            raise malformed()
        piece = await anext(self._body, b"")
        if piece:
            self._buffer += piece
        else:
            self._ended = True
            raise malformed()


def _too_large() -> Fault:
    text = "Your POST request fields preceding the upload file were too large."
    members = {"MaxPostPreDataLengthBytes": str(FIELDS_LIMIT)}
    return Fault("MaxPostPreDataLengthExceededError", text, status=400, members=members)


def _disposition(head: bytes) -> tuple[str, str | None, str]:
    """Name, file name and content type of a part from its header."""
    name, file_name, kind = "", None, ""
    for line in head.split(b"\r\n"):
        field, _, value = _text(line).partition(":")
        if field.strip().lower() == "content-type":
            kind = value.strip()
        if field.strip().lower() != "content-disposition":
            continue
        for key, quoted, bare in _PARAMETER.findall(value):
            if key.lower() == "name":
                name = _unescaped(quoted or bare)
            elif key.lower() == "filename":
                file_name = _unescaped(quoted or bare)
    if not name:
        raise malformed()
    return name, file_name, kind


def _unescaped(text: str) -> str:
    # Browsers write %22 for a quote and leave backslashes alone, which paths of Windows are full of.
    return text.replace('\\"', '"').replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
