"""The forms of the query and ec2 protocols: `A.member.1.B=value` to values, as closures compiled per shape."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from cumulo.wire.faults import Fault
from cumulo.wire.protocols.memos import make
from cumulo.wire.protocols.xml_values import flat_name, scalar_text_reader
from cumulo.wire.shapes import Member, Shape

FIELD_LIMIT = 50_000
DEPTH_LIMIT = 64
_VALUE = ""  # where a node keeps its own value: no part of a name is empty

Node = dict[str, Any]
Read = Callable[[Node], Any]


def malformed(text: str) -> Fault:
    """AWS's answer to a form that does not fit. Code and texts: observed in AWS's answers (IAM, CloudFormation)."""
    return Fault("MalformedInput", text)


def unquote(text: str) -> str:
    """Decode one name or value of a form. Raises Fault for bytes that are not UTF-8."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Fault("MalformedQueryString", "The query string contains bytes that are not UTF-8.") from None


def fields(text: str) -> dict[str, str]:
    """The fields of a form or query string. A repeated name keeps its last value. Raises Fault."""
    if text.count("&") >= FIELD_LIMIT:
        raise Fault("MalformedQueryString", "The query string contains too many parameters.")
    out = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            out[unquote(name)] = unquote(value)
    return out


def decode(body: bytes) -> str:
    """The text of a form's body. Raises Fault for bytes that are not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Fault("MalformedQueryString", "The query string contains bytes that are not UTF-8.") from None


def tree(flat: dict[str, str]) -> Node:
    """Nest the fields by the dots in their names."""
    root: Node = {}
    for name, value in flat.items():
        if "." not in name:
            node = root.setdefault(name, {})
        else:
            parts = name.split(".")
            if len(parts) > DEPTH_LIMIT:
                raise malformed("Request is nested too deeply")
            node = root
            for part in parts:
                node = node.setdefault(part or "\0", {})  # "a..b" must not meet the place of a value
        node[_VALUE] = value
    return root


class Reader:
    """Compiles, per shape, the closure from a node to a value. `ec2` selects that protocol's naming."""

    def __init__(self, ec2: bool = False) -> None:
        self._ec2 = ec2
        self._memo: dict[tuple[str, bool], Read] = {}

    def of(self, shape: Shape, flattened: bool = False) -> Read:
        """The reader of a shape."""
        key = (shape.name, flattened)
        reader = self._memo.get(key)
        if reader is None:
            reader = make(self._memo, key, lambda: self._build(shape, flattened))
        return reader

    def _build(self, shape: Shape, flattened: bool) -> Read:
        if shape.type == "structure":
            return self._structure(shape)
        if shape.type == "list":
            wrapper = "" if flattened or self._ec2 else shape.member.location_name or "member"
            return _list_reader(wrapper, self.of(shape.member.shape, shape.member.flattened))
        if shape.type == "map":
            return self._map(shape, flattened)
        return _scalar_reader(shape.type)

    def _structure(self, shape: Shape) -> Read:
        table: dict[str, tuple[str, Read]] = {}
        for member in shape.members.values():
            for name in self._names(member):
                table.setdefault(name, (member.name, self.of(member.shape, member.flattened)))

        def read(node: Node) -> Any:
            out = {}
            for name, child in node.items():
                entry = table.get(name)
                if entry is not None:
                    out[entry[0]] = entry[1](child)
                elif name == _VALUE and child:
                    raise malformed("Unexpected value where a structure was expected")
            return out

        return read

    def _names(self, member: Member) -> list[str]:
        if self._ec2:
            name = member.wire_name
            return [member.query_name or name[:1].upper() + name[1:], member.name]
        names = [member.query_name or member.wire_name]
        if member.flattened and member.shape.type == "list":
            names.insert(0, flat_name(member))
            names.append(member.shape.member.location_name or names[0])
        return names

    def _map(self, shape: Shape, flattened: bool) -> Read:
        key_name = shape.key.location_name or "key"
        value_name = shape.value.location_name or "value"
        read_key, read_value = self.of(shape.key.shape), self.of(shape.value.shape, shape.value.flattened)
        wrapper = "" if flattened or self._ec2 else "entry"

        def read(node: Node) -> Any:
            out = {}
            for entry in _items(node, wrapper):
                if key_name not in entry:
                    raise malformed("Start of map entry without a key")
                value = entry.get(value_name)
                out[read_key(entry[key_name])] = read_value(value if value is not None else {_VALUE: ""})
            return out

        return read


def _items(node: Node, wrapper: str) -> list[Node]:
    """The children 1, 2, 3 … in order; a gap is closed. An empty value is an empty list."""
    if node.get(_VALUE):
        raise malformed("Unexpected value where a list was expected")
    inner = node.get(wrapper, node) if wrapper else node
    numbered = []
    for name, child in inner.items():
        if name.isascii() and name.isdigit() and len(name) <= 9:
            numbered.append((int(name), child))
        elif name not in (_VALUE, wrapper):
            raise malformed("Start of list found where not expected" if wrapper else "Unexpected list element")
    numbered.sort(key=lambda pair: pair[0])
    return [child for _, child in numbered]


def _list_reader(wrapper: str, read_item: Read) -> Read:
    return lambda node: [read_item(child) for child in _items(node, wrapper)]


def _scalar_reader(kind: str) -> Read:
    convert = scalar_text_reader(kind)

    def read(node: Node) -> Any:
        if len(node) != 1 or _VALUE not in node:
            raise malformed("Start of structure or map found where not expected")
        try:
            return convert(node[_VALUE])
        except (ValueError, OverflowError):
            raise malformed(f"Invalid value for {kind}") from None

    return read
