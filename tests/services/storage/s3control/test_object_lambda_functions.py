"""Object Lambda with functions that really run: boto3 as it comes, and the standard library for the object itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.engines.sandboxes.probe import abilities
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import create, role, zip_of
from tests.services.compute.lambda_.recorder import allow

__all__ = ["create", "role"]

CODE = """
import urllib.request
import boto3

def handler(event, context):
    place = event.get("getObjectContext") or event.get("headObjectContext") or event["listObjectsV2Context"]
    method = "HEAD" if "headObjectContext" in event else "GET"
    with urllib.request.urlopen(urllib.request.Request(place["inputS3Url"], method=method)) as answer:
        body, headers = answer.read(), dict(answer.headers)
    if "headObjectContext" in event:
        return {"statusCode": 200, "headers": headers}
    if "listObjectsV2Context" in event:
        return {"statusCode": 200, "listResultXml": body.decode().replace("secret", "public")}
    boto3.client("s3").write_get_object_response(
        RequestRoute=place["outputRoute"], RequestToken=place["outputToken"], Body=body.upper(),
        ContentType=headers["Content-Type"],
    )
    return {"statusCode": 200}
"""


@pytest.mark.skipif("net" not in abilities().namespaces, reason="functions have no network of their own here")
def test_a_real_function(cloud: Account, create: Callable[..., dict[str, Any]], role: str) -> None:
    allow(cloud, role, "s3-object-lambda:WriteGetObjectResponse", "logs:*")
    function = create("upper", Code={"ZipFile": zip_of({"index.py": CODE})}, Timeout=30)["FunctionArn"]
    s3, control = cloud.client("s3"), cloud.client("s3control")
    bucket = f"real-{cloud.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="secret/é k", Body=b"x" * 200_000, ContentType="text/plain")
    account = {"AccountId": cloud.account}
    door = control.create_access_point(**account, Name="door", Bucket=bucket)["AccessPointArn"]
    transformation = {
        "Actions": ["GetObject", "HeadObject", "ListObjectsV2"],
        "ContentTransformation": {"AwsLambda": {"FunctionArn": function}},
    }
    lens = control.create_access_point_for_object_lambda(
        **account,
        Name="lens",
        Configuration={"SupportingAccessPoint": door, "TransformationConfigurations": [transformation]},
    )
    for name in (lens["Alias"]["Value"], lens["ObjectLambdaAccessPointArn"]):
        got = s3.get_object(Bucket=name, Key="secret/é k")
        assert got["Body"].read() == b"X" * 200_000
        assert got["ContentType"] == "text/plain"
        assert s3.head_object(Bucket=name, Key="secret/é k")["ContentLength"] == 200_000
        listed = s3.list_objects_v2(Bucket=name)
        assert [each["Key"] for each in listed["Contents"]] == ["public/é k"]
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "s3-object-lambda:*", "Resource": "*"}],
    }
    cloud.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="never", PolicyDocument=json.dumps(document)
    )
    with pytest.raises(s3.exceptions.ClientError, match="LambdaRuntimeError"):
        s3.get_object(Bucket=name, Key="secret/é k")
