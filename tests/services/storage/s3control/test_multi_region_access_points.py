"""Multi-region access points: made, listed, routed, and requests that come through them as boto3 sends them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.config import Config

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

REGIONS = ("us-east-1", "eu-west-1")


@pytest.fixture
def buckets(cloud: Account) -> list[str]:
    """One bucket in each of the two regions, with an object "k" that holds the region's name."""
    names = []
    for region in REGIONS:
        s3, name = cloud.client("s3", region=region), f"{region}-{cloud.account}"
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        s3.put_object(Bucket=name, Key="k", Body=region.encode())
        names.append(name)
    return names


def outcome(cloud: Account, control: Any, answer: dict[str, Any]) -> dict[str, Any]:
    """What became of an asynchronous request."""
    cloud.settle()
    token = answer["RequestTokenARN"]
    found = control.describe_multi_region_access_point_operation(AccountId=cloud.account, RequestTokenARN=token)
    operation: dict[str, Any] = found["AsyncOperation"]
    assert operation["RequestTokenARN"] == token
    return operation


def create(cloud: Account, control: Any, name: str, *buckets: str, token: str = "") -> dict[str, Any]:
    details = {"Name": name, "Regions": [{"Bucket": bucket} for bucket in buckets]}
    answer: dict[str, Any] = control.create_multi_region_access_point(
        AccountId=cloud.account, ClientToken=token or f"create-{name}", Details=details
    )
    return answer


@pytest.fixture
def arn(cloud: Account, control: Any, buckets: list[str]) -> str:
    """The ARN of a multi-region access point "everywhere" to both buckets."""
    create(cloud, control, "everywhere", *buckets)
    cloud.settle()
    return arn_of(cloud, control)


def arn_of(cloud: Account, control: Any, name: str = "everywhere") -> str:
    found = control.get_multi_region_access_point(AccountId=cloud.account, Name=name)["AccessPoint"]
    return f"arn:aws:s3::{cloud.account}:accesspoint/{found['Alias']}"


def through(cloud: Account, **options: Any) -> Any:
    """A client whose requests to AWS's global host come to the cloud: boto3 heeds no endpoint for these ARNs."""
    s3 = cloud.client("s3", **options)

    def arrive(request: Any, **_: Any) -> None:
        _, _, rest = request.url.partition(".accesspoint.s3-global.amazonaws.com")
        assert rest, request.url
        request.url = cloud.url + rest

    s3.meta.events.register("before-send.s3", arrive)
    return s3


def read(s3: Any, bucket: str, key: str = "k") -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_made_shown_listed_and_removed(cloud: Account, control: Any, buckets: list[str]) -> None:
    account = cloud.account
    asked = create(cloud, control, "everywhere", *buckets)
    assert asked["RequestTokenARN"].startswith(f"arn:aws:s3:us-west-2:{account}:async-request/mrap/create/")
    operation = outcome(cloud, control, asked)
    assert (operation["Operation"], operation["RequestStatus"]) == ("CreateMultiRegionAccessPoint", "SUCCEEDED")
    details = operation["RequestParameters"]["CreateMultiRegionAccessPointRequest"]
    assert details == {"Name": "everywhere", "Regions": [{"Bucket": bucket} for bucket in buckets]}
    states = operation["ResponseDetails"]["MultiRegionAccessPointDetails"]["Regions"]
    assert states == [{"Name": region, "RequestStatus": "SUCCEEDED"} for region in REGIONS]
    assert create(cloud, control, "everywhere", *buckets)["RequestTokenARN"] == asked["RequestTokenARN"]

    found = control.get_multi_region_access_point(AccountId=account, Name="everywhere")["AccessPoint"]
    assert found["Status"] == "READY" and all(found["PublicAccessBlock"].values())
    assert found["Alias"].endswith(".mrap") and found["Alias"].removesuffix(".mrap").isalnum()
    assert found["Regions"] == [
        {"Bucket": bucket, "Region": region, "BucketAccountId": account}
        for bucket, region in zip(buckets, REGIONS, strict=True)
    ]
    assert control.list_multi_region_access_points(AccountId=account)["AccessPoints"] == [found]

    gone = control.delete_multi_region_access_point(AccountId=account, ClientToken="d", Details={"Name": "everywhere"})
    assert outcome(cloud, control, gone)["RequestStatus"] == "SUCCEEDED"
    with refused("NoSuchMultiRegionAccessPoint", "The specified Multi-Region Access Point does not exist.", 404):
        control.get_multi_region_access_point(AccountId=account, Name="everywhere")
    assert control.list_multi_region_access_points(AccountId=account)["AccessPoints"] == []


def test_they_come_in_pages(cloud: Account, control: Any, buckets: list[str]) -> None:
    for name in ("point-c", "point-a", "point-b"):
        create(cloud, control, name, buckets[0])
    cloud.settle()
    first = control.list_multi_region_access_points(AccountId=cloud.account, MaxResults=2)
    assert [each["Name"] for each in first["AccessPoints"]] == ["point-a", "point-b"]
    rest = control.list_multi_region_access_points(AccountId=cloud.account, NextToken=first["NextToken"])
    assert [each["Name"] for each in rest["AccessPoints"]] == ["point-c"] and "NextToken" not in rest
    with refused("InvalidNextToken"):
        control.list_multi_region_access_points(AccountId=cloud.account, NextToken="none")
    with refused("InvalidArgument", "Invalid maxResults"):
        control.list_multi_region_access_points(AccountId=cloud.account, MaxResults=-1)


def test_what_cannot_be_is_told_later(cloud: Account, control: Any, arn: str, buckets: list[str]) -> None:
    second = f"second-{cloud.account}"
    cloud.client("s3").create_bucket(Bucket=second)

    def failure(answer: dict[str, Any]) -> tuple[str, str]:
        operation = outcome(cloud, control, answer)
        assert operation["RequestStatus"] == "FAILED"
        error = operation["ResponseDetails"]["ErrorDetails"]
        return error["Code"], error["Message"]

    assert failure(create(cloud, control, "everywhere", buckets[0], token="again")) == (
        "MultiRegionAccessPointAlreadyOwnedByYou",
        "You already have a Multi-Region Access Point with the same name.",
    )
    assert failure(create(cloud, control, "nowhere", f"none-{cloud.account}")) == (
        "NoSuchBucket", "The specified bucket does not exist",
    )  # fmt: skip
    assert failure(create(cloud, control, "same", buckets[0], second)) == (
        "MultiRegionAccessPointSameBucketRegion",
        "The buckets used to create a Multi-Region Access Point cannot be in the same Region.",
    )
    other = cloud.another()
    answer = create(other, other.client("s3control"), "theirs", buckets[0])
    error = outcome(other, other.client("s3control"), answer)["ResponseDetails"]["ErrorDetails"]
    assert error["Code"] == "AccessDenied"
    missing = control.delete_multi_region_access_point(
        AccountId=cloud.account, ClientToken="d", Details={"Name": "nowhere"}
    )
    assert failure(missing)[0] == "NoSuchMultiRegionAccessPoint"
    bad = {"Name": "everywhere", "Policy": "{}"}
    answer = control.put_multi_region_access_point_policy(AccountId=cloud.account, ClientToken="p", Details=bad)
    assert failure(answer) == ("MalformedPolicy", "Missing required field Statement")
    with refused("NoSuchAsyncRequest", "The specified request does not exist.", 404):
        control.describe_multi_region_access_point_operation(
            AccountId=cloud.account,
            RequestTokenARN=f"arn:aws:s3:us-west-2:{cloud.account}:async-request/mrap/create/none",
        )


def test_requests_go_to_an_active_bucket(cloud: Account, control: Any, arn: str, buckets: list[str]) -> None:
    s3, named = through(cloud), {"AccountId": cloud.account, "Mrap": arn}
    assert read(s3, arn) == b"us-east-1"
    answer = control.get_multi_region_access_point_routes(**named)
    both = [
        {"Bucket": bucket, "Region": region, "TrafficDialPercentage": 100}
        for bucket, region in zip(buckets, REGIONS, strict=True)
    ]
    assert (answer["Mrap"], answer["Routes"]) == (arn, both)

    update = [{"Region": "us-east-1", "TrafficDialPercentage": 0}]
    control.submit_multi_region_access_point_routes(**named, RouteUpdates=update)
    dials = [each["TrafficDialPercentage"] for each in control.get_multi_region_access_point_routes(**named)["Routes"]]
    assert dials == [0, 100]
    assert read(s3, arn) == b"eu-west-1"
    s3.put_object(Bucket=arn, Key="new one", Body=b"y" * 100_000)
    assert read(cloud.client("s3", region="eu-west-1"), buckets[1], "new one") == b"y" * 100_000
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=arn)["Contents"]] == ["k", "new one"]
    s3.delete_object(Bucket=arn, Key="new one")
    with refused("NoSuchKey", status=404):
        read(s3, arn, "new one")

    for wrong, text in (
        ([{"Region": "eu-west-1", "TrafficDialPercentage": 0}], "At least one Region must be active."),
        ([{"Region": "eu-west-1", "TrafficDialPercentage": 50}], "TrafficDialPercentage must be 0 or 100."),
        ([{"TrafficDialPercentage": 0}], "Either the Bucket or the Region value must be provided."),
        (
            [{"Bucket": buckets[0], "Region": "eu-west-1", "TrafficDialPercentage": 0}],
            "The bucket and Region must belong to the Multi-Region Access Point.",
        ),
    ):
        with refused("InvalidRequest", text):
            control.submit_multi_region_access_point_routes(**named, RouteUpdates=wrong)
    with refused("InvalidRequest", "Invalid Multi-Region Access Point ARN"):
        control.get_multi_region_access_point_routes(AccountId=cloud.account, Mrap="everywhere")
    with refused("NoSuchMultiRegionAccessPoint", status=404):
        control.get_multi_region_access_point_routes(AccountId=cloud.account, Mrap=arn.replace("/m", "/mm"))


def test_what_goes_through_and_how_it_is_signed(cloud: Account, arn: str, buckets: list[str]) -> None:
    s3 = through(cloud)
    with refused("MethodNotAllowed", status=405):
        s3.get_bucket_acl(Bucket=arn)
    with refused("MethodNotAllowed", status=405):
        s3.list_objects(Bucket=arn)
    with refused("NoSuchMultiRegionAccessPoint", status=404):
        read(s3, arn.replace("/m", "/mm"))
    alias = arn.rpartition("/")[2]
    mechanism = "The authorization mechanism you have provided is not supported. Please use AWS4-ECDSA-P256-SHA256."
    with refused("InvalidRequest", mechanism):
        read(cloud.client("s3"), alias)
    # By the alias a client with an endpoint of its own gets there too, if it signs as it must.
    assert read(cloud.client("s3", config=Config(signature_version="s3v4a")), alias) == b"us-east-1"
    far = cloud.client("s3", region="eu-west-1", config=Config(signature_version="s3v4a"))
    assert read(far, alias) == b"eu-west-1"


def test_presigned_urls_of_the_arn(cloud: Account, arn: str) -> None:
    url = cloud.client("s3").generate_presigned_url("get_object", Params={"Bucket": arn, "Key": "k"})
    host, _, target = url.removeprefix("https://").partition("/")
    request = urllib.request.Request(f"{cloud.url}/{target}", headers={"Host": host})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == b"us-east-1"


def test_signatures_of_issued_keys_are_verified(cloud: Account, arn: str) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="ada")
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/object/*"}
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=document(allow))
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    good = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    s3 = through(cloud, **good)
    assert read(s3, arn) == b"us-east-1"
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket=arn, Key="k", Body=b"x")
    manage = {"Effect": "Allow", "Action": "s3:*MultiRegionAccessPoint*", "Resource": "*"}
    iam.put_user_policy(UserName="ada", PolicyName="manage", PolicyDocument=document(manage))
    theirs, named = cloud.client("s3control", **good), {"AccountId": cloud.account, "ClientToken": "ada"}
    assert theirs.get_multi_region_access_point(AccountId=cloud.account, Name="everywhere")["AccessPoint"]
    with refused("AccessDenied", status=403):
        theirs.delete_multi_region_access_point(**named, Details={"Name": "everywhere"})
    manage["Action"] = ["s3:*MultiRegionAccessPoint*", "s3:ListAllMyBuckets"]
    iam.put_user_policy(UserName="ada", PolicyName="manage", PolicyDocument=document(manage))
    with refused("SignatureDoesNotMatch", status=403):
        read(through(cloud, **{**good, "aws_secret_access_key": "another"}), arn)
    gone = theirs.delete_multi_region_access_point(**named, Details={"Name": "everywhere"})
    assert outcome(cloud, cloud.client("s3control"), gone)["RequestStatus"] == "SUCCEEDED"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_both_sides_must_let_in(cloud: Account, control: Any, arn: str, buckets: list[str]) -> None:
    other, named = cloud.another(), {"AccountId": cloud.account, "Name": "everywhere"}
    theirs, mine = through(other), cloud.client("s3")
    assert control.get_multi_region_access_point_policy(**named)["Policy"] == {}
    assert control.get_multi_region_access_point_policy_status(**named)["Established"] == {"IsPublic": False}
    with refused("AccessDenied", "Access Denied", 403):
        read(theirs, arn)
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": "s3:GetObject",
        "Resource": f"{arn}/object/*",
    }
    details = {"Name": "everywhere", "Policy": document(allow)}
    asked = control.put_multi_region_access_point_policy(AccountId=cloud.account, ClientToken="p", Details=details)
    assert outcome(cloud, control, asked)["RequestStatus"] == "SUCCEEDED"
    policy = control.get_multi_region_access_point_policy(**named)["Policy"]
    assert policy["Established"] == policy["Proposed"] == {"Policy": document(allow)}
    with refused("AccessDenied", "Access Denied", 403):
        read(theirs, arn)
    delegated = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{buckets[0]}/*",
        "Condition": {"StringEquals": {"s3:DataAccessPointArn": arn}},
    }
    mine.put_bucket_policy(Bucket=buckets[0], Policy=document(delegated))
    assert read(theirs, arn) == b"us-east-1"
    with refused("AccessDenied", "Access Denied", 403):
        read(other.client("s3"), buckets[0])
    update = [{"Bucket": buckets[0], "TrafficDialPercentage": 0}]
    control.submit_multi_region_access_point_routes(AccountId=cloud.account, Mrap=arn, RouteUpdates=update)
    with refused("AccessDenied", "Access Denied", 403):  # the other bucket delegates nothing
        read(theirs, arn)
    public = {"Name": "everywhere", "Policy": document({**allow, "Principal": "*"})}
    asked = control.put_multi_region_access_point_policy(AccountId=cloud.account, ClientToken="q", Details=public)
    failed = outcome(cloud, control, asked)
    assert failed["ResponseDetails"]["ErrorDetails"]["Code"] == "AccessDenied"


def test_large_and_encrypted_objects_where_they_go(cloud: Account, arn: str, buckets: list[str]) -> None:
    far = cloud.client("s3", region="eu-west-1")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    far.put_bucket_encryption(Bucket=buckets[1], ServerSideEncryptionConfiguration={"Rules": [rule]})
    update = [{"Region": "us-east-1", "TrafficDialPercentage": 0}]
    cloud.client("s3control").submit_multi_region_access_point_routes(
        AccountId=cloud.account, Mrap=arn, RouteUpdates=update
    )
    s3, body = through(cloud), bytes(range(256)) * 40_000
    answer = s3.put_object(Bucket=arn, Key="large", Body=body)
    assert answer["SSEKMSKeyId"].startswith(f"arn:aws:kms:eu-west-1:{cloud.account}:key/")
    assert read(s3, arn, "large") == read(far, buckets[1], "large") == body
    id = s3.create_multipart_upload(Bucket=arn, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=arn, Key="parts", UploadId=id, PartNumber=1, Body=body)
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=arn, Key="parts", UploadId=id, MultipartUpload=parts)
    assert read(s3, arn, "parts") == body
    s3.copy_object(Bucket=arn, Key="copy", CopySource={"Bucket": buckets[1], "Key": "parts"})
    assert read(far, buckets[1], "copy") == body
    with refused("MethodNotAllowed", status=405):
        s3.copy_object(Bucket=arn, Key="back", CopySource={"Bucket": arn, "Key": "parts"})
