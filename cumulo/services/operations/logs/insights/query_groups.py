"""The log groups that a query reads: those that a request names, or those that SOURCE chooses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, RESOURCE_NOT_FOUND
from cumulo.services.operations.logs.groups import data_sources, groups
from cumulo.services.operations.logs.groups.groups import DELIVERY, GROUPS, STANDARD
from cumulo.services.operations.logs.query import periods
from cumulo.services.operations.logs.query.tree import AppendColumns, Filter, InQuery, Join, Query, Source
from cumulo.services.operations.logs.query.walks import inside

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group

NAMED_MOST = 50
CHOSEN_MOST = 10_000
_PARAMETERS = ("logGroupName", "logGroupNames", "logGroupIdentifiers")


def chosen(ctx: Context, request: Mapping[str, Any], query: Query) -> list[Group]:
    """The groups of a request, found and authorized. Raises AWS's errors."""
    given = [name for name in _PARAMETERS if request.get(name)]
    if len(given) > 1:
        raise INVALID_PARAMETER(f"Only one of {', '.join(_PARAMETERS)} can be specified.")
    if not given:
        if query.source is None:
            raise INVALID_PARAMETER(
                "A query needs exactly one of logGroupName, logGroupNames and logGroupIdentifiers, or a SOURCE command."
            )
        return of_source(ctx, query.source)
    names = request[given[0]]
    names = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if len(names) > NAMED_MOST:
        raise INVALID_PARAMETER(f"A query can have at most {NAMED_MOST} log groups.")
    return [find(ctx, name) for name in names]


def find(ctx: Context, identifier: str) -> Group:
    """A group by its name or ARN, found and authorized."""
    account, name = groups.read_identifier(ctx, identifier)
    group = GROUPS.peek(ctx, name, account=account)
    groups.authorize(ctx, name, group, account=account)
    if group is None:
        # Seen from AWS with the answer of the service behind it, request id and all.
        raise RESOURCE_NOT_FOUND(
            f"Log group '{name}' does not exist for account ID '{account}' (Service: AWSLogs; Status Code: 400; "
            f"Error Code: ResourceNotFoundException; Request ID: {ctx.request_id}; Proxy: null)"
        )
    return group


def authorize(ctx: Context, arns: list[str]) -> None:
    """Ask whether the caller may do this to groups, by their ARNs; to any group, where there are none."""
    if not arns and not ctx.trusted(ctx.account):
        ctx.authorize(f"arn:{ctx.partition}:logs:{ctx.region}:{ctx.account}:log-group:*")
    for arn in arns:
        parts = arn.split(":", 6)
        group = GROUPS.peek(ctx, parts[6], account=parts[4], region=parts[3])
        groups.authorize(ctx, parts[6], group, account=parts[4])


def of_source(ctx: Context, source: Source) -> list[Group]:
    """The groups that SOURCE names or describes."""
    found = [find(ctx, name) for name in source.names]
    if not source.selects:
        return found
    if any(account != ctx.account for account in source.accounts):
        raise not_implemented("logs", "StartQuery", "SOURCE's accountIdentifiers of other accounts")
    classes = source.classes or (STANDARD,)
    for group in GROUPS.range(ctx):
        if group.log_class not in classes or not _has_tags(group, source) or not _is_of(group, source):
            continue
        if not source.prefixes or group.name.startswith(source.prefixes):
            groups.authorize(ctx, group.name, group)
            found.append(group)
    if not found:
        authorize(ctx, [])
    if len(found) > CHOSEN_MOST:
        raise INVALID_PARAMETER(f"The query selects more than {CHOSEN_MOST} log groups. Select them in another way.")
    return found


def _has_tags(group: Group, source: Source) -> bool:
    return all(key in group.tags and value in ("*", group.tags[key]) for key, value in source.tags)


def _is_of(group: Group, source: Source) -> bool:
    """Whether a group's data source is among those that SOURCE names, if it names any."""
    if not source.data_sources:
        return True
    found = data_sources.of_group(group)
    return found is not None and (found.name in source.data_sources or ".".join(found) in source.data_sources)


def inner(query: Query) -> list[Query]:
    """The queries in a query, in the order in which they stand."""
    found: list[Query] = []
    for command in query.commands:
        if isinstance(command, Join | AppendColumns):
            found.append(command.query)
        elif isinstance(command, Filter):
            found += [each.query for each in inside(command.condition) if isinstance(each, InQuery)]
    return found


def refuse_class(found: list[Group], commands: set[str]) -> None:
    """Commands that groups of other classes than STANDARD do not have; those of DELIVERY have none.

    Source: User Guide, "Log classes"; API reference, CreateLogGroup ("doesn't offer … Logs Insights queries").
    """
    for group in found:
        if group.log_class == DELIVERY:
            raise INVALID_PARAMETER(f"Queries are not supported for log groups of the Delivery class: {group.name}")
        if group.log_class != STANDARD and commands:
            names = ", ".join(sorted(commands))
            title = group.log_class.replace("_", " ").title()
            raise INVALID_PARAMETER(
                f"The command {names} is not supported for log groups of the {title} class: {group.name}"
            )


_RELATIVE = re.compile(r"([-+]?\d+)([A-Za-z]*)")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\S+")


def time_of(text: str, now_ms: int) -> int | None:
    """The time that SOURCE's START or END tells, in milliseconds; None of what is none."""
    if text.lower() == "now":
        return now_ms
    if _ISO.fullmatch(text):
        from datetime import UTC, datetime

        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    found = _RELATIVE.fullmatch(text)
    if found is None:
        return None
    number, unit = int(found[1]), found[2]
    if not unit:
        return number
    if number == 0:
        return now_ms
    period = periods.read(abs(number), unit)
    if period is None:
        return None
    return now_ms + periods.milliseconds(period) * (1 if number > 0 else -1)
