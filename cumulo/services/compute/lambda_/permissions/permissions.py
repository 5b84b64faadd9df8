"""AddPermission, RemovePermission and GetPolicy: statements of a function's resource policy.

Sources: Lambda API Reference, AddPermission; the shape of statements and all texts were observed in AWS's answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.errors import (
    ALIAS_NOT_FOUND,
    FUNCTION_NOT_FOUND,
    INVALID_PRINCIPAL,
    LATEST_HAS_NO_POLICY,
    NO_POLICY,
    NO_POLICY_FOR,
    NO_STATEMENT,
    RESOURCE_NOT_FOUND,
    STATEMENT_EXISTS,
    URLS_ONLY,
)
from cumulo.services.compute.lambda_.stored import policies, qualifiers, versions
from cumulo.services.compute.lambda_.stored.aliases import ALIASES
from cumulo.services.compute.lambda_.stored.policies import INVOKE_URL
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName

_ALIAS = re.compile(r"[a-zA-Z0-9_-]+")
_ACCOUNT = re.compile(r"\d{12}")
_IDENTITY = re.compile(r"arn:aws[a-zA-Z-]*:(?:iam|sts)::(?:\d{12}|cloudfront):\S+")
_SERVICE = re.compile(r"[a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|amazon\.com)")


def _place(ctx: Context, request: dict[str, Any], missing: Any) -> FunctionName:
    """What the policy is of, found and authorized; `missing` if the function is not there."""
    keys = {"lambda:Principal": request.get("Principal"), "lambda:FunctionUrlAuthType": _url_auth_type(request)}
    context = {key: value for key, value in keys.items() if value}
    place, function = qualifiers.named(ctx, request["FunctionName"], request.get("Qualifier"), context=context)
    if function is None:
        raise missing(arn=place.function_arn)
    return place


def _url_auth_type(request: dict[str, Any]) -> str | None:
    found: str | None = request.get("FunctionUrlAuthType")
    return found


def _check_qualifier(ctx: Context, place: FunctionName) -> None:
    qualifier = place.qualifier
    if not qualifier:
        return
    if qualifier.isdigit() or not _ALIAS.fullmatch(qualifier):
        if versions.of(ctx, place.account, place.region, place.name, qualifier) is None:
            raise FUNCTION_NOT_FOUND(arn=place.arn)
    elif ALIASES.peek(ctx, place.name, qualifier, account=place.account) is None:
        raise ALIAS_NOT_FOUND(arn=place.arn)


@operation
def add_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add a statement to the policy of a function, version or alias."""
    place = _place(ctx, request, FUNCTION_NOT_FOUND)
    if place.qualifier == LATEST:
        raise LATEST_HAS_NO_POLICY()
    _check_qualifier(ctx, place)
    if "FunctionUrlAuthType" in request and request["Action"] != INVOKE_URL:
        raise URLS_ONLY()
    policy = policies.of(ctx, *place)
    policies.check_revision(policy, request.get("RevisionId"), "GetPolicy")
    statement = _statement(request, place.arn)
    document = _decoded(policy.document) if policy is not None else {}
    document = document or {"Version": "2012-10-17", "Id": "default", "Statement": []}
    if any(each.get("Sid") == statement["Sid"] for each in document["Statement"]):
        raise STATEMENT_EXISTS(sid=statement["Sid"])
    document["Statement"].append(statement)
    policies.set_document(ctx, place, document)
    return {"Statement": msgspec.json.encode(statement).decode()}


def _decoded(text: str) -> dict[str, Any]:
    document = msgspec.json.decode(text, type=dict[str, Any])
    if isinstance(document.get("Statement"), dict):  # as PutResourcePolicy may have it
        document["Statement"] = [document["Statement"]]
    return document


def _statement(request: dict[str, Any], arn: str) -> dict[str, Any]:
    statement = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(request["Principal"], arn),
        "Action": request["Action"],
        "Resource": arn,
    }
    equals = {}
    if "SourceAccount" in request:
        equals["AWS:SourceAccount"] = request["SourceAccount"]
    if "EventSourceToken" in request:
        equals["lambda:EventSourceToken"] = request["EventSourceToken"]
    if "FunctionUrlAuthType" in request:
        equals["lambda:FunctionUrlAuthType"] = request["FunctionUrlAuthType"]
    if "PrincipalOrgID" in request:
        equals["aws:PrincipalOrgID"] = request["PrincipalOrgID"]
    condition: dict[str, Any] = {}
    if equals:
        condition["StringEquals"] = equals
    if "SourceArn" in request:
        condition["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    if "InvokedViaFunctionUrl" in request:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": "true" if request["InvokedViaFunctionUrl"] else "false"}
    if condition:
        statement["Condition"] = condition
    return statement


def _principal(principal: str, arn: str) -> str | dict[str, str]:
    if principal == "*":
        return principal
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"arn:{arn.split(':', 2)[1]}:iam::{principal}:root"}
    if _IDENTITY.fullmatch(principal):
        return {"AWS": principal}
    if _SERVICE.fullmatch(principal):
        return {"Service": principal}
    raise INVALID_PRINCIPAL()


@operation
def remove_permission(ctx: Context, request: dict[str, Any]) -> None:
    """Take a statement out of the policy of a function, version or alias; without any, there is no policy."""
    place = _place(ctx, request, NO_POLICY_FOR)
    _check_qualifier(ctx, place)
    policy = policies.of(ctx, *place)
    if policy is None:
        raise NO_POLICY()
    policies.check_revision(policy, request.get("RevisionId"), "GetPolicy")
    document = _decoded(policy.document)
    left = [each for each in document["Statement"] if each.get("Sid") != request["StatementId"]]
    if len(left) == len(document["Statement"]):
        raise NO_STATEMENT(sid=request["StatementId"])
    if left:
        document["Statement"] = left
        policies.set_document(ctx, place, document)
    else:
        policies.drop(ctx, place, policy)


@operation
def get_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The policy of a function, version or alias."""
    place = _place(ctx, request, RESOURCE_NOT_FOUND)
    policy = policies.of(ctx, *place)
    if policy is None:
        raise RESOURCE_NOT_FOUND()
    return {"Policy": policy.document, "RevisionId": policy.revision_id}
