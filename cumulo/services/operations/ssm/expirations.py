"""Parameter policies by the clock: parameters expire; notifications wait for EventBridge.

Source: Systems Manager User Guide, "Assigning parameter policies in Parameter Store".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.services.operations.ssm import parameter_policies
from cumulo.services.operations.ssm.errors import INVALID_POLICY_ATTRIBUTE
from cumulo.services.operations.ssm.parameter_policies import (
    EXPIRATION,
    EXPIRATION_NOTIFICATION,
    FAILED,
    FINISHED,
    PENDING,
)
from cumulo.services.operations.ssm.parameter_records import PARAMETERS, put, remove

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_policies import Policy
    from cumulo.services.operations.ssm.parameter_records import Parameter


def check(policies: list[Policy], now: float) -> None:
    """InvalidPolicyAttributeException for an expiration that is past."""
    if any(policy.type == EXPIRATION and policy.value <= now for policy in policies):
        raise INVALID_POLICY_ATTRIBUTE("The Timestamp of an Expiration policy must be in the future.")


def plan(ctx: Context, parameter: Parameter, policies: list[Policy]) -> None:
    """Have the policies of the latest version happen when they fall due; earlier plans do nothing any more."""
    parameter.policy_plan += 1
    parameter.policy_states = []
    moments = parameter_policies.due(policies, parameter.latest.modified_at)
    for index, (policy, moment) in enumerate(zip(policies, moments, strict=True)):
        if policy.type == EXPIRATION_NOTIFICATION and moment <= ctx.now():
            parameter.policy_states.append(FINISHED)  # its time was over before it was made
            continue
        parameter.policy_states.append(PENDING)
        payload = {"name": parameter.name, "plan": parameter.policy_plan, "index": index, "type": policy.type}
        place = {"account": parameter.account, "region": parameter.region}
        ctx.later(carry_out_policy, {**payload, **place}, at=moment)


@task
def carry_out_policy(ctx: Context, payload: dict[str, Any]) -> None:
    """A policy is due: delete the parameter, or say that nobody could be notified."""
    parameter = PARAMETERS.peek(ctx, payload["name"], account=payload["account"], region=payload["region"])
    if parameter is None or parameter.policy_plan != payload["plan"]:
        return
    if payload["type"] == EXPIRATION:
        remove(ctx, parameter)
        return
    # EventBridge is where these go; until it is here the policy has failed, and says so.
    ctx.logger.warning("%s: %s cannot be sent, there is no EventBridge yet", parameter.arn, payload["type"])
    parameter.policy_states[payload["index"]] = FAILED
    put(ctx, parameter)
