"""Policy documents: JSON text to a checked `Document`, with AWS's texts for what is wrong in it.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "IAM JSON policy elements reference",
"IAM and AWS STS quotas"; the texts are those that IAM answers with `MalformedPolicyDocument`.
"""

import re
from enum import Enum
from typing import Any, Final, NoReturn

import msgspec

from cumulo.core.policy import conditions
from cumulo.wire.faults import Fault


class Kind(Enum):
    """Where a document is to be used: that decides what it must and may not hold."""

    INLINE = "inline"  # attached to one user, group or role; session policies
    MANAGED = "managed"  # must name version 2012-10-17
    CONTROL = "control"  # service and resource control policies
    RESOURCE = "resource"  # on a queue, a topic, a key...
    TRUST = "trust"  # who may assume a role


class PrincipalElement(msgspec.Struct, frozen=True):
    """A Principal or NotPrincipal: everyone, or (type, value) pairs such as ("AWS", "111122223333")."""

    everyone: bool
    members: tuple[tuple[str, str], ...] = ()
    negated: bool = False


class Statement(msgspec.Struct, frozen=True):
    """One checked statement. `not_action` and `not_resource` say that the list names the exceptions."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_action: bool = False
    not_resource: bool = False
    principal: PrincipalElement | None = None
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


class Document(msgspec.Struct, frozen=True):
    """A checked policy. Variables count only in version 2012-10-17; without Version it is 2008-10-17."""

    version: str
    id: str
    statements: tuple[Statement, ...]


SYNTAX: Final = "Syntax errors in policy."
VERSIONS: Final = ("2008-10-17", "2012-10-17")
PRINCIPAL_TYPES: Final = ("AWS", "Federated", "Service", "CanonicalUser")

# Characters without white space. Source: "IAM and AWS STS quotas", "IAM and STS character limits".
USER_INLINE_LIMIT: Final = 2_048
GROUP_INLINE_LIMIT: Final = 5_120
ROLE_INLINE_LIMIT: Final = 10_240
MANAGED_LIMIT: Final = 6_144
TRUST_LIMIT: Final = 2_048

_LEGACY: Final = "The policy failed legacy parsing"
_VENDOR = re.compile(r"[A-Za-z0-9-]+")
_SID = re.compile(r"[0-9A-Za-z]*")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_PRINCIPAL_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:(iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)"
    r"|sts::\d{12}:(assumed-role/[\w+=,.@/-]+/[\w+=,.@-]+|federated-user/[\w+=,.@:-]+)"
    r"|cloudfront::cloudfront:user/[\w .-]+|iam::cloudfront:user/[\w .-]+)",
    re.ASCII,
)
_PRINCIPAL_ID = re.compile(r"[A-Z][A-Z0-9]{15,127}")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_SPACE = re.compile(r"\s+")


class _Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def malformed(text: str) -> NoReturn:
    """Refuse the document with this text of AWS's."""
    raise Fault("MalformedPolicyDocument", text, status=400)


def size(text: str) -> int:
    """Characters that count against the quotas: white space does not."""
    return len(_SPACE.sub("", text))


def parse(text: str, kind: Kind) -> Document:
    """The document that the text holds. Raises Fault MalformedPolicyDocument with AWS's text."""
    found = _decode(text, kind)
    if not isinstance(found, dict) or not set(found) <= {"Version", "Id", "Statement"}:
        malformed(SYNTAX)
    version = found.get("Version", VERSIONS[0])
    if version not in VERSIONS or not isinstance(version, str):
        malformed(SYNTAX)
    if kind is Kind.MANAGED and version != VERSIONS[1]:
        malformed("Policy document must be version 2012-10-17 or greater.")
    identifier = found.get("Id", "")
    if type(identifier) is not str:
        malformed(SYNTAX)
    written = found.get("Statement")
    if isinstance(written, dict):
        written = [written]
    if not isinstance(written, list) or not written:
        malformed(SYNTAX)
    statements = tuple(_statement(each, kind) for each in written)
    sids = [statement.sid for statement in statements if statement.sid]
    if len(sids) != len(set(sids)):
        malformed("Statement IDs (SID) in a single policy must be unique.")
    return Document(version=version, id=identifier, statements=statements)


def _decode(text: str, kind: Kind) -> Any:
    """The JSON value; a name given twice in one object, NaN and bottomless nesting are errors."""
    import json  # the standard one alone can see a name given twice

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            malformed(SYNTAX)
        return found

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        return json.loads(
            text, object_pairs_hook=distinct, parse_int=_Number, parse_float=_Number, parse_constant=refuse
        )
    except (ValueError, RecursionError, TypeError):
        # CreateRole with a broken trust policy was seen to answer the first text.
        malformed(SYNTAX if kind in (Kind.INLINE, Kind.MANAGED) else "This policy contains invalid Json")


_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)


def _statement(written: Any, kind: Kind) -> Statement:
    if not isinstance(written, dict) or not set(written) <= _ELEMENTS:
        malformed(SYNTAX)
    for element in ("Principal", "Action", "Resource"):
        if element in written and f"Not{element}" in written:
            malformed(SYNTAX)
    effect = written.get("Effect")
    if effect is None and kind in (Kind.TRUST, Kind.RESOURCE):
        malformed("Missing required field Effect")
    if effect not in ("Allow", "Deny"):
        malformed(SYNTAX)
    principal = _principal(written, kind)
    actions = _actions(written, kind)
    resources = _resources(written, kind)
    return Statement(
        sid=_sid(written, kind),
        effect=effect,
        actions=actions,
        not_action="NotAction" in written,
        resources=resources,
        not_resource="NotResource" in written,
        principal=principal,
        conditions=_conditions(written.get("Condition", {})),
    )


def _sid(written: dict[str, Any], kind: Kind) -> str:
    sid = written.get("Sid", "")
    if type(sid) is not str:
        malformed(SYNTAX)
    if kind is not Kind.RESOURCE and not _SID.fullmatch(sid):
        malformed(
            "Statement IDs (SID) must be alpha-numeric. "
            "Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )
    return sid


def _texts(value: Any) -> tuple[str, ...]:
    """A string or a list of strings as a tuple."""
    if type(value) is str:
        return (value,)
    if not isinstance(value, list) or not all(type(each) is str for each in value):
        malformed(SYNTAX)
    return tuple(value)


def _actions(written: dict[str, Any], kind: Kind) -> tuple[str, ...]:
    actions = _texts(written.get("Action", written.get("NotAction", [])))
    if not actions:
        if kind is Kind.TRUST:
            malformed("Missing required field Action")
        malformed("Policy statement must contain actions.")
    for action in actions:
        if action == "*":
            continue
        vendor, colon, name = action.partition(":")
        if not colon:
            malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
        if ":" in name:
            malformed("Actions/Condition can contain only one colon.")
        if not _VENDOR.fullmatch(vendor) and action != "*:*":
            malformed(f"Vendor {vendor} is not valid")
        if not name:
            malformed(SYNTAX)
        if kind is Kind.TRUST and vendor.lower() != "sts":
            malformed("AssumeRole policy may only specify STS AssumeRole actions.")
    return actions


def _resources(written: dict[str, Any], kind: Kind) -> tuple[str, ...]:
    if kind is Kind.TRUST:
        for element in ("Resource", "NotResource"):
            if element in written:
                malformed(f"Has prohibited field {element}")
        return ("*",)
    resources = _texts(written.get("Resource", written.get("NotResource", [])))
    if kind is Kind.RESOURCE:
        # What a resource's own policy may name differs by service; left out, it means this resource.
        return resources or ("*",)
    if not resources:
        malformed("Policy statement must contain resources.")
    for resource in resources:
        _check_resource(resource)
    return resources


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    head = resource.split(":", 5)
    if head[0] != "arn":
        malformed(f'Resource {resource} must be in ARN format or "*".')
    partition = head[1] if len(head) > 1 else ""
    if not _PARTITION.fullmatch(partition) and partition != "*":
        malformed(f'Partition "{partition}" is not valid for resource "{resource}".')
    vendor = head[2] if len(head) > 2 else ""
    if not _VENDOR.fullmatch(vendor):
        # A service must be named in full: "IAM JSON policy elements: Resource", note on the service segment.
        malformed("Resource vendor must be fully qualified and cannot contain regexes.")
    if len(head) < 6 and "*" not in resource:  # a star may stand for the colons that are missing
        malformed(_LEGACY)
    region = head[3] if len(head) > 3 else ""
    if vendor == "iam" and region not in ("", "*"):
        malformed(f"IAM resource {resource} cannot contain region information.")
    if vendor == "s3" and len(head) == 6 and region not in ("", "*") and "accesspoint" not in head[5]:
        malformed(f"Resource {resource} can not contain region information.")


def _principal(written: dict[str, Any], kind: Kind) -> PrincipalElement | None:
    element = "NotPrincipal" if "NotPrincipal" in written else "Principal"
    if element not in written:
        if kind in (Kind.RESOURCE, Kind.TRUST):
            malformed("Missing required field Principal")
        return None
    if kind in (Kind.INLINE, Kind.MANAGED):
        malformed("Policy document should not specify a principal.")
    value = written[element]
    negated = element == "NotPrincipal"
    if value == "*" and type(value) is str:
        if kind is Kind.CONTROL and negated:
            malformed(SYNTAX)
        return PrincipalElement(everyone=True, negated=negated)
    if kind is Kind.CONTROL:
        malformed(SYNTAX)
    if not isinstance(value, dict) or not value or not set(value) <= set(PRINCIPAL_TYPES):
        malformed(f'Invalid principal in policy: "{value}"' if type(value) is str else SYNTAX)
    members = tuple((name, text) for name, texts in value.items() for text in _texts(texts))
    if not members:
        malformed("Missing required field Principal")
    for name, text in members:
        _check_principal(name, text)
    return PrincipalElement(everyone=("AWS", "*") in members, members=members, negated=negated)


def _check_principal(name: str, text: str) -> None:
    if name == "AWS":
        valid = text == "*" or any(pattern.fullmatch(text) for pattern in (_ACCOUNT, _PRINCIPAL_ARN, _PRINCIPAL_ID))
    elif name == "Service":
        # Source: "AWS JSON policy elements: Principal", "AWS service principals".
        valid = re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazon(aws)?\.com(\.cn)?", text) is not None
    else:
        valid = bool(text) and not any(letter.isspace() for letter in text)
    if not valid:
        malformed(f'Invalid principal in policy: "{name}":"{text}"')


def _conditions(written: Any) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    if not isinstance(written, dict):
        malformed(SYNTAX)
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for operator, keys in written.items():
        if conditions.operator(operator) is None or not isinstance(keys, dict):
            malformed(SYNTAX)
        for key, values in keys.items():
            if ":" not in key:
                malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
            if not isinstance(values, list):
                values = [values]
            found.append((operator, key, tuple(_condition_value(value) for value in values)))
    return tuple(found)


def _condition_value(value: Any) -> str:
    """Strings, numbers and booleans are all compared as text."""
    if value is True or value is False:
        return "true" if value else "false"
    if not isinstance(value, str):
        malformed(SYNTAX)
    return str(value)
