"""AWS Identity and Access Management: users, groups, roles and what their policies let them do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.runtime import Runtime


def install(runtime: Runtime) -> None:
    """Take the place of `Runtime.policy_source` and `Runtime.identities`; called when the service is loaded."""
    from cumulo.services.identity.iam.identities import IamIdentities
    from cumulo.services.identity.iam.policy_source import IamPolicySource

    runtime.policy_source = IamPolicySource()
    runtime.identities = IamIdentities()
