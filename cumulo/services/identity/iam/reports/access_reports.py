"""The access advisor: which of the services that it may use an identity did use, when, where and for what.

A report is a job: asked for, then read. Here it is complete at once, and says what was known when it was asked for.
Source: GenerateServiceLastAccessedDetails, GetServiceLastAccessedDetails, …WithEntities (IAM API Reference);
"Refine permissions in AWS using last accessed information" (IAM User Guide).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.access.names import service_names
from cumulo.core.operation import operation, reconciler
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.core.usage import service_uses
from cumulo.core.usage.service_uses import ServiceUse
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.entities import entity_policies, group_members, groups, roles, users
from cumulo.services.identity.iam.errors import INVALID_INPUT, NO_SUCH_ENTITY
from cumulo.services.identity.iam.policies import policies, policy_uses
from cumulo.services.identity.iam.reports.service_access import grants

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

SAVE_EVERY_S = 60
DAY_S = 86_400
TRACKED_S = 400 * DAY_S
KEPT_S = 7 * DAY_S


class AccessJob(Record):
    """A report: for which identity or policy, who asked, which services it may use, which entities have its rights,
    and what those did. `entities` are (type, ARN, name, id, path)."""

    job_id: str
    arn: str
    asked_by: str
    by_action: bool
    made_at: float
    services: list[str] = []
    entities: list[list[str]] = []
    uses: list[ServiceUse] = []


ACCESS_JOBS = Table(AccessJob, name="iam.access_jobs", key="job_id", scope=ACCOUNT)


@reconciler(every_s=SAVE_EVERY_S)
async def save_service_uses(ctx: Context) -> None:
    """Keep what identities did since the last time."""
    if ctx.runtime.journal.service_uses.fresh:
        await ctx.transact(ctx.runtime.journal.service_uses.save)


def _asker(ctx: Context) -> str:
    """Who may read a report: the user who asked for it, or any session of the role that did."""
    return ctx.principal.policy_arn


def _described(entity: Any) -> list[str]:
    kind = {"user": "USER", "role": "ROLE", "group": "GROUP"}[entity.kind]
    unique_id = getattr(entity, f"{entity.kind}_id")
    return [kind, entity.arn, entity.name, unique_id, entity.path]


def _members(ctx: Context, group: groups.Group) -> list[Any]:
    keys = [membership.user for membership in group_members.MEMBERSHIPS.range(ctx, group.key)]
    return [user for key in keys if (user := users.USERS.peek(ctx, key)) is not None]


def _subjects(ctx: Context, arn: str) -> tuple[list[str], list[Any]]:
    """The documents behind an ARN, and the users and roles who have the rights of them."""
    if ":policy/" in arn:
        policy = policies.find(ctx, arn)
        text = policies.document(ctx, policy.arn)
        found: dict[str, Any] = {}
        for use in policy_uses.of_policy(ctx, policy.arn):
            if use.usage != policy_uses.ATTACHED:
                continue
            table: Any = {"user": users.USERS, "group": groups.GROUPS, "role": roles.ROLES}[use.kind]
            entity = table.peek(ctx, use.entity)
            for each in _members(ctx, entity) if use.kind == "group" and entity is not None else [entity]:
                if each is not None:
                    found[each.arn] = each
        return [text] if text is not None else [], list(found.values())
    entity = entity_policies.find_entity(ctx, arn)
    documents = [policy.document for policy in entity_policies.policies_of(ctx, entity)]
    return documents, _members(ctx, entity) if isinstance(entity, groups.Group) else [entity]


@operation
def generate_service_last_accessed_details(
    ctx: Context, request: t.GenerateServiceLastAccessedDetailsRequest
) -> t.GenerateServiceLastAccessedDetailsResponse:
    """Make the report."""
    documents, entities = _subjects(ctx, request["Arn"])
    by_action = request.get("Granularity", "SERVICE_LEVEL") == "ACTION_LEVEL"
    services = [name for name in service_names() if any(grants(text, name) for text in documents)]
    since = ctx.now() - TRACKED_S
    uses = [use for entity in entities for use in service_uses.of_entity(ctx, entity.arn) if use.used_at > since]
    for old in ACCESS_JOBS.range(ctx):
        if ctx.now() - old.made_at > KEPT_S:
            ACCESS_JOBS.delete(ctx, old)
    job = AccessJob(
        ctx.uuid(), request["Arn"], _asker(ctx), by_action, ctx.now(), services,
        [_described(entity) for entity in entities], uses,
    )  # fmt: skip
    ACCESS_JOBS.put(ctx, job)
    return {"JobId": job.job_id}


def _job(ctx: Context, job_id: str) -> AccessJob:
    job = ACCESS_JOBS.peek(ctx, job_id)
    if job is None or job.asked_by != _asker(ctx):
        raise NO_SUCH_ENTITY(f"No job found with id {job_id}.")
    return job


def _state(job: AccessJob) -> dict[str, Any]:
    return {"JobStatus": "COMPLETED", "JobCreationDate": job.made_at, "JobCompletionDate": job.made_at}


def _newest(uses: list[ServiceUse]) -> ServiceUse:
    return max(uses, key=lambda use: use.used_at)


def _service(job: AccessJob, service: str) -> Any:
    shown: dict[str, Any] = {"ServiceName": service_names()[service], "ServiceNamespace": service}
    uses = [use for use in job.uses if use.service == service]
    shown["TotalAuthenticatedEntities"] = len({use.entity for use in uses})
    if not uses:
        return shown
    newest = _newest(uses)
    shown["LastAuthenticated"] = newest.used_at
    shown["LastAuthenticatedEntity"] = newest.entity
    shown["LastAuthenticatedRegion"] = newest.region
    if job.by_action:
        tracked = []
        for action in sorted({use.action for use in uses}):
            last = _newest([use for use in uses if use.action == action])
            tracked.append(
                {
                    "ActionName": action,
                    "LastAccessedEntity": last.entity,
                    "LastAccessedTime": last.used_at,
                    "LastAccessedRegion": last.region,
                }
            )
        shown["TrackedActionsLastAccessed"] = tracked
    return shown


@operation
def get_service_last_accessed_details(
    ctx: Context, request: t.GetServiceLastAccessedDetailsRequest
) -> t.GetServiceLastAccessedDetailsResponse:
    """Every service that the identity may use, by name; those never used come without a date."""
    job = _job(ctx, request["JobId"])
    answer = pages.of_list(
        ctx,
        job.services,
        request,
        "ServicesLastAccessed",
        lambda service: _service(job, service),
        lambda service: service,
    )
    level = "ACTION_LEVEL" if job.by_action else "SERVICE_LEVEL"
    return {**_state(job), "JobType": level, **answer}  # type: ignore[typeddict-item]


@operation
def get_service_last_accessed_details_with_entities(
    ctx: Context, request: t.GetServiceLastAccessedDetailsWithEntitiesRequest
) -> t.GetServiceLastAccessedDetailsWithEntitiesResponse:
    """The users and roles who could use one service, with when each last did."""
    job = _job(ctx, request["JobId"])
    service = request["ServiceNamespace"]
    if service not in service_names():
        raise INVALID_INPUT(f"Invalid service namespace: {service}")
    last: dict[str, float] = {}
    for use in job.uses:
        if use.service == service:
            last[use.entity] = max(use.used_at, last.get(use.entity, 0.0))

    def show(entity: list[str]) -> Any:
        kind, arn, name, unique_id, path = entity
        shown: dict[str, Any] = {"EntityInfo": {"Arn": arn, "Name": name, "Type": kind, "Id": unique_id, "Path": path}}
        if arn in last:
            shown["LastAuthenticated"] = last[arn]
        return shown

    listed = job.entities if service in job.services else []
    answer = pages.of_list(ctx, listed, request, "EntityDetailsList", show, lambda entity: entity[1])
    return {**_state(job), **answer}  # type: ignore[typeddict-item]
