"""AddPermission, RemovePermission and what queue policies allow."""

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import arn, attributes, bodies, receive, refused


def policy_of(sqs: Any, url: str) -> Any:
    found = attributes(sqs, url, "Policy")
    return json.loads(found["Policy"]) if found else None


def test_permissions_are_statements(sqs: Any, queue: str) -> None:
    own = arn(sqs, queue)
    sqs.add_permission(QueueUrl=queue, Label="one", AWSAccountIds=["111122223333"], Actions=["ReceiveMessage"])
    assert policy_of(sqs, queue) == {
        "Version": "2008-10-17",
        "Id": f"{own}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "one",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "SQS:ReceiveMessage",
                "Resource": own,
            }
        ],
    }
    actions = ["SendMessage", "DeleteMessage"]
    accounts = ["111122223333", "444455556666"]
    sqs.add_permission(QueueUrl=queue, Label="two", AWSAccountIds=accounts, Actions=actions)
    second = policy_of(sqs, queue)["Statement"][1]
    assert second["Principal"] == {"AWS": [f"arn:aws:iam::{account}:root" for account in accounts]}
    assert second["Action"] == ["SQS:SendMessage", "SQS:DeleteMessage"]
    sqs.remove_permission(QueueUrl=queue, Label="one")
    assert [one["Sid"] for one in policy_of(sqs, queue)["Statement"]] == ["two"]
    sqs.remove_permission(QueueUrl=queue, Label="two")
    assert policy_of(sqs, queue) is None


def test_what_is_refused(sqs: Any, queue: str) -> None:
    def add(label: str = "label", accounts: Any = ("111122223333",), actions: Any = ("SendMessage",)) -> None:
        sqs.add_permission(QueueUrl=queue, Label=label, AWSAccountIds=list(accounts), Actions=list(actions))

    add()
    with refused("InvalidParameterValue", "Value label for parameter Label is invalid. Reason: Already exists."):
        add()
    text = "Value other for parameter Label is invalid. Reason: can't find label on existing policy."
    with refused("InvalidParameterValue", text):
        sqs.remove_permission(QueueUrl=queue, Label="other")
    for bad in ("a b", "x" * 81):
        with refused("InvalidParameterValue"):
            add(bad)
    text = (
        "Value SQS:Nonsense for parameter ActionName is invalid. "
        "Reason: Please refer to the appropriate WSDL for a list of valid actions."
    )
    with refused("InvalidParameterValue", text):
        add("x", actions=["Nonsense"])
    with refused("InvalidParameterValue"):
        add("x", accounts=["arn:aws:iam::111122223333:user/x"])
    with refused("OverLimit", "8 Actions were found, maximum allowed is 7.", 403):
        add("x", actions=["SendMessage"] * 8)
    with refused("MissingParameter"):
        add("x", actions=[])
    with refused("MissingParameter"):
        add("x", accounts=[])
    for number in range(19):
        add(f"n{number}")
    with refused("OverLimit", status=403):
        add("last")


@pytest.mark.parametrize("allowed", [True, False])
def test_another_account_sends_when_the_policy_lets_it(cloud: Account, sqs: Any, queue: str, allowed: bool) -> None:
    other = cloud.another()
    theirs = other.client("sqs")
    account = other.account if allowed else "111122223333"
    sqs.add_permission(QueueUrl=queue, Label="x", AWSAccountIds=[account], Actions=["SendMessage"])
    if not allowed:
        with refused("AccessDenied", status=403):
            theirs.send_message(QueueUrl=queue, MessageBody="hello")
        with refused("AccessDenied", status=403):
            theirs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "hello"}])
        return
    theirs.send_message(QueueUrl=queue, MessageBody="hello")
    theirs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "again"}])
    with refused("AccessDenied", status=403):
        theirs.receive_message(QueueUrl=queue)
    messages = receive(sqs, queue)
    assert bodies(messages) == ["hello", "again"]
    assert messages[0]["Attributes"]["SenderId"] == other.account


def test_a_policy_denies_even_the_owner(sqs: Any, queue: str) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn(sqs, queue)}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    with refused("AccessDenied", status=403):
        sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert receive(sqs, queue) == []
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    sqs.send_message(QueueUrl=queue, MessageBody="x")


def test_whether_a_queue_is_there_is_not_told_to_strangers(cloud: Account, sqs: Any, queue: str) -> None:
    theirs = cloud.another().client("sqs")
    for url in (queue, queue + "-missing"):
        with refused("AccessDenied", status=403):
            theirs.send_message(QueueUrl=url, MessageBody="x")
