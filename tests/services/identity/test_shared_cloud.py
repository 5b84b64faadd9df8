"""Two accounts, a chain of roles with MFA and session tags, a shared queue and a sealed one; after a restart again.

A platform account owns the queues. Alice of the shop account signs in with MFA, goes by way of a role of her account
to a role of the same account that only her team's sessions may take, and sends to the platform's queues.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Account, RunningCloud
from tests.services.identity.iam.conftest import House, document, refused, trust
from tests.services.identity.iam.credentials.test_mfa_devices import Device, code_at

SHOP, PLATFORM = "111122223333", "444455556666"
TEAM = {"Tags": [{"Key": "team", "Value": "search"}], "TransitiveTagKeys": ["team"]}
HOPPER, SENDER = f"arn:aws:iam::{SHOP}:role/hopper", f"arn:aws:iam::{SHOP}:role/sender"
SHARED, SEALED = (f"arn:aws:sqs:us-east-1:{PLATFORM}:{name}" for name in ("shared", "sealed"))
SESSION = f"arn:aws:sts::{SHOP}:assumed-role/sender/hop"
KMS = ("kms:GenerateDataKey", "kms:Decrypt")


def key_policy(*statements: dict[str, Any]) -> str:
    own = {"Effect": "Allow", "Principal": {"AWS": PLATFORM}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [own, *statements]})


def key_statement(effect: str, *actions: str) -> dict[str, Any]:
    return {"Effect": effect, "Principal": {"AWS": SENDER}, "Action": list(actions), "Resource": "*"}


class Stage:
    """The two accounts as tests see them, in this run of the server."""

    def __init__(self, running: RunningCloud) -> None:
        self.shop = House(Account(running, SHOP))
        self.platform = House(Account(running, PLATFORM))
        self.urls = {name: f"{running.url}/{PLATFORM}/{name}" for name in ("shared", "sealed")}

    def build(self) -> tuple[str, dict[str, Any], bytes, str]:
        """What is there before the story begins: the KMS key, Alice's access key, her device's seed and serial."""
        shop, platform = self.shop, self.platform
        alice = shop.user("alice", document("sts:AssumeRole", "sts:TagSession", resource=HOPPER))
        device = Device(shop)
        device.enable(shop.iam, "alice")
        with_mfa = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
        shop.role(
            "hopper",
            trust({"AWS": shop.arn("user/alice")}, "sts:AssumeRole", "sts:TagSession", **with_mfa),
            document("sts:AssumeRole", resource=SENDER),
        )
        of_team = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "search"}}}
        shop.role(
            "sender",
            # The transitive tag comes with the session, so AWS asks for sts:TagSession at the second hop, too.
            trust({"AWS": HOPPER}, "sts:AssumeRole", "sts:TagSession", **of_team),
            document("sqs:SendMessage", "sqs:ReceiveMessage", resource=[SHARED, SEALED]),
        )
        key: str = platform.cloud.client("kms").create_key(Policy=key_policy())["KeyMetadata"]["Arn"]
        sqs = platform.cloud.client("sqs")
        for name, more in (("shared", {}), ("sealed", {"KmsMasterKeyId": key, "KmsDataKeyReusePeriodSeconds": "60"})):
            sqs.create_queue(QueueName=name, Attributes=more)
        return key, alice, device.seed, device.serial


def share(stage: Stage, *names: str) -> None:
    """Queue policies that let the sender in, when its session is of the team."""
    for name in names:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": SENDER},
            "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"],
            "Resource": f"arn:aws:sqs:us-east-1:{PLATFORM}:{name}",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "search"}},
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        stage.platform.cloud.client("sqs").set_queue_attributes(QueueUrl=stage.urls[name], Attributes={"Policy": text})


def code(stage: Stage, seed: bytes) -> str:
    return code_at(seed, stage.shop.cloud.running.clock.now())


def test_two_accounts_act_as_on_aws(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    running = start_cloud(tmp_path)
    stage = Stage(running)
    key, alice, seed, serial = stage.build()
    hop = tell(stage, key, alice, seed, serial)
    running.stop()

    running = start_cloud(tmp_path)
    stage = Stage(running)
    running.advance(600)  # the clock of a new server is the wall's: catch up with the first one's
    # The session of before still is one, and what was sealed still opens for who may.
    sqs = stage.shop.client("sqs", hop)
    sqs.send_message(QueueUrl=stage.urls["shared"], MessageBody="after the restart")
    owner = stage.platform.cloud.client("sqs")
    assert bodies(owner, stage.urls["sealed"]) == ["sealed"]
    assert bodies(owner, stage.urls["shared"]) == ["shared", "after the restart"]
    tell(stage, key, alice, seed, serial)
    assert bodies(owner, stage.urls["sealed"]) == ["sealed"]
    assert bodies(owner, stage.urls["shared"]) == ["shared"]
    running.stop()


def bodies(sqs: Any, url: str) -> list[str]:
    """What is in the queue, which is empty after it."""
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def sign_in(stage: Stage, alice: dict[str, Any], seed: bytes, serial: str) -> dict[str, Any]:
    """Alice's way to the sender's session: refused without MFA, without the tag, and by the shortcut."""
    stage.shop.cloud.advance(60)  # a code is taken once
    who = stage.shop.arn("user/alice")
    sts = stage.shop.client("sts", alice)
    hopper = {"RoleArn": HOPPER, "RoleSessionName": "first"}

    def no(who: str, action: str, what: str, call: Any, **request: Any) -> None:
        refusal = refused(call, **request)
        assert (refusal[0], refusal[2]) == ("AccessDenied", 403)
        assert refusal[1].startswith(f"User: {who} is not authorized to perform: {action} on resource: {what}")

    no(who, "sts:AssumeRole", HOPPER, sts.assume_role, **hopper, **TEAM)
    wrong = "000000" if code(stage, seed) != "000000" else "000001"
    bad = refused(sts.assume_role, **hopper, **TEAM, SerialNumber=serial, TokenCode=wrong)
    assert (bad[0], bad[2]) == ("AccessDenied", 403)
    assert bad[1].startswith("MultiFactorAuthentication failed")
    no(who, "sts:AssumeRole", SENDER, sts.assume_role, RoleArn=SENDER, RoleSessionName="hop")
    mfa = {"SerialNumber": serial, "TokenCode": code(stage, seed)}
    untagged = sts.assume_role(**hopper, **mfa)["Credentials"]
    first = f"arn:aws:sts::{SHOP}:assumed-role/hopper/first"
    sender = {"RoleArn": SENDER, "RoleSessionName": "hop"}
    no(first, "sts:AssumeRole", SENDER, stage.shop.client("sts", untagged).assume_role, **sender)
    stage.shop.cloud.advance(60)
    tagged = sts.assume_role(**hopper, **TEAM, SerialNumber=serial, TokenCode=code(stage, seed))["Credentials"]
    chained = stage.shop.client("sts", tagged)
    too_long = refused(chained.assume_role, **sender, DurationSeconds=7200)
    assert too_long[0] == "ValidationError"
    taken: dict[str, Any] = chained.assume_role(**sender)
    assert taken["AssumedRoleUser"]["Arn"] == SESSION
    return dict(taken["Credentials"])


def tell(stage: Stage, key: str, alice: dict[str, Any], seed: bytes, serial: str) -> dict[str, Any]:
    """The whole story, step by step; it leaves one message in either queue. The sender's session."""
    hop = sign_in(stage, alice, seed, serial)
    sqs, kms, urls = stage.shop.client("sqs", hop), stage.platform.cloud.client("kms"), stage.urls
    owner = stage.platform.cloud.client("sqs")
    for name in urls:
        owner.set_queue_attributes(QueueUrl=urls[name], Attributes={"Policy": ""})

    # Another account's queue needs both sides: the identity's policy alone is not enough.
    no_side = "because no resource-based policy allows the sqs:sendmessage action"
    for name, arn in (("shared", SHARED), ("sealed", SEALED)):
        text = f"User: {SESSION} is not authorized to perform: sqs:sendmessage on resource: {arn} {no_side}"
        assert refused(sqs.send_message, QueueUrl=urls[name], MessageBody="x") == ("AccessDenied", text, 403)
    share(stage, "shared", "sealed")
    sqs.send_message(QueueUrl=urls["shared"], MessageBody="shared")
    other = refused(sqs.purge_queue, QueueUrl=urls["shared"])
    assert (other[0], other[2]) == ("AccessDenied", 403)

    # The sealed queue lets the sender in; its key does not, until identity policy and key policy both do.
    def no_key(call: Any, reason: str, action: str = "kms:GenerateDataKey", **request: Any) -> None:
        stage.shop.cloud.advance(61)  # no data key is used again
        refusal = refused(call, QueueUrl=urls["sealed"], **request)
        assert (refusal[0], refusal[2]) == ("KMS.AccessDeniedException", 400)
        start = f"User: {SESSION} is not authorized to perform: {action} on resource: {key} {reason}"
        end = " (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: "
        assert refusal[1].startswith(start + end), refusal[1]

    if has_kms(stage):
        stage.shop.iam.delete_role_policy(RoleName="sender", PolicyName="kms")
    kms.put_key_policy(KeyId=key, Policy=key_policy())
    no_key(sqs.send_message, "because no identity-based policy allows the kms:GenerateDataKey action", MessageBody="x")
    stage.shop.iam.put_role_policy(RoleName="sender", PolicyName="kms", PolicyDocument=document(*KMS, resource=key))
    no_key(sqs.send_message, "because no resource-based policy allows the kms:GenerateDataKey action", MessageBody="x")
    kms.put_key_policy(KeyId=key, Policy=key_policy(key_statement("Allow", *KMS)))
    sqs.send_message(QueueUrl=urls["sealed"], MessageBody="sealed")

    # A key policy that denies wins over both.
    both = (key_statement("Allow", *KMS), key_statement("Deny", "kms:Decrypt"))
    kms.put_key_policy(KeyId=key, Policy=key_policy(*both))
    explicit = "with an explicit deny in a resource-based policy"
    no_key(sqs.receive_message, explicit, "kms:Decrypt")
    no_key(sqs.send_message, explicit, "kms:Decrypt", MessageBody="x")
    sqs.send_message(QueueUrl=urls["shared"], MessageBody="y")  # the queue without a key does not care
    messages = owner.receive_message(QueueUrl=urls["shared"], MaxNumberOfMessages=10)["Messages"]
    for message in messages:
        if message["Body"] == "y":
            owner.delete_message(QueueUrl=urls["shared"], ReceiptHandle=message["ReceiptHandle"])
        else:
            owner.change_message_visibility(
                QueueUrl=urls["shared"], ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
    return hop


def has_kms(stage: Stage) -> bool:
    return "kms" in stage.shop.iam.list_role_policies(RoleName="sender")["PolicyNames"]
