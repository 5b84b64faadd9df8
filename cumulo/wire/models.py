"""The models of AWS services: operations, shapes, errors, pages.

`load("sqs")` gives a Service. Its operations and shapes are decoded when they are first asked for, so a first
call to a service costs what that call needs, whatever the size of the service.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from cumulo.wire import cuts
from cumulo.wire.cuts import Metadata, OperationCut, PaginatorCut, ShapeCut, UnknownService
from cumulo.wire.shapes import Member, Shape

__all__ = ["ErrorShape", "Member", "Operation", "Paginator", "Service", "Shape", "UnknownService", "configure", "load"]

_operation_decoder = msgspec.msgpack.Decoder(OperationCut)
_shape_decoder = msgspec.msgpack.Decoder(ShapeCut)

Paginator = PaginatorCut


class ErrorShape:
    """An exception of a service: how Fault("code") travels.

    `name` is the shape's ("QueueDoesNotExist"), `code` the query protocols' ("AWS.SimpleQueueService.…"),
    `status` the HTTP status, `fault` true when the service is at fault, `query_message` a text that the query
    protocol always sends instead, "" when none.
    """

    __slots__ = ("code", "fault", "name", "query_message", "shape", "status")

    def __init__(self, shape: Shape) -> None:
        error = shape.cut.error or cuts.ErrorCut()
        self.name = shape.name
        self.shape = shape
        self.code = error.code or shape.name
        self.fault = shape.cut.fault or error.fault or error.sender_fault is False
        self.status = error.http_status_code or (500 if self.fault else 400)
        self.query_message = error.query_message


class Operation:
    """An operation of a service."""

    __slots__ = (
        "_errors",
        "_input",
        "_output",
        "auth",
        "codecs",
        "cut",
        "http_method",
        "http_status",
        "http_uri",
        "idempotent",
        "name",
        "paginator",
        "python_name",
        "readonly",
        "service",
    )  # fmt: skip

    def __init__(self, name: str, cut: OperationCut, service: "Service") -> None:
        self.name = name
        self.service = service
        self.cut = cut
        self.python_name = service.python_names[name]
        self.http_method = cut.http.method
        self.http_uri = cut.http.request_uri
        self.http_status = cut.http.response_code
        self.auth = cut.authtype  # "none" for operations that need no signature, else ""
        self.idempotent = cut.idempotent
        self.readonly = cut.readonly
        self.paginator: Paginator | None = service.paginators.get(name)
        self.codecs: dict[str, object] = {}  # what protocol modules compiled for this operation
        self._input: Shape | None = None
        self._output: Shape | None = None
        self._errors: dict[str, ErrorShape] | None = None

    @property
    def input(self) -> Shape | None:
        """The shape of the request, None when there is nothing to send."""
        if self._input is None and self.cut.input is not None:
            self._input = self.service.shape(self.cut.input.shape)
        return self._input

    @property
    def output(self) -> Shape | None:
        """The shape of the answer, None when it is empty."""
        if self._output is None and self.cut.output is not None:
            self._output = self.service.shape(self.cut.output.shape)
        return self._output

    @property
    def errors(self) -> dict[str, ErrorShape]:
        """The errors that the model lists for this operation, by shape name and by code."""
        if self._errors is None:
            found: dict[str, ErrorShape] = {}
            for reference in self.cut.errors:
                error = self.service.errors.get(reference.shape)
                if error is not None:
                    found[error.name] = error
                    found.setdefault(error.code, error)
            self._errors = found
        return self._errors

    @property
    def streaming_input(self) -> bool:
        """Whether the request's body is a blob that need not be held in memory."""
        return _streams(self.input)

    @property
    def streaming_output(self) -> bool:
        """Whether the answer's body is a blob that need not be held in memory."""
        return _streams(self.output)

    @property
    def eventstream_input(self) -> Member | None:
        """The member of the request that is a stream of events."""
        return _event_member(self.input)

    @property
    def eventstream_output(self) -> Member | None:
        """The member of the answer that is a stream of events."""
        return _event_member(self.output)

    @property
    def idempotency_token(self) -> str:
        """The input member that makes a repetition harmless, "" when there is none."""
        for name, member in self.input.members.items() if self.input is not None else ():
            if member.cut.idempotency_token:
                return name
        return ""

    def __repr__(self) -> str:
        return f"<Operation {self.service.name}.{self.name}>"


def _streams(shape: Shape | None) -> bool:
    if shape is None or not shape.payload:
        return False
    member = shape.members[shape.payload]
    return member.streaming and not member.shape.eventstream


def _event_member(shape: Shape | None) -> Member | None:
    if shape is None:
        return None
    for member in shape.members.values():
        if member.shape.type == "structure" and member.shape.eventstream:
            return member
    return None


class _Operations(dict[str, Operation]):
    """Operations by name, decoded one by one. Iteration and membership know all names; values on demand."""

    def __init__(self, service: "Service", stored: dict[str, msgspec.Raw]) -> None:
        super().__init__()
        self._service = service
        self._stored = stored

    def __missing__(self, name: str) -> Operation:
        operation = Operation(name, _operation_decoder.decode(self._stored[name]), self._service)
        self[name] = operation
        return operation

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def keys(self):  # type: ignore[no-untyped-def]
        """The names of all operations."""
        return self._stored.keys()

    def values(self):  # type: ignore[no-untyped-def]
        """All operations: decodes every one."""
        return [self[name] for name in self._stored]

    def items(self):  # type: ignore[no-untyped-def]
        """All names with their operations: decodes every one."""
        return [(name, self[name]) for name in self._stored]

    def get(self, name, default=None):  # type: ignore[no-untyped-def]
        """The operation, or the default."""
        return self[name] if name in self._stored else default


class Service:
    """A service of AWS. `name` is botocore's ("sqs"); `protocols` are what clients may use, preferred first."""

    def __init__(self, name: str, stored: cuts.StoredCut) -> None:
        meta = stored.metadata
        self.name = name
        self.metadata = meta
        self.protocols = meta.wire_protocols
        self.endpoint_prefix = meta.endpoint_prefix
        self.signing_name = meta.signing_name or meta.endpoint_prefix
        self.target_prefix = meta.target_prefix
        self.api_version = meta.api_version
        self.xml_namespace = meta.xml_namespace
        self.json_version = meta.json_version
        self.query_compatible = meta.aws_query_compatible is not None
        self.python_names = stored.python_names
        self.paginators = stored.paginators
        self.operations: Mapping[str, Operation] = _Operations(self, stored.operations)
        self.routes = stored.routes
        self.codecs: dict[str, object] = {}  # what protocol modules compiled for this service
        self._stored_shapes = stored.shapes
        self._shapes: dict[str, Shape] = {}
        self._exceptions = stored.exceptions
        self._errors: dict[str, ErrorShape] | None = None
        self._by_python_name: dict[str, str] | None = None

    def shape(self, name: str) -> Shape:
        """The shape of this name. Raises KeyError."""
        shape = self._shapes.get(name)
        if shape is None:
            shape = self._shapes[name] = Shape(name, _shape_decoder.decode(self._stored_shapes[name]), self)
        return shape

    def shape_names(self) -> list[str]:
        """The names of all shapes."""
        return list(self._stored_shapes)

    def operation_by_python_name(self, name: str) -> Operation:
        """The operation that boto3 calls so. Raises KeyError."""
        if self._by_python_name is None:
            self._by_python_name = {python: name for name, python in self.python_names.items()}
        return self.operations[self._by_python_name[name]]

    @property
    def errors(self) -> dict[str, ErrorShape]:
        """All exceptions of the service by shape name and by code; a shape's name wins over another's code."""
        if self._errors is None:
            shapes = [ErrorShape(self.shape(name)) for name in self._exceptions]
            self._errors = {error.name: error for error in shapes}
            for error in shapes:
                self._errors.setdefault(error.code, error)
        return self._errors

    def __repr__(self) -> str:
        return f"<Service {self.name}>"


class _Library:
    """The models that this process has loaded."""

    def __init__(self) -> None:
        self.shelf = cuts.Shelf(None)
        self.services: dict[str, Service] = {}
        self.folder: Path | None = None
        self.version = ""
        self.metadata: dict[str, Metadata] | None = None

    def locate(self) -> Path:
        if self.folder is None:
            self.folder = cuts.botocore_folder()
            self.version = cuts.botocore_version(self.folder)
        return self.folder


_library = _Library()


def configure(cache_dir: Path | None) -> None:
    """Keep cuts in this folder from now on; None keeps none."""
    _library.shelf = cuts.Shelf(cache_dir)


def load(name: str) -> Service:
    """The model of a service by botocore's name, from this process, the folder of cuts, or botocore's data.

    Raises UnknownService when botocore describes no such service.
    """
    service = _library.services.get(name)
    if service is not None:
        return service
    folder = _library.locate()
    path = _library.shelf.path(name, _library.version)
    data = _library.shelf.read(path)
    stored = None
    if data is not None:
        try:
            stored = cuts.read_stored(data)
        except (msgspec.DecodeError, msgspec.ValidationError):
            stored = None  # half a disk block or another program's file: cut again
    if stored is None:
        data = cuts.cut(folder, name)
        _library.shelf.write(path, data)
        stored = cuts.read_stored(data)
    service = _library.services[name] = Service(name, stored)
    return service


def metadata(name: str) -> Metadata:
    """The metadata of a service, without loading its model. Raises UnknownService."""
    service = _library.services.get(name)
    if service is not None:
        return service.metadata
    if _library.metadata is not None and name in _library.metadata:
        return _library.metadata[name]
    folder = _library.locate()
    path = _library.shelf.path(name, _library.version)
    return load(name).metadata if path is not None and path.exists() else cuts.read_metadata(folder, name)


def all_metadata() -> dict[str, Metadata]:
    """The metadata of every service that botocore describes. Some 0.1 s the first time, then kept on disk."""
    if _library.metadata is None:
        folder = _library.locate()
        path = _library.shelf.path(cuts.ALL, _library.version)
        data = _library.shelf.read(path)
        if data is not None:
            try:
                _library.metadata = msgspec.msgpack.decode(data, type=dict[str, Metadata])
            except (msgspec.DecodeError, msgspec.ValidationError):
                data = None
        if data is None or _library.metadata is None:
            _library.metadata = {name: cuts.read_metadata(folder, name) for name in cuts.service_names(folder)}
            _library.shelf.write(path, msgspec.msgpack.encode(_library.metadata))
    return _library.metadata
