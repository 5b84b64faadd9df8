"""Who may use a version of a layer: its policy, statement by statement. Texts observed in AWS's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.errors import (
    LAYER_VERSION_NOT_FOUND,
    NO_POLICY,
    NO_STATEMENT,
    REVISION_MISMATCH,
    STATEMENT_EXISTS,
)
from cumulo.services.compute.lambda_.layers import layers

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.layers.layers import LayerVersion


def _version(ctx: Context, request: dict[str, Any]) -> LayerVersion:
    """The version of the owner's: its policy says who may use it, not who may change it."""
    asked = layers.read(ctx, request["LayerName"], request["VersionNumber"])
    layers.authorize(ctx, asked)
    version = layers.peek(ctx, asked)
    if version is None:
        raise LAYER_VERSION_NOT_FOUND(arn=asked.arn)
    return version


def _check_revision(version: LayerVersion, request: dict[str, Any]) -> None:
    wanted = request.get("RevisionId")
    if wanted is not None and wanted != version.policy_revision_id:
        raise REVISION_MISMATCH(call="GetLayerPolicy")


@operation
def add_layer_version_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Let an account, an organization or everybody use a version of a layer."""
    version = _version(ctx, request)
    document = layers.policy_of(version)
    if any(each["Sid"] == request["StatementId"] for each in document["Statement"]):
        raise STATEMENT_EXISTS(sid=request["StatementId"])
    _check_revision(version, request)
    principal: Any = request["Principal"]
    if principal.isdigit():
        principal = f"arn:{ctx.partition}:iam::{principal}:root"
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": principal},
        "Action": request["Action"],
        "Resource": version.arn,
    }
    if "OrganizationId" in request:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": request["OrganizationId"]}}
    document["Statement"].append(statement)
    _put(ctx, version, document)
    return {"Statement": msgspec.json.encode(statement).decode(), "RevisionId": version.policy_revision_id}


@operation
def remove_layer_version_permission(ctx: Context, request: dict[str, Any]) -> None:
    """Take a statement out of a version's policy."""
    version = _version(ctx, request)
    if not version.policy:
        raise NO_POLICY()
    document = layers.policy_of(version)
    left = [each for each in document["Statement"] if each["Sid"] != request["StatementId"]]
    if len(left) == len(document["Statement"]):
        raise NO_STATEMENT(sid=request["StatementId"])
    _check_revision(version, request)
    document["Statement"] = left
    _put(ctx, version, document if left else None)


@operation
def get_layer_version_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The policy of a version of a layer."""
    version = _version(ctx, request)
    if not version.policy:
        raise NO_POLICY()
    return {"Policy": version.policy, "RevisionId": version.policy_revision_id}


def _put(ctx: Context, version: LayerVersion, document: dict[str, Any] | None) -> None:
    version.policy = msgspec.json.encode(document).decode() if document is not None else ""
    version.policy_revision_id = ctx.uuid() if document is not None else ""
    layers.keep(ctx, version)
