"""Environment variables: what may be set, how large it may get, and that it is sealed at rest where a key is given.

Sources: Lambda Developer Guide, "Working with Lambda environment variables", Defined runtime environment variables,
and "Securing Lambda environment variables"; texts observed in AWS's answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import encryption
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER
from cumulo.services.compute.lambda_.stored.functions import arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.versions import Version

LIMIT_BYTES = 4096
RESERVED = frozenset((
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
    "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
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


def set_variables(ctx: Context, version: Version, variables: dict[str, str] | None) -> None:
    """Keep the variables in a version: sealed if it has a key. KMS is asked in the caller's name."""
    version.variables, version.variables_sealed = variables, b""
    if version.kms_key_arn and variables:
        with _kms_words("configure", "GenerateDataKey"):
            version.variables_sealed = encryption.seal(
                ctx, version.kms_key_arn, msgspec.json.encode(variables), _context(version)
            )
        version.variables = {}


def set_key(ctx: Context, version: Version, key_arn: str) -> None:
    """Seal the variables under another key, or under none; the role gets a grant to open them with."""
    variables = version.variables
    if version.variables_sealed:
        with _kms_words("configure", "Decrypt"):
            variables = opened(ctx, version)
    drop_grant(ctx, version)
    version.kms_key_arn = key_arn
    if key_arn:
        grant(ctx, version)
    set_variables(ctx, version, variables)


def grant(ctx: Context, version: Version) -> None:
    """Let the version's role open what is sealed for the function: a grant of KMS, made with the caller's rights.

    Source: Lambda Developer Guide, "Securing Lambda environment variables": kms:CreateGrant is asked of the caller.
    """
    request = {
        "KeyId": version.kms_key_arn,
        "GranteePrincipal": version.role,
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextEquals": _context(version)},
    }
    with _kms_words("configure access to", "CreateGrant"):
        version.kms_grant_id = ctx.call("kms", "CreateGrant", request)["GrantId"]


def drop_grant(ctx: Context, version: Version) -> None:
    """The role of a version needs the key no more; a key that is gone has no grants either."""
    if version.kms_grant_id:
        request = {"KeyId": version.kms_key_arn, "GrantId": version.kms_grant_id}
        with contextlib.suppress(Fault):
            ctx.call("kms", "RevokeGrant", request, internal=True)
        version.kms_grant_id = ""


def opened(ctx: Context, version: Version) -> dict[str, str]:
    """The variables of a version in plain; KMS is asked in the caller's name. Raises KMS's faults."""
    if not version.variables_sealed:
        return version.variables or {}
    plaintext = encryption.open(ctx, version.variables_sealed, _context(version))
    return msgspec.json.decode(plaintext, type=dict[str, str])


def shown(ctx: Context, version: Version) -> dict[str, Any] | None:
    """The Environment of answers: an Error in it where the caller may not open what is sealed."""
    if not version.variables_sealed:
        return None if version.variables is None else {"Variables": version.variables}
    try:
        return {"Variables": opened(ctx, version)}
    except Fault as fault:
        text = (
            "Lambda was unable to decrypt your environment variables because the KMS access was denied. Please check "
            f"your KMS permissions. KMS Exception: {fault.code}KMS Message: {fault.message}"  # sic
        )
        return {"Error": {"ErrorCode": fault.code, "Message": text}}


def _context(version: Version) -> dict[str, str]:
    """The encryption context. Source: Lambda Developer Guide, "Securing Lambda environment variables"."""
    return {"aws:lambda:FunctionArn": arn_of(version.account, version.region, version.name)}


@contextlib.contextmanager
def _kms_words(what: str, call: str) -> Iterator[None]:
    """Lambda's words for what KMS refuses while a function is configured. Source: reported by users of AWS."""
    try:
        yield
    except Fault as fault:
        raise INVALID_PARAMETER(
            f"Lambda was unable to {what} your environment variables because the KMS key is invalid for {call}. Please "
            f"check your KMS key settings. KMS Exception: {fault.code} KMS Message: {fault.message}"
        ) from None
