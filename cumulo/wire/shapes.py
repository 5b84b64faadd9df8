"""Shapes: the types of requests and answers, resolved from a cut when first asked for."""

from typing import TYPE_CHECKING

from cumulo.wire.cuts import MemberCut, Namespace, ShapeCut

if TYPE_CHECKING:
    from cumulo.wire.models import Service


class Shape:
    """A type of the model. `type` is botocore's: structure, list, map, string, integer, long, boolean, float,
    double, blob, timestamp, and rarely character, bigdecimal.
    """

    __slots__ = (
        "_key",
        "_member",
        "_members",
        "_service",
        "_value",
        "box",
        "cut",
        "document",
        "enum",
        "event",
        "eventstream",
        "exception",
        "flattened",
        "location_name",
        "max",
        "min",
        "name",
        "pattern",
        "payload",
        "required",
        "sensitive",
        "sparse",
        "streaming",
        "timestamp_format",
        "type",
        "union",
        "wrapper",
        "xml_namespace",
    )  # fmt: skip

    def __init__(self, name: str, cut: ShapeCut, service: "Service") -> None:
        self.name = name
        self.cut = cut
        self.type = cut.type
        self.required = cut.required
        self.min = cut.min
        self.max = cut.max
        self.pattern = cut.pattern
        self.enum = cut.enum
        self.sensitive = cut.sensitive
        self.location_name = cut.location_name
        self.flattened = cut.flattened
        self.timestamp_format = cut.timestamp_format
        self.payload = cut.payload
        self.streaming = cut.streaming
        self.eventstream = cut.eventstream
        self.event = cut.event
        self.exception = cut.exception
        self.document = cut.document
        self.union = cut.union
        self.sparse = cut.sparse
        self.box = cut.box
        self.wrapper = cut.wrapper
        self.xml_namespace = namespace_of(cut.xml_namespace)
        self._service = service
        self._members: dict[str, Member] | None = None
        self._member: Member | None = None
        self._key: Member | None = None
        self._value: Member | None = None

    @property
    def members(self) -> "dict[str, Member]":
        """The members of a structure by AWS's name, in the model's order."""
        if self._members is None:
            self._members = {name: Member(name, cut, self._service) for name, cut in self.cut.members.items()}
        return self._members

    @property
    def member(self) -> "Member":
        """The element of a list."""
        if self._member is None:
            assert self.cut.member is not None, self.name
            self._member = Member("member", self.cut.member, self._service)
        return self._member

    @property
    def key(self) -> "Member":
        """The key of a map."""
        if self._key is None:
            assert self.cut.key is not None, self.name
            self._key = Member("key", self.cut.key, self._service)
        return self._key

    @property
    def value(self) -> "Member":
        """The value of a map."""
        if self._value is None:
            assert self.cut.value is not None, self.name
            self._value = Member("value", self.cut.value, self._service)
        return self._value

    def __repr__(self) -> str:
        return f"<Shape {self.name}: {self.type}>"


class Member:
    """A shape in its place: the traits of the place win over those of the shape."""

    __slots__ = ("_service", "_shape", "cut", "location", "name", "query_name", "xml_attribute")

    def __init__(self, name: str, cut: MemberCut, service: "Service") -> None:
        self.name = name
        self.cut = cut
        self.location = cut.location
        self.query_name = cut.query_name
        self.xml_attribute = cut.xml_attribute
        self._service = service
        self._shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        """The shape of this member."""
        if self._shape is None:
            self._shape = self._service.shape(self.cut.shape)
        return self._shape

    @property
    def location_name(self) -> str:
        """The name on the wire, "" when it is the member's own."""
        return self.cut.location_name or self.shape.location_name

    @property
    def wire_name(self) -> str:
        """The name on the wire."""
        return self.cut.location_name or self.shape.location_name or self.name

    @property
    def flattened(self) -> bool:
        """Whether a list or map is written without an element around it."""
        return self.cut.flattened or self.shape.flattened

    @property
    def timestamp_format(self) -> str:
        """iso8601, rfc822, unixTimestamp, or "" for the protocol's default."""
        return self.cut.timestamp_format or self.shape.timestamp_format

    @property
    def xml_namespace(self) -> Namespace | None:
        """The namespace that the element declares."""
        return namespace_of(self.cut.xml_namespace) or self.shape.xml_namespace

    @property
    def sensitive(self) -> bool:
        """Whether values must not appear in texts."""
        return self.cut.sensitive or self.shape.sensitive

    @property
    def streaming(self) -> bool:
        """Whether the value is a body that need not be held in memory."""
        return self.cut.streaming or self.shape.streaming

    @property
    def jsonvalue(self) -> bool:
        """Whether a header holds base64 of JSON."""
        return self.cut.jsonvalue

    def __repr__(self) -> str:
        return f"<Member {self.name}: {self.cut.shape}>"


def namespace_of(value: Namespace | str | None) -> Namespace | None:
    """botocore writes a namespace as a string or as an object: always the object."""
    return Namespace(value) if isinstance(value, str) else value
