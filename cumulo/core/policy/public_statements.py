"""Whether a statement of a resource policy lets in callers whom nobody chose.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public"; IAM User Guide,
"IAM Access Analyzer resource types: public access".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from cumulo.core.policy.documents import Statement


def is_public(statement: Statement, narrowing: Container[str], is_open: Callable[[str, str], bool]) -> bool:
    """Whether it allows everybody, and no condition ties it down to some.

    `narrowing` are the condition keys, in lower case, of which a fixed value lets in only what somebody chose;
    `is_open` says of a key and a value that nobody fixed that one.
    """
    principal = statement.principal
    if statement.effect != "Allow" or principal is None:
        return False
    if not principal.everyone and not principal.negated:
        return False
    return not any(
        key.lower() in narrowing and _positive(operator) and values and not any(is_open(key, value) for value in values)
        for operator, key, values in statement.conditions
    )


def _positive(operator: str) -> bool:
    name = operator.rpartition(":")[2].lower()
    return "not" not in name and not name.endswith("ifexists") and name != "null"
