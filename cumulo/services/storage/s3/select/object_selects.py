"""SelectObjectContent: a query over one object, answered as a stream of events.

The object's bytes go to a file of their own, DuckDB reads that in a thread, and rows leave as they come. What is wrong
before the first row is an error's answer; afterwards it is an error in the stream, as on AWS.
Source: S3 API Reference, SelectObjectContent and "Appendix: SelectObjectContent response".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cumulo.core import scratch
from cumulo.core.operation import operation
from cumulo.engines import duckdb
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.select import errors, inputs, outputs, queries, statements
from cumulo.services.storage.s3.select.inputs import CSV_KIND, JSON_KIND, PARQUET_KIND
from cumulo.services.storage.s3.stored import contents

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.select.statements import Statement
    from cumulo.stubs import s3 as t

ROWS_AT_ONCE = 1000
PAYLOAD_B = 128 * 1024
_KINDS = (CSV_KIND, JSON_KIND, PARQUET_KIND)
_EMPTY = b""
_WORDS = ("CompressionType", "FileHeaderInfo", "QuoteFields", "Type")


def _in_capitals(serialization: Mapping[str, Any]) -> dict[str, Any]:
    """With words of AWS's lists as these have them: AWS's awswrangler says "Use" and "Document", and is understood."""
    return {
        name: value.upper() if name in _WORDS else _in_capitals(value) if isinstance(value, dict) else value
        for name, value in serialization.items()
    }


@operation
async def select_object_content(ctx: Context, request: t.SelectObjectContentRequest) -> t.SelectObjectContentOutput:
    given: dict[str, Any] = {
        **request,
        "InputSerialization": _in_capitals(request["InputSerialization"]),
        "OutputSerialization": _in_capitals(request["OutputSerialization"]),
    }
    statement = _checked(given)
    if not duckdb.is_here():
        await ctx.transact(lambda ctx: _find(ctx, request))
        raise errors.NO_ENGINE(hint=duckdb.INSTALL)
    body = await ctx.transact(lambda ctx: _find(ctx, request))
    folder = scratch.new_folder(ctx)
    selection = _Selection(folder, body, given, statement, ctx.now())
    try:
        first = await ctx.in_thread(selection.begin)
    except BaseException:
        await ctx.in_thread(selection.close)
        raise
    return {"Payload": _events(ctx, selection, first)}


def _find(ctx: Context, request: Mapping[str, Any]) -> Iterator[bytes]:
    """The object's bytes, found and allowed; opened now, read later in a thread."""
    bucket = access.located(ctx, request)
    version = lookups.found(ctx, bucket, request, action="s3:GetObject")
    lookups.check_readable(ctx, version)
    key = object_encryption.content_key(ctx, bucket, version.key, version, request)
    return contents.read(ctx, version, 0, version.size, key)


def _checked(request: Mapping[str, Any]) -> Statement:
    """The statement of a request whose form is right. Raises S3 Select's errors."""
    if request["ExpressionType"] != "SQL":
        raise errors.INVALID_EXPRESSION_TYPE()
    given, wanted = request["InputSerialization"], request["OutputSerialization"]
    sources = [kind for kind in _KINDS if kind in given]
    targets = [kind for kind in (CSV_KIND, JSON_KIND) if kind in wanted]
    if not sources or not targets:
        raise errors.MISSING_PARAMETER()
    if len(sources) > 1 or len(targets) > 1:
        raise errors.SERIALIZATION_CONFLICT()
    compression = given.get("CompressionType") or "NONE"
    if compression not in ("NONE", "GZIP", "BZIP2") or (compression != "NONE" and sources[0] == PARQUET_KIND):
        raise errors.INVALID_COMPRESSION()
    form, out = given[sources[0]], wanted[targets[0]]
    if form.get("FileHeaderInfo", "NONE") not in ("NONE", "USE", "IGNORE"):
        raise errors.INVALID_FILE_HEADER_INFO()
    if sources[0] == JSON_KIND and form.get("Type") not in ("LINES", "DOCUMENT"):
        raise (errors.INVALID_JSON_TYPE if "Type" in form else errors.MISSING_PARAMETER)()
    if out.get("QuoteFields", "ASNEEDED") not in ("ASNEEDED", "ALWAYS"):
        raise errors.INVALID_QUOTE_FIELDS()
    for each in (form, out):
        for member in ("QuoteCharacter", "QuoteEscapeCharacter", "Comments"):
            if len(each.get(member) or "x") > 1:
                raise errors.INVALID_PARAMETER()
        for member in ("FieldDelimiter", "RecordDelimiter"):
            if len((each.get(member) or "").encode()) > 2:
                raise errors.INVALID_PARAMETER()
    if request.get("ScanRange"):
        if compression != "NONE" or form.get("AllowQuotedRecordDelimiter") or form.get("Type") == "DOCUMENT":
            raise errors.UNSUPPORTED_SCAN_RANGE()
        if sources[0] == PARQUET_KIND:
            raise errors.UNSUPPORTED_SCAN_RANGE()
    return statements.parse(request["Expression"])


class _Selection:
    """One query on its way; every method blocks and runs in a thread."""

    def __init__(
        self,
        folder: Path,
        body: Iterator[bytes],
        request: Mapping[str, Any],
        statement: Statement,
        now: float,
    ) -> None:
        self._folder = folder
        self._body = body
        self._request = request
        self._statement = statement
        self._now = now
        self._session: duckdb.Session | None = None
        self._write: outputs.Write
        self.kind = next(kind for kind in _KINDS if kind in request["InputSerialization"])
        self.scanned = 0
        self.processed = 0
        self.returned = 0

    def begin(self) -> bytes:
        """Read what there is to read, start the query, and give the first rows."""
        raw = self._folder / "object"
        with raw.open("wb") as file:
            for piece in self._body:
                file.write(piece)
        prepared = inputs.prepare(raw, self._folder, self._request)
        self.scanned, self.processed = prepared.scanned, prepared.processed
        session = self._session = duckdb.Session(self._folder)
        if not prepared.processed:
            return self._of_nothing()
        source = inputs.source(session, prepared, self._request)
        query = queries.compile_query(self._statement, source, self._now)
        self._write = outputs.writer(self._request["OutputSerialization"], query.fields)
        self._guard(lambda: session.execute(query.sql))
        return self.more()

    def _of_nothing(self) -> bytes:
        """An empty object has no records; only aggregates say something of them."""
        if not self._statement.aggregates:
            self._write = lambda rows: _EMPTY
            return _EMPTY
        source = queries.Source("(SELECT NULL::JSON AS j WHERE false)", json=True)
        query = queries.compile_query(self._statement, source, self._now)
        self._write = outputs.writer(self._request["OutputSerialization"], query.fields)
        session = self._session
        assert session is not None
        self._guard(lambda: session.execute(query.sql))
        return self.more()

    def more(self) -> bytes:
        """The next records as they are answered; nothing at the end."""
        session = self._session
        assert session is not None
        rows: list[tuple[Any, ...]] = self._guard(lambda: session.fetch(ROWS_AT_ONCE))
        payload = self._write(rows) if rows else _EMPTY
        self.returned += len(payload)
        return payload

    def _guard(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except duckdb.QueryFailed as failed:
            raise inputs.failure(failed, self.kind) from failed

    def close(self) -> None:
        """Let go of everything."""
        if self._session is not None:
            self._session.close()
        scratch.drop(self._folder)

    def details(self) -> dict[str, int]:
        """What Stats and Progress tell, in bytes."""
        return {"BytesScanned": self.scanned, "BytesProcessed": self.processed, "BytesReturned": self.returned}


async def _events(ctx: Context, selection: _Selection, payload: bytes) -> AsyncIterator[dict[str, Any]]:
    wants_progress = bool((ctx.request.get("RequestProgress") or {}).get("Enabled"))
    try:
        while payload:
            for at in range(0, len(payload), PAYLOAD_B):
                yield {"Records": {"Payload": payload[at : at + PAYLOAD_B]}}
            if wants_progress:
                yield {"Progress": {"Details": selection.details()}}
            payload = await ctx.in_thread(selection.more)
        yield {"Stats": {"Details": selection.details()}}
        yield {"End": {}}
    finally:
        await ctx.in_thread(selection.close)
