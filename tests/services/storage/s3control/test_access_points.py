"""Access points: made, listed, and requests that come through them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from cumulo.core.context import Context
from cumulo.core.s3 import access
from cumulo.core.s3.buckets import BUCKETS, Bucket
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.raw_requests import status_at
from tests.services.storage.s3.stored_objects import transact


@pytest.fixture
def point(cloud: Account, control: Any, bucket: str) -> dict[str, str]:
    """An access point "door" to the bucket, which has an object "k": its ARN and its alias."""
    cloud.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = control.create_access_point(AccountId=cloud.account, Name="door", Bucket=bucket)
    return {"arn": answer["AccessPointArn"], "alias": answer["Alias"]}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_an_access_point_is_made_and_shown(cloud: Account, control: Any, bucket: str, point: dict[str, str]) -> None:
    arn = f"arn:aws:s3:us-east-1:{cloud.account}:accesspoint/door"
    assert point["arn"] == arn
    assert point["alias"].startswith("door-") and point["alias"].endswith("-s3alias") and len(point["alias"]) <= 63
    answer = control.get_access_point(AccountId=cloud.account, Name="door")
    assert answer["Bucket"] == bucket and answer["BucketAccountId"] == cloud.account
    assert answer["NetworkOrigin"] == "Internet" and answer["Alias"] == point["alias"]
    assert all(answer["PublicAccessBlockConfiguration"].values())
    assert answer["Endpoints"]["ipv4"] == "s3-accesspoint.us-east-1.amazonaws.com"
    with refused("AccessPointAlreadyOwnedByYou", status=409):
        control.create_access_point(AccountId=cloud.account, Name="door", Bucket=bucket)
    control.delete_access_point(AccountId=cloud.account, Name="door")
    with refused("NoSuchAccessPoint", "The specified accesspoint does not exist", 404):
        control.get_access_point(AccountId=cloud.account, Name="door")
    with refused("NoSuchBucket", status=404):
        cloud.client("s3").list_objects_v2(Bucket=point["alias"])


def test_access_points_that_cannot_be(cloud: Account, control: Any, bucket: str) -> None:
    account = cloud.account
    with refused("InvalidRequest", "Amazon S3 AccessPoint can only be created for existing bucket"):
        control.create_access_point(AccountId=account, Name="door", Bucket=f"none-{account}")
    for name in ("UPPER", "door-s3alias", "-door"):
        with refused("InvalidArgument", "Invalid Access Point name"):
            control.create_access_point(AccountId=account, Name=name, Bucket=bucket)
    other = cloud.another()
    with refused("AccessDenied", status=403):
        control.create_access_point(AccountId=other.account, Name="door", Bucket=bucket)
    with refused("AccessDenied", status=403):
        other.client("s3control").create_access_point(AccountId=other.account, Name="door", Bucket=bucket)


def test_settings_that_are_not_named_are_off(cloud: Account, control: Any, bucket: str) -> None:
    for name, given in (("empty", {}), ("partial", {"BlockPublicAcls": True})):
        control.create_access_point(
            AccountId=cloud.account, Name=name, Bucket=bucket, PublicAccessBlockConfiguration=given
        )
        block = control.get_access_point(AccountId=cloud.account, Name=name)["PublicAccessBlockConfiguration"]
        assert {key for key, value in block.items() if value} == set(given)


def test_access_points_come_in_pages(cloud: Account, control: Any, bucket: str) -> None:
    account = cloud.account
    second = f"second-{account}"
    cloud.client("s3").create_bucket(Bucket=second)
    for name, target in (("c", bucket), ("a", second), ("b", bucket)):
        control.create_access_point(AccountId=account, Name=f"door-{name}", Bucket=target)

    def names(answer: dict[str, Any]) -> list[str]:
        return [each["Name"] for each in answer["AccessPointList"]]

    assert names(control.list_access_points(AccountId=account)) == ["door-a", "door-b", "door-c"]
    assert names(control.list_access_points(AccountId=account, Bucket=bucket)) == ["door-b", "door-c"]
    page = control.list_access_points(AccountId=account, MaxResults=2)
    assert names(page) == ["door-a", "door-b"]
    assert names(control.list_access_points(AccountId=account, NextToken=page["NextToken"])) == ["door-c"]


def test_policies_of_access_points(cloud: Account, control: Any, bucket: str, point: dict[str, str]) -> None:
    account = cloud.account
    named = {"AccountId": account, "Name": "door"}
    with refused("NoSuchAccessPointPolicy", "The specified accesspoint policy does not exist", 404):
        control.get_access_point_policy(**named)
    good = {
        "Effect": "Allow",
        "Principal": {"AWS": account},
        "Action": "s3:GetObject",
        "Resource": f"{point['arn']}/object/*",
    }
    control.put_access_point_policy(**named, Policy=document(good))
    assert control.get_access_point_policy(**named)["Policy"] == document(good)
    assert control.get_access_point_policy_status(**named)["PolicyStatus"] == {"IsPublic": False}
    with refused("MalformedPolicy", "Policy has invalid resource"):
        control.put_access_point_policy(**named, Policy=document({**good, "Resource": f"arn:aws:s3:::{bucket}/*"}))
    with refused("AccessDenied", status=403):
        control.put_access_point_policy(**named, Policy=document({**good, "Principal": "*"}))
    control.delete_access_point_policy(**named)
    with refused("NoSuchAccessPointPolicy", status=404):
        control.get_access_point_policy_status(**named)


def read(s3: Any, bucket: str, key: str = "k") -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_objects_by_the_alias(cloud: Account, bucket: str, point: dict[str, str]) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket=point["alias"], Key="new", Body=b"y")
    assert read(s3, point["alias"], "new") == read(s3, bucket, "new") == b"y"
    listed = s3.list_objects_v2(Bucket=point["alias"])
    assert [each["Key"] for each in listed["Contents"]] == ["k", "new"]
    assert s3.head_bucket(Bucket=point["alias"])["AccessPointAlias"] is True
    assert s3.head_bucket(Bucket=bucket)["AccessPointAlias"] is False
    with refused("MethodNotAllowed", status=405):
        s3.put_bucket_versioning(Bucket=point["alias"], VersioningConfiguration={"Status": "Enabled"})


def test_objects_by_the_host_of_the_arn(cloud: Account, point: dict[str, str]) -> None:
    assert read(cloud.client("s3"), point["arn"]) == b"x"
    with refused("NoSuchBucket", status=404):  # a host of ours may be a bucket's
        read(cloud.client("s3"), point["arn"].replace("door", "window"))
    assert status_at(cloud, f"door-{cloud.account}.s3-accesspoint.us-east-1.amazonaws.com", "/k") == 200
    assert status_at(cloud, f"door-{cloud.account}.localhost:4566", "/k") == 200
    assert status_at(cloud, f"window-{cloud.account}.s3-accesspoint.us-east-1.amazonaws.com", "/k") == 404


def test_both_sides_must_let_in(cloud: Account, control: Any, bucket: str, point: dict[str, str]) -> None:
    other = cloud.another()
    theirs, mine = other.client("s3"), cloud.client("s3")
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": "s3:GetObject",
        "Resource": f"{point['arn']}/object/*",
    }
    control.put_access_point_policy(AccountId=cloud.account, Name="door", Policy=document(allow))
    with refused("AccessDenied", "Access Denied", 403):
        read(theirs, point["alias"])
    delegated = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": cloud.account}},
    }
    mine.put_bucket_policy(Bucket=bucket, Policy=document(delegated))  # what names an access point is not public
    assert read(theirs, point["alias"]) == b"x"
    with refused("AccessDenied", "Access Denied", 403):
        read(theirs, bucket)
    with refused("AccessDenied", "Access Denied", 403):
        read(cloud.client("s3", config=Config(signature_version=UNSIGNED)), point["alias"])
    deny = {**delegated, "Effect": "Deny"}
    mine.put_bucket_policy(Bucket=bucket, Policy=document(deny))
    with refused("AccessDenied", status=403):
        read(mine, point["alias"])
    assert read(mine, bucket) == b"x"


def test_a_policy_of_the_access_point_denies(cloud: Account, control: Any, bucket: str, point: dict[str, str]) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{point['arn']}/object/secret/*",
    }
    control.put_access_point_policy(AccountId=cloud.account, Name="door", Policy=document(deny))
    s3 = cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="secret/k", Body=b"x")
    with refused("AccessDenied", status=403):
        read(s3, point["alias"], "secret/k")
    assert read(s3, point["alias"]) == b"x"
    assert read(s3, bucket, "secret/k") == b"x"


def test_an_access_point_for_a_vpc_alone(cloud: Account, control: Any, bucket: str) -> None:
    answer = control.create_access_point(
        AccountId=cloud.account, Name="inner", Bucket=bucket, VpcConfiguration={"VpcId": "vpc-1a2b3c4d"}
    )
    shown = control.get_access_point(AccountId=cloud.account, Name="inner")
    assert shown["NetworkOrigin"] == "VPC" and shown["VpcConfiguration"] == {"VpcId": "vpc-1a2b3c4d"}
    with refused("AccessDenied", "Access Denied", 403):
        cloud.client("s3").list_objects_v2(Bucket=answer["Alias"])


def test_users_need_the_access_point_in_their_policies(cloud: Account, bucket: str, point: dict[str, str]) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    alice = cloud.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])

    def allow(resource: str) -> None:
        text = document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource})
        iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=text)

    allow(f"arn:aws:s3:::{bucket}/*")
    with refused("AccessDenied", status=403):
        read(alice, point["alias"])
    allow(f"{point['arn']}/object/*")
    assert read(alice, point["alias"]) == b"x"
    with refused("AccessDenied", status=403):
        read(alice, bucket)


def test_a_bucket_with_access_points_stays(cloud: Account, bucket: str) -> None:
    control = cloud.client("s3control")
    control.create_access_point(AccountId=cloud.account, Name="point", Bucket=bucket)
    text = (
        "The bucket you are trying to delete has access points attached. Delete your access points before you delete "
        "your bucket."
    )
    with refused("BucketHasAccessPointsAttached", text, status=400):
        cloud.client("s3").delete_bucket(Bucket=bucket)
    control.delete_access_point(AccountId=cloud.account, Name="point")
    cloud.client("s3").delete_bucket(Bucket=bucket)


def test_more_access_points_or_buckets_than_allowed(cloud: Account, bucket: str) -> None:
    owner, other = cloud.another(), cloud.another()

    def fill(ctx: Context) -> None:
        block = access.PublicAccessBlock(True, True, True, True)
        for number in range(10_000):
            named = (f"n{number}", bucket, cloud.account, "", 0.0, block)
            point = access.AccessPoint(owner.account, "us-east-1", *named)
            access.ACCESS_POINTS.put(ctx, point, account=owner.account, region="us-east-1")
            BUCKETS.put(ctx, Bucket(f"{other.account}-{number}", other.account, "us-east-1", 0.0))

    def empty(ctx: Context) -> None:
        for point in access.ACCESS_POINTS.range(ctx, account=owner.account, region="us-east-1"):
            access.ACCESS_POINTS.delete(ctx, point, account=owner.account, region="us-east-1")
        for each in BUCKETS.range(ctx, other.account, index="by_account"):
            BUCKETS.delete(ctx, each)

    transact(cloud, fill)
    try:
        with refused("TooManyAccessPoints", status=400):
            owner.client("s3control").create_access_point(
                AccountId=owner.account, Name="point", Bucket=bucket, BucketAccountId=cloud.account
            )
        with refused("TooManyBuckets", "You have attempted to create more buckets than allowed", status=400):
            other.client("s3").create_bucket(Bucket=f"{other.account}-one-more")
    finally:
        transact(cloud, empty)
