"""AddPermission, RemovePermission, GetPolicy: the shape of statements, and the texts of refusals."""

import json

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused

BUCKET = "arn:aws:s3:::incoming"
INVOKE = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}


@pytest.mark.parametrize(
    ("given", "principal", "condition"),
    [
        ({"Principal": "s3.amazonaws.com"}, {"Service": "s3.amazonaws.com"}, None),
        ({"Principal": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"}, None),
        ({"Principal": "arn:aws:iam::111122223333:role/r"}, {"AWS": "arn:aws:iam::111122223333:role/r"}, None),
        (
            {"Principal": "*", "PrincipalOrgID": "o-1234567890"},
            "*",
            {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        ),
        (
            {"Principal": "s3.amazonaws.com", "SourceArn": BUCKET, "SourceAccount": "111122223333"},
            {"Service": "s3.amazonaws.com"},
            {"StringEquals": {"AWS:SourceAccount": "111122223333"}, "ArnLike": {"AWS:SourceArn": BUCKET}},
        ),
        (
            {"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "skill"},
            {"Service": "alexa-appkit.amazon.com"},
            {"StringEquals": {"lambda:EventSourceToken": "skill"}},
        ),
        (
            {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
            "*",
            {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        ),
        (
            {"Principal": "*", "InvokedViaFunctionUrl": True},
            "*",
            {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
    ],
)
def test_a_statement_is_written_as_aws_writes_it(
    cloud: Account, create: Create, given: dict[str, str], principal: object, condition: object
) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    request = {"FunctionName": "greeter", "StatementId": "one", "Action": "lambda:InvokeFunction", **given}
    answer = client.add_permission(**request)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    statement = {"Sid": "one", "Effect": "Allow", "Principal": principal, "Action": request["Action"], "Resource": arn}
    if condition is not None:
        statement["Condition"] = condition
    assert json.loads(answer["Statement"]) == statement
    policy = client.get_policy(FunctionName="greeter")
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}


def test_each_qualifier_has_a_policy_of_its_own(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    client.publish_version(FunctionName="greeter")
    client.create_alias(FunctionName="greeter", Name="prod", FunctionVersion="1")
    for qualifier in ({}, {"Qualifier": "1"}, {"Qualifier": "prod"}):
        client.add_permission(FunctionName="greeter", StatementId="s3", **INVOKE, **qualifier)
    for qualifier, resource in (({}, arn), ({"Qualifier": "1"}, f"{arn}:1"), ({"Qualifier": "prod"}, f"{arn}:prod")):
        (statement,) = json.loads(client.get_policy(FunctionName="greeter", **qualifier)["Policy"])["Statement"]
        assert statement["Resource"] == resource
    client.update_function_configuration(FunctionName="greeter", Timeout=9)
    cloud.settle()
    assert client.publish_version(FunctionName="greeter")["Version"] == "2"
    missing = ("ResourceNotFoundException", "The resource you requested does not exist.")
    refused(lambda: client.get_policy(FunctionName="greeter", Qualifier="2"), *missing)
    client.delete_alias(FunctionName="greeter", Name="prod")
    client.create_alias(FunctionName="greeter", Name="prod", FunctionVersion="1")
    refused(lambda: client.get_policy(FunctionName="greeter", Qualifier="prod"), *missing)


def test_what_add_permission_refuses(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")

    def add(**given: str) -> object:
        return client.add_permission(**{"FunctionName": "greeter", "StatementId": "s3", **INVOKE, **given})

    not_found, invalid = "ResourceNotFoundException", "InvalidParameterValueException"
    refused(lambda: add(FunctionName="nobody"), not_found, f"Function not found: {arn.replace('greeter', 'nobody')}")
    refused(lambda: add(Qualifier="42"), not_found, f"Function not found: {arn}:42")
    refused(lambda: add(Qualifier="some-$-sign"), not_found, f"Function not found: {arn}:some-$-sign")
    refused(lambda: add(Qualifier="prod"), not_found, f"Cannot find alias arn: {arn}:prod")
    refused(lambda: add(Qualifier="$LATEST"), invalid, "We currently do not support adding policies for $LATEST.")
    refused(
        lambda: add(FunctionName="greeter:prod", Qualifier="42"),
        invalid,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )
    refused(
        lambda: add(Principal="invalid.nonaws.com"),
        invalid,
        "The provided principal was invalid. Please check the principal and try again.",
    )
    refused(
        lambda: add(FunctionUrlAuthType="NONE"),
        invalid,
        "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
    )
    refused(
        lambda: add(Qualifier="what?"),
        "ValidationException",
        "1 validation error detected: Value 'what?' at 'qualifier' failed to satisfy constraint: Member must satisfy "
        r"regular expression pattern: \$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
    )
    refused(
        lambda: add(StatementId="example.com"),
        "ValidationException",
        "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
    )
    add()
    refused(
        add,
        "ResourceConflictException",
        "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing "
        "statement.",
    )
    refused(
        lambda: add(StatementId="other", RevisionId="wrong"),
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest "
        "Revision Id",
    )


def test_a_policy_is_no_longer_than_20_kilobytes(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")
    long = f"arn:aws:s3:::{'b' * 6000}"
    for number in range(3):
        client.add_permission(FunctionName="greeter", StatementId=f"s{number}", SourceArn=long, **INVOKE)
    error = refused(lambda: client.add_permission(FunctionName="greeter", StatementId="s3", SourceArn=long, **INVOKE))
    assert error["Error"]["Code"] == "PolicyLengthExceededException"
    assert error["Error"]["Message"].endswith("is bigger than the limit (20480).")


def test_permissions_are_removed_one_by_one(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    not_found = "ResourceNotFoundException"
    refused(
        lambda: client.remove_permission(FunctionName="nobody", StatementId="s3"),
        not_found,
        f"No policy found for: {arn.replace('greeter', 'nobody')}",
    )
    refused(
        lambda: client.remove_permission(FunctionName="greeter", StatementId="s3", Qualifier="prod"),
        not_found,
        f"Cannot find alias arn: {arn}:prod",
    )
    refused(
        lambda: client.remove_permission(FunctionName="greeter", StatementId="s3"),
        not_found,
        "No policy is associated with the given resource.",
    )
    client.add_permission(FunctionName="greeter", StatementId="s3", **INVOKE)
    client.add_permission(FunctionName="greeter", StatementId="sns", **INVOKE)
    refused(
        lambda: client.remove_permission(FunctionName="greeter", StatementId="other"),
        not_found,
        "Statement other is not found in resource policy.",
    )
    before = client.get_policy(FunctionName="greeter")["RevisionId"]
    client.remove_permission(FunctionName="greeter", StatementId="s3", RevisionId=before)
    (left,) = json.loads(client.get_policy(FunctionName="greeter")["Policy"])["Statement"]
    assert left["Sid"] == "sns"
    error = refused(
        lambda: client.remove_permission(FunctionName="greeter", StatementId="sns", RevisionId=before),
    )
    assert error["Error"]["Code"] == "PreconditionFailedException"
    client.remove_permission(FunctionName="greeter", StatementId="sns")
    refused(lambda: client.get_policy(FunctionName="greeter"), not_found, "The resource you requested does not exist.")


def test_another_account_may_do_what_the_policy_lets_it(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    stranger = cloud.another().client("lambda")
    error = refused(lambda: stranger.get_function(FunctionName=arn))
    assert error["Error"]["Code"] == "AccessDeniedException"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 403
    cloud.client("lambda").add_permission(
        FunctionName="greeter", StatementId="all", Action="lambda:GetFunction", Principal="*"
    )
    assert stranger.get_function(FunctionName=arn)["Configuration"]["FunctionArn"] == arn
    assert refused(lambda: stranger.get_function(FunctionName=f"{arn}:$LATEST"))["Error"]["Code"] == (
        "AccessDeniedException"
    )
