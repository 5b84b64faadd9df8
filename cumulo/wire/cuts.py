"""Cut botocore's models down to what the wire needs, and keep the cuts on disk.

botocore is installed for its data only: this module finds `botocore/data` without importing botocore, reads
`service-2.json` and `paginators-1.json`, applies our patch file, drops documentation and client matters, and
stores the rest as msgpack. A stored cut is named after botocore's version, the cut's own version and the hash
of the patch, so a change of any of them makes a new one. Writing is atomic; an unwritable folder is no error.

A patch file, `patches/<service>.json`, holds deviations of AWS from botocore's model as data::

    {"changes": [{"at": "shapes/QueueDoesNotExist", "merge": {"error": {"code": "..."}}, "source": "..."}]}

`at` is a path of keys from the root of the model; missing objects on the way are made. `merge` is merged deeply
into what is there (a null value removes a key). `source` names the AWS page that says so, or says
"observed in AWS's answers". Metadata keys that botocore does not have are listed at `Metadata`.
"""

import hashlib
import importlib.util
import os
import re
from pathlib import Path
from typing import Any

import msgspec

CUT_VERSION = 4
ALL = "all"  # the name under which the metadata of all services is kept
_PATCHES = Path(__file__).parent / "patches"


class Namespace(msgspec.Struct, omit_defaults=True, frozen=True):
    """An XML namespace of a shape or member."""

    uri: str
    prefix: str = ""


class MemberCut(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """A reference to a shape with the traits that it adds, named as botocore names them."""

    shape: str
    location: str = ""
    location_name: str = ""
    query_name: str = ""
    flattened: bool = False
    xml_attribute: bool = False
    xml_namespace: Namespace | str | None = None
    timestamp_format: str = ""
    streaming: bool = False
    eventpayload: bool = False
    eventheader: bool = False
    idempotency_token: bool = False
    jsonvalue: bool = False
    box: bool = False
    deprecated: bool = False
    sensitive: bool = False
    result_wrapper: str = ""


class ErrorCut(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """How an exception travels. `query_message` (ours): the fixed text of the query protocol where it differs."""

    code: str = ""
    http_status_code: int = 0
    sender_fault: bool | None = None
    fault: bool = False
    query_message: str = ""


class ShapeCut(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """A shape without its documentation."""

    type: str
    members: dict[str, MemberCut] = {}
    required: tuple[str, ...] = ()
    member: MemberCut | None = None
    key: MemberCut | None = None
    value: MemberCut | None = None
    min: int | float | None = None
    max: int | float | None = None
    pattern: str = ""
    enum: tuple[str, ...] = ()
    sensitive: bool = False
    location_name: str = ""
    flattened: bool = False
    timestamp_format: str = ""
    payload: str = ""
    streaming: bool = False
    eventstream: bool = False
    event: bool = False
    exception: bool = False
    fault: bool = False
    error: ErrorCut | None = None
    document: bool = False
    union: bool = False
    sparse: bool = False
    box: bool = False
    wrapper: bool = False
    deprecated: bool = False
    xml_namespace: Namespace | str | None = None


class HttpCut(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """The HTTP binding of an operation."""

    method: str = "POST"
    request_uri: str = "/"
    response_code: int = 200


class OperationCut(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """An operation without its documentation."""

    name: str
    http: HttpCut = HttpCut()
    input: MemberCut | None = None
    output: MemberCut | None = None
    errors: tuple[MemberCut, ...] = ()
    authtype: str = ""
    idempotent: bool = False
    readonly: bool = False
    deprecated: bool = False
    endpoint: dict[str, str] | None = None
    requestcompression: dict[str, tuple[str, ...]] | None = None


class Metadata(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """What botocore says of a service as a whole, and what our patches add.

    Added: `validation` (family of the texts, see `validation.py`), `errorNamespace` (before `#` in `__type`),
    `invalidAction` (text with {action} and {version}), `errorWrapping` (false: S3's bare `Error` document),
    `errorDetail` (an empty `Detail` in query errors), `errorType` (false: no `Type` in XML errors),
    `crc32` (answers carry the checksum of their body), `requestIdHeader`, `pathMember` (the input member that is the
    URL itself when a query request is sent to a path), `hosts` (further first labels of its host names),
    `globalQuery` (query answered although the model names json only).
    """

    api_version: str = ""
    endpoint_prefix: str = ""
    signing_name: str = ""
    target_prefix: str = ""
    protocol: str = ""
    protocols: tuple[str, ...] = ()
    json_version: str = "1.0"
    xml_namespace: str = ""
    service_full_name: str = ""
    aws_query_compatible: dict[str, Any] | None = None
    validation: str = ""
    error_namespace: str = ""
    invalid_action: str = ""
    error_wrapping: bool = True
    error_detail: bool = False
    error_type: bool = True
    crc32: bool = False
    request_id_header: str = "x-amzn-RequestId"
    path_member: str = ""
    hosts: tuple[str, ...] = ()

    @property
    def wire_protocols(self) -> tuple[str, ...]:
        """The protocols that clients may use, preferred first. A query-compatible service speaks query as well."""
        names = self.protocols or (self.protocol,)
        if self.aws_query_compatible is not None and "query" not in names:
            names = (*names, "query")
        return names


class PaginatorCut(msgspec.Struct, omit_defaults=True, frozen=True):
    """One entry of `paginators-1.json`."""

    input_token: str | tuple[str, ...] = ""
    limit_key: str = ""


class ServiceCut(msgspec.Struct, frozen=True):
    """A whole model, as read from JSON."""

    metadata: Metadata
    operations: dict[str, OperationCut]
    shapes: dict[str, ShapeCut]


class StoredCut(msgspec.Struct, array_like=True, frozen=True):
    """A cut as stored: operations and shapes stay encoded until somebody asks for them."""

    metadata: Metadata
    operations: dict[str, msgspec.Raw]
    shapes: dict[str, msgspec.Raw]
    paginators: dict[str, PaginatorCut]
    python_names: dict[str, str]
    exceptions: tuple[str, ...]
    routes: tuple[tuple[str, str, str], ...]  # (method, requestUri, operation), rest protocols only


class UnknownService(LookupError):
    """botocore has no service of this name."""


def read_stored(data: bytes) -> StoredCut:
    """Decode a stored cut. Raises msgspec.DecodeError or msgspec.ValidationError on foreign bytes."""
    return msgspec.msgpack.decode(data, type=StoredCut)


def botocore_folder() -> Path:
    """Where botocore is installed, found without importing it."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise UnknownService("botocore is not installed: cumulo needs its data")
    return Path(spec.submodule_search_locations[0])


def botocore_version(folder: Path) -> str:
    """`__version__` as written in botocore's `__init__.py`."""
    head = (folder / "__init__.py").read_bytes()[:4000]
    match = re.search(rb"__version__ = ['\"]([^'\"]+)", head)
    if match is None:
        raise UnknownService("botocore's version cannot be read")
    return match[1].decode()


def service_names(folder: Path) -> list[str]:
    """All services that botocore describes."""
    data = folder / "data"
    return sorted(entry.name for entry in os.scandir(data) if entry.is_dir())


def _model_folder(folder: Path, name: str) -> Path:
    versions = folder / "data" / name
    # A service name comes from requests as well: it must never leave the data folder.
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not versions.is_dir():
        raise UnknownService(name)
    return max(entry for entry in versions.iterdir() if entry.is_dir())


def _read(path: Path) -> bytes | None:
    """The content of a JSON file that may be there plain or as .gz."""
    import gzip  # only for cutting, which start-up does not do

    packed = path.with_name(path.name + ".gz")
    if packed.exists():
        return gzip.decompress(packed.read_bytes())
    return path.read_bytes() if path.exists() else None


def patch_bytes(name: str) -> bytes:
    """The patch file of a service, b"" when there is none."""
    path = _PATCHES / f"{name}.json"
    return path.read_bytes() if path.exists() else b""


def apply_patch(model: dict[str, Any], patch: bytes) -> None:
    """Apply the changes of a patch file to a model, in place."""
    if not patch:
        return
    for change in msgspec.json.decode(patch)["changes"]:
        target = model
        for key in change["at"].split("/"):
            target = target.setdefault(key, {})
        _merge(target, change["merge"])


def _merge(target: dict[str, Any], addition: dict[str, Any]) -> None:
    for key, value in addition.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


def read_metadata(folder: Path, name: str) -> Metadata:
    """Only the metadata of a service: it stands first in the file, so only the file's head is unpacked."""
    import gzip

    path = _model_folder(folder, name) / "service-2.json"
    packed = path.with_name(path.name + ".gz")
    if packed.exists():
        with gzip.open(packed) as file:
            head = file.read(8192)
    else:
        with path.open("rb") as file:
            head = file.read(8192)
    match = re.search(rb'"metadata":(\{.*?\n  \}),', head, re.DOTALL)
    model = {"metadata": msgspec.json.decode(match[1] if match else _whole_metadata(path))}
    apply_patch(model, patch_bytes(name))
    return msgspec.convert(model["metadata"], Metadata)


def _whole_metadata(path: Path) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(_read(path) or b"{}")["metadata"])


def cut_model(model: dict[str, Any], paginators: dict[str, Any], special_names: dict[str, str]) -> bytes:
    """Cut a patched model: the bytes that `read_stored` reads."""
    service = msgspec.convert(model, ServiceCut)
    encode = msgspec.msgpack.encode
    rest = any(protocol.startswith("rest-") for protocol in service.metadata.wire_protocols)
    stored = StoredCut(
        metadata=service.metadata,
        operations={name: msgspec.Raw(encode(cut)) for name, cut in service.operations.items()},
        shapes={name: msgspec.Raw(encode(cut)) for name, cut in service.shapes.items()},
        paginators=msgspec.convert(paginators, dict[str, PaginatorCut]),
        python_names={name: python_name(name, special_names) for name in service.operations},
        exceptions=tuple(name for name, cut in service.shapes.items() if cut.exception),
        routes=tuple((op.http.method, op.http.request_uri, name) for name, op in service.operations.items())
        if rest
        else (),
    )
    return encode(stored)


def cut(folder: Path, name: str) -> bytes:
    """Cut the model of a service from botocore's data."""
    versions = _model_folder(folder, name)
    raw = _read(versions / "service-2.json")
    if raw is None:
        raise UnknownService(name)
    model = msgspec.json.decode(raw)
    apply_patch(model, patch_bytes(name))
    pages = _read(versions / "paginators-1.json")
    paginators = msgspec.json.decode(pages)["pagination"] if pages else {}
    return cut_model(model, paginators, _special_names(folder))


def _special_names(folder: Path) -> dict[str, str]:
    """botocore's list of operation names that its rule does not cover, read from its source as data."""
    import ast

    source = (folder / "__init__.py").read_text()
    match = re.search(r"^_xform_cache = (\{.*?^\})", source, re.DOTALL | re.MULTILINE)
    table = ast.literal_eval(match[1]) if match else {}
    return {name: value for (name, separator), value in table.items() if separator == "_"}


def python_name(name: str, special_names: dict[str, str]) -> str:
    """The name of an operation in boto3: `SendMessage` is `send_message` (botocore's `xform_name`)."""
    if "_" in name:
        return name
    special = special_names.get(name)
    if special is not None:
        return special
    plural = re.search("[A-Z]{2,}s$", name)  # "ARNs" is one word
    if plural is not None:
        name = f"{name[: plural.start()]}_{plural[0].lower()}"
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", name).lower()


class Shelf:
    """The folder of stored cuts. `folder` None keeps nothing on disk."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, name: str, version: str) -> Path | None:
        """Where the cut of a service lies for this version of botocore and our present patch."""
        if self.folder is None:
            return None
        patches = sorted(_PATCHES.glob("*.json")) if name == ALL else [_PATCHES / f"{name}.json"]
        patch = hashlib.sha256(b"".join(path.read_bytes() for path in patches if path.exists())).hexdigest()[:12]
        return self.folder / f"{name}@{version}-{CUT_VERSION}-{patch}.msgpack"

    def read(self, path: Path | None) -> bytes | None:
        """The stored bytes, None when there are none."""
        if path is None:
            return None
        try:
            return path.read_bytes()
        except OSError:
            return None

    def write(self, path: Path | None, data: bytes) -> None:
        """Store the bytes under their name at once or not at all."""
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                temporary.write_bytes(data)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError:
            return  # a cut can always be made again: a full or read-only disk must not stop an answer
