"""How a service names its errors: one constant each, raised with their values.

    QUEUE_DOES_NOT_EXIST = Error("QueueDoesNotExist", "The specified queue does not exist.")
    raise QUEUE_DOES_NOT_EXIST()

Code, status and who is at fault come from the model's error shape of that name and from
the patches; the constant needs them only where there is no shape.
"""

from typing import Any

from cumulo.wire.faults import Fault as Fault  # for services, which do not know wire


class Error:
    """An AWS error of a service: its code (or error shape) and the text, with `{places}` for values."""

    __slots__ = ("code", "sender", "status", "text")

    def __init__(self, code: str, text: str = "", *, status: int | None = None, sender: bool = True) -> None:
        self.code = code
        self.text = text
        self.status = status
        self.sender = sender

    def __call__(
        self, message: str | None = None, /, *, members: dict[str, Any] | None = None, **values: object
    ) -> Fault:
        """The exception to raise; `message` replaces the text, `members` are members of the error shape."""
        if message is None:
            message = self.text.format(**values) if values else self.text
        return Fault(self.code, message, status=self.status, sender=self.sender, members=members)


INTERNAL_FAILURE = Error(
    "InternalFailure", "The request processing has failed because of an unknown error.", status=500, sender=False
)
NOT_IMPLEMENTED = Error("NotImplemented", status=501, sender=False)
SERVICE_UNAVAILABLE = Error("ServiceUnavailable", status=503, sender=False)


def not_implemented(service: str, operation: str, member: str = "") -> Fault:
    """The honest refusal of what cumulo does not do (yet): it names the operation, and the member if it is one."""
    what = f"{service}:{operation}"
    if member:
        return NOT_IMPLEMENTED(f"cumulo does not honour {member} of {what} yet. See: cumulo coverage {service}")
    return NOT_IMPLEMENTED(f"cumulo does not implement {what} yet. See: cumulo coverage {service}")
