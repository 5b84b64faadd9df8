"""Who may do what through Object Lambda access points."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3control.lenses import TEXT, Json, Lens, create, fetch, lens, role, simulated

__all__ = ["create", "lens", "role", "simulated"]


class User:
    """A user with these statements, and S3 clients of theirs."""

    def __init__(self, cloud: Account, name: str, *statements: Json) -> None:
        iam = cloud.client("iam")
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        self.s3 = cloud.client("s3", **self.keys)


VIA = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["s3-object-lambda.amazonaws.com"]}}


def allow(*actions: str, resource: str = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def test_what_callers_need(cloud: Account, lens: Lens) -> None:
    invoke = allow("lambda:InvokeFunction", resource=f"{lens.function.arn}*", Condition=VIA)
    behind = allow("s3:GetObject", "s3:ListBucket", resource=f"{lens.door}*", Condition=VIA)
    entry = allow("s3-object-lambda:GetObject", resource=lens.arn)
    full = User(cloud, "full", invoke, behind, entry)
    assert full.s3.get_object(Bucket=lens.alias, Key="a/k 1")["Body"].read() == TEXT.upper()
    identity = lens.function.next()["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", "full")
    with refused("AccessDenied", status=403):  # only by way of the function
        full.s3.get_object(Bucket=lens.door_alias, Key="a/k 1")
    with refused("AccessDenied", status=403):
        full.s3.put_object(Bucket=lens.alias, Key="k", Body=b"")
    with refused("AccessDenied", status=403):
        User(cloud, "outside", invoke, behind).s3.get_object(Bucket=lens.alias, Key="a/k 1")
    with refused("LambdaPermissionError", status=403):
        User(cloud, "nofunction", behind, entry).s3.get_object(Bucket=lens.alias, Key="a/k 1")
    statuses: list[int] = []

    def look(event: Json) -> None:
        try:
            fetch(event["getObjectContext"]["inputS3Url"])
        except urllib.error.HTTPError as error:
            statuses.append(error.code)
        lens.respond(event, b"made up")

    lens.answers(look)
    assert User(cloud, "nothing", invoke, entry).s3.get_object(Bucket=lens.alias, Key="a/k 1")["Body"].read()
    assert statuses == [403]


def test_what_goes_on_needs_both(cloud: Account, lens: Lens) -> None:
    behind = allow("s3:PutObject", resource=f"{lens.door}/object/*", Condition=VIA)
    User(cloud, "both", behind, allow("s3-object-lambda:PutObject")).s3.put_object(Bucket=lens.alias, Key="k", Body=b"")
    with refused("AccessDenied", status=403):
        User(cloud, "door", allow("s3:PutObject")).s3.put_object(Bucket=lens.alias, Key="k", Body=b"")
    with refused("AccessDenied", status=403):
        User(cloud, "lens", allow("s3-object-lambda:*")).s3.put_object(Bucket=lens.alias, Key="k", Body=b"")


def test_functions_need_a_permission_to_answer(cloud: Account, lens: Lens) -> None:
    codes: list[str] = []
    mute, speaking = User(cloud, "mute", allow("s3:*")), User(cloud, "speaking", allow("s3-object-lambda:Write*"))

    def answer(event: Json) -> None:
        context = event["getObjectContext"]
        place = {"RequestRoute": context["outputRoute"], "RequestToken": context["outputToken"]}
        try:
            mute.s3.write_get_object_response(**place, Body=b"mute")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
        speaking.s3.write_get_object_response(**place, Body=b"spoken")

    lens.answers(answer)
    assert lens.get()["Body"].read() == b"spoken"
    assert codes == ["AccessDenied"]


def test_other_accounts_by_policies(cloud: Account, lens: Lens) -> None:
    other = cloud.another()
    theirs = other.client("s3")
    with refused("AccessDenied", "Access Denied", 403):
        theirs.get_object(Bucket=lens.alias, Key="a/k 1")
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": other.account},
                "Action": "s3-object-lambda:GetObject",
                "Resource": lens.arn,
            }
        ],
    }
    lens.control.put_access_point_policy_for_object_lambda(**lens.account, Name="lens", Policy=json.dumps(document))
    with refused("LambdaPermissionError", status=403):
        theirs.get_object(Bucket=lens.alias, Key="a/k 1")
    cloud.client("lambda").add_permission(
        FunctionName="greeter", StatementId="s", Action="lambda:InvokeFunction", Principal=other.account
    )
    lens.answers(lambda event: lens.respond(event, b"for you"))
    assert theirs.get_object(Bucket=lens.alias, Key="a/k 1")["Body"].read() == b"for you"


def test_sessions_of_roles_are_told(cloud: Account, lens: Lens) -> None:
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": cloud.account}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=document)["Role"]
    everything = json.dumps({"Version": "2012-10-17", "Statement": [allow("*")]})
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=everything)
    held = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="one")["Credentials"]
    session = boto3.client(
        "s3",
        endpoint_url=cloud.url,
        region_name="us-east-1",
        aws_access_key_id=held["AccessKeyId"],
        aws_secret_access_key=held["SecretAccessKey"],
        aws_session_token=held["SessionToken"],
    )
    assert session.get_object(Bucket=lens.alias, Key="a/k 1")["Body"].read() == TEXT.upper()
    identity = lens.function.next()["userIdentity"]
    assert (identity["type"], identity["accessKeyId"]) == ("AssumedRole", held["AccessKeyId"])
    assert identity["sessionContext"]["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": role["Arn"],
        "accountId": cloud.account,
        "userName": "reader",
    }
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_requests_that_cannot_be(cloud: Account, lens: Lens) -> None:
    nobody = cloud.client("s3", config=Config(signature_version=UNSIGNED))
    with refused("AccessDenied", status=403):
        nobody.get_object(Bucket=lens.alias, Key="a/k 1")
    with refused("InvalidRequest", status=400):
        lens.get(SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
    with refused("NoSuchAccessPoint", status=404):
        lens.s3.get_object(Bucket=lens.arn.replace("lens", "none"), Key="a/k 1")
    with refused("NoSuchBucket", status=404):
        lens.s3.get_object(Bucket="none-1--ol-s3", Key="a/k 1")
    lens.control.delete_access_point(**lens.account, Name="door")
    with refused("NoSuchAccessPoint", status=404):
        lens.get()
