"""Versions of managed policies: at most five, one of them in force.

Source: IAM User Guide, "Versioning IAM policies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam import pages, versions
from cumulo.services.identity.iam.errors import DEFAULT_VERSION, NO_POLICY_VERSION, TOO_MANY_VERSIONS
from cumulo.services.identity.iam.policies import aws_policies, policies
from cumulo.services.identity.iam.policies.documents import check_managed, encoded
from cumulo.services.identity.iam.policies.policies import POLICIES, POLICY_VERSIONS, PolicyVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.iam.policies.policies import ManagedPolicy
    from cumulo.stubs import iam as t

MOST_VERSIONS = 5


def _find(ctx: Context, policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    """The version "v3" (v3.… are versions of AWS's making, which no customer's policy has)."""
    number = version_id[1:].partition(".")[0]
    version = policies.peek_version(ctx, policy, int(number)) if number.isdigit() else None
    if version is None or "." in version_id:
        if aws_policies.is_aws(policy.arn):
            ctx.logger.warning("of %s only version v%d is known here", policy.arn, policy.default_version)
        raise NO_POLICY_VERSION(arn=policy.arn, version=version_id)
    return version


def _shown(policy: ManagedPolicy, version: PolicyVersion, *, document: bool = False) -> Any:
    answer: dict[str, Any] = {
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.number == policy.default_version,
        "CreateDate": version.created_at,
    }
    if document:
        answer["Document"] = encoded(version.document)
    return answer


@operation
def create_policy_version(ctx: Context, request: t.CreatePolicyVersionRequest) -> t.CreatePolicyVersionResponse:
    """Add a version to a policy, and on wish put it in force at once."""
    policy = policies.find_own(ctx, request["PolicyArn"])
    text = check_managed(request["PolicyDocument"])
    if len(POLICY_VERSIONS.range(ctx, policy.key)) >= MOST_VERSIONS:
        raise TOO_MANY_VERSIONS()
    policy.newest_version += 1
    now = float(int(ctx.now()))
    version = PolicyVersion(policy.key, policy.newest_version, text, now)
    POLICY_VERSIONS.put(ctx, version)
    policy.updated_at = now
    if request.get("SetAsDefault"):
        policy.default_version = version.number
    POLICIES.put(ctx, policy)
    versions.touch(ctx)
    return {"PolicyVersion": _shown(policy, version)}


@operation
def get_policy_version(ctx: Context, request: t.GetPolicyVersionRequest) -> t.GetPolicyVersionResponse:
    """A version with its document."""
    policy = policies.find(ctx, request["PolicyArn"])
    return {"PolicyVersion": _shown(policy, _find(ctx, policy, request["VersionId"]), document=True)}


@operation
def list_policy_versions(ctx: Context, request: t.ListPolicyVersionsRequest) -> t.ListPolicyVersionsResponse:
    """All versions of a policy, the newest first; of AWS's own policies the one in force."""
    policy = policies.find(ctx, request["PolicyArn"])
    if aws_policies.is_aws(policy.arn):
        only = policies.peek_version(ctx, policy, policy.default_version)
        found = [only] if only is not None else []
    else:
        found = POLICY_VERSIONS.range(ctx, policy.key)
    answer: t.ListPolicyVersionsResponse = pages.of_list(
        ctx,
        found,
        request,
        "Versions",
        lambda version: _shown(policy, version),
        lambda version: f"{10**9 - version.number}",
    )
    return answer


@operation
def set_default_policy_version(ctx: Context, request: t.SetDefaultPolicyVersionRequest) -> None:
    """Put another version in force, for everyone the policy is attached to."""
    policy = policies.find_own(ctx, request["PolicyArn"])
    policy.default_version = _find(ctx, policy, request["VersionId"]).number
    policy.updated_at = float(int(ctx.now()))
    POLICIES.put(ctx, policy)
    versions.touch(ctx)


@operation
def delete_policy_version(ctx: Context, request: t.DeletePolicyVersionRequest) -> None:
    """Delete a version that is not in force."""
    policy = policies.find_own(ctx, request["PolicyArn"])
    version = _find(ctx, policy, request["VersionId"])
    if version.number == policy.default_version:
        raise DEFAULT_VERSION()
    POLICY_VERSIONS.delete(ctx, version)
    policy.updated_at = float(int(ctx.now()))
    POLICIES.put(ctx, policy)
