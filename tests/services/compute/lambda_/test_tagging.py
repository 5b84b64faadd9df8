"""Tags of functions and code signing configurations."""

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused

INVALID = "InvalidParameterValueException"
NO_VERSIONS = "Tags on function aliases and versions are not supported. Please specify a function ARN."


def test_tags_come_and_go(cloud: Account, create: Create) -> None:
    arn = create(Tags={"team": "shop"})["FunctionArn"]
    client = cloud.client("lambda")
    assert client.get_function(FunctionName="greeter")["Tags"] == {"team": "shop"}
    answer = client.tag_resource(Resource=arn, Tags={"team": "core", "A": "tag-a"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "core", "A": "tag-a"}
    client.untag_resource(Resource=arn, TagKeys=["team", "missing"])
    assert client.list_tags(Resource=arn)["Tags"] == {"A": "tag-a"}
    client.untag_resource(Resource=arn, TagKeys=["A"])
    assert client.list_tags(Resource=arn)["Tags"] == {}
    assert "Tags" not in client.get_function(FunctionName="greeter")


def test_what_tags_are_refused(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    many = {f"{number}_key": "value" for number in range(51)}
    too_many = (INVALID, "Number of tags exceeds resource tag limit.")
    refused(lambda: create("other", Tags=many), *too_many)
    refused(lambda: client.tag_resource(Resource=arn, Tags=many), *too_many)
    client.tag_resource(Resource=arn, Tags=dict(list(many.items())[:50]))
    refused(lambda: client.tag_resource(Resource=arn, Tags={"one": "more"}), *too_many)
    refused(
        lambda: client.tag_resource(Resource=arn, Tags={}),
        INVALID,
        "An error occurred and the request cannot be processed.",
    )
    refused(
        lambda: client.untag_resource(Resource=arn, TagKeys=[]),
        "ValidationException",
        "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
    )


def test_what_cannot_be_tagged(cloud: Account, create: Create) -> None:
    arn = create(Publish=True)["FunctionArn"]
    client = cloud.client("lambda")
    place = arn.rpartition(":function")[0]
    for qualified in (f"{arn}:1", f"{arn}:$LATEST", f"{arn}:alias"):
        refused(
            lambda qualified=qualified: client.tag_resource(Resource=qualified, Tags={"a": "b"}), INVALID, NO_VERSIONS
        )
    missing = {
        f"{place}:function:nobody": "Function not found",
        f"{place}:capacity-provider:nobody": "Capacity provider not found",
        f"{place}:event-source-mapping:{'0' * 8}-0000-0000-0000-{'0' * 12}": "Event source mapping not found",
    }
    for resource, text in missing.items():
        refused(
            lambda resource=resource: client.list_tags(Resource=resource),
            "ResourceNotFoundException",
            f"{text}: {resource}",
        )
    for resource in ("arn:aws:something", f"{place}:foobar:thing"):
        error = refused(lambda resource=resource: client.list_tags(Resource=resource))["Error"]
        assert error["Code"] == "ValidationException"
        assert f"Value '{resource}' at 'resource' failed to satisfy constraint" in error["Message"]


def test_a_policy_may_ask_for_tags(cloud: Account, create: Create) -> None:
    create("mine", Tags={"team": "shop"})
    create("other", Tags={"team": "core"})
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    iam.put_user_policy(
        UserName="ann",
        PolicyName="tagged",
        PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "lambda:*", '
        '"Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "shop"}}}}',
    )
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = cloud.client("lambda", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assert ann.get_function_configuration(FunctionName="mine")["FunctionName"] == "mine"
    assert refused(lambda: ann.get_function_configuration(FunctionName="other"))["Error"]["Code"] == (
        "AccessDeniedException"
    )
