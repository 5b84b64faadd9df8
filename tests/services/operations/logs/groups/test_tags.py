"""Tags, in both APIs."""

from typing import Any

from tests.conftest import Account
from tests.services.operations.logs.conftest import refused

GROUP = "/shop/orders"


def test_both_apis_see_the_same_tags(cloud: Account, logs: Any) -> None:
    logs.create_log_group(logGroupName=GROUP, tags={"env": "testing"})
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    assert logs.list_tags_log_group(logGroupName=GROUP)["tags"] == {"env": "testing"}
    logs.tag_log_group(logGroupName=GROUP, tags={"test1": "val1", "env": "testing1"})
    logs.tag_resource(resourceArn=arn, tags={"test2": "val2"})
    wanted = {"env": "testing1", "test1": "val1", "test2": "val2"}
    assert logs.list_tags_log_group(logGroupName=GROUP)["tags"] == wanted
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == wanted
    logs.untag_resource(resourceArn=arn, tagKeys=["env", "nothing"])
    logs.untag_log_group(logGroupName=GROUP, tags=["test1"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"test2": "val2"}


def test_tags_that_are_refused(cloud: Account, logs: Any) -> None:
    logs.create_log_group(logGroupName=GROUP, tags={str(number): "" for number in range(50)})
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    with refused("TooManyTagsException"):
        logs.tag_resource(resourceArn=arn, tags={"a": "b"})
    logs.tag_resource(resourceArn=arn, tags={"1": "b"})
    logs.untag_log_group(logGroupName=GROUP, tags=["1"])
    with refused("InvalidParameterException", "aws: prefixed tag key names are not allowed for external use."):
        logs.tag_log_group(logGroupName=GROUP, tags={"aws:a": "b"})
    with refused("ResourceNotFoundException"):
        logs.list_tags_for_resource(resourceArn=arn + "2")
    with refused("ResourceNotFoundException"):
        logs.list_tags_log_group(logGroupName="nothing")
    with refused("InvalidParameterException"):
        logs.list_tags_for_resource(resourceArn="arn:aws:sqs:us-east-1:123456789012:a")
