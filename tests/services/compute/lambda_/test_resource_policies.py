"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy."""

import json

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused

NOT_FOUND = ("ResourceNotFoundException", "The resource you requested does not exist.")


def _policy(arn: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "lambda:GetFunction", "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_a_policy_is_put_in_place_of_the_one_before(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    refused(lambda: client.get_resource_policy(ResourceArn=arn), *NOT_FOUND)
    client.add_permission(FunctionName=arn, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    put = client.put_resource_policy(ResourceArn=arn, Policy=_policy(arn))
    assert json.loads(put["Policy"]) == json.loads(_policy(arn))
    assert client.get_policy(FunctionName=arn)["RevisionId"] == put["RevisionId"]
    stranger = cloud.another().client("lambda")
    assert stranger.get_function(FunctionName=arn)["Configuration"]["FunctionName"] == "greeter"
    client.add_permission(FunctionName=arn, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    assert len(json.loads(client.get_resource_policy(ResourceArn=arn)["Policy"])["Statement"]) == 2


def test_revisions_are_minded(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    first = client.put_resource_policy(ResourceArn=arn, Policy=_policy(arn))["RevisionId"]
    second = client.put_resource_policy(ResourceArn=arn, Policy=_policy(arn), RevisionId=first)["RevisionId"]
    text = (
        "The Revision Id provided does not match the latest Revision Id. Call the GetResourcePolicy API to retrieve "
        "the latest Revision Id"
    )
    stale = {"ResourceArn": arn, "RevisionId": first}
    refused(lambda: client.put_resource_policy(Policy=_policy(arn), **stale), "PreconditionFailedException", text)
    refused(lambda: client.delete_resource_policy(**stale), "PreconditionFailedException", text)
    client.delete_resource_policy(ResourceArn=arn, RevisionId=second)
    refused(lambda: client.delete_resource_policy(ResourceArn=arn), *NOT_FOUND)


def test_what_is_no_policy_is_refused(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    for policy in ("nothing", "{}", '{"Statement": [{"Effect": "Maybe"}]}'):
        error = refused(lambda policy=policy: client.put_resource_policy(ResourceArn=arn, Policy=policy))
        assert error["Error"]["Code"] == "InvalidParameterValueException"
    missing = arn.replace("greeter", "nobody")
    refused(
        lambda: client.put_resource_policy(ResourceArn=missing, Policy=_policy(missing)),
        "ResourceNotFoundException",
        f"Function not found: {missing}",
    )
