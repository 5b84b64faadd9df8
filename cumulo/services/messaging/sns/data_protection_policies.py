"""What a data protection policy must look like. Source: SNS guide, "Data protection policies"."""

from typing import Any

from cumulo.core.event_patterns.json_reader import JsonError, parse
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER

MAX_BYTES = 30_720
_WHAT = "DataProtectionPolicy"
_MEMBERS = {"Name", "Description", "Version", "Statement"}
_STATEMENT = {"Sid", "DataDirection", "Principal", "NotPrincipal", "DataIdentifier", "NotDataIdentifier", "Operation"}


def check(document: str) -> None:
    """Refuse what is no policy in the form of the SNS guide, "Data protection policies"."""
    if len(document.encode()) > MAX_BYTES:
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: must be at most {MAX_BYTES} bytes long")
    try:
        policy = parse(document)
    except JsonError as error:
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: failed to parse JSON. {error}") from None
    if not isinstance(policy, dict) or set(policy) - _MEMBERS:
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: unknown member in the policy")
    statements = policy.get("Statement")
    if not isinstance(policy.get("Name"), str) or policy.get("Version") != "2021-06-01" or not statements:
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: Name, Version 2021-06-01 and Statement are required")
    if not isinstance(statements, list):
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: Statement must be an array")
    for statement in statements:
        _check_statement(statement)


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, dict) or set(statement) - _STATEMENT:
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: unknown member in a statement")
    if statement.get("DataDirection") not in ("Inbound", "Outbound"):
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: DataDirection must be Inbound or Outbound")
    operation = statement.get("Operation")
    if not isinstance(operation, dict) or len(operation) != 1 or set(operation) - {"Audit", "Deidentify", "Deny"}:
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: Operation must be one of Audit, Deidentify and Deny")
    if not isinstance(statement.get("DataIdentifier", statement.get("NotDataIdentifier")), list):
        raise INVALID_PARAMETER(what=f"{_WHAT} Reason: DataIdentifier must be an array")
