"""Typed records in the ordered store.

A `Record` is what is kept, a `Table` is where: under (account, region), keyed by some of its
fields, with its ARN, its not-found error and its resource policy declared once, so that `get`
finds, authorizes and says not-found in one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.records import NewerRecord as NewerRecord
from cumulo.core.records import Record as Record
from cumulo.core.records import forms
from cumulo.store.keys import pack as pack  # both for services, which do not know store
from cumulo.store.keys import pack_all
from cumulo.store.keys import prefix_range as prefix_range

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.errors import Error

GLOBAL, ACCOUNT, REGION = range(3)

Key = tuple[str | int | bytes, ...]


R = TypeVar("R", bound=Record)

_encode: Final = msgspec.msgpack.Encoder().encode
_COPIED_B: Final = 8192  # fewer bytes than these are copied sooner than a view of them is made


class Codec(Generic[R]):
    """Records to bytes and back: one version byte, then msgpack."""

    __slots__ = ("_decode", "_forms", "_mark", "_version", "record")

    def __init__(self, record: type[R]) -> None:
        self.record = record
        self._forms = forms(record)
        self._version = len(self._forms)
        self._mark = bytes([self._version])
        self._decode = msgspec.msgpack.Decoder(record).decode

    def encode(self, record: R) -> bytes:
        """The bytes at rest."""
        return self._mark + _encode(record)

    def decode(self, data: bytes) -> R:
        """The record, migrated from whatever form it was written in."""
        if data[0] == self._version:
            return self._decode(data[1:] if len(data) < _COPIED_B else memoryview(data)[1:])
        return self._migrate(data)

    def _migrate(self, data: bytes) -> R:
        written = data[0]
        if written > self._version:
            raise NewerRecord(
                f"{self.record.__name__} form {written} was written by a newer cumulo: upgrade to read it"
            )
        old: Any = msgspec.msgpack.decode(memoryview(data)[1:], type=self._forms[written - 1])
        for form in self._forms[written:]:
            old = form.migrate(old)
        return old  # type: ignore[no-any-return]


class Space:
    """A named key range per (account, region), for records and for a service's own indexes."""

    __slots__ = ("_prefixes", "name", "scope")

    def __init__(self, name: str, *, scope: int = REGION) -> None:
        self.name = name
        self.scope = scope
        self._prefixes: dict[tuple[str, str], bytes] = {}

    def prefix(self, account: str, region: str) -> bytes:
        """The bytes that all keys of this place start with."""
        found = self._prefixes.get((account, region))
        if found is None:
            elements = (self.name, account, region)[: self.scope + 1]
            if len(self._prefixes) >= 1024:
                self._prefixes.clear()
            found = self._prefixes[account, region] = pack(*elements)
        return found

    def key(
        self, ctx: Context, *elements: str | int | bytes, account: str | None = None, region: str | None = None
    ) -> bytes:
        """The key of these elements, in the caller's account and region unless others are named."""
        return self.prefix(account or ctx.account, region or ctx.region) + pack_all(elements)


class Table(Space, Generic[R]):
    """Records of one kind. See the module's text; every method may name another `account` and `region`."""

    __slots__ = ("arn_form", "codec", "indexes", "key_fields", "missing", "policy", "record", "tags")

    def __init__(
        self,
        record: type[R],
        *,
        name: str,
        key: str | tuple[str, ...],
        scope: int = REGION,
        arn: str | None = None,
        missing: Error | None = None,
        policy: Callable[[R], str | None] | None = None,
        tags: Callable[[R], dict[str, str] | None] | None = None,
        indexes: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(name, scope=scope)
        self.record = record
        self.codec: Codec[R] = Codec(record)
        self.key_fields = (key,) if isinstance(key, str) else key
        self.arn_form = arn
        self.missing = missing
        self.policy = policy
        self.tags = tags
        self.indexes = {
            label: (Space(f"{name}#{label}", scope=scope), fields) for label, fields in (indexes or {}).items()
        }

    def key_of(self, record: R) -> Key:
        """The key of a record: the values of the key's fields."""
        return tuple([getattr(record, field) for field in self.key_fields])

    def arn(self, ctx: Context, *key: str | int | bytes, account: str | None = None, region: str | None = None) -> str:
        """The ARN of the record with this key."""
        if self.arn_form is None:
            raise TypeError(f"the table {self.name} has no ARN")
        fields = {field: str(value) for field, value in zip(self.key_fields, key, strict=True)}
        return self.arn_form.format(
            partition=ctx.partition, region=region or ctx.region, account=account or ctx.account, **fields
        )

    def get(self, ctx: Context, *key: str | int | bytes, account: str | None = None, region: str | None = None) -> R:
        """The record, found and authorized; AccessDenied, or this table's `missing` error, when it is not."""
        record = self.peek(ctx, *key, account=account, region=region)
        if self.arn_form is not None:
            policy = self.policy(record) if record is not None and self.policy is not None else None
            if policy is not None or not ctx.trusted(account or ctx.account):
                if record is None and self.missing is not None and ctx.principal.kind is PrincipalKind.SERVICE:
                    # Only a resource's own policy lets a service in: AWS tells it that there is none (S3's words for
                    # a queue that is gone, when notifications to it are configured).
                    raise self.missing()
                tags = self.tags(record) if record is not None and self.tags is not None else None
                ctx.authorize(self.arn(ctx, *key, account=account, region=region), policy=policy, tags=tags)
        if record is None:
            if self.missing is None:
                raise KeyError(key)
            raise self.missing()
        return record

    def peek(
        self, ctx: Context, *key: str | int | bytes, account: str | None = None, region: str | None = None
    ) -> R | None:
        """The record or None, without asking whether the caller may see it."""
        data = ctx.txn.get(self.key(ctx, *key, account=account, region=region))
        return None if data is None else self.codec.decode(data)

    def put(self, ctx: Context, record: R, *, account: str | None = None, region: str | None = None) -> None:
        """Keep the record, in place of the one with the same key."""
        key = pack_all(self.key_of(record))
        place = self.prefix(account or ctx.account, region or ctx.region)
        if self.indexes:
            self._reindex(ctx, place + key, key, record, account, region)
        ctx.txn.put(place + key, self.codec.encode(record))

    def delete(self, ctx: Context, record: R, *, account: str | None = None, region: str | None = None) -> None:
        """Drop the record and its index entries."""
        key = pack_all(self.key_of(record))
        place = self.prefix(account or ctx.account, region or ctx.region)
        if self.indexes:
            self._reindex(ctx, place + key, key, None, account, region)
        ctx.txn.delete(place + key)

    def _reindex(
        self, ctx: Context, at: bytes, key: bytes, record: R | None, account: str | None, region: str | None
    ) -> None:
        data = ctx.txn.get(at)
        old = self.codec.decode(data) if data is not None else None
        for space, fields in self.indexes.values():
            place = space.prefix(account or ctx.account, region or ctx.region)
            before = place + pack(*[getattr(old, field) for field in fields]) + key if old is not None else None
            after = place + pack(*[getattr(record, field) for field in fields]) + key if record is not None else None
            if before == after:
                continue
            if before is not None:
                ctx.txn.delete(before)
            if after is not None:
                ctx.txn.put(after, at)

    def range(
        self,
        ctx: Context,
        *prefix: str | int | bytes,
        index: str | None = None,
        after: Key | None = None,
        start: Key | None = None,
        end: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
        account: str | None = None,
        region: str | None = None,
    ) -> list[R]:
        """Records in key order whose key (or index) starts with `prefix`.

        `start` (inclusive) and `end` (exclusive) continue the prefix. `after` is the whole key (in an
        index: its fields, then the key) of the last record of the page before. No authorization.
        """
        space: Space = self.indexes[index][0] if index is not None else self
        place = space.prefix(account or ctx.account, region or ctx.region)
        base = place + pack(*prefix)
        begin, stop = prefix_range(base)
        if start is not None:
            begin = base + pack(*start)
        if end is not None:
            stop = base + pack(*end)
        if after is not None:
            edge = place + pack(*after)
            if reverse:
                stop = min(stop, edge)
            else:
                begin = max(begin, edge + b"\x00")
        pairs = ctx.txn.range(begin, stop, limit=limit, reverse=reverse)
        decode = self.codec.decode
        if index is None:
            return [decode(value) for _, value in pairs]
        found = [ctx.txn.get(value) for _, value in pairs]
        return [decode(data) for data in found if data is not None]
