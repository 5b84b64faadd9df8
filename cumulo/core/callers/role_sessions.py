"""Working as a role that a service was given: its session is STS's, its rights are the role's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.callers.credentials import ACCESS_KEYS
from cumulo.core.context import Context
from cumulo.core.errors import INTERNAL_FAILURE
from cumulo.wire.http import Headers

if TYPE_CHECKING:
    from cumulo.core.policy.principals import Principal


class Credentials(NamedTuple):
    """What a program needs to work as the role; until `ends_at`, in cloud time seconds."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    ends_at: float


def credentials(
    ctx: Context, role_arn: str, service: str, session: str, *, source_arn: str = "", lasts_s: int = 3600
) -> Credentials:
    """Keys of a session of the role, for a program that the service runs. Arguments and errors as for `assume`."""
    request = {"RoleArn": role_arn, "RoleSessionName": _named(session), "DurationSeconds": lasts_s}
    found = ctx.call("sts", "AssumeRole", request, service=service, source_arn=source_arn)["Credentials"]
    ends_at = ctx.now() + lasts_s
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], ends_at)


def _named(session: str) -> str:
    """A session's name has two characters at least, but a function's may have one: Lambda calls that session so."""
    return session if len(session) > 1 else f"{session}@lambda_function"


def principal_of(ctx: Context, held: Credentials) -> Principal:
    """Who holds these credentials; inside a transaction."""
    key = ACCESS_KEYS.peek(ctx, held.access_key_id)
    if key is None:
        raise INTERNAL_FAILURE()
    return key.principal()


def assume(ctx: Context, role_arn: str, service: str, session: str, *, source_arn: str = "") -> Principal:
    """Who the service is once it has assumed the role; inside a transaction.

    `service` as in "s3" (s3.amazonaws.com), `session` is the session's name. Raises STS's AccessDenied where the role
    does not trust the service, or is not there.
    """
    request = {"RoleArn": role_arn, "RoleSessionName": _named(session)}
    answer = ctx.call("sts", "AssumeRole", request, service=service, source_arn=source_arn)
    key = ACCESS_KEYS.peek(ctx, answer["Credentials"]["AccessKeyId"])
    if key is None:
        raise INTERNAL_FAILURE()
    return key.principal()


def context(
    ctx: Context, principal: Principal, service: str, operation: str, *, region: str = "", trace_header: str = ""
) -> Context:
    """A context in this one's transaction in which that principal calls an operation; it is asked for permission.

    `trace_header` is what X-Ray follows a request by.
    """
    acting = Context(
        ctx.runtime,
        service=service,
        operation=operation,
        account=principal.account,
        region=region or ctx.region,
        principal=principal,
        request_id=ctx.runtime.ids.uuid(),
        handler=ctx.runtime.registry.service(service).handler(operation),
        headers=Headers([(b"x-amzn-trace-id", trace_header.encode())]) if trace_header else None,
        source_ip=f"{service}.amazonaws.com",
        depth=ctx.depth + 1,
    )
    acting.enter(ctx.txn)
    return acting
