"""HTTP bindings of the REST protocols: what travels in the path, the query string, headers and the status."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from cumulo.wire.protocols import json_values, scalars
from cumulo.wire.protocols.xml_values import scalar_text_reader
from cumulo.wire.shapes import Member, Shape

LOCATIONS = ("uri", "querystring", "header", "headers", "statusCode")
ANSWER_LOCATIONS = ("header", "headers", "statusCode")  # an answer has no path and no query string
_CONDITIONAL = ("if-modified-since", "if-unmodified-since")
Refuse = Callable[[Member], Fault]
Fill = Callable[[Request, dict[str, str], dict[str, Any]], None]


def refuse_json(member: Member) -> Fault:
    """rest-json's answer to a bound value of the wrong type."""
    return Fault("SerializationException", f"Invalid value for {member.shape.type} in {member.wire_name}")


def refuse_xml(member: Member) -> Fault:
    """rest-xml's answer to a bound value of the wrong type. Source: S3 API Reference, "Error Responses"."""
    if member.shape.type in ("integer", "long"):
        return Fault("InvalidArgument", f"Provided {member.wire_name} not an integer or within integer range")
    return Fault("InvalidArgument", f"Invalid value for {member.wire_name}")


def body_members(shape: Shape, locations: tuple[str, ...] = LOCATIONS) -> list[Member]:
    """The members that travel in the body, `locations` being the other places."""
    return [member for member in shape.members.values() if member.location not in locations]


def query_values(query: str) -> dict[str, list[str]]:
    """The decoded parameters of a query string, all values of each. Raises Fault for bytes that are not UTF-8."""
    out: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        if pair:
            name, _, value = pair.partition("=")
            out.setdefault(unquote(name, plus=True), []).append(unquote(value, plus=True))
    return out


def unquote(text: str, *, plus: bool = False) -> str:
    """Percent-decode. `plus` reads + as a space, as query strings do. Raises Fault for what is not UTF-8."""
    if plus and "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Fault("InvalidURI", "Couldn't parse the specified URI.") from None


def request_reader(shape: Shape, refuse: Refuse) -> Fill:
    """The closure that fills the bound members of an input from a request."""
    query, prefixes, params = [], [], []
    uri: list[tuple[str, str, Callable[[str], Any] | None]] = []  # None: the text as it is
    headers: dict[str, tuple[str, Callable[[str], Any] | None]] = {}  # None: `from_wire`
    twice: list[tuple[str, str, Callable[[str], Any]]] = []  # a field that two members are bound to
    for member in shape.members.values():
        name = member.wire_name
        if member.location == "uri":
            plain = member.shape.type == "string"
            uri.append((name, member.name, None if plain else _text_reader(member, "iso8601", refuse)))
        elif member.location == "querystring" and member.shape.type == "map":
            params.append((member.name, member.shape.value.shape.type == "list"))
        elif member.location == "querystring":
            blank = refuse is refuse_xml and member.shape.type in ("integer", "long")
            query.append((name, member.name, _query_reader(member, refuse), blank))
        elif member.location == "header":
            if name.lower() in headers:
                twice.append((name.lower(), member.name, _header_reader(member, refuse)))
            plain = member.shape.type == "string" and not member.jsonvalue
            headers.setdefault(name.lower(), (member.name, None if plain else _header_reader(member, refuse)))
        elif member.location == "headers":
            prefixes.append((name.lower() if member.location_name else "", member.name))
    start, rest = "", ""  # a prefix that no bound field has, and its member: found while the others are
    if len(prefixes) == 1 and prefixes[0][0] and not any(field.startswith(prefixes[0][0]) for field in headers):
        start, rest = prefixes.pop()

    def fill(request: Request, labels: dict[str, str], out: dict[str, Any]) -> None:
        for wire, name, read in uri:
            if wire in labels:
                out[name] = labels[wire] if read is None else read(labels[wire])
        if query or params:
            values = query_values(request.query)
            for wire, name, read_values, blank in query:
                if wire in values and (values[wire][0] or not blank):  # S3 takes max-parts= for no max-parts at all
                    out[name] = read_values(values[wire])
            for name, lists in params:
                if values:
                    out[name] = values if lists else {key: items[0] for key, items in values.items()}
        if headers or start:
            for field, value in request.headers.fields.items():
                bound = headers.get(field)
                if bound is not None:
                    reader = bound[1]
                    got = from_wire(value) if reader is None else reader(value)
                    if got is not None:
                        out[bound[0]] = got
                elif start and field.startswith(start):
                    out.setdefault(rest, {})[field[len(start) :]] = from_wire(value)
            for wire, name, read_header in twice:
                if wire in request.headers:
                    out[name] = read_header(request.headers.get(wire))
        for prefix, name in prefixes:
            found = _prefixed(request.headers, prefix)
            if found:
                out[name] = found

    return fill


def _prefixed(headers: Headers, prefix: str) -> dict[str, str]:
    # Names come in lower case: HTTP has no other, and AWS answers so.
    found: dict[str, str] = {}
    for name, value in headers.fields.items():
        if name.startswith(prefix):
            found[name[len(prefix) :]] = from_wire(value)
    return found


def from_wire(value: str) -> str:
    """A header's value, which Headers reads as latin-1, as the UTF-8 that clients write."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def to_wire(value: str) -> str:
    """A text as a header's value: UTF-8 in latin-1's clothes. Line breaks are the gateway's to take out."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("latin-1")


def _text_reader(member: Member, form: str, refuse: Refuse) -> Callable[[str], Any]:
    if member.shape.type == "string":
        return str
    convert = scalar_text_reader(member.shape.type)

    def read(text: str) -> Any:
        try:
            return convert(text)
        except (ValueError, OverflowError):
            raise refuse(member) from None

    return read


def _query_reader(member: Member, refuse: Refuse) -> Callable[[list[str]], Any]:
    if member.shape.type == "list":
        read_item = _text_reader(member.shape.member, "iso8601", refuse)
        return lambda values: [read_item(value) for value in values]
    read = _text_reader(member, "iso8601", refuse)
    return lambda values: read(values[0])


def _header_reader(member: Member, refuse: Refuse) -> Callable[[str], Any]:
    if member.jsonvalue:
        return lambda value: _read_jsonvalue(value, member, refuse)
    if member.shape.type == "list":
        read_item = _text_reader(member.shape.member, "rfc822", refuse)
        dates = member.shape.member.shape.type == "timestamp"
        return lambda value: [read_item(item) for item in split_list(value, dates)]
    if member.wire_name.lower() in _CONDITIONAL:
        return scalars.read_http_date
    read = _text_reader(member, "rfc822", refuse)
    if member.shape.type == "string":
        return from_wire
    return read


def _read_jsonvalue(value: str, member: Member, refuse: Refuse) -> Any:
    try:
        return json_values.decode(scalars.read_blob(value))
    except (ValueError, Fault):
        raise refuse(member) from None


def split_list(value: str, dates: bool = False) -> list[str]:
    """The items of a header list: commas separate, quotes protect. HTTP dates have a comma of their own."""
    items: list[str] = []
    at, end = 0, len(value)
    while at < end:
        if value[at] in " \t,":
            at += 1
        elif value[at] == '"':
            item, at = _quoted(value, at + 1)
            items.append(item)
        else:
            stop = value.find(",", at)
            if dates and stop >= 0 and stop - at == 3:
                stop = value.find(",", stop + 1)
            stop = end if stop < 0 else stop
            items.append(value[at:stop].rstrip())
            at = stop
    return items


def _quoted(value: str, at: int) -> tuple[str, int]:
    parts = []
    while at < len(value) and value[at] != '"':
        if value[at] == "\\" and at + 1 < len(value):
            at += 1
        parts.append(value[at])
        at += 1
    return "".join(parts), at + 1


def response_writer(shape: Shape) -> Callable[[dict[str, Any], list[tuple[str, str]]], int | None]:
    """The closure that writes the bound members of an output as headers and gives the status, None for the usual."""
    prefixes, status = [], ""
    headers: dict[str, tuple[str, Callable[[Any], str | None]]] = {}
    for member in shape.members.values():
        if member.location == "header":
            headers[member.name] = (member.wire_name, _header_writer(member))
        elif member.location == "headers":
            prefixes.append((member.name, member.location_name))
        elif member.location == "statusCode":
            status = member.name

    def write(result: dict[str, Any], out: list[tuple[str, str]]) -> int | None:
        for name, value in result.items():
            bound = headers.get(name)
            if bound is not None and value is not None:
                text = bound[1](value)
                if text is not None:
                    out.append((bound[0], to_wire(text)))
        for name, prefix in prefixes:
            for key, value in (result.get(name) or {}).items():
                out.append((to_wire(prefix + key), to_wire(value)))
        return result.get(status) if status else None

    return write


def _header_writer(member: Member) -> Callable[[Any], str | None]:
    if member.jsonvalue:
        return lambda value: scalars.write_blob(msgspec.json.encode(value))
    if member.shape.type == "list":
        write_item = _scalar_writer(member.shape.member)
        quote = member.shape.member.shape.type == "string"
        return lambda value: ", ".join(_quote(write_item(i)) if quote else write_item(i) for i in value) or None
    return _scalar_writer(member)


def _quote(item: str) -> str:
    if '"' in item or "," in item:
        escaped = item.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return item


def _scalar_writer(member: Member) -> Callable[[Any], str]:
    kind = member.shape.type
    if kind == "timestamp":
        return scalars.timestamp_writer(member.timestamp_format or "rfc822")
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind in ("float", "double"):
        return scalars.write_float
    return scalars.write_blob if kind == "blob" else str
