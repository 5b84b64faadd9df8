"""XML to values and back, as closures compiled per shape; used by rest-xml, and for answers by query and ec2."""

from collections.abc import Callable
from typing import Any

from cumulo.wire.cuts import Namespace
from cumulo.wire.faults import Fault
from cumulo.wire.protocols import scalars
from cumulo.wire.protocols.memos import make
from cumulo.wire.protocols.xml_elements import Element, escape
from cumulo.wire.shapes import Member, Shape
from cumulo.wire.written import Written

Read = Callable[[Any], Any]
Write = Callable[[list[str], Any], None]


def malformed() -> Fault:
    """AWS's answer to XML that does not fit. Source: S3 API Reference, "Error Responses", MalformedXML."""
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return Fault("MalformedXML", text)


class Reader:
    """Compiles, per shape, the closure from an Element to a value.

    `strict`: elements that a structure does not have, and scalars that come twice, are refused.
    """

    def __init__(self, strict: bool = False) -> None:
        self._memo: dict[tuple[str, str, bool], Read] = {}
        self._strict = strict

    def of(self, shape: Shape, form: str = "", flattened: bool = False) -> Read:
        """The reader of a shape. That of a flattened list or map takes the list of its elements."""
        key = (shape.name, form, flattened)
        reader = self._memo.get(key)
        if reader is None:
            reader = make(self._memo, key, lambda: self._build(shape, flattened))
        return reader

    def _build(self, shape: Shape, flattened: bool) -> Read:
        if shape.type == "structure":
            return self.structure(list(shape.members.values()))
        if shape.type == "list":
            read_item = self.of(shape.member.shape, shape.member.timestamp_format)
            if flattened:
                return lambda elements: [read_item(element) for element in elements]
            item_name = shape.member.location_name or "member"
            return lambda element: [read_item(child) for child in element.children if child.name == item_name]
        if shape.type == "map":
            return self._map(shape, flattened)
        return _scalar_reader(shape.type)

    def structure(self, members: list[Member]) -> Read:
        """The reader of a structure restricted to these members (those of a body)."""
        plain: dict[str, tuple[str, Read]] = {}
        flat: dict[str, tuple[str, Read]] = {}
        attributes: list[tuple[str, str]] = []
        strict = self._strict
        for member in members:
            form = member.timestamp_format
            if member.xml_attribute:
                attributes.append((member.wire_name, member.name))
            elif member.flattened and member.shape.type in ("list", "map"):
                reader = (member.name, self.of(member.shape, form, True))
                flat[member.wire_name] = flat[flat_name(member)] = reader
            else:
                plain[member.wire_name] = (member.name, self.of(member.shape, form))

        def read(element: Element) -> Any:
            out: dict[str, Any] = {}
            gathered: dict[str, list[Element]] = {}
            for child in element.children:
                entry = plain.get(child.name)
                if entry is not None:
                    if strict and entry[0] in out:
                        raise malformed()
                    out[entry[0]] = entry[1](child)
                elif child.name in flat:
                    gathered.setdefault(child.name, []).append(child)
                elif strict:
                    raise malformed()
            for wire, elements in gathered.items():
                name, read_all = flat[wire]
                out[name] = read_all(elements)
            for wire, name in attributes:
                if wire in element.attributes:
                    out[name] = element.attributes[wire]
            return out

        return read

    def _map(self, shape: Shape, flattened: bool) -> Read:
        key_name = shape.key.location_name or "key"
        value_name = shape.value.location_name or "value"
        read_key = self.of(shape.key.shape)
        read_value = self.of(shape.value.shape, shape.value.timestamp_format)

        def read(source: Any) -> Any:
            out = {}
            for entry in source if flattened else source.children:
                key, value = entry.find(key_name), entry.find(value_name)
                if key is None:
                    raise malformed()
                out[read_key(key)] = read_value(value if value is not None else Element(value_name, {}))
            return out

        return read


def flat_name(member: Member) -> str:
    """The element name of a flattened list or map: its member's own, else that of the list's items (SimpleDB)."""
    if member.shape.type == "list" and not member.cut.location_name and member.shape.member.location_name:
        return member.shape.member.location_name
    return member.wire_name


def _scalar_reader(kind: str) -> Read:
    if kind in ("string", "character"):
        return _read_text
    convert = scalar_text_reader(kind)

    def read(element: Element) -> Any:
        if element.children:
            raise malformed()
        try:
            return convert(element.text)
        except (ValueError, OverflowError):
            raise malformed() from None

    return read


def _read_text(element: Element) -> str:
    if element.children:
        raise malformed()
    return element.text


def scalar_text_reader(kind: str) -> Callable[[str], Any]:
    """From the text of a scalar to its value; raises ValueError or OverflowError."""
    if kind in ("integer", "long"):
        limit = scalars.INTEGER_LIMIT[kind]
        return lambda text: scalars.read_integer(text, limit)
    table: dict[str, Callable[[str], Any]] = {
        "boolean": scalars.read_boolean,
        "float": scalars.read_float,
        "double": scalars.read_float,
        "bigdecimal": scalars.read_float,
        "timestamp": scalars.read_timestamp,
        "blob": scalars.read_blob,
    }
    return table.get(kind, str)


class Writer:
    """Compiles, per shape, the closure that appends XML to a list of texts."""

    def __init__(self) -> None:
        self._memo: dict[tuple[object, ...], Write] = {}

    def element(self, name: str, member: Member) -> Write:
        """The writer of a member as an element (a flattened list as several) of this name."""
        shape = member.shape
        form = member.timestamp_format
        flattened = member.flattened and shape.type in ("list", "map")
        namespace = member.xml_namespace
        key = (name, shape.name, form, flattened, namespace)
        writer = self._memo.get(key)
        if writer is None:
            writer = make(self._memo, key, lambda: self._build(name, shape, form, flattened, namespace))
        return writer

    def _build(self, name: str, shape: Shape, form: str, flattened: bool, namespace: Namespace | None) -> Write:
        if shape.type == "structure":
            return self._structure(name, shape, namespace)
        if shape.type == "list":
            return self._list(name, shape, flattened, namespace)
        if shape.type == "map":
            return self._map(name, shape, flattened, namespace)
        return _scalar_writer(name, shape.type, form, namespace)

    def _structure(self, name: str, shape: Shape, namespace: Namespace | None) -> Write:
        attributes = {m.name: m.wire_name for m in shape.members.values() if m.xml_attribute}
        inner = self.members(shape, [m for m in shape.members.values() if not m.xml_attribute])
        opening, closing = opening_tag(name, namespace), f"</{name}>"
        if not attributes:

            def write(parts: list[str], value: Any) -> None:
                parts.append(opening)
                inner(parts, value)
                parts.append(closing)

            return write

        def write_attributes(parts: list[str], value: Any) -> None:
            parts.append(opening[:-1])
            for member_name, wire in attributes.items():
                if value.get(member_name) is not None:
                    parts.append(f' {wire}="{escape(str(value[member_name]))}"')
            parts.append(">")
            inner(parts, {key: item for key, item in value.items() if key not in attributes})
            parts.append(closing)

        return write_attributes

    def members(self, shape: Shape, members: list[Member]) -> Write:
        """The writer of a structure's members (those of a body), without an element around them."""
        table = {member.name: self.element(self._name(member), member) for member in members}
        hidden = frozenset(shape.members) - frozenset(table)

        def write(parts: list[str], value: Any) -> None:
            for name, item in value.items():
                if item is not None and name not in hidden:
                    table[name](parts, item)  # KeyError: a service answers with a member that AWS does not have

        return write

    def _name(self, member: Member) -> str:
        if member.flattened and member.shape.type == "list":
            return flat_name(member)
        if member.flattened and member.shape.type == "map" and member.query_name:
            return member.query_name
        return member.wire_name

    def _list(self, name: str, shape: Shape, flattened: bool, namespace: Namespace | None) -> Write:
        if flattened:
            write_item = self.element(name, shape.member)

            def write_flat(parts: list[str], value: Any) -> None:
                if type(value) is Written:
                    parts.append(value)
                    return
                for item in value:
                    if item is not None:
                        write_item(parts, item)

            return write_flat
        write_child = self.element(shape.member.location_name or "member", shape.member)
        opening, closing = opening_tag(name, namespace), f"</{name}>"

        def write(parts: list[str], value: Any) -> None:
            parts.append(opening)
            for item in value:
                if item is not None:
                    write_child(parts, item)
            parts.append(closing)

        return write

    def _map(self, name: str, shape: Shape, flattened: bool, namespace: Namespace | None) -> Write:
        write_key = self.element(shape.key.location_name or "key", shape.key)
        write_value = self.element(shape.value.location_name or "value", shape.value)
        entry = name if flattened else "entry"
        opening, closing = ("", "") if flattened else (opening_tag(name, namespace), f"</{name}>")

        def write(parts: list[str], value: Any) -> None:
            parts.append(opening)
            for key, item in value.items():
                if item is not None:
                    parts.append(f"<{entry}>")
                    write_key(parts, key)
                    write_value(parts, item)
                    parts.append(f"</{entry}>")
            parts.append(closing)

        return write


def opening_tag(name: str, namespace: Namespace | None) -> str:
    """`<name>` with the namespace that it declares."""
    if namespace is None or not namespace.uri:
        return f"<{name}>"
    attribute = f"xmlns:{namespace.prefix}" if namespace.prefix else "xmlns"
    return f'<{name} {attribute}="{escape(namespace.uri)}">'


def _scalar_writer(name: str, kind: str, form: str, namespace: Namespace | None) -> Write:
    opening, closing = opening_tag(name, namespace), f"</{name}>"
    to_text = text_writer(kind, form)

    def write(parts: list[str], value: Any) -> None:
        parts.append(f"{opening}{to_text(value)}{closing}")

    return write


def text_writer(kind: str, form: str) -> Callable[[Any], str]:
    """From a scalar to its escaped text."""
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind == "timestamp":
        return scalars.timestamp_writer(form)
    if kind == "blob":
        return scalars.write_blob
    if kind in ("float", "double", "bigdecimal"):
        return scalars.write_float
    return str if kind in ("integer", "long", "biginteger") else lambda value: escape(str(value))
