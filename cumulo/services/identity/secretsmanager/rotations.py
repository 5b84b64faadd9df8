"""Rotation: a Lambda function makes the next version of a secret, in four steps, at once and by schedule.

The function is called through Lambda's own API, as the service and for the secret. While there is no Lambda,
RotateSecret answers what AWS answers when it cannot invoke the function.
Source: Secrets Manager User Guide, "Rotation by Lambda function", "Lambda rotation functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import operation, task
from cumulo.services.identity.secretsmanager import labels, replication, rotation_schedules, versions
from cumulo.services.identity.secretsmanager.errors import (
    INVALID_REQUEST,
    LAMBDA_DENIED,
    NO_LAMBDA,
    ROTATION_RUNS,
    TOKEN_IN_USE,
)
from cumulo.services.identity.secretsmanager.secret_records import SECRETS, find, named

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.stubs import secretsmanager as t

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class RotationFailed(Exception):
    """A step of the function failed: the whole rotation is tried again."""


def _conditions(request: Any) -> dict[str, Any]:
    return {
        "secretsmanager:RotationLambdaARN": request.get("RotationLambdaARN"),
        "secretsmanager:RotateImmediately": request.get("RotateImmediately", True),
        "secretsmanager:ModifyRotationRules": "RotationRules" in request,
    }


@operation(unsupported=("ExternalSecretRotationMetadata", "ExternalSecretRotationRoleArn"))
async def rotate_secret(ctx: Context, request: t.RotateSecretRequest) -> t.RotateSecretResponse:
    token = versions.token_in(request, rotating=True)

    def check(ctx: Context) -> tuple[str, str]:
        secret = _rotatable(ctx, request, token)
        return secret.arn, secret.rotation_lambda

    arn, function = await ctx.transact(check)
    try:
        await _invoke(ctx, arn, function, {}, dry=True)
    except Fault as fault:
        ctx.logger.info("%s cannot be rotated by %s: %s", arn, function, fault)
        raise LAMBDA_DENIED() from None

    def begin(ctx: Context) -> Any:
        secret = _rotatable(ctx, request, token)
        secret.rotation_enabled = True
        _schedule(ctx, secret)
        steps = STEPS if request.get("RotateImmediately", True) else ("testSecret",)
        _start(ctx, secret, token, steps)
        return {**named(secret), "VersionId": token}

    answer: t.RotateSecretResponse = await ctx.transact(begin)
    return answer


def _rotatable(ctx: Context, request: Any, token: str) -> Secret:
    """The secret with the rotation settings of the request; the order of checks is AWS's as far as it was seen."""
    secret = find(ctx, request["SecretId"], context=_conditions(request), primary=True)
    rules = request.get("RotationRules")
    if rules is not None:
        rotation_schedules.check(rules)
        secret.rotation_rules = rules
    secret.rotation_lambda = request.get("RotationLambdaARN") or secret.rotation_lambda
    if not secret.rotation_lambda:
        raise NO_LAMBDA()
    if _pending(secret):
        raise ROTATION_RUNS()
    if versions.peek(ctx, secret, token) is not None:
        raise TOKEN_IN_USE(token=token, arn=secret.arn)
    return secret


def _pending(secret: Secret) -> str:
    """The version of a rotation that is not complete, "" without one: that label alone tells.

    Source: API Reference, RotateSecret.
    """
    pending = secret.stages.get(labels.PENDING, "")
    return pending if pending != secret.stages.get(labels.CURRENT) else ""


def _schedule(ctx: Context, secret: Secret) -> None:
    """Plan the next rotation; plans made before do nothing any more."""
    secret.rotation_plan += 1
    window = rotation_schedules.next_window(secret.rotation_rules, ctx.now())
    secret.next_rotation_at = window[1] if window is not None else 0.0
    if window is not None:
        payload = {"name": secret.name, "suffix": secret.suffix, "plan": secret.rotation_plan}
        ctx.later(rotate_by_schedule, {**payload, "account": secret.account, "region": secret.region}, at=window[0])


def _start(ctx: Context, secret: Secret, token: str, steps: tuple[str, ...]) -> None:
    """Prepare the pending version and have the function called."""
    version = versions.start(ctx, secret, token)
    versions.put(ctx, secret, version)
    secret.stages = labels.attach(secret.stages, token, [labels.PENDING])
    _run(ctx, secret, token, steps)


def _run(ctx: Context, secret: Secret, token: str, steps: tuple[str, ...]) -> None:
    secret.rotating, secret.rotation_token = token, ctx.uuid()
    replication.keep(ctx, secret)
    place = {"name": secret.name, "suffix": secret.suffix, "account": secret.account, "region": secret.region}
    ctx.later(rotate, {**place, "token": token, "steps": list(steps)})


def _peek(ctx: Context, payload: dict[str, Any]) -> Secret | None:
    """The secret of a task, while it is there and not marked for deletion."""
    secret = SECRETS.peek(ctx, payload["name"], account=payload["account"], region=payload["region"])
    if secret is None or secret.suffix != payload["suffix"] or secret.deleted_at:
        return None
    return secret


@task
def rotate_by_schedule(ctx: Context, payload: dict[str, Any]) -> None:
    """A rotation window opens: start a rotation, or the one again that did not complete, and plan the one after."""
    secret = _peek(ctx, payload)
    if secret is None or secret.rotation_plan != payload["plan"] or not secret.rotation_enabled:
        return
    _schedule(ctx, secret)
    pending = _pending(secret)
    if pending:
        _run(ctx, secret, pending, STEPS)
    else:
        _start(ctx, secret, ctx.uuid(), STEPS)


@task(attempts=5, backoff_s=60.0)
async def rotate(ctx: Context, payload: dict[str, Any]) -> None:
    """Call the rotation function step by step; what it does to the secret it does through the API."""
    token = payload["token"]

    def current(ctx: Context) -> tuple[str, str, str] | None:
        secret = _peek(ctx, payload)
        if secret is None or secret.rotating != token:
            return None
        return secret.arn, secret.rotation_lambda, secret.rotation_token

    for step in payload["steps"]:
        found = await ctx.transact(current)
        if found is None:
            return  # cancelled, or the secret is gone
        arn, function, rotation_token = found
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token, "RotationToken": rotation_token}
        try:
            answer = await _invoke(ctx, arn, function, event)
        except Fault as fault:
            raise RotationFailed(f"{step} of {arn}: {fault}") from fault
        if answer.get("FunctionError"):
            raise RotationFailed(f"{step} of {arn}: the function failed: {answer['FunctionError']}")
    await ctx.transact(lambda ctx: _finish(ctx, payload))


def _finish(ctx: Context, payload: dict[str, Any]) -> None:
    secret = _peek(ctx, payload)
    if secret is None or secret.rotating != payload["token"]:
        return
    secret.rotating = secret.rotation_token = ""
    if "finishSecret" in payload["steps"]:
        secret.rotated_at = ctx.now()
    else:
        _drop_test_version(ctx, secret, payload["token"])
    replication.keep(ctx, secret)


def _drop_test_version(ctx: Context, secret: Secret, token: str) -> None:
    """A test of the configuration leaves nothing behind. Source: API Reference, RotateSecret, RotateImmediately."""
    if secret.stages.get(labels.PENDING) == token:
        secret.stages = labels.remove(secret.stages, labels.PENDING)
    version = versions.peek(ctx, secret, token)
    if version is not None and token not in secret.stages.values():
        versions.forget(ctx, secret, version)


async def _invoke(ctx: Context, arn: str, function: str, event: dict[str, str], *, dry: bool = False) -> Any:
    """One call of the rotation function, as the service and for the secret. Raises Lambda's Fault."""
    _, _, _, region, account, _ = arn.split(":", 5)
    request = {
        "FunctionName": function,
        "InvocationType": "DryRun" if dry else "RequestResponse",
        "Payload": msgspec.json.encode(event),
    }
    client = ctx.as_service("secretsmanager", source_arn=arn, account=account, region=region).lambda_
    return await client.invoke(request)


@operation
def cancel_rotate_secret(ctx: Context, request: t.CancelRotateSecretRequest) -> t.CancelRotateSecretResponse:
    secret = find(ctx, request["SecretId"], primary=True)
    if secret.rotation_enabled is None:
        raise INVALID_REQUEST("Rotation was never enabled for this secret.")
    secret.rotation_enabled = False
    secret.rotation_plan += 1
    secret.rotating, secret.rotation_token, secret.next_rotation_at = "", "", 0.0
    replication.keep(ctx, secret)
    answer: t.CancelRotateSecretResponse = named(secret)
    if pending := _pending(secret):
        answer["VersionId"] = pending
    return answer
