"""Replication: what is copied, with whose rights, and what is refused."""

import json
import os
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

S3_MAY = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


class Pair:
    """Two versioned buckets, and a role that may replicate from one to the other."""

    def __init__(self, cloud: Account, source: str, target: str, account: Account | None = None) -> None:
        self.cloud = cloud
        self.s3 = cloud.client("s3")
        self.there = (account or cloud).client("s3")
        self.source, self.target = source, target
        self.s3.put_bucket_versioning(Bucket=source, VersioningConfiguration={"Status": "Enabled"})
        self.there.put_bucket_versioning(Bucket=target, VersioningConfiguration={"Status": "Enabled"})
        iam = cloud.client("iam")
        role = iam.create_role(RoleName="replication", AssumeRolePolicyDocument=json.dumps(S3_MAY))
        self.role = role["Role"]["Arn"]
        self.allow("s3:GetObjectVersion*", "s3:Replicate*", "s3:ObjectOwnerOverrideToBucketOwner", "kms:*")

    def allow(self, *actions: str) -> None:
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        self.cloud.client("iam").put_role_policy(
            RoleName="replication", PolicyName="p", PolicyDocument=json.dumps({"Statement": [allow]})
        )

    def rule(self, **more: Any) -> dict[str, Any]:
        destination = {"Bucket": f"arn:aws:s3:::{self.target}", **more.pop("Destination", {})}
        found = {
            "ID": "r", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"}, "Destination": destination,
        }  # fmt: skip
        return {**found, **more}

    def configure(self, *rules: dict[str, Any], role: str = "") -> None:
        document = {"Role": role or self.role, "Rules": list(rules)}
        self.s3.put_bucket_replication(Bucket=self.source, ReplicationConfiguration=document)

    def put(self, key: str, body: bytes = b"x", **more: Any) -> str:
        version = self.s3.put_object(Bucket=self.source, Key=key, Body=body, **more)["VersionId"]
        self.cloud.settle()
        return str(version)

    def status(self, key: str) -> str | None:
        return self.s3.head_object(Bucket=self.source, Key=key).get("ReplicationStatus")

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.there.list_objects_v2(Bucket=self.target).get("Contents", [])]


@pytest.fixture
def pair(cloud: Account, new_bucket: Any) -> Pair:
    return Pair(cloud, new_bucket(), new_bucket())


@pytest.mark.parametrize("size", [0, 10, 300_000])
def test_an_object_is_copied_with_all_it_has(pair: Pair, size: int) -> None:
    pair.configure(pair.rule())
    data = os.urandom(size)
    version = pair.put(
        "a/é", data, ContentType="text/css", Metadata={"m": "n"}, Tagging="t=u", StorageClass="STANDARD_IA"
    )
    assert pair.status("a/é") == "COMPLETED"
    copy = pair.there.get_object(Bucket=pair.target, Key="a/é")
    assert copy["Body"].read() == data
    assert (copy["VersionId"], copy["ReplicationStatus"], copy["ContentType"], copy["Metadata"], copy["TagCount"]) == (
        version, "REPLICA", "text/css", {"m": "n"}, 1,
    )  # fmt: skip
    assert copy["StorageClass"] == "STANDARD_IA"
    assert copy["ETag"] == pair.s3.head_object(Bucket=pair.source, Key="a/é")["ETag"]


def test_filters_and_priorities(pair: Pair, new_bucket: Any) -> None:
    other = new_bucket()
    pair.s3.put_bucket_versioning(Bucket=other, VersioningConfiguration={"Status": "Enabled"})
    tag = {"Key": "a", "Value": "b"}
    pair.configure(
        pair.rule(Filter={"And": {"Prefix": "in/", "Tags": [tag]}}, Destination={"StorageClass": "GLACIER"}),
        pair.rule(ID="s", Priority=2, Filter={"Prefix": "in/now/"}),
        pair.rule(ID="t", Priority=3, Filter={"Tag": tag}, Destination={"Bucket": f"arn:aws:s3:::{other}"}),
        pair.rule(ID="u", Priority=4, Status="Disabled"),
    )
    pair.put("in/1", Tagging="a=b")
    pair.put("in/2")
    pair.put("in/now/3", Tagging="a=b")
    pair.put("out")
    assert pair.keys() == ["in/1", "in/now/3"]
    classes = {each["Key"]: each["StorageClass"] for each in pair.s3.list_objects_v2(Bucket=pair.target)["Contents"]}
    assert classes == {"in/1": "GLACIER", "in/now/3": "STANDARD"}
    assert [each["Key"] for each in pair.s3.list_objects_v2(Bucket=other)["Contents"]] == ["in/1", "in/now/3"]
    assert (pair.status("in/1"), pair.status("in/2"), pair.status("out")) == ("COMPLETED", None, None)


def test_later_changes_of_tags_follow(pair: Pair) -> None:
    pair.configure(pair.rule())
    pair.put("k")
    pair.s3.put_object_tagging(Bucket=pair.source, Key="k", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    pair.cloud.settle()
    assert pair.s3.get_object_tagging(Bucket=pair.target, Key="k")["TagSet"] == [{"Key": "x", "Value": "y"}]


def test_changes_of_a_replica_go_back_where_its_rule_says_so(pair: Pair) -> None:
    pair.configure(pair.rule())
    pair.put("k")
    back = Pair.__new__(Pair)
    back.__dict__ |= pair.__dict__ | {"source": pair.target, "target": pair.source}
    for status, wanted in (("Disabled", []), ("Enabled", [{"Key": "x", "Value": "y"}])):
        back.configure(back.rule(SourceSelectionCriteria={"ReplicaModifications": {"Status": status}}))
        pair.s3.put_object_tagging(Bucket=pair.target, Key="k", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
        pair.cloud.settle()
        assert pair.s3.get_object_tagging(Bucket=pair.source, Key="k")["TagSet"] == wanted
        assert pair.status("k") == "COMPLETED"
        assert back.status("k") == "REPLICA"
    original = pair.s3.head_object(Bucket=pair.source, Key="k")["VersionId"]
    pair.s3.delete_object(Bucket=pair.source, Key="k", VersionId=original)
    pair.s3.put_object_tagging(Bucket=pair.target, Key="k", Tagging={"TagSet": []})
    pair.cloud.settle()
    assert "Contents" not in pair.s3.list_objects_v2(Bucket=pair.source)  # a replica itself goes nowhere


def test_delete_markers_follow_where_the_rule_says_so(pair: Pair) -> None:
    for status, left in (("Disabled", ["k"]), ("Enabled", [])):
        pair.configure(pair.rule(DeleteMarkerReplication={"Status": status}))
        version = pair.put("k")
        marker = pair.s3.delete_object(Bucket=pair.source, Key="k")["VersionId"]
        pair.cloud.settle()
        assert pair.keys() == left
        pair.s3.delete_object(Bucket=pair.source, Key="k", VersionId=version)  # never followed
        pair.cloud.settle()
        assert pair.s3.head_object(Bucket=pair.target, Key="k", VersionId=version)["VersionId"] == version
    markers = pair.s3.list_object_versions(Bucket=pair.target)["DeleteMarkers"]
    assert [each["VersionId"] for each in markers] == [marker]


def test_the_older_form_of_rules(pair: Pair) -> None:
    rule = {"Status": "Enabled", "Prefix": "in/", "Destination": {"Bucket": f"arn:aws:s3:::{pair.target}"}}
    pair.configure(rule)
    pair.put("in/k")
    pair.put("out/k")
    assert pair.keys() == ["in/k"]
    pair.s3.delete_object(Bucket=pair.source, Key="in/k")
    pair.cloud.settle()
    assert pair.keys() == []


def test_the_roles_rights_decide(pair: Pair) -> None:
    pair.configure(pair.rule())
    pair.allow("s3:GetObjectVersionForReplication")
    pair.put("k")
    assert (pair.keys(), pair.status("k")) == ([], "FAILED")
    pair.configure(pair.rule(), role=pair.role.replace("role/replication", "role/nobody"))
    pair.put("j")
    assert (pair.keys(), pair.status("j")) == ([], "FAILED")


def test_another_account_and_its_ownership(cloud: Account, new_bucket: Any) -> None:
    other = cloud.another()
    target = f"replicas-{other.account}"
    other.client("s3").create_bucket(Bucket=target, ObjectOwnership="ObjectWriter")
    pair = Pair(cloud, new_bucket(), target, other)
    override = {"Account": other.account, "AccessControlTranslation": {"Owner": "Destination"}}
    pair.configure(pair.rule(Destination=override))
    pair.put("k")
    assert pair.status("k") == "FAILED"  # the other account has not said yes
    allow = {
        "Effect": "Allow", "Principal": {"AWS": pair.role}, "Resource": f"arn:aws:s3:::{target}/*",
        "Action": ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"],
    }  # fmt: skip
    pair.there.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    pair.put("k", b"mine")
    assert pair.status("k") == "COMPLETED"
    assert pair.there.get_object(Bucket=target, Key="k")["Body"].read() == b"mine"


def test_sealed_objects_are_sealed_anew(pair: Pair) -> None:
    kms = pair.cloud.client("kms")
    keys = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    sealed = {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}}
    pair.configure(pair.rule())
    pair.put("not-asked-for", ServerSideEncryption="aws:kms", SSEKMSKeyId=keys[0])
    assert pair.status("not-asked-for") is None
    pair.configure(pair.rule(**sealed, Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": keys[1]}}))
    for key, size in (("small", 10), ("large", 200_000)):
        data = os.urandom(size)
        pair.put(key, data, ServerSideEncryption="aws:kms", SSEKMSKeyId=keys[0])
        copy = pair.s3.get_object(Bucket=pair.target, Key=key)
        assert (copy["Body"].read(), copy["SSEKMSKeyId"]) == (data, keys[1])


def test_what_is_refused(pair: Pair, new_bucket: Any) -> None:
    text = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
    plain = new_bucket()
    document = {"Role": pair.role, "Rules": [pair.rule()]}
    with refused("InvalidRequest", text):
        pair.s3.put_bucket_replication(Bucket=plain, ReplicationConfiguration=document)
    with refused("ReplicationConfigurationNotFoundError", "The replication configuration was not found", 404):
        pair.s3.get_bucket_replication(Bucket=pair.source)
    with refused("MalformedXML"):
        pair.configure()
    with refused("InvalidRequest", "Destination bucket must have versioning enabled."):
        pair.configure(pair.rule(Destination={"Bucket": f"arn:aws:s3:::{plain}"}))
    with refused("InvalidRequest", "Destination bucket must exist."):
        pair.configure(pair.rule(Destination={"Bucket": f"arn:aws:s3:::none-{plain}"}))
    with refused("InvalidArgument"):
        pair.configure(pair.rule(), role="role")
    rule = pair.rule()
    for member in ("Priority", "DeleteMarkerReplication"):
        with refused("InvalidRequest"):
            pair.configure({name: value for name, value in rule.items() if name != member})
    with refused("InvalidRequest"):
        pair.configure(rule, {**rule, "ID": "s"})
    with refused("NotImplemented", status=501):
        pair.configure({**rule, "ExistingObjectReplication": {"Status": "Enabled"}})
    pair.configure(rule)
    assert pair.s3.get_bucket_replication(Bucket=pair.source)["ReplicationConfiguration"]["Rules"] == [rule]
    with refused("InvalidBucketState", status=409):
        pair.s3.put_bucket_versioning(Bucket=pair.source, VersioningConfiguration={"Status": "Suspended"})
    for _ in range(2):
        pair.s3.delete_bucket_replication(Bucket=pair.source)


def annotations(s3: Any, bucket: str) -> dict[str, bytes]:
    found = s3.list_object_annotations(Bucket=bucket, Key="k").get("Annotations", [])
    place = {"Bucket": bucket, "Key": "k"}
    return {
        each["AnnotationName"]: s3.get_object_annotation(**place, AnnotationName=each["AnnotationName"])[
            "AnnotationPayload"
        ].read()
        for each in found
    }


@pytest.mark.parametrize("encrypted", [False, True])
def test_annotations_follow(pair: Pair, encrypted: bool) -> None:
    rule, more = pair.rule(), {}
    if encrypted:
        keys = [pair.cloud.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
        rule = pair.rule(
            SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
            Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": keys[1]}},
        )
        more = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": keys[0]}
    pair.configure(rule)
    pair.put("k", **more)
    large = b"x" * 30_000

    def put(name: str, payload: bytes) -> None:
        pair.s3.put_object_annotation(Bucket=pair.source, Key="k", AnnotationName=name, AnnotationPayload=payload)
        pair.cloud.advance(1)
        pair.cloud.settle()

    put("small", b"1")
    put("large", large)
    assert annotations(pair.there, pair.target) == {"small": b"1", "large": large}
    put("small", b"2")
    pair.s3.delete_object_annotation(Bucket=pair.source, Key="k", AnnotationName="large")
    pair.cloud.settle()
    assert annotations(pair.there, pair.target) == {"small": b"2"}
    pair.allow("s3:GetObjectVersionForReplication", "s3:ReplicateObject", "kms:*")
    put("more", b"3")
    assert annotations(pair.there, pair.target) == {"small": b"2"}
    assert pair.status("k") == "COMPLETED"
    pair.allow("s3:GetObjectVersion*", "s3:Replicate*", "kms:*")
    put("most", b"4")
    assert annotations(pair.there, pair.target) == {"small": b"2", "more": b"3", "most": b"4"}
