"""Secrets of Secrets Manager, read as parameters under /aws/reference/secretsmanager/.

Source: Systems Manager User Guide, "Referencing AWS Secrets Manager secrets from Parameter Store parameters".
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.services.operations.ssm import parameter_names
from cumulo.services.operations.ssm.errors import NOT_FOUND, WITHOUT_DECRYPTION
from cumulo.services.operations.ssm.parameter_records import SECURE, authorize_name

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_names import Reference

_VERSION_ID_LENGTH = 32  # and more: labels are shorter than ids of versions, which are UUIDs


def read(ctx: Context, reference: Reference, *, decrypt: bool) -> Any:
    """The secret as a parameter, with the caller's own rights to the secret. ParameterNotFound without it."""
    name = reference.name
    authorize_name(ctx, name)
    if not decrypt:
        raise WITHOUT_DECRYPTION()
    secret_id = name.removeprefix(parameter_names.SECRETS)
    request = {"SecretId": secret_id}
    selector = reference.selector
    if selector:
        kind = "VersionId" if len(selector) >= _VERSION_ID_LENGTH and "-" in selector else "VersionStage"
        request[kind] = selector
    try:
        secret = ctx.call("secretsmanager", "GetSecretValue", request)
    except Fault as fault:
        if fault.code == "ResourceNotFoundException":
            raise NOT_FOUND(f"An error occurred (ParameterNotFound): {fault.message}") from None
        raise
    value = secret.get("SecretString")
    answer = {
        "Name": name,
        "Type": SECURE,
        "Value": value if value is not None else base64.b64encode(secret["SecretBinary"]).decode(),
        "Version": 0,
        "SourceResult": msgspec.json.encode(secret).decode(),
        "LastModifiedDate": secret["CreatedDate"],
        "ARN": secret["ARN"],
        "DataType": "text",
    }
    if selector:
        answer["Selector"] = f":{selector}"
    return answer
