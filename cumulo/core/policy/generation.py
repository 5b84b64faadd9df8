"""The least identity policies that recorded calls needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cumulo.core import access
from cumulo.core.arns import partition_of
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.core.usage.calls import Call

# Who can bear an identity policy: not services, not people known by a provider alone.
_BEARER = re.compile(r"arn:[a-z-]+:(?:iam::\d{12}:(?:root$|user/|role/)|sts::\d{12}:(?:assumed-role|federated-user)/)")
_SESSION = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)")
_ROLE = re.compile(r"(arn:[a-z-]+:iam::\d{12}:role/)(?:.*/)?([^/]+)$")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
# Ended before permission was asked: nothing is known of what the call needed.
_NOT_ASKED = frozenset(("NotImplemented", "InternalFailure", "ServiceUnavailable"))

Needs = dict[str, dict[str, set[str]]]  # the actions, by principal and resource


def bearer(principal: str) -> str:
    """Whose identity policy counts for this principal: a session's role (whose path no session knows)."""
    session = _SESSION.match(principal)
    if session is not None:
        return "arn:{}:iam::{}:role/{}".format(*session.groups())
    return _ROLE.sub(r"\1\2", principal)


def needs(calls: Iterable[Call], principal: str = "") -> Needs:
    """What the callers needed, or this one alone."""
    wanted = bearer(principal) if principal else ""
    found: Needs = {}
    bearers: dict[str, str] = {}
    for call in calls:
        who = bearers.get(call.principal)
        if who is None:
            who = bearers[call.principal] = bearer(call.principal) if _BEARER.match(call.principal) else ""
        if not who or (wanted and who != wanted) or call.denial is not None:
            continue
        for action, resource in _permissions(call):
            found.setdefault(who, {}).setdefault(resource, set()).add(action)
    return found


def policy(actions_by_resource: dict[str, set[str]]) -> dict[str, Any]:
    """A policy that allows exactly these; equal needs make equal policies."""
    resources: dict[tuple[str, ...], list[str]] = {}
    for resource in sorted(actions_by_resource):
        resources.setdefault(tuple(sorted(actions_by_resource[resource])), []).append(resource)
    statements = [
        {"Effect": "Allow", "Action": list(actions), "Resource": [_literal(arn) for arn in arns]}
        for actions, arns in sorted(resources.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _permissions(call: Call) -> Iterator[tuple[str, str]]:
    """Action and resource of each permission that the call needed."""
    if call.actions:
        yield from ((action, arn) for action, arn in zip(call.actions, call.resources, strict=False) if action)
    elif call.resources:  # written by a cumulo that did not note the actions
        action = _rule(call).action
        if action is not None:
            yield from ((action, arn) for arn in call.resources)
    if call.principal.endswith(":root") and call.error not in _NOT_ASKED:
        # Root is mostly let in without a look at the resource, so that neither is noted.
        rule = _rule(call)
        if rule.action is not None and rule.action not in (call.actions or [rule.action] * bool(call.resources)):
            yield from ((rule.action, arn) for arn in _patterns(call, rule))


def _rule(call: Call) -> access.Rule:
    try:
        return access.load(call.service).operation(call.operation)
    except Fault:  # a service that no longer is there
        return access.Rule(None, "")


def _patterns(call: Call, rule: access.Rule) -> list[str]:
    """All resources of the action's kinds in the call's account and region."""
    if not rule.needs_resource:
        return ["*"]
    known = {"Partition": partition_of(call.region), "Region": call.region, "Account": call.account}
    templates = [
        template
        for kind, template in zip(rule.resource_types, rule.arn_templates, strict=True)
        if kind in rule.required_types or not rule.required_types
    ]
    return [_VARIABLE.sub(lambda match: known.get(match[1], "*"), template) for template in templates]


def _literal(arn: str) -> str:
    """The ARN as policies write it: what stands for itself there may not begin a variable. `*` stays a wildcard."""
    return arn.replace("${", "${$}{")
