"""The account's summary: how much of what there is, and the quotas; and which tokens STS's global endpoint gives.

Source: GetAccountSummary, SetSecurityTokenServicePreferences (IAM API Reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.callers import credentials
from cumulo.core.operation import operation
from cumulo.core.policy import documents
from cumulo.core.policy.principals import root
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import counters
from cumulo.services.identity.iam.credentials import signing_certificates
from cumulo.services.identity.iam.credentials.mfa_devices import MFA_DEVICES
from cumulo.services.identity.iam.federation.oidc_providers import OIDC_PROVIDERS
from cumulo.services.identity.iam.federation.saml_providers import SAML_PROVIDERS
from cumulo.services.identity.iam.policies.policies import POLICY_VERSIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


class TokenPreference(Record):
    """Which version of session tokens STS's global endpoint gives: 1, or 2 that is good in all regions."""

    name: str
    version: int = 1


TOKEN_PREFERENCES = Table(TokenPreference, name="iam.token_preferences", key="name", scope=ACCOUNT)

_QUOTAS = {
    "AccessKeysPerUserQuota": 2,
    "AssumeRolePolicySizeQuota": documents.TRUST_LIMIT,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "AttachedPoliciesPerUserQuota": 10,
    "GroupPolicySizeQuota": documents.GROUP_INLINE_LIMIT,
    "GroupsPerUserQuota": 10,
    "PolicySizeQuota": documents.MANAGED_LIMIT,
    "PolicyVersionsInUseQuota": 10_000,
    "RolePolicySizeQuota": documents.ROLE_INLINE_LIMIT,
    "SigningCertificatesPerUserQuota": signing_certificates.QUOTA,
    "UserPolicySizeQuota": documents.USER_INLINE_LIMIT,
    "VersionsPerPolicyQuota": 5,
}


@operation
def get_account_summary(ctx: Context, request: Any) -> t.GetAccountSummaryResponse:
    """Counts and quotas. Root's password and MFA device are made in AWS's console: it has neither here."""
    devices = MFA_DEVICES.range(ctx)
    preference = TOKEN_PREFERENCES.peek(ctx, "global-endpoint")
    summary = {
        **_QUOTAS,
        "AccountAccessKeysPresent": int(bool(credentials.keys_of(ctx, root(ctx.account, ctx.partition).arn))),
        "AccountMFAEnabled": 0,
        "AccountPasswordPresent": 0,
        "AccountSigningCertificatesPresent": 0,
        "GlobalEndpointTokenVersion": preference.version if preference is not None else 1,
        "MFADevices": len(devices),
        "MFADevicesInUse": sum(bool(device.user_id) for device in devices),
        "PolicyVersionsInUse": len(POLICY_VERSIONS.range(ctx)),
        "Providers": len(OIDC_PROVIDERS.range(ctx)) + len(SAML_PROVIDERS.range(ctx)),
    }
    for kind, quota in counters.QUOTAS.items():
        summary[kind] = counters.count(ctx, kind)
        summary[f"{kind}Quota"] = quota
    return {"SummaryMap": summary}


@operation
def set_security_token_service_preferences(ctx: Context, request: t.SetSecurityTokenServicePreferencesRequest) -> None:
    """Note the wish: session tokens of this cloud are good in all regions, whichever version is asked for."""
    version = 2 if request["GlobalEndpointTokenVersion"] == "v2Token" else 1
    TOKEN_PREFERENCES.put(ctx, TokenPreference("global-endpoint", version))
