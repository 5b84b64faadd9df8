"""The `context` that Python handlers are given.

Source: AWS Lambda Developer Guide, "Using the Lambda context object to retrieve Python function information"; the
behaviour of PyPI's awslambdaric 4.2.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Any

W3C_FIELDS = ("traceparent", "tracestate", "baggage")


def _fill(holder: Any, values: dict[str, Any]) -> Any:
    for name in holder.__slots__:
        setattr(holder, name, values.get(name))
    return holder


def _described(holder: Any, names: Any) -> str:
    inner = ",".join(f"{name}={getattr(holder, name)}" for name in names)
    return f"{type(holder).__name__}([{inner}])"


class CognitoIdentity:
    """Who called, when credentials of Amazon Cognito were used."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __repr__(self) -> str:
        return _described(self, self.__slots__)


class Client:
    """The mobile application that called."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __repr__(self) -> str:
        return _described(self, self.__slots__)


class ClientContext:
    """What the calling application sent as ClientContext."""

    __slots__ = ("client", "custom", "env")

    def __repr__(self) -> str:
        return _described(self, self.__slots__)


class LambdaContext:
    """The second argument of handlers."""

    def __init__(
        self,
        invoke_id: str,
        client_context: dict[str, Any] | None,
        cognito_identity: dict[str, Any] | None,
        epoch_deadline_time_in_ms: int,
        invoked_function_arn: str | None = None,
        tenant_id: str | None = None,
    ) -> None:
        variables = os.environ
        self.aws_request_id = invoke_id
        self.log_group_name = variables.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = variables.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = variables.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = variables.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        traced = client_context.pop("w3c", None) if isinstance(client_context, dict) else None
        found = traced if isinstance(traced, dict) else {}
        self._w3c_fields = {name: found[name] for name in W3C_FIELDS if isinstance(found.get(name), str)}
        self.client_context = None
        if client_context is not None:
            self.client_context = _fill(ClientContext(), client_context)
            if self.client_context.client is not None:
                self.client_context.client = _fill(Client(), self.client_context.client)
        given = cognito_identity or {}
        self.identity = CognitoIdentity()
        self.identity.cognito_identity_id = given.get("cognitoIdentityId")  # type: ignore[attr-defined]
        self.identity.cognito_identity_pool_id = given.get("cognitoIdentityPoolId")  # type: ignore[attr-defined]
        self._epoch_deadline_time_in_ms = epoch_deadline_time_in_ms

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out; 0 when it has."""
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self) -> dict[str, str]:
        """The W3C trace context of this invocation."""
        return dict(self._w3c_fields)

    def log(self, msg: object) -> None:
        """Write to the log as it is."""
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "log_sink"):
                handler.log_sink.log(str(msg))
                return
        sys.stdout.write(str(msg))

    def __repr__(self) -> str:
        names = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
        )  # fmt: skip
        return _described(self, names)
