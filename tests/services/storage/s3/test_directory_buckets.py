"""Directory buckets (S3 Express One Zone), as boto3 uses them: with a session for each."""

from __future__ import annotations

import base64
import datetime
import hashlib
import itertools
import json
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cumulo.core.context import Context
from cumulo.services.storage.s3.stored.object_versions import CURRENT
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.stored_objects import transact

ZONE = "use1-az4"
CONFIGURATION = {
    "Location": {"Type": "AvailabilityZone", "Name": ZONE},
    "Bucket": {"Type": "Directory", "DataRedundancy": "SingleAvailabilityZone"},
}
NO_SESSION = Config(s3={"disable_s3_express_session_auth": True})
_numbers = itertools.count()


def client(cloud: Account, *, region: str = "us-east-1", config: Config | None = None, **keys: str) -> Any:
    """S3 by the server's address: of names like localhost boto3 makes virtual hosts, which not every machine knows."""
    found = {"aws_access_key_id": cloud.account, "aws_secret_access_key": "test", **keys}
    config = Config(retries={"max_attempts": 0}, parameter_validation=False).merge(config or Config())
    url = cloud.running.url.replace("localhost", "127.0.0.1")
    return boto3.client("s3", endpoint_url=url, region_name=region, config=config, **found)


@pytest.fixture
def s3(cloud: Account) -> Any:
    return client(cloud)


def new_name(cloud: Account) -> str:
    return f"d{next(_numbers)}-{cloud.account}--{ZONE}--x-s3"


@pytest.fixture
def directory(cloud: Account, s3: Any) -> str:
    name = new_name(cloud)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=CONFIGURATION)
    return name


def user(cloud: Account, *actions: str, condition: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Makes S3 clients of a new user with these actions allowed."""
    iam, name = cloud.client("iam"), f"user-{next(_numbers)}"
    iam.create_user(UserName=name)
    allowed: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    if condition:
        allowed["Condition"] = condition
    if actions:
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return lambda **options: client(cloud, **keys, **options)


def test_a_directory_bucket_comes_and_goes(cloud: Account, s3: Any) -> None:
    name = new_name(cloud)
    made = s3.create_bucket(Bucket=name, CreateBucketConfiguration=CONFIGURATION)
    arn = f"arn:aws:s3express:us-east-1:{cloud.account}:bucket/{name}"
    assert made["BucketArn"] == arn
    assert made["Location"] == f"https://{name}.s3express-{ZONE}.us-east-1.amazonaws.com/"
    head = s3.head_bucket(Bucket=name)
    assert (head["BucketLocationType"], head["BucketLocationName"]) == ("AvailabilityZone", ZONE)
    listed = s3.list_directory_buckets()["Buckets"]
    assert [(each["Name"], each["BucketArn"]) for each in listed] == [(name, arn)]
    assert s3.list_buckets()["Buckets"] == []
    with refused("BucketAlreadyOwnedByYou", status=409):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=CONFIGURATION)
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    with refused("BucketNotEmpty", status=409):
        s3.delete_bucket(Bucket=name)
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)
    assert s3.list_directory_buckets()["Buckets"] == []
    with refused("NoSuchBucket", status=404):
        s3.list_objects_v2(Bucket=name)


def test_directory_buckets_are_listed_page_by_page(cloud: Account, s3: Any) -> None:
    names = sorted(new_name(cloud) for _ in range(3))
    for name in names:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=CONFIGURATION)
    pages = list(s3.get_paginator("list_directory_buckets").paginate(PaginationConfig={"PageSize": 2}))
    assert [[each["Name"] for each in page["Buckets"]] for page in pages] == [names[:2], names[2:]]
    assert client(cloud, region="us-west-2").list_directory_buckets()["Buckets"] == []
    with refused("InvalidArgument"):
        s3.list_directory_buckets(ContinuationToken="nobody's")


@pytest.mark.parametrize("name", ["xn--a--use1-az4--x-s3", "A--use1-az4--x-s3", "a.b--use1-az4--x-s3"])
def test_names_that_no_directory_bucket_may_have(cloud: Account, name: str) -> None:
    with refused("InvalidBucketName", "The specified bucket is not valid."):
        client(cloud, config=NO_SESSION).create_bucket(Bucket=name, CreateBucketConfiguration=CONFIGURATION)


def test_name_and_location_must_agree(cloud: Account, s3: Any) -> None:
    other = {**CONFIGURATION, "Location": {"Type": "AvailabilityZone", "Name": "use1-az5"}}
    with refused("InvalidBucketName"):
        s3.create_bucket(Bucket=new_name(cloud), CreateBucketConfiguration=other)
    with refused("MalformedXML"):
        s3.create_bucket(Bucket=new_name(cloud), CreateBucketConfiguration={"Bucket": {"Type": "Directory"}})
    with refused("InvalidBucketName"):
        s3.create_bucket(Bucket=f"general-{cloud.account}", CreateBucketConfiguration=CONFIGURATION)


def test_objects_of_a_directory_bucket(s3: Any, directory: str) -> None:
    put = s3.put_object(Bucket=directory, Key="a/b", Body=b"text", Metadata={"m": "1"})
    assert put["ETag"].strip('"') != hashlib.md5(b"text").hexdigest()
    got = s3.get_object(Bucket=directory, Key="a/b")
    assert got["Body"].read() == b"text"
    assert (got["StorageClass"], got["ETag"], got["Metadata"]) == ("EXPRESS_ONEZONE", put["ETag"], {"m": "1"})
    assert "VersionId" not in got
    s3.copy_object(Bucket=directory, Key="c", CopySource={"Bucket": directory, "Key": "a/b"})
    listed = s3.list_objects_v2(Bucket=directory)
    assert [(each["Key"], each["StorageClass"]) for each in listed["Contents"]] == [
        ("a/b", "EXPRESS_ONEZONE"),
        ("c", "EXPRESS_ONEZONE"),
    ]
    rolled = s3.list_objects_v2(Bucket=directory, Delimiter="/")
    assert [each["Prefix"] for each in rolled["CommonPrefixes"]] == ["a/"]


def test_an_object_in_parts(s3: Any, directory: str) -> None:
    upload = s3.create_multipart_upload(Bucket=directory, Key="k")["UploadId"]
    place = {"Bucket": directory, "Key": "k", "UploadId": upload}
    part = s3.upload_part(**place, PartNumber=1, Body=b"part")
    done = s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert "-" not in done["ETag"]
    got = s3.get_object(Bucket=directory, Key="k")
    assert (got["Body"].read(), got["StorageClass"]) == (b"part", "EXPRESS_ONEZONE")


def test_parts_are_numbered_in_a_row(s3: Any, directory: str) -> None:
    upload = s3.create_multipart_upload(Bucket=directory, Key="k")["UploadId"]
    place = {"Bucket": directory, "Key": "k", "UploadId": upload}
    part = s3.upload_part(**place, PartNumber=2, Body=b"part")
    with refused("InvalidPartOrder"):
        s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 2, "ETag": part["ETag"]}]})


def test_listings_go_by_directories(s3: Any, directory: str) -> None:
    text = (
        "This bucket does not support a prefix that does not end in a delimiter. "
        "Specify a prefix path ending with a delimiter and try again."
    )
    with refused("InvalidRequest", text):
        s3.list_objects_v2(Bucket=directory, Prefix="a")
    with refused("InvalidRequest"):
        s3.list_objects_v2(Bucket=directory, Delimiter="b")
    with refused("InvalidRequest"):
        s3.list_objects_v2(Bucket=directory, StartAfter="b")
    assert s3.list_objects_v2(Bucket=directory, Prefix="a/")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("get_bucket_versioning", {}),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
        ("get_bucket_acl", {}),
        ("get_bucket_location", {}),
        ("list_objects", {}),
        ("list_object_versions", {}),
        ("get_object_tagging", {"Key": "k"}),
    ],
)
def test_operations_that_directory_buckets_do_not_have(
    s3: Any, directory: str, operation: str, arguments: dict[str, Any]
) -> None:
    with refused("MethodNotAllowed", "The specified method is not allowed against this resource.", 405):
        getattr(s3, operation)(Bucket=directory, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [{"ACL": "private"}, {"Tagging": "a=b"}, {"ObjectLockLegalHoldStatus": "ON"}, {"WebsiteRedirectLocation": "/x"}],
)
def test_headers_that_directory_buckets_do_not_have(s3: Any, directory: str, arguments: dict[str, Any]) -> None:
    with refused("NotImplemented", "A header you provided implies functionality that is not implemented", 501):
        s3.put_object(Bucket=directory, Key="k", Body=b"", **arguments)


def test_storage_classes(s3: Any, directory: str, bucket: str) -> None:
    s3.put_object(Bucket=directory, Key="k", Body=b"", StorageClass="EXPRESS_ONEZONE")
    with refused("InvalidStorageClass"):
        s3.put_object(Bucket=directory, Key="k", Body=b"", StorageClass="STANDARD")
    with refused("InvalidStorageClass"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"", StorageClass="EXPRESS_ONEZONE")


def test_conditional_deletes(s3: Any, directory: str) -> None:
    etag = s3.put_object(Bucket=directory, Key="k", Body=b"four")["ETag"]
    modified = s3.head_object(Bucket=directory, Key="k")["LastModified"]
    with refused("PreconditionFailed", status=412):
        s3.delete_object(Bucket=directory, Key="k", IfMatchSize=5)
    with refused("PreconditionFailed", status=412):
        s3.delete_object(Bucket=directory, Key="k", IfMatch='"another"')
    with refused("PreconditionFailed", status=412):
        s3.delete_object(Bucket=directory, Key="k", IfMatchLastModifiedTime=modified.replace(year=2001))
    wrong = {"Key": "k", "Size": 4, "ETag": '"another"'}
    failed = s3.delete_objects(Bucket=directory, Delete={"Objects": [wrong]})
    assert [each["Code"] for each in failed["Errors"]] == ["PreconditionFailed"]
    right = {"Key": "k", "Size": 4, "ETag": etag, "LastModifiedTime": modified}
    done = s3.delete_objects(Bucket=directory, Delete={"Objects": [right]})
    assert [each["Key"] for each in done["Deleted"]] == ["k"]
    s3.delete_object(Bucket=directory, Key="k", IfMatch=etag)  # what is not there is deleted already


def test_a_session_is_of_one_bucket_for_five_minutes(cloud: Account, s3: Any, directory: str, bucket: str) -> None:
    keys = s3.create_session(Bucket=directory)["Credentials"]
    session = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    express = client(cloud, config=NO_SESSION, **session)
    express.put_object(Bucket=directory, Key="k", Body=b"x")
    other = new_name(cloud)
    s3.create_bucket(Bucket=other, CreateBucketConfiguration=CONFIGURATION)
    with refused("AccessDenied", status=403):
        express.list_objects_v2(Bucket=other)
    with refused("InvalidAccessKeyId", status=403):
        express.list_objects_v2(Bucket=bucket)  # signed for s3, which the keys are not good for
    with refused("InvalidClientTokenId", status=403):
        cloud.client("sqs", **session).list_queues()
    with refused("InvalidToken"):
        wrong = {**session, "aws_session_token": "wrong"}
        client(cloud, config=NO_SESSION, **wrong).list_objects_v2(Bucket=directory)
    with refused("AccessDenied", status=403):
        express.create_session(Bucket=directory)
    cloud.advance(301)
    with refused("ExpiredToken"):
        express.list_objects_v2(Bucket=directory)


def test_a_session_that_reads(cloud: Account, s3: Any, directory: str) -> None:
    s3.put_object(Bucket=directory, Key="k", Body=b"x")
    only = {"StringEquals": {"s3express:SessionMode": "ReadOnly"}}
    reader = user(cloud, "s3express:CreateSession", condition=only)()
    assert reader.get_object(Bucket=directory, Key="k")["Body"].read() == b"x"
    assert reader.list_objects_v2(Bucket=directory)["KeyCount"] == 1
    with refused("AccessDenied", status=403):
        reader.put_object(Bucket=directory, Key="k", Body=b"y")
    with refused("AccessDenied", status=403):
        reader.delete_object(Bucket=directory, Key="k")
    with refused("AccessDenied", status=403):
        reader.create_session(Bucket=directory, SessionMode="ReadWrite")
    with refused("InvalidArgument"):
        s3.create_session(Bucket=directory, SessionMode="Neither")


def test_rights_are_those_of_s3express(cloud: Account, directory: str) -> None:
    nobody = user(cloud, "s3:*")
    with refused("AccessDenied", status=403):
        nobody(config=NO_SESSION).list_objects_v2(Bucket=directory)
    with refused("AccessDenied", status=403):
        nobody().create_session(Bucket=directory)
    with refused("AccessDenied", status=403):
        nobody().list_directory_buckets()
    with refused("AccessDenied", status=403):
        nobody(config=NO_SESSION).delete_bucket(Bucket=directory)
    lister = user(cloud, "s3express:ListAllMyDirectoryBuckets", "s3express:DeleteBucket")
    assert [each["Name"] for each in lister().list_directory_buckets()["Buckets"]] == [directory]
    lister(config=NO_SESSION).delete_bucket(Bucket=directory)


def test_the_policy_of_a_directory_bucket(cloud: Account, s3: Any, directory: str) -> None:
    arn = f"arn:aws:s3express:us-east-1:{cloud.account}:bucket/{directory}"
    other = cloud.another()
    theirs = client(other)
    with refused("AccessDenied", status=403):
        theirs.create_session(Bucket=directory)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{other.account}:root"},
        "Action": "s3express:CreateSession",
        "Resource": arn,
        "Condition": {"StringEquals": {"s3express:SessionMode": "ReadOnly"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=directory, Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket=directory)["Policy"]) == policy
    assert theirs.list_objects_v2(Bucket=directory)["KeyCount"] == 0
    with refused("AccessDenied", status=403):
        theirs.put_object(Bucket=directory, Key="k", Body=b"")
    wrong = {**statement, "Resource": arn + "-other"}
    with refused("MalformedPolicy", "Policy has invalid resource"):
        s3.put_bucket_policy(Bucket=directory, Policy=json.dumps({**policy, "Statement": [wrong]}))
    s3.delete_bucket_policy(Bucket=directory)
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy(Bucket=directory)


def test_a_presigned_url_has_the_session_in_it(s3: Any, directory: str) -> None:
    s3.put_object(Bucket=directory, Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": directory, "Key": "k"})
    assert "X-Amz-S3session-Token" in url
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"x"


def test_the_hosts_of_zones(cloud: Account, s3: Any, directory: str) -> None:
    def code(host: str, path: str) -> str:
        url = cloud.running.url.replace("localhost", "127.0.0.1") + path
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}))
        return caught.value.read().decode()

    zone = f"s3express-{ZONE}.us-east-1.amazonaws.com"
    assert "<Code>AccessDenied</Code>" in code(f"{directory}.{zone}", "/?list-type=2")
    missing = new_name(cloud)
    assert "<Code>NoSuchBucket</Code>" in code(f"{missing}.{zone}", "/?session")
    assert "<Code>AccessDenied</Code>" in code("s3express-control.us-east-1.amazonaws.com", "/")


@pytest.mark.parametrize("first", [b"", b"small", b"l" * 100_000])
def test_appending(s3: Any, directory: str, first: bytes) -> None:
    place = {"Bucket": directory, "Key": "k"}
    s3.put_object(**place, Body=first, WriteOffsetBytes=0, Metadata={"m": "1"})
    text = "The write offset value that you specified does not match the current object size."
    with refused("InvalidWriteOffset", text):
        s3.put_object(**place, Body=b"x", WriteOffsetBytes=len(first) + 1)
    whole = first
    for more in (b"one", b"two" * 30_000, b"three"):
        before = s3.head_object(**place)["ETag"]
        put = s3.put_object(**place, Body=more, WriteOffsetBytes=len(whole))
        whole += more
        assert put["Size"] == len(whole)
        assert put["ETag"] != before
    got = s3.get_object(**place, ChecksumMode="ENABLED")
    assert got["ChecksumCRC32"] == base64.b64encode(zlib.crc32(whole).to_bytes(4, "big")).decode()
    assert (got["Body"].read(), got["Metadata"]) == (whole, {"m": "1"})
    at = len(first)
    assert s3.get_object(**place, Range=f"bytes={at}-{at + 4}")["Body"].read() == whole[at : at + 5]
    with refused("PreconditionFailed", status=412):
        s3.put_object(**place, Body=b"x", WriteOffsetBytes=len(whole), IfMatch='"another"')
    s3.delete_object(**place)
    with refused("InvalidWriteOffset"):
        s3.put_object(**place, Body=b"x", WriteOffsetBytes=1)


@pytest.mark.parametrize("content", [b"", b"small", b"l" * 100_000])
def test_renaming(s3: Any, directory: str, content: bytes) -> None:
    etag = s3.put_object(Bucket=directory, Key="a b", Body=content)["ETag"]
    s3.put_object(Bucket=directory, Key="there", Body=b"other")
    with refused("PreconditionFailed", status=412):
        s3.rename_object(Bucket=directory, Key="there", RenameSource="a%20b", DestinationIfNoneMatch="*")
    s3.rename_object(Bucket=directory, Key="there", RenameSource="a%20b")
    got = s3.get_object(Bucket=directory, Key="there")
    assert (got["Body"].read(), got["ETag"]) == (content, etag)
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=directory, Key="a b")
    s3.rename_object(Bucket=directory, Key="new", RenameSource=f"/{directory}/there")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=directory)["Contents"]] == ["new"]


def test_conditions_of_a_rename(s3: Any, directory: str, bucket: str) -> None:
    etag = s3.put_object(Bucket=directory, Key="k", Body=b"x")["ETag"]
    long_ago, late = datetime.datetime(2001, 1, 1), datetime.datetime(2101, 1, 1)
    for condition in (
        {"SourceIfMatch": '"other"'},
        {"SourceIfNoneMatch": "*"},
        {"SourceIfModifiedSince": late},
        {"SourceIfUnmodifiedSince": long_ago},
        {"DestinationIfMatch": etag},
        {"DestinationIfModifiedSince": long_ago},
    ):
        with refused("PreconditionFailed", status=412):
            s3.rename_object(Bucket=directory, Key="new", RenameSource="k", **condition)
    with refused("NoSuchKey", status=404):
        s3.rename_object(Bucket=directory, Key="new", RenameSource="missing")
    with refused("InvalidRequest"):
        s3.rename_object(Bucket=directory, Key="new", RenameSource="other--use1-az4--x-s3/k")
    with refused("MethodNotAllowed", status=405):
        s3.rename_object(Bucket=bucket, Key="new", RenameSource="k")
    s3.rename_object(Bucket=directory, Key="new", RenameSource="k", SourceIfMatch=etag)


def test_a_rename_is_done_once(s3: Any, directory: str) -> None:
    s3.put_object(Bucket=directory, Key="k", Body=b"x")
    wanted = {"Bucket": directory, "Key": "new", "RenameSource": "k", "ClientToken": "token"}
    s3.rename_object(**wanted)
    s3.rename_object(**wanted)
    with refused("IdempotencyParameterMismatch"):
        s3.rename_object(**{**wanted, "Key": "another"})
    with refused("InvalidArgument"):
        s3.rename_object(**{**wanted, "ClientToken": "t" * 65})
    with refused("NoSuchKey", status=404):
        s3.rename_object(**{**wanted, "ClientToken": "fresh"})


def test_what_was_appended_to_can_be_renamed(s3: Any, directory: str) -> None:
    s3.put_object(Bucket=directory, Key="k", Body=b"one")
    s3.put_object(Bucket=directory, Key="k", Body=b"two", WriteOffsetBytes=3)
    s3.rename_object(Bucket=directory, Key="new", RenameSource="k")
    s3.put_object(Bucket=directory, Key="new", Body=b"three", WriteOffsetBytes=6)
    assert s3.get_object(Bucket=directory, Key="new")["Body"].read() == b"onetwothree"


def test_a_part_more_than_an_object_has(cloud: Account, s3: Any, directory: str) -> None:
    s3.put_object(Bucket=directory, Key="k", Body=b"x")

    def fill(ctx: Context) -> None:
        version = CURRENT.peek(ctx, directory, "k")
        assert version is not None
        version.parts_count = 10_000
        CURRENT.put(ctx, version)

    transact(cloud, fill)
    with refused("TooManyParts", status=400):
        s3.put_object(Bucket=directory, Key="k", Body=b"y", WriteOffsetBytes=1)
