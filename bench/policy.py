"""What authorization costs: `python bench/policy.py`. CPU time of one call, in microseconds.

The caller is a role with five attached policies of the size of AWS's managed ones; the bar is 15 µs.
"""

import json
import time

from cumulo.core.policy.authorization import Attached, authorize
from cumulo.core.policy.condition_keys import Environment, Organization
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import Principal, PrincipalKind, root
from cumulo.core.policy.statements import Policy, compile_policy

ACCOUNT = "111122223333"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
VERBS = ("Get", "List", "Describe", "Create", "Delete", "Update", "Put", "Tag", "Untag", "Start", "Stop")


def managed(services: list[str], statements: int) -> str:
    """A document of some 5,000 characters: many exact actions, some wildcards, a few conditions."""
    written = [
        {
            "Sid": f"S{number}",
            "Effect": "Allow",
            "Action": [f"{services[number % len(services)]}:{verb}Thing{number}" for verb in VERBS]
            + [f"{services[number % len(services)]}:Describe*"],
            "Resource": [f"arn:aws:{services[number % len(services)]}:*:*:thing/{number}-*"],
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
        }
        for number in range(statements)
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": written})


def policies() -> tuple[Policy, ...]:
    own = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sqs:SendMessage", "sqs:Receive*", "sqs:DeleteMessage"],
                "Resource": ["arn:aws:sqs:*:111122223333:ord*", "arn:aws:sqs:*:*:${aws:PrincipalTag/team}-*"],
                "Condition": {
                    "StringEquals": {"aws:RequestedRegion": "us-east-1"},
                    "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]},
                },
            },
            {
                "Effect": "Deny",
                "Action": "sqs:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
    deny = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*", "support:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
        },
    }
    documents = [
        managed(["ec2", "elasticloadbalancing", "autoscaling"], 12),
        managed(["s3", "kms", "logs", "cloudwatch"], 12),
        managed(["dynamodb", "kinesis", "lambda"], 12),
        json.dumps(deny),
        json.dumps(own),
    ]
    return tuple(compile_policy(text, Kind.MANAGED, name=f"p{n}") for n, text in enumerate(documents))


class Source:
    controlled = False

    def __init__(self) -> None:
        self.found = Attached(identity=policies())

    def attached(self, principal: Principal) -> Attached:
        return self.found

    def resource_controls(self, account: str) -> tuple[tuple[Policy, ...], ...]:
        return ()

    def organization(self, account: str) -> Organization | None:
        return None


def measure(label: str, call: object, rounds: int = 20_000) -> float:
    best = float("inf")
    for _ in range(5):
        begin = time.process_time()
        for _ in range(rounds):
            call()  # type: ignore[operator]
        best = min(best, (time.process_time() - begin) / rounds * 1e6)
    print(f"{label:60s} {best:8.2f} µs")
    return best


def main() -> None:
    source = Source()
    session = Principal(
        PrincipalKind.ROLE,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/i-1",
        ACCOUNT,
        user_id="AROAEXAMPLEEXAMPLE01:i-1",
        name="i-1",
        entity_arn=f"arn:aws:iam::{ACCOUNT}:role/worker",
        token_issued_at=0.0,
        tags={"team": "search"},
    )
    environment = Environment(now=lambda: 1_800_000_000.0, source_ip="127.0.0.1", secure=True)
    shared = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": "444455556666"},
                "Action": "sqs:SendMessage",
                "Resource": QUEUE,
            },
        }
    )
    user = root(ACCOUNT)
    decision = authorize(session, "sqs:SendMessage", QUEUE, environment=environment, source=source)
    assert decision.allowed, decision.message()
    print(f"documents: {sum(len(json.dumps(s)) for s in [managed(['ec2'], 12)])} characters each")
    measure("root, no resource policy", lambda: authorize(user, "sqs:SendMessage", QUEUE, environment=environment))
    measure(
        "root, with a resource policy",
        lambda: authorize(user, "sqs:SendMessage", QUEUE, environment=environment, resource_policy=shared),
    )
    measure(
        "role, five policies",
        lambda: authorize(session, "sqs:SendMessage", QUEUE, environment=environment, source=source),
    )
    measure(
        "role, five policies, a resource policy",
        lambda: authorize(
            session, "sqs:SendMessage", QUEUE, environment=environment, source=source, resource_policy=shared
        ),
    )
    measure(
        "role, five policies, denied by silence",
        lambda: authorize(session, "sqs:PurgeQueue", QUEUE, environment=environment, source=source),
    )
    text = managed(["ec2"], 12)
    numbers = iter(range(10_000_000))
    measure(
        "compiling a new managed policy",
        lambda: compile_policy(text.replace("S0", f"S{next(numbers)}x"), Kind.MANAGED),
        200,
    )


if __name__ == "__main__":
    main()
