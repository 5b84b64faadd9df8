"""How services encrypt at rest: through KMS, in the caller's name or their own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core import encryption
from cumulo.core.context import Context
from cumulo.core.errors import Fault
from cumulo.core.policy.principals import Principal, root
from tests.conftest import Account

QUEUE = {"aws:sqs:arn": "arn:aws:sqs:us-east-1:123456789012:queue"}


def in_service(cloud: Account, work: Callable[[Context], Any], principal: Principal | None = None) -> Any:
    """Run `work` in a call to SQS of the account's root, or of somebody else."""
    runtime = cloud.running.cloud.runtime
    ctx = Context(
        runtime,
        service="sqs",
        operation="SendMessage",
        account=cloud.account,
        region="us-east-1",
        principal=principal or root(cloud.account),
        request_id=runtime.ids.uuid(),
    )

    async def run() -> Any:
        return await ctx.transact(work)

    return cloud.running.run(run())


def refusal(cloud: Account, work: Callable[[Context], Any]) -> Fault:
    with pytest.raises(Fault) as caught:
        in_service(cloud, work)
    return caught.value


def test_a_service_seals_in_the_callers_name(cloud: Account) -> None:
    blob = in_service(cloud, lambda ctx: encryption.seal(ctx, "alias/aws/sqs", b"body", QUEUE))
    assert b"body" not in blob
    assert in_service(cloud, lambda ctx: encryption.open(ctx, blob, QUEUE)) == b"body"
    assert refusal(cloud, lambda ctx: encryption.open(ctx, blob, {})).code == "InvalidCiphertextException"
    for broken in (b"", b"CUE1", blob[:-1], b"x" + blob):
        assert refusal(cloud, lambda ctx, broken=broken: encryption.open(ctx, broken, QUEUE)).code == (
            "InvalidCiphertextException"
        )
    # The same key, asked for directly: its policy lets nobody in but through SQS.
    with pytest.raises(Exception, match="AccessDeniedException"):
        cloud.client("kms").generate_data_key(KeyId="alias/aws/sqs", KeySpec="AES_256")


def test_one_data_key_for_many(cloud: Account) -> None:
    def work(ctx: Context) -> list[bytes]:
        key = encryption.data_key(ctx, "alias/aws/sqs", QUEUE)
        blobs = [encryption.seal(ctx, "", body, QUEUE, under=key) for body in (b"one", b"two")]
        return [encryption.open(ctx, blob, QUEUE) for blob in blobs]

    assert in_service(cloud, work) == [b"one", b"two"]


def test_the_key_decides(cloud: Account) -> None:
    kms = cloud.client("kms")
    account = {"AWS": f"arn:aws:iam::{cloud.account}:root"}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}},
    }
    allow = {"Effect": "Allow", "Principal": account, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    blob = in_service(cloud, lambda ctx: encryption.seal(ctx, key, b"body", QUEUE))
    denied = refusal(cloud, lambda ctx: encryption.open(ctx, blob, QUEUE))
    assert denied.code == "AccessDeniedException" and denied.message.endswith(
        "with an explicit deny in a resource-based policy"
    )
    kms.disable_key(KeyId=key)
    disabled = refusal(cloud, lambda ctx: encryption.seal(ctx, key, b"body", QUEUE))
    assert (disabled.code, disabled.message) == ("DisabledException", f"{key} is disabled.")


def test_a_service_in_its_own_name(cloud: Account) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    topic = f"arn:aws:sns:us-east-1:{cloud.account}:topic"

    def work(ctx: Context) -> bytes:
        return encryption.seal(ctx, key, b"body", QUEUE, service="sns", source_arn=topic)

    assert refusal(cloud, work).message == (
        f"User: sns.amazonaws.com is not authorized to perform: kms:GenerateDataKey on resource: {key} "
        "because no resource-based policy allows the kms:GenerateDataKey action"
    )
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    policy["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
    )
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    blob = in_service(cloud, work)
    assert in_service(cloud, lambda ctx: encryption.open(ctx, blob, QUEUE)) == b"body"


@given(st.binary(max_size=64))
def test_foreign_bytes_are_refused_before_kms_is_asked(blob: bytes) -> None:
    with pytest.raises(Fault):
        encryption.open(None, blob[:10], {})  # type: ignore[arg-type]
