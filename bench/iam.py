"""What a caller's policies cost when IAM keeps them: `python bench/iam.py`. CPU time of one call, in microseconds.

The caller is a session of a role with the five policies of `bench/policy.py`; the bar is 15 µs for the whole of
`ctx.authorize`: the account's version read from the store, the policies looked up, the decision made.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import policy

from cumulo.app import Cloud
from cumulo.core.context import Context
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import Principal, PrincipalKind, root
from cumulo.services.identity.iam.policies import documents
from cumulo.settings import Settings

TRUST = {"Effect": "Allow", "Principal": {"AWS": policy.ACCOUNT}, "Action": "sts:AssumeRole"}


def texts() -> list[str]:
    """The documents of `bench/policy.py`."""
    found: list[str] = []
    compile_policy = policy.compile_policy

    def noted(text: str, kind: Kind, **known: Any) -> Any:
        found.append(text)
        return compile_policy(text, kind, **known)

    policy.compile_policy = noted
    policy.policies()
    policy.compile_policy = compile_policy
    return found


def session(ctx: Context) -> Principal:
    """A session of a role with five policies; root makes it."""
    ctx.principal = root(ctx.account)
    trust = json.dumps({"Version": "2012-10-17", "Statement": TRUST})
    role = ctx.call("iam", "CreateRole", {"RoleName": "worker", "AssumeRolePolicyDocument": trust})["Role"]
    for number, text in enumerate(texts()):
        request = {"RoleName": "worker", "PolicyName": f"p{number}", "PolicyDocument": text}
        ctx.call("iam", "PutRolePolicy", request)
    return Principal(
        PrincipalKind.ROLE, f"arn:aws:sts::{ctx.account}:assumed-role/worker/i-1", ctx.account, name="i-1",
        user_id=f"{role['RoleId']}:i-1", entity_arn=role["Arn"], token_issued_at=0.0, tags={"team": "search"},
    )  # fmt: skip


def measure(ctx: Context) -> None:
    """The cost of one question."""
    ctx.principal = session(ctx)
    ctx.internal = False
    ctx.handler = ctx.runtime.registry.service("sqs").handler("SendMessage")
    ctx.source_ip, ctx.endpoint = "127.0.0.1", "https://localhost"
    policy.measure("role, five policies, from IAM", lambda: ctx.authorize(policy.QUEUE), 5_000)


async def main() -> None:
    """A cloud of its own, gone afterwards."""
    documents.INLINE_LIMITS["role"] = 1_000_000  # the five are larger together than a role's may be
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(Settings(data_dir=Path(folder), cache_dir=Path(folder), port=0))
        await cloud.start()
        await cloud.runtime.internal_context("sqs", "SendMessage", policy.ACCOUNT, "us-east-1").transact(measure)
        await cloud.stop()


if __name__ == "__main__":
    asyncio.run(main())
