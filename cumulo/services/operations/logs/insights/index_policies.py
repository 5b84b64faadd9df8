"""Field indexes of log groups.

Queries here read columns, not indexes: what an index changes is which groups `filterIndex` reads, and what
DescribeFieldIndexes tells. Source: API reference, PutIndexPolicy, DescribeIndexPolicies, DeleteIndexPolicy,
DescribeFieldIndexes; CloudWatch Logs User Guide, "Field index syntax and quotas" (20 fields, names of 100 characters).
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, RESOURCE_NOT_FOUND
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.groups import GROUPS, STANDARD
from cumulo.services.operations.logs.query import walks
from cumulo.services.operations.logs.query.tree import Filter, Query
from cumulo.services.operations.logs.stored import account_records

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t

FIELDS_MOST = 20
NAME_LENGTH = 100
# Source: API reference, PutAccountPolicy.
DEFAULT = (
    "@logStream",
    "@aws.region",
    "@aws.account",
    "@source.log",
    "@data_source_name",
    "@data_source_type",
    "@data_format",
    "traceId",
    "severityText",
    "attributes.session.id",
)
FIELD_INDEX, FACET = "FIELD_INDEX", "FACET"
FORMER_MS = 30 * 86_400_000  # "for as many as 30 days" (API reference, DeleteIndexPolicy)


class IndexPolicy(Record):
    """A group's policy: its document, and the fields with their types. Times are milliseconds.

    `name` is that of an account policy that stands for one. `former` are fields that are indexed no more, with their
    types and since when; of a group whose policy was deleted nothing but these is left, and the document is empty.
    """

    group: bytes
    document: str
    fields: dict[str, str]
    updated_ms: int
    name: str = ""
    former: dict[str, tuple[str, int]] = {}


INDEX_POLICIES = Table(IndexPolicy, name="logs.index_policies", key="group", scope=GLOBAL)


def indexed(ctx: Context, group: Group) -> set[str]:
    """The fields on which a group's events are indexed."""
    if group.log_class != STANDARD:
        return set()
    return {*DEFAULT, *(name for each in policies_of(ctx, group) for name in each.fields)}


def policies_of(ctx: Context, group: Group) -> list[IndexPolicy]:
    """The policies that are for a group: its own, else one of the account; and the account's for its data source."""
    own = _own(ctx, group)
    found = [own] if own is not None else []
    for each in account_records.of_group(ctx, account_records.FIELD_INDEX, group):
        if own is None or account_records.prefix_of(each) is None:
            found.append(IndexPolicy(group.id, each.document, read(each.document), each.updated_ms, each.name))
    return found


def _own(ctx: Context, group: Group) -> IndexPolicy | None:
    found = INDEX_POLICIES.peek(ctx, group.id)
    return found if found is not None and found.document else None


def _former(ctx: Context, group: Group, fields: Container[str]) -> dict[str, tuple[str, int]]:
    """The fields that a group's own policy has now or had in the last days, without these."""
    before = INDEX_POLICIES.peek(ctx, group.id)
    if before is None:
        return {}
    now_ms = int(ctx.now() * 1000)
    every = {**before.former, **{name: (kind, now_ms) for name, kind in before.fields.items()}}
    return {name: at for name, at in every.items() if name not in fields and at[1] > now_ms - FORMER_MS}


def narrowed(ctx: Context, found: list[Group], query: Query) -> list[Group]:
    """The groups that a query reads: with filterIndex, those that have the index."""
    wanted = {
        field.name
        for command in query.commands
        if isinstance(command, Filter) and command.index
        for field in walks.fields_in(command.condition)
    }
    return [group for group in found if wanted <= indexed(ctx, group)] if wanted else found


def _find(ctx: Context, identifier: str) -> Group:
    """A group; these actions are asked for on no resource."""
    account, name = groups.read_identifier(ctx, identifier)
    group = GROUPS.peek(ctx, name) if account == ctx.account else None
    if group is None:
        raise RESOURCE_NOT_FOUND("The specified log group does not exist.")
    return group


@operation
def put_index_policy(ctx: Context, request: t.PutIndexPolicyRequest) -> t.PutIndexPolicyResponse:
    """Index events of a group by these fields."""
    group = _find(ctx, request["logGroupIdentifier"])
    if group.log_class != STANDARD:
        raise INVALID_PARAMETER("Field index policies are only supported for log groups of the Standard class.")
    document = request["policyDocument"]
    fields = read(document)
    policy = IndexPolicy(group.id, document, fields, int(ctx.now() * 1000), "", _former(ctx, group, fields))
    INDEX_POLICIES.put(ctx, policy)
    return {"indexPolicy": _described(group, policy)}


def read(document: str) -> dict[str, str]:
    """The fields of a policy document and their types, or AWS's error."""
    try:
        given: Any = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        raise INVALID_PARAMETER("The policy document is not valid JSON.") from None
    if not isinstance(given, dict) or not given or not set(given) <= {"Fields", "FieldsV2"}:
        raise INVALID_PARAMETER("The policy document must have Fields or FieldsV2, and nothing else.")
    names, typed = given.get("Fields", []), given.get("FieldsV2", {})
    if not isinstance(names, list) or not isinstance(typed, dict):
        raise INVALID_PARAMETER("Fields must be a list of names, and FieldsV2 a map of names.")
    fields: dict[str, str] = {}
    for name in names:
        _check_name(name, fields)
        fields[name] = FIELD_INDEX
    for name, details in typed.items():
        _check_name(name, fields)
        kind = details.get("type") if isinstance(details, dict) else None
        if kind not in (FIELD_INDEX, FACET):
            raise INVALID_PARAMETER(f"The type of the field {name} must be {FIELD_INDEX} or {FACET}.")
        fields[name] = kind
    if not fields or len(fields) > FIELDS_MOST:
        raise INVALID_PARAMETER(f"An index policy must have 1 to {FIELDS_MOST} fields.")
    return fields


def _check_name(name: Any, before: dict[str, str]) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_LENGTH:
        raise INVALID_PARAMETER(f"The name of a field must have 1 to {NAME_LENGTH} characters.")
    if name in before:
        raise INVALID_PARAMETER(f"The field {name} is in the policy document more than once.")
    if name in ("@message", "@timestamp", "@log"):
        raise INVALID_PARAMETER(f"The field {name} cannot be indexed.")


@operation
def describe_index_policies(ctx: Context, request: t.DescribeIndexPoliciesRequest) -> t.DescribeIndexPoliciesResponse:
    """The policies of groups."""
    found = []
    for identifier in request["logGroupIdentifiers"]:
        group = _find(ctx, identifier)
        found += [_described(group, policy) for policy in policies_of(ctx, group)]
    return {"indexPolicies": found}


def _described(group: Group, policy: IndexPolicy) -> t.IndexPolicy:
    answer: t.IndexPolicy = {
        "logGroupIdentifier": group.arn,
        "lastUpdateTime": policy.updated_ms,
        "policyDocument": policy.document,
        "source": "ACCOUNT" if policy.name else "LOG_GROUP",
    }
    if policy.name:
        answer["policyName"] = policy.name
    return answer


@operation
def delete_index_policy(ctx: Context, request: t.DeleteIndexPolicyRequest) -> t.DeleteIndexPolicyResponse:
    """Index the events of a group no more."""
    group = _find(ctx, request["logGroupIdentifier"])
    if _own(ctx, group) is None:
        raise RESOURCE_NOT_FOUND("The specified log group does not have an index policy.")
    INDEX_POLICIES.put(ctx, IndexPolicy(group.id, "", {}, int(ctx.now() * 1000), "", _former(ctx, group, {})))
    return {}


@operation
def describe_field_indexes(ctx: Context, request: t.DescribeFieldIndexesRequest) -> t.DescribeFieldIndexesResponse:
    """The indexed fields of groups. Nothing is indexed beforehand, so there are no times of indexed events."""
    wanted = request.get("indexCategories") or ["DEFAULT", "CUSTOM", "INACTIVE"]
    found: list[Any] = []
    for identifier in request["logGroupIdentifiers"]:
        group = _find(ctx, identifier)
        if group.log_class == STANDARD and "DEFAULT" in wanted:
            found += [{"fieldIndexName": name, "type": FIELD_INDEX, "indexCategory": "DEFAULT"} for name in DEFAULT]
        for policy in policies_of(ctx, group) if "CUSTOM" in wanted else ():
            for name, kind in policy.fields.items():
                entry: dict[str, Any] = {"fieldIndexName": name, "type": kind, "indexCategory": "CUSTOM"}
                if not policy.name:
                    entry["logGroupIdentifier"] = group.arn
                found.append(entry)
        former = _former(ctx, group, indexed(ctx, group)) if "INACTIVE" in wanted else {}
        for name, (kind, _) in former.items():
            entry = {"fieldIndexName": name, "type": kind, "indexCategory": "INACTIVE", "logGroupIdentifier": group.arn}
            found.append(entry)
    return {"fieldIndexes": found}
