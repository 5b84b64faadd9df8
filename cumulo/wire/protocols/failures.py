"""From a Fault to what each protocol sends: name, code, status and members.

The model and its patches say how the errors of a service travel. A few codes belong to no service (signatures,
authorization, throttling): AWS spells them differently in the JSON protocols and in the older XML ones.
"""

from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.models import ErrorShape, Service, Shape

Response = tuple[int, list[tuple[str, str]], bytes]

# Code of the query and XML protocols: (its status there, name in the JSON and CBOR protocols, status there).
# Source: "Common Errors" of the IAM, SQS, Lambda and DynamoDB API references.
_SHARED = {
    "AccessDenied": (403, "AccessDeniedException", 400),
    "ExpiredToken": (403, "ExpiredTokenException", 400),
    "IncompleteSignature": (400, "IncompleteSignatureException", 400),
    "InternalFailure": (500, "InternalFailure", 500),
    "InvalidClientTokenId": (403, "UnrecognizedClientException", 400),
    "MissingAuthenticationToken": (403, "MissingAuthenticationTokenException", 400),
    "OptInRequired": (403, "OptInRequired", 403),
    "RequestExpired": (400, "RequestExpired", 400),
    "ServiceUnavailable": (503, "ServiceUnavailableException", 503),
    "SignatureDoesNotMatch": (403, "InvalidSignatureException", 400),
    "Throttling": (400, "ThrottlingException", 400),
    "ValidationError": (400, "ValidationException", 400),
}
_SHARED_BY_JSON_NAME = {names[1]: code for code, names in _SHARED.items()}
# These come from the framework below the services and carry its namespace and its spelling of "Message".
_CORAL = frozenset({"SerializationException", "UnknownOperationException", "AccessDeniedException", "InternalFailure"})


class Failure:
    """A fault, resolved: `name` for JSON and CBOR (`__type`), `code` for query and XML."""

    __slots__ = ("code", "members", "message", "name", "query_message", "sender", "shape", "status")

    def __init__(self, fault: Fault, service: Service, *, xml: bool, rest: bool) -> None:
        known = service.errors.get(fault.code)
        shared = None if known else _SHARED_BY_JSON_NAME.get(fault.code, fault.code)
        known = known or (service.errors.get(shared) if shared else None)
        self.sender = fault.sender
        self.message = self.query_message = fault.message
        self.shape: Shape | None = None
        self.members = fault.members
        if known is not None:
            self._from_model(known)
        elif shared in _SHARED:
            xml_status, self.name, status = _SHARED[shared]
            self.code = shared
            # The REST protocols and those that answer queries kept the statuses of old.
            self.status = xml_status if xml or rest or service.query_compatible else status
            self.sender = self.status < 500
        else:
            self.name = self.code = fault.code
            self.status = 400 if fault.sender else 500
        if fault.status is not None:
            self.status = fault.status

    def _from_model(self, known: ErrorShape) -> None:
        self.name, self.code, self.status = known.name, known.code, known.status
        self.shape = known.shape
        self.sender = not known.fault
        self.query_message = known.query_message or self.message

    def members_of_shape(self) -> dict[str, Any]:
        """The members of the error shape, the message under the name that the shape gives it.

        A shape without a member for the message still gets one: that is what AWS sends and SDKs read. A fault whose
        members hold the message already, under AWS's other spelling, keeps that.
        """
        members = dict(self.members)
        name = self.message_name()
        if self.message and name not in members and "Message" not in members:
            members[name] = self.message
        return members

    def message_name(self) -> str:
        """`message` or `Message`."""
        if self.shape is not None:
            for name in self.shape.members:
                if name in ("message", "Message", "errorMessage"):
                    return name
        return "Message" if self.name in _CORAL else "message"

    def type_name(self, service: Service) -> str:
        """`__type` as the service writes it."""
        if self.shape is None and self.name in _CORAL:
            return f"com.amazon.coral.service#{self.name}"
        namespace = service.metadata.error_namespace
        return f"{namespace}#{self.name}" if namespace else self.name

    def query_error(self) -> str:
        """The value of `x-amzn-query-error`."""
        return f"{self.code};{'Sender' if self.sender else 'Receiver'}"
