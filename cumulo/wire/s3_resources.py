"""What S3 says where a resource does not take a method: paths without it, and subresources (`?acl`) that
the operation found would pass over.

Source: S3 API Reference, "Error Responses", MethodNotAllowed; members and the text about version ids as seen of AWS.
"""

import re

from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.models import Service
from cumulo.wire.protocols.bindings import query_values

_OF_PARTS = ("partNumber", "uploadId")
_START_AFTER = re.compile("(?:^|&)start-after=")
_CONTROL = "/v20180820/"


def is_control(path: str) -> bool:
    """Whether a path is S3 Control's, which signs with S3's name."""
    return path.startswith(_CONTROL)


def not_allowed(method: str, path: str, subresource: str = "") -> Fault:
    """The refusal of a method, `path` being that of the path style."""
    _, bucket, *key = path.split("/", 2) if path.startswith("/") else ("", "")
    kind = "SERVICE" if not bucket else "OBJECT" if key and key[0] else "BUCKET"
    return Fault(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        status=405,
        members={"Method": method, "ResourceType": subresource.upper().replace("-", "_") or kind},
    )


class Subresources:
    """The names in query strings that choose S3's operations."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._taken: dict[str, set[str]] = {}
        for _, uri, operation in service.routes:
            bare = {name for name in uri.partition("?")[2].split("&") if name and "=" not in name}
            self._taken.setdefault(operation, set()).update(bare)
        names = sorted(set().union(*self._taken.values()))
        self._known = re.compile(f"(?:^|&)({'|'.join(names)}|versionId|partNumber|uploadId)(?=[=&]|$)")
        self._complete: set[str] = set()

    def check(self, operation: str, request: Request, path: str) -> None:
        """Refuse what the operation does not take. Raises MethodNotAllowed, InvalidArgument, InvalidRequest."""
        found: list[str] = self._known.findall(request.query)
        if operation == "ListObjects" and _START_AFTER.search(request.query):
            text = "startAfter only supported in REST.GET.BUCKET with list-type=2"  # as seen of AWS
            raise Fault("InvalidArgument", text)
        if operation == "CompleteMultipartUpload" and "uploadId" not in found:
            raise not_allowed(request.method, path)  # nothing chose it
        for name in found:
            if name in self._taken_by(operation):
                continue
            if name == "versionId":
                value = query_values(request.query)[name][0]
                text = "This operation does not accept a version-id."
                raise Fault("InvalidArgument", text, members={"ArgumentName": name, "ArgumentValue": value})
            if name not in _OF_PARTS:
                raise not_allowed(request.method, path, name)
            if request.method == "PUT":
                other = _OF_PARTS[1 - _OF_PARTS.index(name)]
                raise Fault("InvalidRequest", f"Missing required parameter for this request: {other}")

    def _taken_by(self, operation: str) -> set[str]:
        taken = self._taken[operation]
        if operation not in self._complete:
            shape = self._service.operations[operation].input
            members = shape.members.values() if shape is not None else ()
            taken.update([member.wire_name for member in members if member.location == "querystring"])
            self._complete.add(operation)
        return taken
