"""Environment variables: what may be set, how large it may get, and that it is sealed at rest where a key is given.

Sources: Lambda Developer Guide, "Working with Lambda environment variables", Defined runtime environment variables,
and "Securing Lambda environment variables"; texts observed in AWS's answers.
"""

from __future__ import annotations

import msgspec

from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER

LIMIT_BYTES = 4096
RESERVED = frozenset((
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
))  # fmt: skip


def check(variables: dict[str, str]) -> None:
    """InvalidParameterValueException for reserved names, or too many bytes."""
    reserved = [name for name in variables if name in RESERVED]
    if reserved:
        raise INVALID_PARAMETER(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    measured = msgspec.json.encode(variables)
    if len(measured) > LIMIT_BYTES:
        raise INVALID_PARAMETER(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured.decode()}"
        )
