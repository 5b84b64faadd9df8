"""ACLs of buckets and objects: what is asked for, what is refused, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cumulo.core.s3.access import canonical_user_id
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


@pytest.fixture
def open_bucket(s3: Any, new_bucket: Callable[..., str]) -> str:
    """A bucket with ACLs, where public ones may be put."""
    name = new_bucket(ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=name)
    return name


def grants(answer: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(grant["Grantee"], grant["Permission"]) for grant in answer["Grants"]]
    return [(grantee.get("URI") or grantee["ID"], permission) for grantee, permission in found]


@pytest.mark.parametrize(
    ("canned", "more"),
    [
        ("private", []),
        ("public-read", [(ALL_USERS, "READ")]),
        ("public-read-write", [(ALL_USERS, "READ"), (ALL_USERS, "WRITE")]),
        ("authenticated-read", [("http://acs.amazonaws.com/groups/global/AuthenticatedUsers", "READ")]),
        ("log-delivery-write", [(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")]),
    ],
)
def test_canned_acls(cloud: Account, s3: Any, open_bucket: str, canned: str, more: list[tuple[str, str]]) -> None:
    me = canonical_user_id(cloud.account)
    s3.put_bucket_acl(Bucket=open_bucket, ACL=canned)
    answer = s3.get_bucket_acl(Bucket=open_bucket)
    assert answer["Owner"] == {"ID": me}
    assert grants(answer) == [(me, "FULL_CONTROL"), *more]


def test_a_buckets_canned_acl_for_objects_is_ignored(s3: Any, cloud: Account) -> None:
    for name in ("bucket-owner-read", "bucket-owner-full-control"):
        bucket = f"ignoring-{cloud.account}-{name}"
        s3.create_bucket(Bucket=bucket, ACL=name)
        (grant,) = s3.get_bucket_acl(Bucket=bucket)["Grants"]
        assert grant["Permission"] == "FULL_CONTROL"


def test_grants_in_headers_and_in_a_document(cloud: Account, s3: Any, open_bucket: str) -> None:
    me, other = canonical_user_id(cloud.account), canonical_user_id("111122223333")
    s3.put_bucket_acl(Bucket=open_bucket, GrantRead=f'uri="{LOG_DELIVERY}", id="{other}"', GrantWriteACP=f"id={me}")
    assert grants(s3.get_bucket_acl(Bucket=open_bucket)) == [
        (LOG_DELIVERY, "READ"),
        (other, "READ"),
        (me, "WRITE_ACP"),
    ]
    policy = {
        "Owner": {"ID": me},
        "Grants": [
            {"Grantee": {"Type": "CanonicalUser", "ID": other}, "Permission": "READ_ACP"},
            {"Grantee": {"Type": "Group", "URI": LOG_DELIVERY}, "Permission": "WRITE"},
        ],
    }
    s3.put_bucket_acl(Bucket=open_bucket, AccessControlPolicy=policy)
    assert grants(s3.get_bucket_acl(Bucket=open_bucket)) == [(other, "READ_ACP"), (LOG_DELIVERY, "WRITE")]


def wrong_acls(me: str) -> list[tuple[dict[str, Any], str, str | None, dict[str, str]]]:
    group = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/FakeGroup"}
    user = {"Type": "CanonicalUser", "ID": "wrong-id"}
    owner = {"ID": me}

    def policy(grantee: dict[str, str], permission: str = "WRITE", owner: Any = owner) -> dict[str, Any]:
        found = {"Grants": [{"Grantee": grantee, "Permission": permission}]}
        return {"AccessControlPolicy": {**found, "Owner": owner} if owner else found}

    return [
        ({}, "MissingSecurityHeader", "Your request was missing a required header", {"MissingHeaderName": "x-amz-acl"}),
        ({"ACL": "fake-acl"}, "InvalidArgument", None, {"ArgumentName": "x-amz-acl", "ArgumentValue": "fake-acl"}),
        (
            {"GrantWrite": 'fakekey="1234"'},
            "InvalidArgument",
            "Argument format not recognized",
            {"ArgumentName": "x-amz-grant-write", "ArgumentValue": 'fakekey="1234"'},
        ),
        ({"GrantWrite": f'uri="{group["URI"]}"'}, "InvalidArgument", "Invalid group uri", {"ArgumentName": "uri"}),
        (
            {"GrantWrite": 'id="wrong-id"'},
            "InvalidArgument",
            "Invalid id",
            {"ArgumentName": "id", "ArgumentValue": "wrong-id"},
        ),
        (
            {"GrantRead": 'emailAddress="nobody@example.com"'},
            "UnresolvableGrantByEmailAddress",
            "The e-mail address you provided does not match any account on record.",
            {},
        ),
        (
            {"ACL": "private", "GrantRead": f'uri="{LOG_DELIVERY}"'},
            "InvalidRequest",
            "Specifying both Canned ACLs and Header Grants is not allowed",
            {},
        ),
        (
            {"ACL": "private", **policy({"Type": "Group", "URI": LOG_DELIVERY})},
            "UnexpectedContent",
            "This request does not support content",
            {},
        ),
        ({"AccessControlPolicy": {}}, "MalformedACLError", MALFORMED, {}),
        (policy({"Type": "Group", "URI": LOG_DELIVERY}, owner=None), "MalformedACLError", MALFORMED, {}),
        (policy({"Type": "Group", "URI": LOG_DELIVERY}, "EAT"), "MalformedACLError", MALFORMED, {}),
        (policy({"Type": "Group"}), "MalformedACLError", MALFORMED, {}),
        (policy(user), "InvalidArgument", "Invalid id", {"ArgumentName": "CanonicalUser/ID"}),
        (policy(group), "InvalidArgument", "Invalid group uri", {"ArgumentName": "Group/URI"}),
        (
            policy({"Type": "Group", "URI": LOG_DELIVERY}, owner={"ID": "wrong-id"}),
            "InvalidArgument",
            "Invalid id",
            {"ArgumentName": "CanonicalUser/ID", "ArgumentValue": "wrong-id"},
        ),
    ]


@pytest.mark.parametrize("number", range(len(wrong_acls(""))))
def test_acls_that_cannot_be(cloud: Account, s3: Any, open_bucket: str, number: int) -> None:
    request, code, message, members = wrong_acls(canonical_user_id(cloud.account))[number]
    with refused(code, message, **members):
        s3.put_bucket_acl(Bucket=open_bucket, **request)
    s3.put_object(Bucket=open_bucket, Key="k")
    with refused(code, message, **members):
        s3.put_object_acl(Bucket=open_bucket, Key="k", **request)


def test_another_owner_than_the_owner(s3: Any, open_bucket: str) -> None:
    policy = {"Owner": {"ID": canonical_user_id("111122223333")}, "Grants": []}
    with refused("AccessDenied", status=403):
        s3.put_bucket_acl(Bucket=open_bucket, AccessControlPolicy=policy)


def test_a_bucket_without_acls(cloud: Account, s3: Any, bucket: str) -> None:
    me = canonical_user_id(cloud.account)
    assert grants(s3.get_bucket_acl(Bucket=bucket)) == [(me, "FULL_CONTROL")]
    for request in ({"ACL": "private"}, {"ACL": "public-read"}, {"GrantRead": f'uri="{LOG_DELIVERY}"'}):
        with refused("AccessControlListNotSupported", "The bucket does not allow ACLs"):
            s3.put_bucket_acl(Bucket=bucket, **request)
    s3.put_object(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    with refused("AccessControlListNotSupported", "The bucket does not allow ACLs"):
        s3.put_object(Bucket=bucket, Key="k", ACL="public-read")
    assert grants(s3.get_object_acl(Bucket=bucket, Key="k")) == [(me, "FULL_CONTROL")]


def test_acls_must_go_before_they_are_disabled(s3: Any, open_bucket: str) -> None:
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_acl(Bucket=open_bucket, ACL="public-read")
    with refused("InvalidBucketAclWithObjectOwnership"):
        s3.put_bucket_ownership_controls(Bucket=open_bucket, OwnershipControls=enforced)
    s3.put_bucket_acl(Bucket=open_bucket, ACL="private")
    s3.put_bucket_ownership_controls(Bucket=open_bucket, OwnershipControls=enforced)


def test_public_acls_can_be_blocked(cloud: Account, s3: Any, open_bucket: str) -> None:
    s3.put_object(Bucket=open_bucket, Key="k")
    s3.put_public_access_block(Bucket=open_bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    start = f"User: arn:aws:iam::{cloud.account}:root is not authorized to perform: "
    end = (
        " because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public "
        "Access"
    )
    with refused("AccessDenied", f'{start}s3:PutBucketAcl on resource: "arn:aws:s3:::{open_bucket}"{end}', 403):
        s3.put_bucket_acl(Bucket=open_bucket, ACL="public-read")
    with refused("AccessDenied", f'{start}s3:PutObjectAcl on resource: "arn:aws:s3:::{open_bucket}/k"{end}', 403):
        s3.put_object_acl(Bucket=open_bucket, Key="k", ACL="public-read")
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket=open_bucket, Key="k", ACL="authenticated-read")
    s3.put_object(Bucket=open_bucket, Key="k", ACL="bucket-owner-read")


def test_the_acl_of_an_object(cloud: Account, s3: Any, open_bucket: str) -> None:
    me = canonical_user_id(cloud.account)
    s3.put_object(Bucket=open_bucket, Key="k", ACL="public-read")
    assert grants(s3.get_object_acl(Bucket=open_bucket, Key="k")) == [(me, "FULL_CONTROL"), (ALL_USERS, "READ")]
    s3.put_object_acl(Bucket=open_bucket, Key="k", ACL="private")
    assert grants(s3.get_object_acl(Bucket=open_bucket, Key="k")) == [(me, "FULL_CONTROL")]
    with refused("NoSuchKey", status=404, Key="other"):
        s3.get_object_acl(Bucket=open_bucket, Key="other")


def test_versions_have_acls_and_delete_markers_have_none(s3: Any, open_bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=open_bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=open_bucket, Key="k", ACL="public-read")["VersionId"]
    s3.put_object(Bucket=open_bucket, Key="k")
    assert len(s3.get_object_acl(Bucket=open_bucket, Key="k")["Grants"]) == 1
    assert len(s3.get_object_acl(Bucket=open_bucket, Key="k", VersionId=first)["Grants"]) == 2
    marker = s3.delete_object(Bucket=open_bucket, Key="k")["VersionId"]
    with refused("NoSuchKey", status=404, Key="k"):
        s3.get_object_acl(Bucket=open_bucket, Key="k")
    text = "The specified method is not allowed against this resource."
    for method, call, more in (
        ("GET", s3.get_object_acl, {"VersionId": marker}),
        ("PUT", s3.put_object_acl, {"VersionId": marker, "ACL": "private"}),
        ("PUT", s3.put_object_acl, {"ACL": "private"}),
    ):
        with refused("MethodNotAllowed", text, 405, Method=method, ResourceType="DeleteMarker"):
            call(Bucket=open_bucket, Key="k", **more)
