"""Service-specific credentials: names and passwords for CodeCommit and Keyspaces, API keys for Bedrock and CloudWatch.

Source: "Service-specific credentials for IAM users", "API keys for Amazon Bedrock" (IAM User Guide). The texts were
seen in AWS's answers.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from cumulo.core.callers import access_key_ids
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.policy.principals import Principal, PrincipalKind
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.credentials.requested_users import names_by_id, user_of
from cumulo.services.identity.iam.entities import users
from cumulo.services.identity.iam.errors import INVALID_INPUT, LIMIT_EXCEEDED, VALIDATION_ERROR

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

QUOTA = 2  # for each service and user
DAY_S = 86_400

# Whether what a service takes is an API key (alias and secret, may expire) rather than a user name and password.
SERVICES = {
    "codecommit.amazonaws.com": False,
    "cassandra.amazonaws.com": False,
    "bedrock.amazonaws.com": True,
    "logs.amazonaws.com": True,
}
# What API keys begin with. Sources: Amazon Bedrock User Guide, "API keys"; CloudWatch Logs User Guide, "Log ingestion
# through HTTP endpoints".
PREFIXES = {"bedrock.amazonaws.com": "ABSK", "logs.amazonaws.com": "ACWL"}
ALIASES = {"bedrock.amazonaws.com": "BedrockAPIKey", "logs.amazonaws.com": "CWLogsAPIKey"}

NO_SERVICE = Error("NoSuchEntityException", "No such service {service} is supported for Service Specific Credentials")
NO_CREDENTIAL = Error("NoSuchEntityException", "No such credential {credential_id} exists")


class ServiceSpecificCredential(Record):
    """One credential. `login` is the user name, or the alias of an API key; `expires_at` 0 is never."""

    user_id: str
    credential_id: str
    service: str
    login: str
    secret: str
    created_at: float
    expires_at: float = 0
    active: bool = True


CREDENTIALS = Table(
    ServiceSpecificCredential,
    name="iam.service_specific_credentials",
    key=("user_id", "credential_id"),
    scope=ACCOUNT,
)


users.BEFORE_DELETION.append(
    (
        Error("DeleteConflictException", "Cannot delete entity, must remove referenced objects first."),
        lambda ctx, user: CREDENTIALS.range(ctx, user.user_id, limit=1),
    )
)


def _secret(ctx: Context, service: str, login: str) -> str:
    if not SERVICES[service]:
        return b64encode(ctx.random_bytes(33)).decode()
    return PREFIXES[service] + b64encode(f"{login}:".encode() + b64encode(ctx.random_bytes(33))).decode()


def _login(ctx: Context, service: str, user_name: str, theirs: list[ServiceSpecificCredential]) -> str:
    if service in ALIASES:
        suffix = access_key_ids.new_access_key_id("", ctx.account, ctx.random_bytes)[-4:].lower()
        return f"{ALIASES[service]}-{suffix}-at-{ctx.account}"
    login = f"{user_name}-at-{ctx.account}"
    taken = {each.login for each in theirs if each.service == service}
    return login if login not in taken else f"{user_name}+1-at-{ctx.account}"


def _described(ctx: Context, user_name: str, credential: ServiceSpecificCredential) -> dict[str, Any]:
    expired = credential.expires_at and credential.expires_at <= ctx.now()
    shown: dict[str, Any] = {
        "CreateDate": credential.created_at,
        "ServiceName": credential.service,
        "ServiceSpecificCredentialId": credential.credential_id,
        "Status": "Expired" if expired else "Active" if credential.active else "Inactive",
        "UserName": user_name,
    }
    shown["ServiceCredentialAlias" if SERVICES[credential.service] else "ServiceUserName"] = credential.login
    if credential.expires_at:
        shown["ExpirationDate"] = credential.expires_at
    return shown


def _told(ctx: Context, user_name: str, credential: ServiceSpecificCredential) -> Any:
    """The answer that tells the secret, once."""
    shown = _described(ctx, user_name, credential)
    name = "ServiceCredentialSecret" if SERVICES[credential.service] else "ServicePassword"
    return {"ServiceSpecificCredential": {**shown, name: credential.secret}}


def holder(ctx: Context, token: str, service: str) -> Principal | None:
    """The user whose API key for a service this is; None for what is none, or none that is good now."""
    try:
        login, colon, _ = b64decode(token.removeprefix(PREFIXES[service]), validate=True).partition(b":")
        account = login.decode("ascii").rpartition("-at-")[2]
    except ValueError:
        return None
    if not colon:
        return None
    for credential in CREDENTIALS.range(ctx, account=account):
        if credential.service == service and compare_digest(credential.secret.encode(), token.encode()):
            expired = credential.expires_at and credential.expires_at <= ctx.now()
            user = next(
                (each for each in users.USERS.range(ctx, account=account) if each.user_id == credential.user_id), None
            )
            if user is None or expired or not credential.active:
                return None
            partition = user.arn.split(":", 2)[1]
            return Principal(
                PrincipalKind.USER, user.arn, account, partition, user_id=user.user_id, name=user.name, tags=user.tags
            )
    return None


def _find(ctx: Context, user_id: str, credential_id: str) -> ServiceSpecificCredential:
    found = CREDENTIALS.peek(ctx, user_id, credential_id)
    if found is None:
        raise NO_CREDENTIAL(credential_id=credential_id)
    return found


@operation
def create_service_specific_credential(
    ctx: Context, request: t.CreateServiceSpecificCredentialRequest
) -> t.CreateServiceSpecificCredentialResponse:
    user = user_of(ctx, request)
    service = request["ServiceName"]
    if service not in SERVICES:
        raise NO_SERVICE(service=service)
    days = request.get("CredentialAgeDays")
    if days is not None and not SERVICES[service]:
        raise INVALID_INPUT(f"Credential expiration is not supported for service {service}")
    theirs = CREDENTIALS.range(ctx, user.user_id)
    if sum(each.service == service for each in theirs) >= QUOTA:
        raise LIMIT_EXCEEDED(quota="ServiceSpecificCredentialsPerUser", limit=QUOTA)
    login = _login(ctx, service, user.name, theirs)
    credential = ServiceSpecificCredential(
        user.user_id,
        access_key_ids.new_access_key_id("ACCA", ctx.account, ctx.random_bytes),
        service,
        login,
        _secret(ctx, service, login),
        ctx.now(),
        ctx.now() + days * DAY_S if days is not None else 0,
    )
    CREDENTIALS.put(ctx, credential)
    return _told(ctx, user.name, credential)  # type: ignore[no-any-return]


@operation
def list_service_specific_credentials(
    ctx: Context, request: t.ListServiceSpecificCredentialsRequest
) -> t.ListServiceSpecificCredentialsResponse:
    """The credentials of one user, or with `AllUsers` of all; then AWS answers pages."""
    service = request.get("ServiceName")
    everyone = request.get("AllUsers", False)
    if everyone:
        if "UserName" in request:
            raise VALIDATION_ERROR("UserName and AllUsers cannot be specified together.")
        ctx.authorize(f"arn:{ctx.partition}:iam::{ctx.account}:user/*")
        names = names_by_id(ctx)
        found = [each for each in CREDENTIALS.range(ctx) if each.user_id in names]
    else:
        user = user_of(ctx, request)
        names = {user.user_id: user.name}
        found = CREDENTIALS.range(ctx, user.user_id)
    if service is not None and service not in SERVICES:
        raise NO_SERVICE(service=service)
    wanted = [each for each in found if service is None or each.service == service]
    answer: t.ListServiceSpecificCredentialsResponse = pages.of_list(
        ctx,
        wanted,
        request,
        "ServiceSpecificCredentials",
        lambda each: _described(ctx, names[each.user_id], each),
        lambda each: f"{each.user_id}/{each.credential_id}",
    )
    if not everyone and not answer["IsTruncated"]:
        del answer["IsTruncated"]  # of one user AWS says nothing about further pages
    return answer


@operation
def reset_service_specific_credential(
    ctx: Context, request: t.ResetServiceSpecificCredentialRequest
) -> t.ResetServiceSpecificCredentialResponse:
    user = user_of(ctx, request)
    credential = _find(ctx, user.user_id, request["ServiceSpecificCredentialId"])
    credential.secret = _secret(ctx, credential.service, credential.login)
    CREDENTIALS.put(ctx, credential)
    return _told(ctx, user.name, credential)  # type: ignore[no-any-return]


@operation
def update_service_specific_credential(ctx: Context, request: t.UpdateServiceSpecificCredentialRequest) -> None:
    user = user_of(ctx, request)
    credential = _find(ctx, user.user_id, request["ServiceSpecificCredentialId"])
    if request["Status"] == "Expired":
        raise INVALID_INPUT("The status of a credential can be set to Active or Inactive only.")
    credential.active = request["Status"] == "Active"
    CREDENTIALS.put(ctx, credential)


@operation
def delete_service_specific_credential(ctx: Context, request: t.DeleteServiceSpecificCredentialRequest) -> None:
    user = user_of(ctx, request)
    CREDENTIALS.delete(ctx, _find(ctx, user.user_id, request["ServiceSpecificCredentialId"]))
