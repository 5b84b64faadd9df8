"""What is wrong with a resource policy: its syntax, whom it lets in, whom it locks out. Pure.

Source: Secrets Manager API Reference, ValidateResourcePolicy and PutResourcePolicy (BlockPublicPolicy); User Guide,
"Resource-based policies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import Fault
from cumulo.core.policy.documents import Kind, parse
from cumulo.core.policy.public_statements import is_public
from cumulo.services.identity.secretsmanager.errors import MALFORMED_POLICY

if TYPE_CHECKING:
    from cumulo.core.policy.documents import Document, Statement

# Condition keys that tie a public statement down to callers that somebody chose.
# Source: IAM User Guide, "IAM Access Analyzer resource types: public access"; S3 User Guide, "The meaning of public".
_NARROWING = frozenset(
    (
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount",
        "aws:sourcearn", "aws:sourceip", "aws:sourceorgid", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce",
        "aws:userid", "aws:vpcsourceip",
    )
)  # fmt: skip


def check(text: str) -> Document:
    """The document of a resource policy. Raises MalformedPolicyDocumentException."""
    try:
        return parse(text, Kind.RESOURCE)
    except Fault as fault:
        if "Invalid principal" in fault.message:
            raise MALFORMED_POLICY("This resource policy contains an unsupported principal.") from None
        if "invalid Json" in fault.message:
            raise MALFORMED_POLICY("This resource policy contains invalid Json.") from None
        raise MALFORMED_POLICY(f"This resource policy contains a syntax error: {fault.message}") from None


def public(document: Document) -> list[Statement]:
    """The statements that let in callers whom nobody chose."""
    return [each for each in document.statements if is_public(each, _NARROWING, _open)]


def _open(key: str, value: str) -> bool:
    """Whether a value stands for everything."""
    return value.strip("*?:") == "" or value in ("0.0.0.0/0", "::/0")


def locked_out(document: Document) -> bool:
    """Whether nobody could change the policy again: an unconditional Deny to everyone of the very action."""
    return any(
        each.effect == "Deny"
        and each.principal is not None
        and each.principal.everyone
        and not each.principal.negated
        and not each.conditions
        and not each.not_action
        and any(_covers(action.lower()) for action in each.actions)
        for each in document.statements
    )


def _covers(action: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase("secretsmanager:putresourcepolicy", action.replace("[", "[[]"))
