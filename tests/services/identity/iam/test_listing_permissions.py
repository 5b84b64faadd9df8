"""What lists everything acts on no one resource: policies are matched with what AWS names in its place."""

import pytest

from tests.services.identity.iam.conftest import House, document, refused

# service, operation, the action as messages write it, what a policy may name, what AWS's message names
LISTINGS = [
    ("s3", "list_buckets", "s3:ListAllMyBuckets", "arn:aws:s3:::*", ""),
    ("sqs", "list_queues", "sqs:listqueues", "arn:aws:sqs:us-east-1:{0}:*", "arn:aws:sqs:us-east-1:{0}:"),
    ("sns", "list_topics", "SNS:ListTopics", "arn:aws:sns:*:*:*", "arn:aws:sns:us-east-1:{0}:*"),
    ("sns", "list_subscriptions", "SNS:ListSubscriptions", "arn:aws:sns:*:*:*", "arn:aws:sns:us-east-1:{0}:*"),
    (
        "dynamodb", "list_tables", "dynamodb:ListTables",
        "arn:aws:dynamodb:*:{0}:table/*", "arn:aws:dynamodb:us-east-1:{0}:table/*",
    ),
    (
        "logs", "describe_log_groups", "logs:DescribeLogGroups",
        "arn:aws:logs:*:*:*", "arn:aws:logs:us-east-1:{0}:log-group::log-stream:",
    ),
    ("ssm", "describe_parameters", "ssm:DescribeParameters", "arn:aws:ssm:*:{0}:*", "arn:aws:ssm:us-east-1:{0}:*"),
    ("iam", "list_users", "iam:ListUsers", "arn:aws:iam::{0}:user/*", "arn:aws:iam::{0}:user/"),
    ("iam", "list_roles", "iam:ListRoles", "arn:aws:iam::*:role/*", "arn:aws:iam::{0}:role/"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "action", "named", "shown"), LISTINGS)
def test_listings(house: House, service: str, operation: str, action: str, named: str, shown: str) -> None:
    nobody = house.client(service, house.user("nobody"))
    message = refused(getattr(nobody, operation))[1]
    on_resource = f" on resource: {shown.format(house.account)}" if shown else ""
    assert message == (
        f"User: {house.arn('user/nobody')} is not authorized to perform: {action}{on_resource} because no "
        f"identity-based policy allows the {action} action"
    )
    allowed = house.client(service, house.user("reader", document(action, resource=named.format(house.account))))
    getattr(allowed, operation)()
    everywhere = house.client(service, house.user("auditor", document(action)))
    getattr(everywhere, operation)()
    one = document(action, resource=f"{named.format(house.account).removesuffix('*')}one-of-them")
    of_one = house.client(service, house.user("owner", one))
    assert refused(getattr(of_one, operation))[1].endswith(f"policy allows the {action} action")


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [("lambda", "list_functions", "lambda:ListFunctions"), ("kms", "list_keys", "kms:ListKeys")],
)
def test_messages_that_name_everything(house: House, service: str, operation: str, action: str) -> None:
    nobody = house.client(service, house.user("nobody"))
    assert refused(getattr(nobody, operation))[1] == (
        f"User: {house.arn('user/nobody')} is not authorized to perform: {action} on resource: * because no "
        f"identity-based policy allows the {action} action"
    )
