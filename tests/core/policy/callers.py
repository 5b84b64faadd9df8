"""Callers, policies and circumstances for the tables of decisions."""

import json
from typing import Any

from cumulo.core.policy.authorization import Attached, Question
from cumulo.core.policy.condition_keys import Environment, Organization
from cumulo.core.policy.decision import Decision, DecisionKind, PolicyType
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import Principal, PrincipalKind, root, service
from cumulo.core.policy.statements import Policy, compile_policy

HOME = "111122223333"
AWAY = "444455556666"
QUEUE = f"arn:aws:sqs:us-east-1:{HOME}:orders"
AWAY_QUEUE = f"arn:aws:sqs:us-east-1:{AWAY}:orders"
BOB_ARN = f"arn:aws:iam::{HOME}:user/bob"
ROLE_ARN = f"arn:aws:iam::{HOME}:role/path/worker"
SESSION_ARN = f"arn:aws:sts::{HOME}:assumed-role/worker/s1"
FEDERATED_ARN = f"arn:aws:sts::{HOME}:federated-user/visitor"

BOB = Principal(PrincipalKind.USER, BOB_ARN, HOME, user_id="AIDABOBBOBBOBBOBBOB01", name="bob")
SESSION = Principal(
    PrincipalKind.ROLE, SESSION_ARN, HOME, user_id="AROAWORKERWORKERWO01:s1", name="s1", entity_arn=ROLE_ARN
)
FEDERATED = Principal(
    PrincipalKind.FEDERATED, FEDERATED_ARN, HOME, user_id=f"{HOME}:visitor", name="visitor", entity_arn=BOB_ARN
)
FEDERATED_ROOT = Principal(
    PrincipalKind.FEDERATED, FEDERATED_ARN, HOME, name="visitor", entity_arn=f"arn:aws:iam::{HOME}:root"
)
ROOT = root(HOME)
SNS = service("sns.amazonaws.com")
LINKED = service("ops.apigateway.amazonaws.com", linked=True)
WEB = Principal(PrincipalKind.WEB_IDENTITY, "accounts.google.com:1", external_provider="accounts.google.com")

ALLOW, DENY, OTHER = "allow", "deny", "other"


def statement(effect: str, **more: Any) -> dict[str, Any]:
    action = "sqs:PurgeQueue" if effect == OTHER else "sqs:SendMessage"
    return {"Effect": "Deny" if effect == DENY else "Allow", "Action": action, "Resource": "*", **more}


def identity(*effects: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement(effect) for effect in effects]})


def policy(effect: str, kind: Kind = Kind.INLINE) -> Policy:
    return compile_policy(identity(effect), kind, name=effect)


def shared(effect: str, principal: Any, element: str = "Principal", **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement(effect, **{element: principal}, **more)})


def aws(*names: str) -> dict[str, list[str]]:
    return {"AWS": list(names)}


class Source:
    """What is attached to every caller."""

    def __init__(self, identity: str, boundary: str, scps: str, rcps: str) -> None:
        self.controlled = bool(rcps or scps)
        self._attached = Attached(
            identity=tuple(policy(effect) for effect in identity.split()),
            boundary=policy(boundary) if boundary else None,
            service_controls=levels(scps),
        )
        self._rcps = levels(rcps)

    def attached(self, principal: Principal) -> Attached:
        return self._attached

    def resource_controls(self, account: str) -> tuple[tuple[Policy, ...], ...]:
        return self._rcps

    def organization(self, account: str) -> Organization | None:
        return None


def levels(written: str) -> tuple[tuple[Policy, ...], ...]:
    """ "allow / allow deny": two levels, the second with two policies."""
    if not written:
        return ()
    return tuple(tuple(policy(effect, Kind.CONTROL) for effect in level.split()) for level in written.split("/"))


def decided(
    caller: Principal,
    *,
    has: str = "",
    boundary: str = "",
    session: str | None = None,
    resource: str | None = None,
    scps: str = "",
    rcps: str = "",
    arn: str = QUEUE,
    **more: Any,
) -> Decision:
    if session is not None:
        caller = Principal(
            **{
                **{name: getattr(caller, name) for name in caller.__struct_fields__},
                "session_policies": tuple(identity(effect) for effect in session.split()),
            }
        )
    question = Question(
        caller,
        "sqs:SendMessage",
        arn,
        environment=Environment(now=lambda: 0.0),
        resource_policy=resource,
        **more,
    )
    return question.decide(Source(has, boundary, scps, rcps))


def trusting(effect: str, principal: Any, **more: Any) -> str:
    return (
        shared(effect, principal, **more).replace("sqs:SendMessage", "sts:AssumeRole").replace('"Resource": "*", ', "")
    )


YES, NO, EXPLICIT = DecisionKind.ALLOWED, DecisionKind.IMPLICIT_DENY, DecisionKind.EXPLICIT_DENY
ID, RES, PB, SESS = PolicyType.IDENTITY, PolicyType.RESOURCE, PolicyType.BOUNDARY, PolicyType.SESSION
SCP, RCP, IS_ROOT = PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL, PolicyType.ROOT
TRUSTED, GRANT, LINK = PolicyType.TRUST, PolicyType.GRANT, PolicyType.SERVICE_LINKED
KEY = {"resource_policy_required": True}
