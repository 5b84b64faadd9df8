"""JSON bodies to values and back, as closures compiled per shape; used by json, rest-json and event streams."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from cumulo.wire.faults import Fault
from cumulo.wire.protocols import scalars
from cumulo.wire.protocols.memos import make
from cumulo.wire.shapes import Member, Shape

DEPTH_LIMIT = 300  # every reader, check and writer takes two frames a level at most, of Python's thousand
_TOKENS = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY", dict: "START_OBJECT"}
_JAVA = {
    "string": "String", "character": "Character", "integer": "Integer", "long": "Long", "float": "Float",
    "double": "Double", "bigdecimal": "BigDecimal", "biginteger": "BigInteger", "boolean": "Boolean",
    "timestamp": "Timestamp", "blob": "Blob",
}  # fmt: skip

Convert = Callable[[Any], Any]


def refuse(value: Any, wanted: str) -> Fault:
    """AWS's answer to a value of the wrong JSON type. Texts: observed in AWS's answers (DynamoDB, KMS)."""
    if isinstance(value, list):
        text = "Start of list found where not expected"
    elif isinstance(value, dict):
        text = "Start of structure or map found where not expected"
    elif wanted in ("structure", "map", "list"):
        text = "Unexpected field type" if wanted != "list" else "Expected list or null"
    else:
        token = str(value).upper() + "_VALUE" if isinstance(value, bool) else _TOKENS.get(type(value), "VALUE_NULL")
        text = f"{token} cannot be converted to {_JAVA.get(wanted, wanted)}"
    return Fault("SerializationException", text)


def decode(body: bytes) -> Any:
    """The values of a JSON text. Raises Fault for what is no JSON, too deep, or holds impossible numbers."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise Fault("SerializationException") from None
    # Few brackets cannot be deep, so most bodies are not walked for this.
    if body.count(b"{") + body.count(b"[") > DEPTH_LIMIT:
        check_depth(value)
    return value


encode: Callable[[Any], bytes] = msgspec.json.Encoder(decimal_format="number").encode


class Reader:
    """Compiles, per shape, the closure from decoded JSON to values with AWS's member names."""

    def __init__(self) -> None:
        self._memo: dict[tuple[str, str], Convert] = {}

    def of(self, shape: Shape, form: str = "") -> Convert:
        """The reader of a shape; `form` is the timestamp format of the place."""
        key = (shape.name, form)
        reader = self._memo.get(key)
        if reader is None:
            reader = make(self._memo, key, lambda: self._build(shape))
        return reader

    def _build(self, shape: Shape) -> Convert:
        kind = shape.type
        if shape.document:
            return _read_document
        if kind == "structure":
            return self.structure(shape, list(shape.members.values()))
        if kind == "list":
            return _list_reader(self.of(shape.member.shape), shape.sparse)
        if kind == "map":
            return _map_reader(self.of(shape.value.shape), shape.sparse)
        return _SCALARS.get(kind, _read_string)

    def structure(self, shape: Shape, members: list[Member]) -> Convert:
        """The reader of a structure restricted to these members (those of a body)."""
        table: dict[str, tuple[str, type | None, Convert]] = {}
        for member in members:
            fast = {"string": str, "boolean": bool}.get(member.shape.type)
            table[member.wire_name] = (member.name, fast, self.of(member.shape, member.timestamp_format))
        find = table.get

        def read(value: Any) -> Any:
            if type(value) is not dict:
                raise refuse(value, "structure")
            out = {}
            for wire, item in value.items():
                entry = find(wire)
                if entry is not None and item is not None:  # AWS ignores members that it does not know, and nulls
                    out[entry[0]] = item if type(item) is entry[1] else entry[2](item)
            return out

        return read


def _list_reader(read_item: Convert, sparse: bool) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise refuse(value, "list")
        if sparse:
            return [None if item is None else read_item(item) for item in value]
        return [read_item(item) for item in value if item is not None]

    return read


def _map_reader(read_item: Convert, sparse: bool) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise refuse(value, "map")
        if sparse:
            return {key: None if item is None else read_item(item) for key, item in value.items()}
        return {key: read_item(item) for key, item in value.items() if item is not None}

    return read


def check_depth(value: Any) -> Any:
    """The value as it is. Raises Fault when it is nested too deeply to be handled by anyone later."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise Fault("SerializationException", "Request is nested too deeply")
        inner: list[Any] = []
        for item in level:
            if type(item) is dict:
                inner.extend(child for child in item.values() if type(child) in (dict, list))
            elif type(item) is list:
                inner.extend(child for child in item if type(child) in (dict, list))
        level = inner
    return value


def _read_document(value: Any) -> Any:
    return value


def _read_string(value: Any) -> str:
    if type(value) is not str:
        raise refuse(value, "string")
    return value


def _read_boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise refuse(value, "boolean")
    return value


def _integer_reader(kind: str) -> Convert:
    limit = scalars.INTEGER_LIMIT[kind]

    def read(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not -limit <= value < limit:
            raise refuse(value, kind)
        return value

    return read


def _read_big_integer(value: Any) -> int:
    if type(value) is not int:
        raise refuse(value, "biginteger")
    return value


def _read_float(value: Any) -> float:
    if type(value) is float:
        return value
    try:
        if type(value) is int:
            return float(value)
        if type(value) is str:
            return scalars.read_float(value)
    except (ValueError, OverflowError):
        pass
    raise refuse(value, "double")


def _read_timestamp(value: Any) -> float:
    try:
        if type(value) in (int, float):
            return scalars.check_epoch(value)
        if type(value) is str:
            return scalars.read_timestamp(value)
    except (ValueError, OverflowError):
        pass
    raise refuse(value, "timestamp")


def _read_blob(value: Any) -> bytes:
    if type(value) is not str:
        raise refuse(value, "blob")
    try:
        return scalars.read_blob(value)
    except ValueError:
        raise Fault("SerializationException", "Base64 encoded length is unexpected") from None


_SCALARS: dict[str, Convert] = {
    "string": _read_string,
    "boolean": _read_boolean,
    "integer": _integer_reader("integer"),
    "long": _integer_reader("long"),
    "biginteger": _read_big_integer,
    "float": _read_float,
    "double": _read_float,
    "bigdecimal": _read_float,
    "timestamp": _read_timestamp,
    "blob": _read_blob,
}


class Writer:
    """Compiles, per shape, the closure from values to what `encode` takes.

    A closure of None means that a value goes out as it is; so does a `msgspec.Raw`, a value that is JSON already.
    """

    def __init__(self) -> None:
        self._memo: dict[tuple[str, str], Convert | None] = {}

    def of(self, shape: Shape, form: str = "") -> Convert | None:
        """The writer of a shape; `form` is the timestamp format of the place."""
        key = (shape.name, form)
        if key not in self._memo:
            holder: list[Convert | None] = []

            def late(value: Any) -> Any:
                return holder[0](value) if holder[0] is not None else value

            self._memo[key] = late
            writer = self._build(shape, form)
            holder.append(writer)
            self._memo[key] = writer
        return self._memo[key]

    def _build(self, shape: Shape, form: str) -> Convert | None:
        kind = shape.type
        if shape.document:
            return None
        if kind == "structure":
            return self.structure(shape, list(shape.members.values()))
        if kind == "list":
            return _list_writer(self.of(shape.member.shape, shape.member.timestamp_format))
        if kind == "map":
            return _map_writer(self.of(shape.value.shape, shape.value.timestamp_format))
        if kind == "timestamp":
            form = form or shape.timestamp_format
            if not form or form.lower() == "unixtimestamp":
                return scalars.write_epoch
            return scalars.timestamp_writer(form)
        if kind == "blob":
            return scalars.write_blob
        return _write_float if kind in ("float", "double", "bigdecimal") else None

    def structure(self, shape: Shape, members: list[Member]) -> Convert:
        """The writer of a structure restricted to these members (those of a body)."""
        table = {m.name: (m.wire_name, self.of(m.shape, m.timestamp_format)) for m in members}
        hidden = frozenset(shape.members) - frozenset(table)

        def write(value: Any) -> Any:
            out = {}
            for name, item in value.items():
                if item is None or name in hidden:
                    continue
                wire, convert = table[name]  # KeyError: a service answers with a member that AWS does not have
                out[wire] = item if convert is None or type(item) is Raw else convert(item)
            return out

        return write


def _list_writer(write_item: Convert | None) -> Convert | None:
    if write_item is None:
        return None
    return lambda value: [item if item is None or type(item) is Raw else write_item(item) for item in value]


def _map_writer(write_item: Convert | None) -> Convert | None:
    if write_item is None:
        return None
    return lambda value: {key: None if item is None else write_item(item) for key, item in value.items()}


def _write_float(value: Any) -> Any:
    if value != value or value in (math.inf, -math.inf):
        return scalars.write_float(value)
    return value
