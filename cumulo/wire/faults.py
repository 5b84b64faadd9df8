"""The one exception that becomes an AWS error answer."""

from typing import Any


class Fault(Exception):
    """An error answer: AWS's code and message, and how it travels.

    `code` is the name of an error shape of the service ("QueueDoesNotExist") or a plain
    AWS code ("AccessDenied"). `status` None means: what the model says, else 400 for the
    sender's faults and 500 for ours. `members` are further members of the error shape.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int | None = None,
        sender: bool = True,
        members: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.sender = sender
        self.members = members or {}

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
