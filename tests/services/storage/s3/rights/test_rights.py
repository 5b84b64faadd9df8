"""Who may do what: policies of both sides, ACLs, public access blocks, addresses and endpoints, by one table."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
from typing import Any, NamedTuple

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cumulo.core.s3.access import canonical_user_id
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.raw_requests import status_at

_names = itertools.count()
BUCKET = "arn:aws:s3:::BUCKET"
OBJECTS = f"{BUCKET}/*"


def statement(effect: str, principal: Any, action: Any, resource: Any = OBJECTS, **condition: Any) -> dict[str, Any]:
    found = {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource}
    return {**found, "Condition": condition} if condition else found


class Scene:
    """A bucket of one account, people of that account and of another, and nobody in particular."""

    def __init__(self, cloud: Account) -> None:
        self.owner, self.other = cloud, cloud.another()
        self.s3 = cloud.client("s3")
        self.bucket = f"rights-{cloud.account}-{next(_names)}"
        self.s3.create_bucket(Bucket=self.bucket, ObjectOwnership="ObjectWriter")
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"x", Tagging="stage=live")
        self.s3.put_object(Bucket=self.bucket, Key="open", Body=b"x", ACL="public-read")

    def user(self, account: Account, *actions: str, condition: dict[str, Any] | None = None) -> Any:
        """S3 as a new user of the account sees it, with these actions allowed by its own policy.

        `condition` is that of the first action alone.
        """
        iam, name = account.client("iam"), f"user-{next(_names)}"
        iam.create_user(UserName=name)
        if actions:
            allowed = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in actions]
            if condition:
                allowed[0]["Condition"] = condition  # type: ignore[assignment]
            document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return account.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])

    def caller(self, name: str) -> Any:
        if name == "owner":
            return self.s3
        if name == "anonymous":
            return self.owner.client("s3", config=Config(signature_version=UNSIGNED))
        if name == "other root":
            return self.other.client("s3")
        account = self.other if name.startswith("other") else self.owner
        return self.user(account, *([] if name.endswith("bare user") else ["s3:*"]))

    def policy(self, *statements: dict[str, Any]) -> None:
        if statements:
            text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            text = text.replace("BUCKET", self.bucket).replace("OTHER", self.other.account)
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy=text.replace("OWNER", self.owner.account))


class Case(NamedTuple):
    """What is set up, and who may read the object "k" (or "open")."""

    name: str
    policy: list[dict[str, Any]]
    allowed: set[str]
    block: dict[str, bool] | None = None
    key: str = "k"
    account_block: dict[str, bool] | None = None


CALLERS = ("owner", "bare user", "user", "other root", "other bare user", "other user", "anonymous")
OTHERS = {"AWS": "arn:aws:iam::OTHER:root"}
HOME = {"owner", "user"}
ALLOWED_OTHERS = {"other root", "other user"}
CASES = [
    Case("nothing", [], HOME),
    Case("other account", [statement("Allow", OTHERS, "s3:GetObject")], HOME | ALLOWED_OTHERS),
    Case("everybody", [statement("Allow", "*", "s3:GetObject")], set(CALLERS) - {"other bare user"}),
    Case(
        "own account",
        [statement("Allow", {"AWS": "arn:aws:iam::OWNER:root"}, "s3:GetObject")],
        HOME,
    ),
    Case("denied to all", [statement("Deny", "*", "s3:GetObject")], set()),
    Case("public ACL", [], set(CALLERS) - {"bare user", "other bare user"} | {"bare user"}, key="open"),
    Case("a policy denies what an ACL allows", [statement("Deny", "*", "s3:GetObject")], set(), key="open"),
    Case("public ACL ignored", [], HOME, {"IgnorePublicAcls": True}, key="open"),
    Case(
        "public policy restricted",
        [statement("Allow", "*", "s3:GetObject")],
        {"owner", "user", "bare user"},
        {"RestrictPublicBuckets": True},
    ),
    Case(
        "public policy restricted by the account",
        [statement("Allow", "*", "s3:GetObject")],
        {"owner", "user", "bare user"},
        account_block={"RestrictPublicBuckets": True},
    ),
    Case(
        "what is not public is not restricted",
        [statement("Allow", OTHERS, "s3:GetObject")],
        HOME | ALLOWED_OTHERS,
        {"RestrictPublicBuckets": True},
    ),
    Case(
        "an address",
        [statement("Allow", "*", "s3:GetObject", IpAddress={"aws:SourceIp": "127.0.0.0/8"})],
        set(CALLERS) - {"other bare user"},
    ),
    Case(
        "another address",
        [statement("Allow", "*", "s3:GetObject", IpAddress={"aws:SourceIp": "203.0.113.0/24"})],
        HOME,
    ),
    Case(
        "all addresses but one",
        [statement("Deny", "*", "s3:GetObject", NotIpAddress={"aws:SourceIp": "203.0.113.7/32"})],
        set(),
    ),
    Case(
        "a tag of the object",
        [statement("Allow", OTHERS, "s3:GetObject", StringEquals={"s3:ExistingObjectTag/stage": "live"})],
        HOME | ALLOWED_OTHERS,
    ),
    Case(
        "another tag",
        [statement("Allow", OTHERS, "s3:GetObject", StringEquals={"s3:ExistingObjectTag/stage": "old"})],
        HOME,
    ),
    Case(
        "signed in the header",
        [statement("Deny", "*", "s3:GetObject", StringNotEquals={"s3:authType": "REST-HEADER"})],
        HOME,
    ),
    Case(
        "without TLS",
        [statement("Deny", "*", "s3:GetObject", Bool={"aws:SecureTransport": "false"})],
        set(),
    ),
    Case(
        "the account of the bucket",
        [statement("Allow", OTHERS, "s3:GetObject", StringEquals={"s3:ResourceAccount": "OWNER"})],
        HOME | ALLOWED_OTHERS,
    ),
    Case(
        "the version is another action",
        [statement("Allow", OTHERS, "s3:GetObjectVersion")],
        HOME,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_who_may_read(cloud: Account, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(cloud)
    scene.policy(*case.policy)
    if case.block is not None:
        scene.s3.put_public_access_block(Bucket=scene.bucket, PublicAccessBlockConfiguration=case.block)
    if case.account_block is not None:
        block_account(cloud, case.account_block, monkeypatch)
    allowed = set()
    for name in CALLERS:
        try:
            read(scene.caller(name), scene.bucket, case.key)
            allowed.add(name)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied", error.response
            if not (name.endswith("user") and not name.startswith("other")) and name != "owner":
                assert error.response["Error"]["Message"] == "Access Denied"
    assert allowed == case.allowed


def block_account(cloud: Account, block: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo  # SDKs put the account before the host; that name is this machine
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", lambda host, *more, **named: resolve("localhost", *more, **named))
        cloud.client("s3control").put_public_access_block(AccountId=cloud.account, PublicAccessBlockConfiguration=block)


def test_what_is_said_to_people_of_the_same_account(cloud: Account) -> None:
    scene = Scene(cloud)
    user = scene.user(cloud, "s3:ListAllMyBuckets")
    with pytest.raises(ClientError) as caught:
        read(user, scene.bucket, "k")
    message = caught.value.response["Error"]["Message"]
    assert message.endswith(
        f'is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{scene.bucket}/k" because no '
        "identity-based policy allows the s3:GetObject action"
    )
    scene.policy(statement("Deny", "*", "s3:ListBucket", BUCKET))
    with pytest.raises(ClientError) as caught:
        user.list_objects_v2(Bucket=scene.bucket)
    message = caught.value.response["Error"]["Message"]
    assert message.endswith(
        f's3:ListBucket on resource: "arn:aws:s3:::{scene.bucket}" with an explicit deny in a resource-based policy'
    )


def test_a_missing_key_is_denied_to_those_who_may_not_list(cloud: Account) -> None:
    scene = Scene(cloud)
    with refused("AccessDenied", status=403):
        read(scene.user(cloud, "s3:GetObject"), scene.bucket, "none")
    with refused("NoSuchKey", status=404):
        read(scene.user(cloud, "s3:GetObject", "s3:ListBucket"), scene.bucket, "none")
    with refused("403", status=403):
        scene.user(cloud, "s3:GetObject").head_object(Bucket=scene.bucket, Key="none")


@pytest.mark.parametrize(
    ("needed", "call", "request_"),
    [
        ({"s3:ListBucket"}, "list_objects_v2", {}),
        ({"s3:ListBucket"}, "head_bucket", {}),
        ({"s3:ListBucketVersions"}, "list_object_versions", {}),
        ({"s3:GetObject"}, "head_object", {"Key": "k"}),
        ({"s3:GetObjectAcl"}, "get_object_acl", {"Key": "k"}),
        ({"s3:PutObject"}, "put_object", {"Key": "new"}),
        ({"s3:PutObject", "s3:PutObjectAcl"}, "put_object", {"Key": "new", "ACL": "private"}),
        ({"s3:PutObject", "s3:PutObjectTagging"}, "put_object", {"Key": "new", "Tagging": "a=b"}),
        ({"s3:DeleteObject"}, "delete_object", {"Key": "new"}),
        ({"s3:GetEncryptionConfiguration"}, "get_bucket_encryption", {}),
        ({"s3:PutLifecycleConfiguration"}, "delete_bucket_lifecycle", {}),
        ({"s3:GetBucketCORS", "s3:ListBucket"}, "get_bucket_location", None),
        ({"s3:GetBucketLocation"}, "get_bucket_location", {}),
        ({"s3:PutBucketOwnershipControls"}, "delete_bucket_ownership_controls", {}),
        ({"s3:PutBucketPublicAccessBlock"}, "delete_public_access_block", {}),
        ({"s3:GetAccelerateConfiguration"}, "get_bucket_accelerate_configuration", {}),
        ({"s3:GetInventoryConfiguration"}, "list_bucket_inventory_configurations", {}),
    ],
)
def test_operations_need_their_actions(
    cloud: Account, needed: set[str], call: str, request_: dict[str, Any] | None
) -> None:
    """Each action is needed, all together are enough. Source: "Required permissions for Amazon S3 API operations"."""
    scene = Scene(cloud)
    if request_ is None:  # other actions than the one that is asked for
        with refused("AccessDenied", status=403):
            getattr(scene.user(cloud, *needed), call)(Bucket=scene.bucket)
        return
    for missing in needed:
        with pytest.raises(ClientError) as caught:
            getattr(scene.user(cloud, *(needed - {missing})), call)(Bucket=scene.bucket, **request_)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    getattr(scene.user(cloud, *needed), call)(Bucket=scene.bucket, **request_)


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ({"StringEquals": {"s3:x-amz-acl": "private"}}, {"ACL": "private"}, {"ACL": "bucket-owner-read"}),
        (
            {"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}},
            {"ServerSideEncryption": "AES256"},
            {},
        ),
        ({"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}}, {"StorageClass": "STANDARD_IA"}, {}),
        ({"StringEquals": {"s3:RequestObjectTag/a": "b"}}, {"Tagging": "a=b"}, {"Tagging": "a=c"}),
        (
            {"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}},
            {"Tagging": "a=1&b=2"},
            {"Tagging": "a=1&c=2"},
        ),
        ({"Null": {"s3:if-none-match": "false"}}, {"IfNoneMatch": "*"}, {}),
        ({"Bool": {"s3:ObjectCreationOperation": "true"}}, {}, None),
        ({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, {}, None),
        ({"StringLike": {"s3:x-amz-website-redirect-location": "/a*"}}, {"WebsiteRedirectLocation": "/ab"}, {}),
    ],
)
def test_conditions_on_what_is_put(
    cloud: Account, condition: dict[str, Any], good: dict[str, Any], bad: dict[str, Any] | None
) -> None:
    scene = Scene(cloud)
    actions = ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"]
    user = scene.user(cloud, *actions, condition=condition)
    user.put_object(Bucket=scene.bucket, Key=f"new-{next(_names)}", **good)
    if bad is not None:
        with refused("AccessDenied", status=403):
            user.put_object(Bucket=scene.bucket, Key=f"new-{next(_names)}", **bad)


def test_conditions_on_lists(cloud: Account) -> None:
    scene = Scene(cloud)
    scene.policy(
        statement(
            "Allow",
            OTHERS,
            "s3:ListBucket",
            BUCKET,
            StringLike={"s3:prefix": "home/*"},
            StringEquals={"s3:delimiter": "/"},
            NumericLessThanEquals={"s3:max-keys": "10"},
        )
    )
    theirs = scene.other.client("s3")
    good = {"Prefix": "home/me/", "Delimiter": "/", "MaxKeys": 10}
    theirs.list_objects_v2(Bucket=scene.bucket, **good)
    for name, value in (("Prefix", "away/"), ("Delimiter", "-"), ("MaxKeys", 11)):
        with refused("AccessDenied", "Access Denied", 403):
            theirs.list_objects_v2(Bucket=scene.bucket, **{**good, name: value})


def test_what_others_write_is_theirs(cloud: Account) -> None:
    """Where ACLs count, a bucket's policy allows nothing on an object of another owner, but may deny."""
    scene = Scene(cloud)
    everything = statement("Allow", OTHERS, ["s3:PutObject", "s3:PutObjectAcl", "s3:GetObject"])
    scene.policy(everything, statement("Allow", "*", "s3:GetObject"))
    theirs = scene.other.client("s3")
    theirs.put_object(Bucket=scene.bucket, Key="theirs", Body=b"x")
    read(theirs, scene.bucket, "theirs")
    for caller in ("owner", "anonymous", "user"):
        with refused("AccessDenied", status=403):
            read(scene.caller(caller), scene.bucket, "theirs")
    owner = theirs.get_object_acl(Bucket=scene.bucket, Key="theirs")["Owner"]["ID"]
    assert owner == canonical_user_id(scene.other.account)
    theirs.put_object_acl(Bucket=scene.bucket, Key="theirs", ACL="bucket-owner-full-control")
    read(scene.s3, scene.bucket, "theirs")
    scene.policy(everything, statement("Deny", "*", "s3:GetObject"))
    with refused("AccessDenied", status=403):
        read(theirs, scene.bucket, "theirs")
    scene.s3.delete_object(Bucket=scene.bucket, Key="theirs")


def test_the_bucket_owner_takes_what_is_given(cloud: Account) -> None:
    scene = Scene(cloud)
    preferred = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    scene.s3.put_bucket_ownership_controls(Bucket=scene.bucket, OwnershipControls=preferred)
    scene.policy(statement("Allow", OTHERS, ["s3:PutObject", "s3:PutObjectAcl"]))
    theirs = scene.other.client("s3")
    theirs.put_object(Bucket=scene.bucket, Key="given", ACL="bucket-owner-full-control")
    theirs.put_object(Bucket=scene.bucket, Key="kept")
    me, other = canonical_user_id(cloud.account), canonical_user_id(scene.other.account)
    assert scene.s3.get_object_acl(Bucket=scene.bucket, Key="given")["Owner"]["ID"] == me
    assert theirs.get_object_acl(Bucket=scene.bucket, Key="kept")["Owner"]["ID"] == other
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    scene.s3.put_bucket_ownership_controls(Bucket=scene.bucket, OwnershipControls=enforced)
    read(scene.s3, scene.bucket, "kept")  # now the bucket's owner owns all


def test_acls_of_buckets_let_others_list_and_write(cloud: Account) -> None:
    scene = Scene(cloud)
    id = canonical_user_id(scene.other.account)
    theirs = scene.other.client("s3")
    with refused("AccessDenied", status=403):
        theirs.list_objects_v2(Bucket=scene.bucket)
    scene.s3.put_bucket_acl(Bucket=scene.bucket, GrantRead=f"id={id}")
    theirs.list_objects_v2(Bucket=scene.bucket)
    with refused("AccessDenied", status=403):
        theirs.put_object(Bucket=scene.bucket, Key="new")
    with refused("AccessDenied", status=403):
        theirs.get_bucket_acl(Bucket=scene.bucket)
    scene.s3.put_bucket_acl(Bucket=scene.bucket, GrantWrite=f"id={id}", GrantReadACP=f"id={id}")
    theirs.put_object(Bucket=scene.bucket, Key="new")
    theirs.get_bucket_acl(Bucket=scene.bucket)
    with refused("AccessDenied", status=403):
        theirs.list_objects_v2(Bucket=scene.bucket)
    scene.s3.put_bucket_acl(Bucket=scene.bucket, ACL="authenticated-read")
    theirs.list_objects_v2(Bucket=scene.bucket)
    with refused("AccessDenied", "Access Denied", 403):
        scene.caller("anonymous").list_objects_v2(Bucket=scene.bucket)
    scene.s3.put_bucket_acl(Bucket=scene.bucket, ACL="public-read-write")
    nobody = scene.caller("anonymous")
    nobody.list_objects_v2(Bucket=scene.bucket)
    nobody.put_object(Bucket=scene.bucket, Key="nobodys")
    nobody.delete_object(Bucket=scene.bucket, Key="nobodys")


def test_requesters_pay_and_say_so(cloud: Account) -> None:
    scene = Scene(cloud)
    scene.policy(statement("Allow", "*", "s3:GetObject"))
    scene.s3.put_bucket_request_payment(Bucket=scene.bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    read(scene.s3, scene.bucket, "k")
    theirs = scene.other.client("s3")
    with refused("AccessDenied", "Access Denied", 403):
        read(theirs, scene.bucket, "k")
    answer = read(theirs, scene.bucket, "k", RequestPayer="requester")
    assert answer["RequestCharged"] == "requester"
    with refused("AccessDenied", "Access Denied", 403):
        read(scene.caller("anonymous"), scene.bucket, "k", RequestPayer="requester")


def test_the_age_of_a_signature(cloud: Account) -> None:
    scene = Scene(cloud)
    scene.policy(statement("Deny", "*", "s3:GetObject", NumericGreaterThan={"s3:signatureAge": "600000"}))
    s3 = cloud.client("s3", config=Config(signature_version="s3v4"))
    url = s3.generate_presigned_url("get_object", {"Bucket": scene.bucket, "Key": "k"})
    assert fetch(url) == 200
    scene.policy(statement("Deny", "*", "s3:GetObject", NumericLessThan={"s3:signatureAge": "600000"}))
    assert fetch(url) == 403
    scene.policy(statement("Deny", "*", "s3:GetObject", StringEquals={"s3:authType": "REST-QUERY-STRING"}))
    assert fetch(url) == 403
    read(scene.s3, scene.bucket, "k")


def read(s3: Any, bucket: str, key: str, **more: Any) -> dict[str, Any]:
    """An object, its body too: a connection that is left half read is a warning."""
    answer: dict[str, Any] = s3.get_object(Bucket=bucket, Key=key, **more)
    answer["Body"].read()
    return answer


def fetch(url: str) -> int:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host)
    connection.request("GET", f"/{path}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_endpoints_of_a_vpc(cloud: Account) -> None:
    scene = Scene(cloud)
    scene.policy(
        statement("Deny", "*", "s3:GetObject", StringNotEquals={"aws:SourceVpce": "vpce-1a2b3c4d"}),
    )
    inside = "bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com"
    assert status_at(cloud, inside, f"/{scene.bucket}/k") == 200
    assert status_at(cloud, f"{scene.bucket}.{inside}", "/k") == 200
    assert status_at(cloud, inside.replace("1a2b3c4d", "99999999"), f"/{scene.bucket}/k") == 403
    with refused("AccessDenied", status=403):
        read(scene.s3, scene.bucket, "k")
    # An address says nothing behind an endpoint.
    scene.policy(statement("Deny", "*", "s3:GetObject", IpAddress={"aws:SourceIp": "127.0.0.0/8"}))
    assert status_at(cloud, inside, f"/{scene.bucket}/k") == 200
    with refused("AccessDenied", status=403):
        read(scene.s3, scene.bucket, "k")


def test_accelerated_names_are_for_accelerated_buckets(cloud: Account) -> None:
    scene = Scene(cloud)
    host = f"{scene.bucket}.s3-accelerate.amazonaws.com"
    assert status_at(cloud, host, "/k") == 400
    scene.s3.put_bucket_accelerate_configuration(Bucket=scene.bucket, AccelerateConfiguration={"Status": "Enabled"})
    assert status_at(cloud, host, "/k") == 200


def test_tags_of_a_bucket_count_once_abac_is_enabled(cloud: Account) -> None:
    scene = Scene(cloud)
    scene.s3.put_bucket_tagging(Bucket=scene.bucket, Tagging={"TagSet": [{"Key": "team", "Value": "shop"}]})
    scene.policy(statement("Allow", OTHERS, "s3:ListBucket", BUCKET, StringEquals={"aws:ResourceTag/team": "shop"}))
    theirs = scene.other.client("s3")
    with refused("AccessDenied", status=403):
        theirs.list_objects_v2(Bucket=scene.bucket)
    scene.s3.put_bucket_abac(Bucket=scene.bucket, AbacStatus={"Status": "Enabled"})
    theirs.list_objects_v2(Bucket=scene.bucket)
    scene.policy(statement("Allow", OTHERS, "s3:ListBucket", BUCKET, StringEquals={"s3:BucketTag/team": "toys"}))
    with refused("AccessDenied", status=403):
        theirs.list_objects_v2(Bucket=scene.bucket)
