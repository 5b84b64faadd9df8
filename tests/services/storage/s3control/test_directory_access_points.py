"""Access points of directory buckets: made with a scope, and used as boto3 does, with sessions of their own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.test_directory_buckets import CONFIGURATION, NO_SESSION, ZONE, client, new_name, user

Json = dict[str, Any]
_numbers = itertools.count()


@pytest.fixture
def s3(cloud: Account) -> Any:
    return client(cloud)


@pytest.fixture
def directory(cloud: Account, s3: Any) -> str:
    name = new_name(cloud)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=CONFIGURATION)
    for key in ("in/a", "in/b", "out/c"):
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


class Door:
    """A new access point of a directory bucket."""

    def __init__(self, cloud: Account, control: Any, directory: str, **more: Any) -> None:
        self.name = f"door{next(_numbers)}-{cloud.account}--{ZONE}--xa-s3"
        self.named = {"AccountId": cloud.account, "Name": self.name}
        made = control.create_access_point(**self.named, Bucket=directory, **more)
        self.arn = made["AccessPointArn"]
        assert self.arn == f"arn:aws:s3express:us-east-1:{cloud.account}:accesspoint/{self.name}"
        assert made["Alias"] == self.name


@pytest.fixture
def make(cloud: Account, control: Any, directory: str) -> Callable[..., Door]:
    return lambda **more: Door(cloud, control, directory, **more)


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def test_one_is_made_and_shown(cloud: Account, control: Any, directory: str, make: Callable[..., Door]) -> None:
    door = make(Tags=[{"Key": "a", "Value": "1"}])
    shown = control.get_access_point(**door.named)
    assert (shown["Name"], shown["Bucket"], shown["Alias"]) == (door.name, directory, door.name)
    assert (shown["AccessPointArn"], shown["NetworkOrigin"]) == (door.arn, "Internet")
    assert all(shown["PublicAccessBlockConfiguration"].values()) and "Endpoints" not in shown
    assert control.list_tags_for_resource(AccountId=cloud.account, ResourceArn=door.arn)["Tags"] == [
        {"Key": "a", "Value": "1"}
    ]
    assert control.list_access_points(AccountId=cloud.account)["AccessPointList"] == []
    with refused("AccessPointAlreadyOwnedByYou", status=409):
        control.create_access_point(**door.named, Bucket=directory)
    other = cloud.another()
    with refused("AccessDenied", status=403):
        other.client("s3control").create_access_point(AccountId=other.account, Name=door.name, Bucket=directory)
    with refused("MethodNotAllowed", status=405):
        control.get_access_point_policy_status(**door.named)
    with refused("BucketHasAccessPointsAttached"):
        emptied = client(cloud)
        for key in ("in/a", "in/b", "out/c"):
            emptied.delete_object(Bucket=directory, Key=key)
        emptied.delete_bucket(Bucket=directory)
    control.delete_access_point(**door.named)
    with refused("NoSuchAccessPoint", status=404):
        control.get_access_point(**door.named)


def test_names_and_buckets_must_fit(cloud: Account, control: Any, directory: str) -> None:
    account = {"AccountId": cloud.account}
    for name in (f"-a--{ZONE}--xa-s3", f"ab--{ZONE}--xa-s3", "door--zone--xa-s3", f"{'x' * 51}--{ZONE}--xa-s3"):
        with refused("InvalidArgument", "Invalid Access Point name"):
            control.create_access_point(**account, Name=name, Bucket=directory)
    text = "Amazon S3 AccessPoint can only be created for existing bucket"
    for name in ("door", "door--use1-az5--xa-s3"):
        with refused("InvalidRequest", text):
            control.create_access_point(**account, Name=name, Bucket=directory)
    general = f"general-{cloud.account}"
    client(cloud).create_bucket(Bucket=general)
    with refused("InvalidRequest", text):
        control.create_access_point(**account, Name=f"door--{ZONE}--xa-s3", Bucket=general)
    with refused("InvalidRequest", "A scope can be set for access points of directory buckets only"):
        control.create_access_point(**account, Name="door", Bucket=general, Scope={"Prefixes": ["a"]})
    control.create_access_point(**account, Name="door", Bucket=general)
    with refused("MethodNotAllowed", status=405):
        control.get_access_point_scope(**account, Name="door")


def test_they_come_in_pages(cloud: Account, control: Any, directory: str, make: Callable[..., Door]) -> None:
    names = sorted(make().name for _ in range(3))
    pages = control.get_paginator("list_access_points_for_directory_buckets").paginate(
        AccountId=cloud.account, PaginationConfig={"PageSize": 2}
    )
    assert [[each["Name"] for each in page["AccessPointList"]] for page in pages] == [names[:2], names[2:]]
    found = control.list_access_points_for_directory_buckets(AccountId=cloud.account, DirectoryBucket=directory)
    assert len(found["AccessPointList"]) == 3
    found = control.list_access_points_for_directory_buckets(AccountId=cloud.account, DirectoryBucket="other")
    assert found["AccessPointList"] == []


def test_scopes_are_kept(control: Any, make: Callable[..., Door]) -> None:
    scope = {"Prefixes": ["in/"], "Permissions": ["GetObject", "ListBucket"]}
    door = make(Scope=scope)
    assert control.get_access_point_scope(**door.named)["Scope"] == scope
    control.put_access_point_scope(**door.named, Scope={"Prefixes": ["a", "b"]})
    assert control.get_access_point_scope(**door.named)["Scope"] == {"Prefixes": ["a", "b"]}
    with refused("InvalidRequest", "The total length of all prefixes must be less than 256 bytes"):
        control.put_access_point_scope(**door.named, Scope={"Prefixes": ["x" * 128, "y" * 128]})
    with refused("MalformedXML"):
        control.put_access_point_scope(**door.named, Scope={"Permissions": ["PutObjectAcl"]})
    control.delete_access_point_scope(**door.named)
    assert control.get_access_point_scope(**door.named).get("Scope", {}) == {}


@pytest.mark.parametrize("config", [None, NO_SESSION])
def test_objects_through_one(cloud: Account, directory: str, make: Callable[..., Door], config: Any) -> None:
    s3 = client(cloud, config=config)
    door = make()
    assert s3.get_object(Bucket=door.name, Key="in/a")["Body"].read() == b"in/a"
    s3.put_object(Bucket=door.name, Key="new", Body=b"n")
    assert s3.head_bucket(Bucket=door.name)["AccessPointAlias"] is True
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=door.name)["Contents"]]
    assert sorted(keys) == ["in/a", "in/b", "new", "out/c"]
    upload = s3.create_multipart_upload(Bucket=door.name, Key="parts")["UploadId"]
    s3.abort_multipart_upload(Bucket=door.name, Key="parts", UploadId=upload)
    deleted = s3.delete_objects(Bucket=door.name, Delete={"Objects": [{"Key": "new"}]})
    assert [each["Key"] for each in deleted["Deleted"]] == ["new"]
    with refused("MethodNotAllowed", status=405):
        s3.delete_bucket(Bucket=door.name)


@pytest.mark.parametrize("config", [None, NO_SESSION])
def test_a_scope_holds(cloud: Account, control: Any, make: Callable[..., Door], config: Any) -> None:
    s3 = client(cloud, config=config)
    door = make(Scope={"Prefixes": ["in/"], "Permissions": ["GetObject", "ListBucket"]})
    assert s3.get_object(Bucket=door.name, Key="in/a")["Body"].read() == b"in/a"
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=door.name, Prefix="in/")["Contents"]]
    assert sorted(keys) == ["in/a", "in/b"]
    for call in (
        lambda: s3.get_object(Bucket=door.name, Key="out/c"),
        lambda: s3.list_objects_v2(Bucket=door.name),
        lambda: s3.put_object(Bucket=door.name, Key="in/new", Body=b""),
        lambda: s3.delete_object(Bucket=door.name, Key="in/a"),
    ):
        with refused("AccessDenied", status=403):
            call()
    control.delete_access_point_scope(**door.named)
    assert s3.get_object(Bucket=door.name, Key="out/c")["Body"].read() == b"out/c"


def test_a_session_is_good_for_its_access_point_alone(
    cloud: Account, directory: str, make: Callable[..., Door]
) -> None:
    door, window = make(), make()
    bare = client(cloud, config=NO_SESSION)
    held = bare.create_session(Bucket=door.name)["Credentials"]
    keys = {
        "aws_access_key_id": held["AccessKeyId"],
        "aws_secret_access_key": held["SecretAccessKey"],
        "aws_session_token": held["SessionToken"],
    }
    session = client(cloud, config=NO_SESSION, **keys)
    assert session.get_object(Bucket=door.name, Key="in/a")["Body"].read() == b"in/a"
    for bucket in (directory, window.name):
        with refused("AccessDenied", status=403):
            session.get_object(Bucket=bucket, Key="in/a")


def test_both_policies_must_let_in(cloud: Account, control: Any, directory: str, make: Callable[..., Door]) -> None:
    door = make()
    other = cloud.another()
    theirs = client(other)
    principal = {"AWS": other.account}
    allowed = document(Principal=principal, Action="s3express:CreateSession", Resource=door.arn)
    with refused("AccessDenied", status=403):
        theirs.get_object(Bucket=door.name, Key="in/a")
    control.put_access_point_policy(**door.named, Policy=allowed)
    assert control.get_access_point_policy(**door.named)["Policy"] == allowed
    with refused("AccessDenied", status=403):
        theirs.get_object(Bucket=door.name, Key="in/a")
    bucket_arn = f"arn:aws:s3express:us-east-1:{cloud.account}:bucket/{directory}"
    delegated = document(
        Principal={"AWS": "*"},
        Action="s3express:CreateSession",
        Resource=bucket_arn,
        Condition={"StringEquals": {"s3express:DataAccessPointAccount": cloud.account}},
    )
    client(cloud).put_bucket_policy(Bucket=directory, Policy=delegated)
    assert theirs.get_object(Bucket=door.name, Key="in/a")["Body"].read() == b"in/a"
    with refused("AccessDenied", status=403):
        client(other).get_object(Bucket=directory, Key="in/a")
    control.delete_access_point_policy(**door.named)
    with refused("NoSuchAccessPointPolicy", status=404):
        control.get_access_point_policy(**door.named)


def test_users_need_actions_of_s3express(cloud: Account, control: Any, make: Callable[..., Door]) -> None:
    door = make()
    with refused("AccessDenied", status=403):
        user(cloud, "s3:*")().get_object(Bucket=door.name, Key="in/a")
    assert user(cloud, "s3express:CreateSession")().get_object(Bucket=door.name, Key="in/a")["Body"].read()
    iam = cloud.client("iam")
    iam.create_user(UserName="keeper")
    iam.put_user_policy(
        UserName="keeper",
        PolicyName="p",
        PolicyDocument=document(Action="s3express:GetAccessPoint*", Resource=door.arn),
    )
    key = iam.create_access_key(UserName="keeper")["AccessKey"]
    keeper = cloud.client(
        "s3control", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    assert keeper.get_access_point(**door.named)["Name"] == door.name
    assert keeper.get_access_point_scope(**door.named)["ResponseMetadata"]["HTTPStatusCode"] == 200
    for call in (
        lambda: keeper.put_access_point_scope(**door.named, Scope={}),
        lambda: keeper.delete_access_point(**door.named),
        lambda: keeper.list_access_points_for_directory_buckets(AccountId=cloud.account),
    ):
        with refused("AccessDenied", status=403):
            call()
