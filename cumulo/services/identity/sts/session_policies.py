"""Session policies: what a session may not exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Error
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.statements import compile_policy
from cumulo.services.identity.sts.session_tags import packed_percent
from cumulo.services.identity.sts.sessions import VALIDATION_ERROR

if TYPE_CHECKING:
    from cumulo.core.context import Context

PACKED_TOO_LARGE = Error(
    "PackedPolicyTooLarge", "Packed policy consumes {percent}% of allotted space, please use smaller policy."
)

MOST_POLICY_ARNS = 10


class SessionPolicies:
    """What was passed to a session: `documents` (the inline one first), `arns`, and their packed size in percent."""

    __slots__ = ("arns", "documents", "percent")

    def __init__(self, documents: list[str], arns: list[str], percent: int | None) -> None:
        self.documents = documents
        self.arns = arns
        self.percent = percent


def session_policies(ctx: Context, request: Any, account: str, tags: dict[str, str]) -> SessionPolicies:
    """The policies that a request passes to its session, checked.

    Raises MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError.
    """
    documents: list[str] = []
    inline = request.get("Policy")
    if inline:
        compile_policy(inline, Kind.INLINE)
        documents.append(inline)
    arns = list(dict.fromkeys([entry["arn"] for entry in request.get("PolicyArns", []) if entry.get("arn")]))
    if len(arns) > MOST_POLICY_ARNS:
        raise VALIDATION_ERROR(f"The number of policy ARNs must not exceed {MOST_POLICY_ARNS}")
    percent = packed_percent(documents, arns, tags)
    if percent is not None and percent > 100:
        raise PACKED_TOO_LARGE(percent=percent)
    documents += [ctx.runtime.identities.managed_policy(ctx, arn, account) for arn in arns]
    return SessionPolicies(documents, arns, percent)
