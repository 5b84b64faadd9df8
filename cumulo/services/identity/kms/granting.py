"""CreateGrant, RetireGrant, RevokeGrant, ListGrants, ListRetirableGrants.

Sources: API reference; Developer Guide, "Grants in AWS KMS" and "Retiring and revoking grants".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.identity.kms import conditions, grants, key_ids, keys, materials, pages, permissions, specs
from cumulo.services.identity.kms.errors import DRY_RUN, GRANT_NOT_FOUND, INVALID_ARN, INVALID_GRANT_ID, VALIDATION
from cumulo.services.identity.kms.grants import GRANTS, Grant
from cumulo.services.identity.kms.keys import Key, check_enabled

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

# What a grant may allow, by the usage of its key (CreateGrant, "Operations").
_ALWAYS = {"DescribeKey", "CreateGrant", "RetireGrant"}
_BY_USAGE = {
    specs.ENCRYPT_DECRYPT: {"Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"},
    specs.SIGN_VERIFY: {"Sign", "Verify"},
    specs.GENERATE_VERIFY_MAC: {"GenerateMac", "VerifyMac"},
    specs.KEY_AGREEMENT: {"DeriveSharedSecret"},
    specs.ENCAPSULATE_DECAPSULATE: {"Encapsulate", "Decapsulate"},
}
_DATA_KEYS = {
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
}


@operation
def create_grant(ctx: Context, request: t.CreateGrantRequest) -> t.CreateGrantResponse:
    """Let a principal use the key in some ways. The same request by name again gives the same grant."""
    found = key_ids.find(ctx, request["KeyId"], alias=False)
    key = found.key
    _allow_create(ctx, key, request)
    grants.check_tokens(request)
    _check(key, request)
    check_enabled(ctx, key)
    if request.get("DryRun"):
        raise DRY_RUN()
    grant = _new(ctx, key, request)
    if grant.name:
        for known in GRANTS.range(
            ctx, key.key_id, grant.grantee, index="by_grantee", account=key.account, region=key.region
        ):
            if _same(known, grant):
                return {"GrantToken": grants.token_of(ctx, key, known), "GrantId": known.grant_id}
    GRANTS.put(ctx, grant, account=key.account, region=key.region)
    return {"GrantToken": grants.token_of(ctx, key, grant), "GrantId": grant.grant_id}


def _allow_create(ctx: Context, key: Key, request: t.CreateGrantRequest) -> None:
    """By policy; else by a grant that gives CreateGrant, and then no more than that grant gives."""
    constraints = request.get("Constraints") or {}
    kinds = [kind for kind in constraints if kind != "SourceArn"]
    context = constraints.get("EncryptionContextEquals") or constraints.get("EncryptionContextSubset")
    more: dict[str, Any] = {
        "kms:GrantOperations": list(request["Operations"]),
        "kms:GrantConstraintType": kinds[0] if kinds else None,
        "kms:GrantConstraintSourceArn": constraints.get("SourceArn"),
        "kms:GrantIsForAWSResource": for_aws_resource(ctx),
    }
    noted = len(ctx.audited)
    try:
        permissions.allow(ctx, key, context=context, more=more, granted=False)
        if len(ctx.audited) > noted:  # audit let it through: a grant may have given it all the same
            parent = grants.allowing(ctx, key, "CreateGrant", context)
            if parent is not None and grants.within(request, parent):
                del ctx.audited[noted:]
    except Fault:
        parent = grants.allowing(ctx, key, "CreateGrant", context)
        if parent is None or not grants.within(request, parent):
            raise
        ctx.denial = None
        permissions.allow(ctx, key, context=context, more=more, granted=True)


def for_aws_resource(ctx: Context) -> bool:
    """kms:GrantIsForAWSResource: an AWS service asks, for a principal or for itself."""
    return bool(ctx.called_via) or ctx.principal.kind is PrincipalKind.SERVICE


def _check(key: Key, request: Mapping[str, Any]) -> None:
    grantees = [request.get(name) for name in ("GranteePrincipal", "GranteeServicePrincipal") if request.get(name)]
    if len(grantees) != 1:
        raise VALIDATION("You must specify either GranteePrincipal or GranteeServicePrincipal, but not both.")
    retiring = [request.get(name) for name in ("RetiringPrincipal", "RetiringServicePrincipal") if request.get(name)]
    if len(retiring) > 1:
        raise VALIDATION("You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")
    constraints = request.get("Constraints") or {}
    if request.get("GranteeServicePrincipal") and not (constraints.get("SourceArn") and retiring):
        raise VALIDATION("GranteeServicePrincipal requires a SourceArn grant constraint and a retiring principal.")
    for name in ("GranteePrincipal", "RetiringPrincipal"):
        text = request.get(name, "")
        if text and not text.startswith("arn:") and not _is_service(text):
            raise INVALID_ARN(arn=text)
    possible = set(_ALWAYS | _BY_USAGE[key.usage])
    if key.symmetric:
        possible |= _DATA_KEYS
    elif not materials.is_secret(key.spec):
        possible.add("GetPublicKey")
    impossible = [name for name in request["Operations"] if name not in possible]
    if impossible or not request["Operations"]:
        raise VALIDATION(f"Grant operations {impossible} are not valid for key {key.arn} with key usage {key.usage}.")
    if not key.symmetric and set(constraints) & {"EncryptionContextEquals", "EncryptionContextSubset"}:
        raise VALIDATION("Encryption context grant constraints are valid only for symmetric encryption KMS keys.")


def _is_service(name: str) -> bool:
    return name.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _new(ctx: Context, key: Key, request: Mapping[str, Any]) -> Grant:
    constraints = request.get("Constraints") or {}
    return Grant(
        key.key_id,
        ctx.random_bytes(32).hex(),
        ctx.now(),
        request.get("GranteePrincipal") or request["GranteeServicePrincipal"],
        list(request["Operations"]),
        f"arn:{ctx.partition}:iam::{ctx.account}:root",
        request.get("Name", ""),
        request.get("RetiringPrincipal") or request.get("RetiringServicePrincipal", ""),
        dict(constraints.get("EncryptionContextEquals") or {}),
        dict(constraints.get("EncryptionContextSubset") or {}),
        constraints.get("SourceArn", ""),
        list(constraints),
    )


def _same(known: Grant, new: Grant) -> bool:
    fields = ("name", "retiring", "context_equals", "context_subset", "source_arn", "issuer")
    same = all(getattr(known, field) == getattr(new, field) for field in fields)
    return same and set(known.operations) == set(new.operations)


@operation
def retire_grant(ctx: Context, request: t.RetireGrantRequest) -> None:
    """Done with it: by the retiring principal, by a grantee whose grant says so, or by the account that made it."""
    if "GrantToken" in request:
        if "KeyId" in request or "GrantId" in request:
            raise VALIDATION("You must specify either GrantToken, or KeyId and GrantId, but not both.")
        account, region, key_id, grant_id = grants.read_token(request["GrantToken"])
        key = keys.peek(ctx, account, region, key_id) if region == ctx.region else None
    elif "KeyId" in request and "GrantId" in request:
        key, grant_id = key_ids.find(ctx, request["KeyId"], alias=False).key, request["GrantId"]
    else:
        raise VALIDATION("You must specify either GrantToken, or KeyId and GrantId.")
    grant = GRANTS.peek(ctx, key.key_id, grant_id, account=key.account, region=key.region) if key is not None else None
    if key is None or grant is None:
        ctx.authorized = True
        raise GRANT_NOT_FOUND(grant_id=grant_id)
    names = grants.names_of(ctx.principal)
    chosen = grant.retiring in names or (grant.grantee in names and "RetireGrant" in grant.operations)
    issuer = grant.issuer.split(":")[4] == ctx.principal.account
    context = grant.context_equals or grant.context_subset
    if issuer and not chosen:
        # The account that made the grant may end it as its own policies say, whatever the key's policy says.
        given = conditions.KeyConditions(ctx, key, "", None)
        ctx.authorize(key.arn, tags=key.tags, context=given, granted=key.account != ctx.principal.account)
    else:
        permissions.allow(ctx, key, context=context, granted=chosen)
    if request.get("DryRun"):
        raise DRY_RUN()
    GRANTS.delete(ctx, grant, account=key.account, region=key.region)


@operation
def revoke_grant(ctx: Context, request: t.RevokeGrantRequest) -> None:
    """Take it back: for those whom the key's policy lets."""
    key = permissions.get(
        ctx, request["KeyId"], foreign=True, more={"kms:GrantIsForAWSResource": for_aws_resource(ctx)}
    )
    grant = GRANTS.peek(ctx, key.key_id, request["GrantId"], account=key.account, region=key.region)
    if grant is None:
        raise GRANT_NOT_FOUND(grant_id=request["GrantId"])
    if request.get("DryRun"):
        raise DRY_RUN()
    GRANTS.delete(ctx, grant, account=key.account, region=key.region)


@operation
def list_grants(ctx: Context, request: t.ListGrantsRequest) -> t.ListGrantsResponse:
    """A page of a key's grants, of one grantee or one id if given."""
    key = permissions.get(
        ctx, request["KeyId"], foreign=True, more={"kms:GrantIsForAWSResource": for_aws_resource(ctx)}
    )
    at: dict[str, Any] = {"account": key.account, "region": key.region}
    grantee = request.get("GranteePrincipal") or request.get("GranteeServicePrincipal")
    grant_id = request.get("GrantId")
    if grant_id:
        grant = GRANTS.peek(ctx, key.key_id, grant_id, **at)
        if grant is None:
            raise INVALID_GRANT_ID()
        one: list[Any] = [_entry(key.arn, grant)] if grantee in (None, grant.grantee) else []
        return {"Grants": one, "Truncated": False}

    def fetch(after: Any, limit: int) -> list[Grant]:
        if grantee:
            return GRANTS.range(ctx, key.key_id, grantee, index="by_grantee", after=after, limit=limit, **at)
        return GRANTS.range(ctx, key.key_id, after=after, limit=limit, **at)

    def place(grant: Grant) -> tuple[str, ...]:
        own = (grant.key_id, grant.grant_id)
        return (grant.key_id, grant.grantee, *own) if grantee else own

    found, more = pages.page(ctx, request, fetch, place, default=50)
    return {"Grants": [_entry(key.arn, grant) for grant in found], **more}  # type: ignore[typeddict-item]


@operation(conditions=conditions.of_caller)
def list_retirable_grants(ctx: Context, request: t.ListRetirableGrantsRequest) -> t.ListGrantsResponse:
    """A page of the grants in this account and region that a principal may retire."""
    retiring = request.get("RetiringPrincipal") or request.get("RetiringServicePrincipal")
    if not retiring:
        raise VALIDATION("You must specify either RetiringPrincipal or RetiringServicePrincipal.")

    def fetch(after: Any, limit: int) -> list[Grant]:
        return GRANTS.range(ctx, retiring, index="by_retiring", after=after, limit=limit)

    found, more = pages.page(
        ctx, request, fetch, lambda grant: (grant.retiring, grant.key_id, grant.grant_id), default=50
    )
    entries: list[Any] = [_entry(keys.arn_of(ctx.account, ctx.region, grant.key_id), grant) for grant in found]
    return {"Grants": entries, **more}  # type: ignore[typeddict-item]


def _entry(arn: str, grant: Grant) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "KeyId": arn,
        "GrantId": grant.grant_id,
        "Name": grant.name,
        "CreationDate": grant.created_at,
        "IssuingAccount": grant.issuer,
        "Operations": grant.operations,
    }
    if grant.source_arn and _is_service(grant.grantee):
        entry["GranteeServicePrincipal"] = grant.grantee
    else:
        entry["GranteePrincipal"] = grant.grantee
    if grant.retiring:
        service = grant.source_arn and _is_service(grant.retiring)
        entry["RetiringServicePrincipal" if service else "RetiringPrincipal"] = grant.retiring
    values = {
        "EncryptionContextEquals": grant.context_equals,
        "EncryptionContextSubset": grant.context_subset,
        "SourceArn": grant.source_arn,
    }
    if grant.constrained:
        entry["Constraints"] = {name: values[name] for name in grant.constrained}
    return entry
