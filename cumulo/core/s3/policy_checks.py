"""What S3 refuses in the policy of a bucket or an access point, in its own words. Pure, but for the names of actions.

Sources: S3 User Guide, "Policies and permissions in Amazon S3", "Condition keys"; the texts were observed in AWS's
answers to PutBucketPolicy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from cumulo.core import access
from cumulo.core.errors import Error, Fault
from cumulo.core.policy.documents import Kind, parse
from cumulo.core.s3.access import account_of_canonical_user

if TYPE_CHECKING:
    from cumulo.core.access import Access, Rule

MALFORMED_POLICY = Error("MalformedPolicy")
LARGEST = 20_480  # bytes. Source: "Bucket policy", quotas
_OBJECT_TYPES = frozenset(("object", "accesspointobject", "accessgrantslocation"))
_REQUIRED = (("Effect",), ("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_GLOBAL_KEY = re.compile(r"(aws|s3|s3express|saml|cognito-identity\.amazonaws\.com|[\w.-]+):.+", re.IGNORECASE)
# Keys of resources, which every action on them has.
_OF_RESOURCES = frozenset(
    (
        "s3:buckettag", "s3:accesspointtag", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
        "s3:accesspointnetworkorigin", "s3express:dataaccesspointarn", "s3express:dataaccesspointaccount",
        "s3express:accesspointnetworkorigin",
    )
)  # fmt: skip
_S3_VENDORS = ("s3", "s3express", "s3-object-lambda")


def refuse(text: str, detail: str = "") -> NoReturn:
    """Refuse the policy with this text of AWS's; `detail` is what it is about."""
    raise MALFORMED_POLICY(text, members={"Detail": detail} if detail else None)


def checked(text: str, arn: str) -> str:
    """The policy as it is kept: its canonical users made accounts. `arn` is the bucket's (or the access point's).

    Raises MalformedPolicy.
    """
    if len(text.encode()) > LARGEST:
        refuse("Policy exceeds the maximum allowed document size.")
    if text.lstrip()[:1] != "{":
        refuse("Policies must be valid JSON and the first byte must be '{'")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        refuse("Policies must be valid JSON and the first byte must be '{'")
    statements = _statements(document)
    changed = [_normal(statement) for statement in statements]
    if any(changed):
        text = msgspec.json.encode(document).decode()
    try:
        parse(text, Kind.RESOURCE)
    except Fault as fault:
        if "Invalid principal" in fault.message:
            refuse("Invalid principal in policy", fault.message.partition(": ")[2])
        if "vendor" in fault.message.lower() or "one colon" in fault.message:
            named = all(":" in str(action) or action == "*" for each in statements for action in _actions(each))
            refuse("Policy has an invalid condition key" if named else "Policy has invalid action")
        refuse(fault.message)
    vendor = arn.split(":", 3)[2]
    rules = access.load(vendor if vendor in _S3_VENDORS else "s3")
    for statement in statements:
        _check_statement(rules, statement, arn)
    return text


def _statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    if document.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17"):
        refuse("The policy must contain a valid version string")
    if "Statement" not in document:
        refuse("Missing required field Statement")
    statements = document["Statement"]
    statements = statements if isinstance(statements, list) else [statements]
    if not statements:
        refuse("Could not parse the policy: Statement is empty!")
    for statement in statements:
        if not isinstance(statement, dict):
            refuse("Policies must be valid JSON and the first byte must be '{'")
        for names in _REQUIRED:
            if not any(name in statement for name in names):
                refuse(f"Missing required field {names[0]}")
        if statement["Effect"] not in ("Allow", "Deny"):
            refuse(f"Invalid effect: {statement['Effect']}")
    return statements


def _normal(statement: dict[str, Any]) -> bool:
    """Canonical users become accounts, as AWS keeps them. Source: "Principals for bucket policies"."""
    for element in ("Principal", "NotPrincipal"):
        principal = statement.get(element)
        if not isinstance(principal, dict) or "CanonicalUser" not in principal:
            continue
        ids = principal.pop("CanonicalUser")
        named = principal.get("AWS", [])
        named = list(named) if isinstance(named, list) else [named]
        for id in ids if isinstance(ids, list) else [ids]:
            account = account_of_canonical_user(id) if isinstance(id, str) else ""
            if not account:
                refuse("Invalid principal in policy", f'"CanonicalUser" : "{id}"')
            named.append(f"arn:aws:iam::{account}:root")
        principal["AWS"] = named[0] if len(named) == 1 else named
        return True
    return False


def _check_statement(rules: Access, statement: Mapping[str, Any], arn: str) -> None:
    resources = _listed(statement.get("Resource", statement.get("NotResource")))
    for resource in resources:
        if not _is_of(resource, arn):
            refuse("Policy has invalid resource")
    places = {"object" if _names_objects(resource) else "bucket" for resource in resources}
    actions = _actions(statement)
    found = [_matching(rules, action) for action in actions]
    if not all(found):
        refuse("Policy has invalid action")
    if "Action" in statement and "Resource" in statement:
        for each in found:
            if not any(_places(rule) & places for rule in each):
                refuse("Action does not apply to any resource(s) in statement")
        _check_conditions(statement.get("Condition") or {}, found)


def _check_conditions(conditions: Mapping[str, Any], found: list[list[Rule]]) -> None:
    for keys in conditions.values():
        for key in keys:
            if not _GLOBAL_KEY.fullmatch(key):
                refuse("Policy has an invalid condition key", key)
            if key.partition(":")[0].lower() not in _S3_VENDORS:
                continue
            known = [rule for each in found for rule in each]
            if key.lower().startswith("s3:") and not any(_has(rule, key) for rule in _all(access.load("s3"))):
                refuse("Policy has an invalid condition key", key)
            if len(known) and not all(any(_has(rule, key) for rule in each) for each in found):
                refuse("Conditions do not apply to combination of actions and resources in statement")


def _all(rules: Access) -> list[Rule]:
    return [rules.action(name) for name in rules.actions]


def _has(rule: Rule, key: str) -> bool:
    """Whether the action has the key; "s3:ExistingObjectTag/<key>" stands for all of its kind."""
    wanted = key.lower().partition("/")[0]
    if wanted in _OF_RESOURCES:
        return True
    return any(known.lower().partition("/")[0] == wanted for known in rule.condition_keys)


def _matching(rules: Access, action: Any) -> list[Rule]:
    if action == "*":
        return _all(rules)
    vendor, _, name = str(action).partition(":")
    if vendor.lower() not in _S3_VENDORS and vendor != "*":
        return []
    if "*" not in name and "?" not in name:
        rule = rules.action(name)
        return [rule] if rule.known and name.lower() in {each.lower() for each in rules.actions} else []
    pattern = name.lower().replace("[", "[[]")
    return [rules.action(each) for each in rules.actions if fnmatchcase(each.lower(), pattern)]


def _places(rule: Rule) -> set[str]:
    if not rule.resource_types:
        return {"bucket", "object"}  # as s3:ListAllMyBuckets inside s3:*
    return {"object" if each in _OBJECT_TYPES else "bucket" for each in rule.resource_types}


def _is_of(resource: Any, arn: str) -> bool:
    """Whether a resource is the bucket or something in it; a policy names nothing else."""
    return isinstance(resource, str) and (resource == arn or resource.startswith(f"{arn}/"))


def _names_objects(resource: str) -> bool:
    place = resource.split(":", 5)[5]
    if ":s3express:" in resource:
        place = place.removeprefix("bucket/")
    return "/" in place.removeprefix("accesspoint/")


def _actions(statement: Mapping[str, Any]) -> list[Any]:
    return _listed(statement.get("Action", statement.get("NotAction")))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
