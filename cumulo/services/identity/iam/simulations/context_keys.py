"""Context keys: which circumstances policies ask for, so that a simulation can be given them.

Source: GetContextKeysForCustomPolicy (API Reference): keys of conditions, and variables in resources and values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.policy import documents
from cumulo.core.policy.documents import Kind
from cumulo.services.identity.iam.entities import entity_policies
from cumulo.services.identity.iam.errors import INVALID_INPUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

_VARIABLE = re.compile(r"\$\{\s*([\w:/.@+=\- ]+?)\s*(?:,\s*'[^']*'\s*)?\}")


def keys_in(text: str, kind: Kind = Kind.INLINE) -> list[str]:
    """The keys that a document asks for, in order of appearance. Raises InvalidInput."""
    try:
        document = documents.parse(text, kind)
    except Fault as fault:
        raise INVALID_INPUT(fault.message) from None
    found: dict[str, str] = {}

    def add(names: Iterable[str]) -> None:
        for name in names:
            found.setdefault(name.lower(), name)

    with_variables = document.version == "2012-10-17"
    for statement in document.statements:
        if with_variables:
            for resource in statement.resources:
                add(_VARIABLE.findall(resource))
        for _, key, values in statement.conditions:
            add([key])
            if with_variables:
                for value in values:
                    add(_VARIABLE.findall(value))
    return list(found.values())


def _merged(texts: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for text in texts:
        for name in keys_in(text):
            found.setdefault(name.lower(), name)
    return list(found.values())


@operation
def get_context_keys_for_custom_policy(
    ctx: Context, request: t.GetContextKeysForCustomPolicyRequest
) -> t.GetContextKeysForPolicyResponse:
    return {"ContextKeyNames": _merged(request["PolicyInputList"])}


@operation
def get_context_keys_for_principal_policy(
    ctx: Context, request: t.GetContextKeysForPrincipalPolicyRequest
) -> t.GetContextKeysForPolicyResponse:
    entity = entity_policies.find_entity(ctx, request["PolicySourceArn"])
    attached = [policy.document for policy in entity_policies.policies_of(ctx, entity)]
    return {"ContextKeyNames": _merged([*attached, *request.get("PolicyInputList", [])])}
