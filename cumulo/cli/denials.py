"""A denial in words: the statement that decided, the policies that were looked at, what is missing."""

from __future__ import annotations

import json
import re
from typing import Any

from cumulo.cli.terminal import style

REMEDIES = {
    "identity-based policy": "attach a policy with this statement to {who}{or_group}:",
    "resource-based policy": "let the policy of {resource} allow it:",
    "role trust policy": "let the trust policy of {resource} allow it:",
    "permissions boundary": "let the permissions boundary of {who} allow it, too:",
    "session policy": "let the policies that were passed to the session allow it, too:",
    "service control policy": "let a service control policy of each level above the account allow it:",
    "resource control policy": "let a resource control policy of each level above the account allow it:",
}


def lines(denial: dict[str, Any], principal: str) -> list[str]:
    """The lines below "because"."""
    explicit = denial["kind"] == "explicitDeny"
    statements = denial.get("explanation", {}).get("statements", [])
    shown = [f"  {style('because', 'bold')}  {denial['reason'].removeprefix('because ')}"]
    if explicit:
        named = denial["policy"] or f"the {denial['decided_by']}"
        shown.append(f"    denied by {style(_statement(denial['sid'], denial['statement']), 'red')} of {named}")
    shown += _looked_at(denial, statements)
    shown += _remedy(denial, principal, explicit)
    missing = denial.get("explanation", {}).get("missing_keys", [])
    if missing:
        shown.append(f"    the request has no {', '.join(missing)}")
    return shown


def _statement(sid: str, index: int) -> str:
    return f"statement {sid!r}" if sid else f"statement {index + 1}"


def _looked_at(denial: dict[str, Any], statements: list[dict[str, Any]]) -> list[str]:
    """Each policy that had a say, with its statements for the action."""
    policies = denial.get("policies", [])
    if not policies:
        return ["    no policy applies to the caller, and none to the resource"]
    shown = ["    looked at"]
    for policy in policies:
        name = policy["policy_arn"] or policy["policy"]
        shown.append(f"      {policy['policy_type']}{' ' + name if name else ''}")
        own = [
            each
            for each in statements
            if (each["policy_type"], each["policy"], each["policy_arn"])
            == (policy["policy_type"], policy["policy"], policy["policy_arn"])
        ]
        if not own:
            shown.append(style(f"        names no {denial['permission']['action']}", "dim"))
        for each in own:
            shown += _considered(each, denial["permission"]["resource"])
    return shown


def _considered(statement: dict[str, Any], resource: str) -> list[str]:
    """One statement and what of it did not match."""
    conditions = statement["conditions"]
    failed: list[str] = []
    if not statement["principal_matches"]:
        failed.append("is not about this caller")
    if not statement["resource_matches"]:
        named = ", ".join(statement.get("resources", []))
        relation = "leaves out" if statement.get("not_resource") else "is about"
        failed.append(f"{relation} {named}, not {resource}" if relation == "is about" else f"{relation} {named}")
    for test in conditions:
        if not test["met"]:
            wanted = " or ".join(test["wanted"])
            found = "nothing" if test["found"] is None else json.dumps(test["found"])
            failed.append(f"{test['operator']} {test['key']} wants {wanted}, the request has {found}")
    mark = style("matches", "red" if statement["effect"] == "Deny" else "green") if not failed else "; ".join(failed)
    return [f"        {statement['effect']} in {_statement(statement['sid'], statement['index'])}: {mark}"]


def _remedy(denial: dict[str, Any], principal: str, explicit: bool) -> list[str]:
    """What would have to change."""
    if explicit:
        return ["    no other policy can outweigh a Deny: change that statement"]
    permission = denial["permission"]
    remedy = REMEDIES.get(denial["decided_by"])
    if remedy is None:
        return []
    statement: dict[str, Any] = {"Effect": "Allow", "Action": permission["action"], "Resource": permission["resource"]}
    if denial["decided_by"] in ("resource-based policy", "role trust policy"):
        named = {"AWS": principal} if principal.startswith("arn:") else {"Service": principal}
        statement = {"Effect": "Allow", "Principal": named, **statement}
        if denial["decided_by"] == "role trust policy":
            del statement["Resource"]
    or_group = " (or to a group of its)" if ":user/" in principal else ""
    text = remedy.format(who=_holder(principal), or_group=or_group, resource=permission["resource"])
    return [f"    {style('to allow it', 'bold')}, {text}", f"      {json.dumps(statement)}"]


def _holder(principal: str) -> str:
    """What policies are attached to: the caller, or the role that it is a session of."""
    role = re.search(r":assumed-role/([^/]+)/", principal)
    return f"the role {role[1]}" if role is not None else principal
