"""Managed policies: documents with a name and versions, attached to whom they are to allow something.

Source: IAM API Reference, CreatePolicy and its like; IAM User Guide, "Managed policies and inline policies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import counters, pages, permissions, unique_ids, versions
from cumulo.services.identity.iam.errors import (
    BAD_ARN,
    NO_POLICY,
    NOT_ATTACHABLE,
    POLICY_ATTACHED,
    POLICY_EXISTS,
    POLICY_HAS_VERSIONS,
    VALIDATION_ERROR,
)
from cumulo.services.identity.iam.names import check_name, check_path, check_prefix
from cumulo.services.identity.iam.policies import aws_policies, policy_uses
from cumulo.services.identity.iam.policies.documents import check_managed
from cumulo.services.identity.iam.tag_rules import check_tags, shown_tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


class ManagedPolicy(Record):
    """One managed policy; its documents are PolicyVersions. `default_version` and `newest_version` are numbers."""

    name: str
    path: str
    policy_id: str
    arn: str
    created_at: float
    updated_at: float
    description: str = ""
    tags: dict[str, str] = {}
    default_version: int = 1
    newest_version: int = 1

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


class PolicyVersion(Record):
    """One version of a managed policy's document."""

    policy: str
    number: int
    document: str
    created_at: float


POLICIES = Table(ManagedPolicy, name="iam.policies", key="key", scope=ACCOUNT)
POLICY_VERSIONS = Table(PolicyVersion, name="iam.policy_versions", key=("policy", "number"), scope=ACCOUNT)


def check_arn(ctx: Context, arn: str) -> tuple[str, str]:
    """Account ("aws" for AWS's own) and name in a policy's ARN. Raises ValidationError for what is none."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
        raise BAD_ARN()
    if parts[1] != ctx.partition or parts[2] != "iam" or parts[3] or not parts[5].startswith("policy/"):
        raise VALIDATION_ERROR(f"ARN {arn} is not valid.")
    return parts[4], parts[5].rpartition("/")[2]


def peek(ctx: Context, arn: str, account: str | None = None) -> ManagedPolicy | None:
    """The customer's or AWS's policy with this ARN, if there is one; without asking for permission."""
    owner, name = check_arn(ctx, arn)
    if owner == "aws":
        known = aws_policies.find(ctx, arn)
        return None if known is None else _of_aws(known)
    if owner != (account or ctx.account):
        return None
    policy = POLICIES.peek(ctx, name.lower(), account=account)
    return policy if policy is not None and policy.arn == arn else None


def _of_aws(known: aws_policies.AwsPolicy) -> ManagedPolicy:
    return ManagedPolicy(
        known.name, known.path, known.policy_id, known.arn, known.created_at, known.updated_at,
        default_version=known.version, newest_version=known.version,
    )  # fmt: skip


def find(ctx: Context, arn: str, *, context: dict[str, Any] | None = None) -> ManagedPolicy:
    """The policy with this ARN, found and authorized. Raises NoSuchEntity, AccessDenied, ValidationError."""
    owner, _ = check_arn(ctx, arn)
    if owner not in ("aws", ctx.account):
        raise _not_yours(ctx, arn)  # whatever there is in another account
    policy = peek(ctx, arn)
    tags = policy.tags if policy is not None else None
    permissions.ask(ctx, arn, tags=tags, context=context, shown=f"policy {arn}")
    if policy is None:
        raise NO_POLICY(arn=arn)
    return policy


def find_own(ctx: Context, arn: str) -> ManagedPolicy:
    """The customer's policy that is to be changed: AWS's own cannot be. Raises NoSuchEntity, AccessDenied."""
    owner, _ = check_arn(ctx, arn)
    if owner == "aws":
        raise _not_yours(ctx, arn)  # nobody but AWS may, root included
    return find(ctx, arn)


def _not_yours(ctx: Context, arn: str) -> Exception:
    action = f"iam:{ctx.operation}"
    return permissions.DENIED(
        f"User: {ctx.principal.arn} is not authorized to perform: {action} on resource: policy {arn}"
    )


def check_attachable(ctx: Context, arn: str) -> ManagedPolicy:
    """The policy with this ARN, as something to attach. Raises NoSuchEntity, ValidationError."""
    policy = peek(ctx, arn)
    if policy is None:
        raise NOT_ATTACHABLE(arn=arn)
    return policy


def document(ctx: Context, arn: str, account: str | None = None) -> str | None:
    """The document of a policy's default version, None when there is no such policy."""
    policy = peek(ctx, arn, account)
    if policy is None:
        return None
    version = peek_version(ctx, policy, policy.default_version, account)
    return version.document if version is not None else None


def peek_version(ctx: Context, policy: ManagedPolicy, number: int, account: str | None = None) -> PolicyVersion | None:
    """One version of a policy; of AWS's own only the newest is known."""
    if not aws_policies.is_aws(policy.arn):
        return POLICY_VERSIONS.peek(ctx, policy.key, number, account=account)
    if number != policy.default_version:
        return None
    return PolicyVersion(policy.key, number, aws_policies.document(policy.arn), policy.updated_at)


def shown(policy: ManagedPolicy, attached: int, bounding: int, *, tags: bool = True, described: bool = True) -> Any:
    """The policy as answers show it."""
    answer: dict[str, Any] = {
        "PolicyName": policy.name,
        "PolicyId": policy.policy_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }
    if described and policy.description:
        answer["Description"] = policy.description
    if tags:
        answer["Tags"] = shown_tags(policy.tags)
    return answer


@operation
def create_policy(ctx: Context, request: t.CreatePolicyRequest) -> t.CreatePolicyResponse:
    """Make a managed policy; its document is version v1."""
    name = check_name(request["PolicyName"], "policyName")
    path = check_path(request.get("Path"))
    arn = permissions.arn_of(ctx, "policy", path, name)
    permissions.ask(ctx, arn, shown=f"policy {name}")
    tags = check_tags(request.get("Tags"))
    if tags:
        permissions.ask(ctx, arn, action="iam:TagPolicy", shown=f"policy {name}")
    text = check_managed(request["PolicyDocument"])
    if POLICIES.peek(ctx, name.lower()) is not None:
        raise POLICY_EXISTS(name=name)
    counters.add(ctx, "Policies")
    now = float(int(ctx.now()))
    policy_id = unique_ids.new_unique_id(ctx, unique_ids.POLICY)
    policy = ManagedPolicy(name, path, policy_id, arn, now, now, request.get("Description", ""), tags)
    POLICIES.put(ctx, policy)
    POLICY_VERSIONS.put(ctx, PolicyVersion(policy.key, 1, text, now))
    versions.touch(ctx)
    return {"Policy": shown(policy, 0, 0, tags=bool(tags))}


@operation
def get_policy(ctx: Context, request: t.GetPolicyRequest) -> t.GetPolicyResponse:
    """A managed policy, without its document."""
    policy = find(ctx, request["PolicyArn"])
    uses = [use.usage for use in policy_uses.of_policy(ctx, policy.arn)]
    return {"Policy": shown(policy, uses.count(policy_uses.ATTACHED), uses.count(policy_uses.BOUNDARY))}


@operation
def list_policies(ctx: Context, request: t.ListPoliciesRequest) -> t.ListPoliciesResponse:
    """The policies of AWS, of the customer, or both; on wish only those in use."""
    prefix = check_prefix(request.get("PathPrefix"))
    scope = request.get("Scope", "All")
    usage = request.get("PolicyUsageFilter")
    used = policy_uses.counts(ctx)
    attached_only = request.get("OnlyAttached", False)

    def wanted(policy: ManagedPolicy) -> bool:
        if not policy.path.startswith(prefix):
            return False
        if usage is not None and not used[policy.arn, usage]:
            return False
        return not attached_only or bool(used[policy.arn, policy_uses.ATTACHED])

    found: list[ManagedPolicy] = []
    if scope in ("All", "AWS"):
        found += [policy for policy in map(_of_aws, aws_policies.every(ctx)) if wanted(policy)]
    if scope in ("All", "Local"):
        found += [policy for policy in POLICIES.range(ctx) if wanted(policy)]

    def show(policy: ManagedPolicy) -> Any:
        attached = used[policy.arn, policy_uses.ATTACHED]
        return shown(policy, attached, used[policy.arn, policy_uses.BOUNDARY], tags=False, described=False)

    answer: t.ListPoliciesResponse = pages.of_list(ctx, found, request, "Policies", show, lambda policy: policy.arn)
    return answer


@operation
def delete_policy(ctx: Context, request: t.DeletePolicyRequest) -> None:
    """Delete a policy that nobody uses, with its only version."""
    policy = find_own(ctx, request["PolicyArn"])
    if policy_uses.of_policy(ctx, policy.arn):
        raise POLICY_ATTACHED()
    kept = POLICY_VERSIONS.range(ctx, policy.key)
    if len(kept) > 1:
        raise POLICY_HAS_VERSIONS()
    for version in kept:
        POLICY_VERSIONS.delete(ctx, version)
    POLICIES.delete(ctx, policy)
    counters.add(ctx, "Policies", -1)
    versions.touch(ctx)
