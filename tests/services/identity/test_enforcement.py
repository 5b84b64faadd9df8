"""Policies at work: what users, roles and strangers may do to queues and topics, step by step as on AWS."""

import json
from typing import Any

import pytest

from cumulo.cli.why import explanation
from cumulo.core.callers.identities import trusts
from cumulo.core.errors import Fault
from tests.services.identity.iam.conftest import House, document, refused, trust
from tests.services.identity.test_sts import in_cloud

ASSUME = document("sts:AssumeRole", "sts:TagSession")


@pytest.fixture
def house(cloud: Any) -> House:
    return House(cloud)


def queue(house: House, name: str = "orders", **attributes: str) -> tuple[str, str]:
    """A queue of the account, by root: its URL and its ARN."""
    url = house.cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{house.account}:{name}"


def denied(house: House, who: str, action: str, arn: str, reason: str) -> tuple[str, str, int]:
    """AWS's answer to somebody who may not."""
    text = f"User: {who} is not authorized to perform: {action} on resource: {arn} {reason}"
    return "AccessDenied", text, 403


def no_policy(action: str, kind: str = "identity-based policy") -> str:
    return f"because no {kind} allows the {action} action"


def test_a_user_may_do_what_its_policies_say(house: House) -> None:
    url, arn = queue(house)
    key = house.user("alice")
    alice = house.arn("user/alice")
    sqs = house.client("sqs", key)
    no = denied(house, alice, "sqs:sendmessage", arn, no_policy("sqs:sendmessage"))
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == no
    text = document("sqs:SendMessage", resource=arn)
    house.iam.put_user_policy(UserName="alice", PolicyName="send", PolicyDocument=text)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert refused(sqs.receive_message, QueueUrl=url)[0] == "AccessDenied"
    deny = document("sqs:*", effect="Deny")
    house.iam.put_user_policy(UserName="alice", PolicyName="stop", PolicyDocument=deny)
    no = denied(house, alice, "sqs:sendmessage", arn, "with an explicit deny in an identity-based policy")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == no
    house.iam.delete_user_policy(UserName="alice", PolicyName="stop")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    house.iam.delete_user_policy(UserName="alice", PolicyName="send")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"


def test_topics_word_it_their_own_way(house: House) -> None:
    sns = house.client("sns", house.user("alice"))
    arn = f"arn:aws:sns:us-east-1:{house.account}:news"
    text = f"User: {house.arn('user/alice')} is not authorized to perform: SNS:CreateTopic on resource: {arn} "
    assert refused(sns.create_topic, Name="news") == ("AuthorizationError", text + no_policy("SNS:CreateTopic"), 403)
    house.iam.attach_user_policy(UserName="alice", PolicyArn="arn:aws:iam::aws:policy/AmazonSNSFullAccess")
    assert sns.create_topic(Name="news")["TopicArn"] == arn


def test_a_version_counts_when_it_is_the_default(house: House) -> None:
    url, _ = queue(house)
    sqs = house.client("sqs", house.user("alice"))
    policy = house.policy("sender", document("sns:Publish"))
    house.iam.attach_user_policy(UserName="alice", PolicyArn=policy)
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"
    version = house.iam.create_policy_version(PolicyArn=policy, PolicyDocument=document("sqs:SendMessage"))
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"
    house.iam.set_default_policy_version(PolicyArn=policy, VersionId=version["PolicyVersion"]["VersionId"])
    sqs.send_message(QueueUrl=url, MessageBody="x")
    house.iam.detach_user_policy(UserName="alice", PolicyArn=policy)
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"


def test_groups_give_and_take(house: House) -> None:
    url, _ = queue(house)
    sqs = house.client("sqs", house.user("alice"))
    house.iam.create_group(GroupName="senders")
    house.iam.attach_group_policy(GroupName="senders", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"
    house.iam.add_user_to_group(GroupName="senders", UserName="alice")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    deny = document("sqs:SendMessage", effect="Deny")
    house.iam.put_group_policy(GroupName="senders", PolicyName="not-now", PolicyDocument=deny)
    assert "explicit deny in an identity-based policy" in refused(sqs.send_message, QueueUrl=url, MessageBody="x")[1]
    house.iam.update_group(GroupName="senders", NewGroupName="writers")
    house.iam.delete_group_policy(GroupName="writers", PolicyName="not-now")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    house.iam.remove_user_from_group(GroupName="writers", UserName="alice")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"


def test_a_boundary_bounds(house: House) -> None:
    url, arn = queue(house)
    sqs = house.client("sqs", house.user("alice", document("*")))
    boundary = house.policy("only-read", document("sqs:Receive*", "sqs:Get*"))
    sqs.send_message(QueueUrl=url, MessageBody="x")
    house.iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=boundary)
    sqs.receive_message(QueueUrl=url)
    reason = no_policy("sqs:sendmessage", "permissions boundary")
    no = denied(house, house.arn("user/alice"), "sqs:sendmessage", arn, reason)
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == no
    house.iam.delete_user_permissions_boundary(UserName="alice")
    sqs.send_message(QueueUrl=url, MessageBody="x")


def test_a_role_and_its_session(house: House) -> None:
    url, arn = queue(house)
    alice = house.user("alice")
    role = house.role("worker", trust({"AWS": house.arn("user/alice")}), document("sqs:*"))
    sts = house.client("sts", alice)
    session = sts.assume_role(RoleArn=role, RoleSessionName="one")["Credentials"]
    sqs = house.client("sqs", session)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    house.iam.delete_role_policy(RoleName="worker", PolicyName="p0")
    who = f"arn:aws:sts::{house.account}:assumed-role/worker/one"
    no = denied(house, who, "sqs:sendmessage", arn, no_policy("sqs:sendmessage"))
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == no
    limited = sts.assume_role(
        RoleArn=role, RoleSessionName="two", PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"}]
    )["Credentials"]
    house.iam.attach_role_policy(RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    message = refused(house.client("sqs", limited).send_message, QueueUrl=url, MessageBody="x")[1]
    assert message.endswith(no_policy("sqs:sendmessage", "session policy"))
    used = house.iam.get_role(RoleName="worker")["Role"]["RoleLastUsed"]
    assert used["Region"] == "us-east-1"


def test_a_role_made_again_is_another(house: House) -> None:
    url, _ = queue(house)
    trusting = trust({"AWS": house.account})
    role = house.role("worker", trusting, document("sqs:*"))
    sts = house.client("sts", house.user("alice", ASSUME))
    session = sts.assume_role(RoleArn=role, RoleSessionName="one")["Credentials"]
    sqs = house.client("sqs", session)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    house.iam.delete_role_policy(RoleName="worker", PolicyName="p0")
    house.iam.delete_role(RoleName="worker")
    house.role("worker", trusting, document("sqs:*"))
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"


def test_a_chain_of_roles_with_session_tags(house: House) -> None:
    """alice → first (tags, transitive) → second, in another account that looks at the tags."""
    other = House(house.cloud.another())
    alice = house.user("alice", ASSUME)
    first = house.role("first", trust({"AWS": house.arn("user/alice")}, "sts:AssumeRole", "sts:TagSession"), ASSUME)
    condition = {"StringEquals": {"aws:PrincipalTag/team": "search"}, "Bool": {"aws:SecureTransport": "false"}}
    second = other.role(
        "second", trust({"AWS": house.account}, "sts:AssumeRole", "sts:TagSession", Condition=condition),
        document("sqs:*", resource="arn:aws:sqs:*:*:${aws:PrincipalTag/team}-*"),
    )  # fmt: skip
    url, _ = queue(other, "search-index")
    foreign, _ = queue(other, "payments")
    sts = house.client("sts", alice)
    untagged = sts.assume_role(RoleArn=first, RoleSessionName="plain")["Credentials"]
    who = f"arn:aws:sts::{house.account}:assumed-role/first/plain"
    code, message, status = refused(house.client("sts", untagged).assume_role, RoleArn=second, RoleSessionName="hop")
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith(f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {second}")
    tagged = sts.assume_role(
        RoleArn=first, RoleSessionName="tagged", Tags=[{"Key": "team", "Value": "search"}], TransitiveTagKeys=["team"]
    )["Credentials"]
    hop = house.client("sts", tagged).assume_role(RoleArn=second, RoleSessionName="hop")["Credentials"]
    sqs = house.client("sqs", hop)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert refused(sqs.send_message, QueueUrl=foreign, MessageBody="x")[0] == "AccessDenied"


def test_a_queue_shared_with_another_account(house: House) -> None:
    other = House(house.cloud.another())
    arn = f"arn:aws:sqs:us-east-1:{house.account}:orders"
    share = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Principal": {"AWS": other.account}, "Action": "sqs:SendMessage", "Resource": arn,
        },
    }  # fmt: skip
    url, _ = queue(house)
    sqs = other.client("sqs", other.user("bob"))
    bob = other.arn("user/bob")
    both = denied(other, bob, "sqs:sendmessage", arn, no_policy("sqs:sendmessage"))
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == both
    other.iam.put_user_policy(UserName="bob", PolicyName="send", PolicyDocument=document("sqs:SendMessage"))
    owner = denied(other, bob, "sqs:sendmessage", arn, no_policy("sqs:sendmessage", "resource-based policy"))
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == owner
    root = house.cloud.client("sqs")
    root.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(share)})
    sqs.send_message(QueueUrl=url, MessageBody="x")
    other.iam.delete_user_policy(UserName="bob", PolicyName="send")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x") == both


def test_principal_tags_are_those_of_now(house: House) -> None:
    text = document("sqs:SendMessage", Condition={"StringEquals": {"aws:PrincipalTag/team": "shop"}})
    url, _ = queue(house)
    sqs = house.client("sqs", house.user("alice", text))
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"
    house.iam.tag_user(UserName="alice", Tags=[{"Key": "team", "Value": "shop"}])
    sqs.send_message(QueueUrl=url, MessageBody="x")
    house.iam.untag_user(UserName="alice", TagKeys=["team"])
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "AccessDenied"


def test_a_renamed_user_keeps_its_keys(house: House) -> None:
    url, arn = queue(house)
    sqs = house.client("sqs", house.user("alice", document("sqs:SendMessage")))
    house.iam.update_user(UserName="alice", NewUserName="alicia", NewPath="/people/")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    who = house.arn("user/people/alicia")
    no = denied(house, who, "sqs:purgequeue", arn, no_policy("sqs:purgequeue"))
    assert refused(sqs.purge_queue, QueueUrl=url) == no


def test_keys_that_are_off_or_gone(house: House) -> None:
    key = house.user("alice", document("sqs:*"))
    sqs = house.client("sqs", key)
    sqs.create_queue(QueueName="orders")
    house.iam.update_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    gone = ("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
    assert refused(sqs.list_queues) == gone
    house.iam.update_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"], Status="Active")
    sqs.list_queues()
    house.iam.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])
    assert refused(sqs.list_queues) == gone


def test_iam_itself_is_guarded(house: House) -> None:
    iam = house.client("iam", house.user("alice", document("iam:ListUsers", "iam:CreateInstanceProfile")))
    alice = house.arn("user/alice")
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["alice"]
    texts = {
        "user alice": (iam.get_user, {}, "iam:GetUser"),
        "user nobody": (iam.get_user, {"UserName": "nobody"}, "iam:GetUser"),
        house.arn("user/bob"): (iam.create_user, {"UserName": "bob"}, "iam:CreateUser"),
        house.arn("role/"): (iam.list_roles, {}, "iam:ListRoles"),
        "policy path /": (iam.list_policies, {}, "iam:ListPolicies"),
    }
    for shown, (call, request, action) in texts.items():
        text = f"User: {alice} is not authorized to perform: {action} on resource: {shown} {no_policy(action)}"
        assert refused(call, **request) == ("AccessDenied", text, 403)


def test_a_user_waits_for_messages_and_hears_of_topics(house: House) -> None:
    """Long polls, and deliveries by services, under policies of people."""
    url, arn = queue(house)
    bob = house.client("sqs", house.user("bob", document("sqs:ReceiveMessage")))
    assert "Messages" not in bob.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    alice = house.user("alice", document("sns:*", "sqs:SetQueueAttributes"))
    topic = house.client("sns", alice).create_topic(Name="news")["TopicArn"]
    condition = {"ArnEquals": {"aws:SourceArn": topic}}
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": condition,
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    house.client("sqs", alice).set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    house.client("sns", alice).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    house.client("sns", alice).publish(TopicArn=topic, Message="hello")
    house.cloud.settle()
    assert "hello" in bob.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"]


def test_passing_a_role(house: House) -> None:
    role = house.role("machine", trust({"Service": "ec2.amazonaws.com"}))
    allowed = ["iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"]
    iam = house.client("iam", house.user("alice", document(*allowed)))
    iam.create_instance_profile(InstanceProfileName="machines")
    request = {"InstanceProfileName": "machines", "RoleName": "machine"}
    no = denied(house, house.arn("user/alice"), "iam:PassRole", role, no_policy("iam:PassRole"))
    assert refused(iam.add_role_to_instance_profile, **request) == no
    elsewhere = document("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})
    house.iam.put_user_policy(UserName="alice", PolicyName="pass", PolicyDocument=elsewhere)
    assert refused(iam.add_role_to_instance_profile, **request) == no
    here = document("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
    house.iam.put_user_policy(UserName="alice", PolicyName="pass", PolicyDocument=here)
    iam.add_role_to_instance_profile(**request)


def test_a_service_works_with_the_role_that_it_was_given(house: House) -> None:
    """What Lambda and its like do: pass, ask whether the role trusts them, assume it through STS, call with its key."""
    role = house.role("job", trust({"Service": "lambda.amazonaws.com"}), document("sqs:CreateQueue"))

    def work(ctx: Any) -> dict[str, Any]:
        found = ctx.pass_role(role, "lambda.amazonaws.com")
        assert trusts(found, "lambda.amazonaws.com")
        assert not trusts(found, "ec2.amazonaws.com")
        request = {"RoleArn": role, "RoleSessionName": "job"}
        with pytest.raises(Fault):
            ctx.call("sts", "AssumeRole", request, service="ec2")
        return ctx.call("sts", "AssumeRole", request, service="lambda")["Credentials"]

    session = in_cloud(house.cloud, work)
    sqs = house.client("sqs", session)
    sqs.create_queue(QueueName="jobs")
    assert refused(sqs.list_queues)[0] == "AccessDenied"


def test_a_restart_changes_nothing(start_cloud: Any) -> None:
    from tests.conftest import Account

    running = start_cloud()
    house = House(Account(running, "222233334444"))
    key = house.user("alice", document("sqs:CreateQueue"))
    house.client("sqs", key).create_queue(QueueName="orders")
    running.stop()
    again = House(Account(start_cloud(running.settings.data_dir), "222233334444"))
    sqs = again.client("sqs", key)
    sqs.create_queue(QueueName="more")  # the first call of this cloud: IAM is loaded for it
    assert refused(sqs.list_queues)[0] == "AccessDenied"
    used = again.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sqs", "us-east-1")


def why(house: House) -> str:
    """What `cumulo why` prints about the newest denial."""
    calls = house.cloud.running.cloud.runtime.journal.recent()
    import msgspec

    return explanation(msgspec.to_builtins(next(call for call in calls if call.denial)))


def test_why_names_what_is_missing(house: House) -> None:
    url, arn = queue(house)
    text = document("sqs:SendMessage", resource=f"{arn}-other")
    sqs = house.client("sqs", house.user("alice", text, document("sns:*")))
    refused(sqs.send_message, QueueUrl=url, MessageBody="x")
    shown = why(house)
    assert f"by       {house.arn('user/alice')}" in shown
    assert "because  no identity-based policy allows the sqs:sendmessage action" in shown
    assert f"Allow in statement 1: is about {arn}-other, not {arn}" in shown
    assert "identity-based policy p1\n        names no sqs:SendMessage" in shown
    assert json.dumps({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}) in shown


def test_why_names_the_statement_that_denied(house: House) -> None:
    url, _ = queue(house)
    deny = document("sqs:*", effect="Deny", Sid="NotFromHere", Condition={"Bool": {"aws:SecureTransport": "false"}})
    policy = house.policy("guard", deny)
    sqs = house.client("sqs", house.user("alice", document("sqs:*")))
    house.iam.attach_user_policy(UserName="alice", PolicyArn=policy)
    refused(sqs.send_message, QueueUrl=url, MessageBody="x")
    shown = why(house)
    assert "denied by statement 'NotFromHere' of guard" in shown
    assert f"identity-based policy {policy}\n        Deny in statement 'NotFromHere': matches" in shown
    assert "no other policy can outweigh a Deny" in shown


def test_why_names_the_condition_that_failed(house: House) -> None:
    url, _ = queue(house)
    text = document("sqs:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
    sqs = house.client("sqs", house.user("alice", text))
    refused(sqs.send_message, QueueUrl=url, MessageBody="x")
    assert 'StringEquals aws:RequestedRegion wants eu-west-1, the request has "us-east-1"' in why(house)
