"""Buckets: made, found, listed, removed."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused


def test_a_bucket_is_there_until_it_is_deleted(s3: Any, bucket: str) -> None:
    answer = s3.head_bucket(Bucket=bucket)
    assert answer["BucketRegion"] == "us-east-1"
    assert answer["BucketArn"] == f"arn:aws:s3:::{bucket}"
    s3.delete_bucket(Bucket=bucket)
    with refused("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=bucket):
        s3.delete_bucket(Bucket=bucket)
    with refused("404", "Not Found", 404):
        s3.head_bucket(Bucket=bucket)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "UPPER-case",
        "under_score",
        "-hyphen-first",
        "hyphen-last-",
        "two..periods",
        "192.168.5.4",
        "xn--bucket",
        "sthree-bucket",
        "amzn-s3-demo-bucket",
        "bucket-s3alias",
        "bucket--ol-s3",
        "bucket.mrap",
        "bucket--table-s3",
        "mine-111122223333-us-east-1-an",
    ],
)
def test_names_that_no_bucket_may_have(s3: Any, name: str) -> None:
    with refused("InvalidBucketName", "The specified bucket is not valid.", 400, BucketName=name):
        s3.create_bucket(Bucket=name)


def test_where_a_bucket_is(cloud: Account, new_bucket: Callable[..., str], s3: Any) -> None:
    assert s3.get_bucket_location(Bucket=new_bucket())["LocationConstraint"] is None
    west = cloud.client("s3", region="us-west-2")
    name = f"west-{cloud.account}"
    answer = west.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    assert answer["Location"] == f"http://{name}.s3.amazonaws.com/"
    assert west.get_bucket_location(Bucket=name)["LocationConstraint"] == "us-west-2"
    ireland = cloud.client("s3", region="eu-west-1")
    ireland.create_bucket(Bucket=f"eu-{cloud.account}", CreateBucketConfiguration={"LocationConstraint": "EU"})
    assert ireland.get_bucket_location(Bucket=f"eu-{cloud.account}")["LocationConstraint"] == "EU"
    assert ireland.head_bucket(Bucket=f"eu-{cloud.account}")["BucketRegion"] == "eu-west-1"


def test_us_east_1_makes_buckets_of_all_regions(cloud: Account, s3: Any) -> None:
    name = f"tokyo-{cloud.account}"
    constraint: Any = {"LocationConstraint": "ap-northeast-1"}
    assert s3.create_bucket(Bucket=name, CreateBucketConfiguration=constraint)["Location"].endswith(
        f"{name}.s3.amazonaws.com/"
    )
    tokyo = cloud.client("s3", region="ap-northeast-1")
    assert tokyo.head_bucket(Bucket=name)["BucketRegion"] == "ap-northeast-1"
    assert tokyo.get_bucket_location(Bucket=name)["LocationConstraint"] == "ap-northeast-1"
    with refused("BucketAlreadyOwnedByYou", status=409):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=constraint)


def test_us_east_1_makes_old_names_too(cloud: Account, s3: Any) -> None:
    s3.create_bucket(Bucket=f"old-{cloud.account}", CreateBucketConfiguration={"LocationConstraint": "EU"})
    assert s3.head_bucket(Bucket=f"old-{cloud.account}")["BucketRegion"] == "eu-west-1"


@pytest.mark.parametrize(
    ("region", "constraint", "code", "message"),
    [
        ("us-east-1", "us-east-1", "InvalidLocationConstraint", "The specified location-constraint is not valid"),
        ("us-east-1", "foo", "InvalidLocationConstraint", "The specified location-constraint is not valid"),
        ("us-east-1", "cn-north-1", "InvalidLocationConstraint", "The specified location-constraint is not valid"),
        (
            "eu-west-1",
            "bar",
            "IllegalLocationConstraintException",
            "The bar location constraint is incompatible for the region specific endpoint this request was sent to.",
        ),
        (
            "eu-west-1",
            None,
            "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific endpoint this request was "
            "sent to.",
        ),
    ],
)
def test_constraints_that_are_not_the_endpoints(
    cloud: Account, region: str, constraint: str | None, code: str, message: str
) -> None:
    s3 = cloud.client("s3", region=region)
    configuration = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    with refused(code, message):
        s3.create_bucket(Bucket=f"nowhere-{cloud.account}", **configuration)


def test_the_name_is_taken(cloud: Account, s3: Any, bucket: str) -> None:
    assert s3.create_bucket(Bucket=bucket)["Location"] == f"/{bucket}"  # us-east-1 alone forgives
    with refused("BucketAlreadyOwnedByYou", status=409, BucketName=bucket):
        cloud.client("s3", region="us-east-2").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-east-2"}
        )
    with refused("BucketAlreadyExists", status=409, BucketName=bucket):
        cloud.another().client("s3").create_bucket(Bucket=bucket)


def test_another_region_is_told_where_the_bucket_is(cloud: Account, s3: Any) -> None:
    west = cloud.client("s3", region="us-west-2")
    name = f"west-2-{cloud.account}"
    west.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    assert s3.get_bucket_versioning(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200  # boto3 follows


def test_answers_from_the_wrong_region(cloud: Account) -> None:
    """What boto3 follows by itself, as other clients see it."""
    west = cloud.client("s3", region="us-west-2")
    name = f"west-3-{cloud.account}"
    west.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    presigner = cloud.client("s3", config=Config(signature_version="s3v4"))
    url = presigner.generate_presigned_url("get_object", {"Bucket": name, "Key": "k"})
    with pytest.raises(urllib.error.HTTPError) as caught, urllib.request.urlopen(url):
        pass
    with caught.value as answer:
        text = answer.read().decode()
    assert answer.code == 400 and answer.headers["x-amz-bucket-region"] == "us-west-2"
    assert "<Code>AuthorizationQueryParametersError</Code>" in text and "<Region>us-west-2</Region>" in text


def test_a_bucket_of_the_accounts_own_namespace(cloud: Account, s3: Any) -> None:
    name = f"mine-{cloud.account}-us-east-1-an"
    with refused("InvalidBucketName", BucketName=name):
        s3.create_bucket(Bucket=name)
    with refused("InvalidBucketName"):
        s3.create_bucket(Bucket=f"mine-{cloud.account}", BucketNamespace="account-regional")
    with refused("InvalidBucketName", BucketName=name):
        cloud.another().client("s3").create_bucket(Bucket=name, BucketNamespace="account-regional")
    s3.create_bucket(Bucket=name, BucketNamespace="account-regional")
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"


def test_buckets_come_in_pages(cloud: Account, s3: Any) -> None:
    names = sorted(f"{prefix}-{cloud.account}" for prefix in ("alpha", "beta", "beta2", "gamma"))
    for name in names:
        s3.create_bucket(Bucket=name)
    west = cloud.client("s3", region="us-west-2")
    west.create_bucket(
        Bucket=f"beta-west-{cloud.account}", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    everything = s3.list_buckets()
    assert len(everything["Buckets"]) == 5 and "Prefix" not in everything
    assert len(everything["Owner"]["ID"]) == 64
    page = s3.list_buckets(MaxBuckets=2, BucketRegion="us-east-1")
    assert [each["Name"] for each in page["Buckets"]] == names[:2]
    rest = s3.list_buckets(BucketRegion="us-east-1", ContinuationToken=page["ContinuationToken"])
    assert [each["Name"] for each in rest["Buckets"]] == names[2:]
    found = s3.list_buckets(Prefix="beta")
    assert [each["Name"] for each in found["Buckets"]] == [names[1], f"beta-west-{cloud.account}", names[2]]
    assert found["Prefix"] == "beta"
    pages = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1})
    assert sum(len(each["Buckets"]) for each in pages) == 5


def test_pages_that_cannot_be(s3: Any) -> None:
    with refused("InvalidArgument", "Argument value eu-east-1 is not a valid AWS Region", ArgumentName="bucket-region"):
        s3.list_buckets(BucketRegion="eu-east-1")
    with refused("InvalidArgument", ArgumentName="max-buckets"):
        s3.list_buckets(MaxBuckets=0)
    with refused("InvalidArgument", "The continuation token provided is incorrect"):
        s3.list_buckets(ContinuationToken="nonsense")


def test_the_expected_owner(cloud: Account, s3: Any, bucket: str) -> None:
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=cloud.account)
    with refused("AccessDenied", "Access Denied", 403):
        s3.get_bucket_location(Bucket=bucket, ExpectedBucketOwner="999999999999")
    with refused(
        "InvalidBucketOwnerAWSAccountID",
        "The value of the expected bucket owner parameter must be an AWS Account ID... [0000]",
    ):
        s3.get_bucket_location(Bucket=bucket, ExpectedBucketOwner="0000")


def test_tags_come_with_the_bucket(cloud: Account, s3: Any) -> None:
    name = f"tagged-{cloud.account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": [{"Key": "team", "Value": "shop"}]})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "team", "Value": "shop"}]


@pytest.mark.parametrize(
    ("tags", "code", "message", "status"),
    [
        ([("test,test2", "x")], "InvalidTag", "The TagKey you have provided is invalid", 400),
        ([("test", "value1,value2")], "InvalidTag", "The TagValue you have provided is invalid", 400),
        (
            [("aws:test", "x")],
            "InvalidTag",
            'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" '
            "from your tag keys and try again.",
            400,
        ),
        ([("a", "1"), ("a", "2")], "InternalError", "We encountered an internal error. Please try again.", 500),
    ],
)
def test_tags_that_no_new_bucket_may_have(
    cloud: Account, s3: Any, tags: list[tuple[str, str]], code: str, message: str, status: int
) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags]
    with refused(code, message, status):
        s3.create_bucket(Bucket=f"tagged-{cloud.account}", CreateBucketConfiguration={"Tags": listed})


def test_ownership_of_a_new_bucket(cloud: Account, s3: Any) -> None:
    name = f"owned-{cloud.account}"
    with refused(
        "InvalidArgument", "Invalid x-amz-object-ownership header: Nobody", ArgumentName="x-amz-object-ownership"
    ):
        s3.create_bucket(Bucket=name, ObjectOwnership="Nobody")
    with refused(
        "InvalidBucketAclWithObjectOwnership",
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    ):
        s3.create_bucket(Bucket=name, ACL="log-delivery-write")
    with refused(
        "InvalidBucketAclWithBlockPublicAccessError",
        "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
    ):
        s3.create_bucket(Bucket=name, ACL="public-read", ObjectOwnership="ObjectWriter")
    s3.create_bucket(Bucket=name, ACL="log-delivery-write", ObjectOwnership="ObjectWriter")
    rules = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "ObjectWriter"}]
    assert len(s3.get_bucket_acl(Bucket=name)["Grants"]) == 3


def test_object_lock_brings_versions(cloud: Account, s3: Any) -> None:
    name = f"locked-{cloud.account}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    with refused("InvalidBucketState", status=409):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})


def test_unfinished_uploads_go_with_their_bucket(s3: Any, bucket: str) -> None:
    s3.create_multipart_upload(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_a_bucket_with_something_in_it_stays(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    with refused("BucketNotEmpty", "The bucket you tried to delete is not empty", 409, BucketName=bucket):
        s3.delete_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.delete_object(Bucket=bucket, Key="k")
    text = "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    with refused("BucketNotEmpty", text, 409, BucketName=bucket):
        s3.delete_bucket(Bucket=bucket)


def test_a_region_that_is_none_is_told_the_first_one(cloud: Account, s3: Any) -> None:
    name = f"nowhere-{cloud.account}"
    cloud.client("s3", region="aws-global-1").create_bucket(Bucket=name)  # boto3 is told, and asks again
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"
