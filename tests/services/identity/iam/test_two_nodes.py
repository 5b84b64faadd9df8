"""Two nodes over one PostgreSQL are one IAM: what one changes, the other holds its callers to at once."""

import pytest

from tests.conftest import Account, RunningCloud
from tests.services.identity.iam.conftest import House, document, refused, trust

pytestmark = pytest.mark.postgres

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def nodes(two_nodes: list[RunningCloud]) -> list[House]:
    """The same account's IAM on each of two nodes of one cloud."""
    return [House(Account(node, ACCOUNT)) for node in two_nodes]


def test_a_change_on_one_node_counts_on_the_other(nodes: list[House]) -> None:
    first, second = nodes
    key = first.user("alice")
    sqs = second.client("sqs", key)  # the first call of this node that is not root's: it loads IAM in a thread
    assert refused(sqs.list_queues)[0] == "AccessDenied"
    for number in range(5):
        first.iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document("sqs:*"))
        sqs.create_queue(QueueName=f"q{number}")
        first.iam.delete_user_policy(UserName="alice", PolicyName="p")
        assert refused(sqs.create_queue, QueueName="more")[0] == "AccessDenied"
    first.iam.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])
    assert refused(sqs.list_queues)[0] == "InvalidClientTokenId"


def test_a_role_of_one_node_is_assumed_on_the_other(nodes: list[House]) -> None:
    first, second = nodes
    key = first.user("bob", document("sts:AssumeRole"))
    role = first.role("worker", trust({"AWS": ACCOUNT}), document("sqs:*"))
    session = second.client("sts", key).assume_role(RoleArn=role, RoleSessionName="one")["Credentials"]
    first.client("sqs", session).create_queue(QueueName="mine")
    second.iam.delete_role_policy(RoleName="worker", PolicyName="p0")
    assert refused(first.client("sqs", session).list_queues)[0] == "AccessDenied"
    ids = {node.iam.get_role(RoleName="worker")["Role"]["RoleId"] for node in nodes}
    assert len(ids) == 1
