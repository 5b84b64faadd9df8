"""Batch replication: objects that were there before the rule, and manifests that a job makes itself."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.storage.s3control.test_jobs import TAGS, Batch

BATCH_AND_S3 = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["batchoperations.s3.amazonaws.com", "s3.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ]
}
REPLICATE: dict[str, Any] = {"S3ReplicateObject": {}}


class Replicating(Batch):
    """A bucket whose objects were there before its replication rule."""

    def __init__(self, cloud: Account) -> None:
        super().__init__(cloud)
        cloud.client("iam").update_assume_role_policy(RoleName="batch", PolicyDocument=json.dumps(BATCH_AND_S3))
        self.target = f"copies-{cloud.account}"
        self.s3.create_bucket(Bucket=self.target)
        for bucket in (self.bucket, self.target):
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        rule = {
            "ID": "r", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": "in/"},
            "DeleteMarkerReplication": {"Status": "Disabled"}, "Destination": {"Bucket": f"arn:aws:s3:::{self.target}"},
        }  # fmt: skip
        document = {"Role": self.role, "Rules": [rule]}
        self.s3.put_bucket_replication(Bucket=self.bucket, ReplicationConfiguration=document)

    def generated(self, output: bool = False, **wanted: Any) -> dict[str, Any]:
        generator = {"SourceBucket": f"arn:aws:s3:::{self.bucket}", "EnableManifestOutput": output, "Filter": wanted}
        if output:
            generator["ManifestOutputLocation"] = {
                "Bucket": f"arn:aws:s3:::{self.target}", "ManifestPrefix": "m",
                "ManifestFormat": "S3InventoryReport_CSV_20211130", "ManifestEncryption": {"SSES3": {}},
            }  # fmt: skip
        return {"Manifest": None, "ManifestGenerator": {"S3JobManifestGenerator": generator}}

    def create(self, operation: dict[str, Any], **more: Any) -> str:
        if more.get("Manifest", ...) is None:
            request = {name: value for name, value in more.items() if name != "Manifest"}
            self.token += 1
            report = {
                "Bucket": f"arn:aws:s3:::{self.target}", "Format": "Report_CSV_20180820", "Enabled": True,
                "Prefix": "reports", "ReportScope": "AllTasks",
            }  # fmt: skip
            answer = self.control.create_job(
                AccountId=self.cloud.account, Operation=operation, Report=report, Priority=10, RoleArn=self.role,
                ClientRequestToken=f"g{self.token}", ConfirmationRequired=False, **request,
            )  # fmt: skip
            return str(answer["JobId"])
        return super().create(operation, **more)

    def copies(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.target, Prefix="in/")
        return [each["Key"] for page in pages for each in page.get("Contents", [])]


@pytest.fixture
def batch(cloud: Account) -> Replicating:
    return Replicating(cloud)


def progress(job: dict[str, Any]) -> tuple[str, int, int]:
    summary = job["ProgressSummary"]
    return job["Status"], summary["NumberOfTasksSucceeded"], summary["NumberOfTasksFailed"]


def test_what_was_there_before_the_rule_is_copied(batch: Replicating) -> None:
    batch.s3.put_object(Bucket=batch.bucket, Key="out", Body=b"x")
    job = batch.run(REPLICATE, **batch.generated(EligibleForReplication=True, ObjectReplicationStatuses=["NONE"]))
    assert progress(job) == ("Complete", len(batch.keys), 0)
    assert batch.copies() == sorted(batch.keys, key=str.encode)
    head = batch.s3.head_object(Bucket=batch.bucket, Key="in/000")
    copy = batch.s3.head_object(Bucket=batch.target, Key="in/000")
    assert (head["ReplicationStatus"], copy["ReplicationStatus"]) == ("COMPLETED", "REPLICA")
    assert job["ManifestGenerator"]["S3JobManifestGenerator"]["SourceBucket"] == f"arn:aws:s3:::{batch.bucket}"
    assert "Manifest" not in job and "GeneratedManifestDescriptor" not in job
    again = batch.run(REPLICATE, **batch.generated(EligibleForReplication=True, ObjectReplicationStatuses=["NONE"]))
    assert progress(again) == ("Complete", 0, 0)


def test_why_an_object_is_not_copied_stands_in_the_report(batch: Replicating) -> None:
    batch.s3.put_object(Bucket=batch.bucket, Key="out", Body=b"x")
    job = batch.run(REPLICATE, Manifest=batch.manifest("in/000", "out", "none"))
    assert progress(job) == ("Complete", 1, 2)
    reasons = {row[1]: row[4] for row in batch.report(job["JobId"])}
    assert reasons == {"in/000": "", "out": "SrcObjectNotEligible", "none": "SrcKeyNotFound"}
    allowed = ("s3:GetObject", "s3:PutObject", "s3:GetObjectVersionForReplication", "s3:ReplicateObject")
    manifest = batch.manifest("in/001")
    for actions, reason in (
        (allowed, "InitiateReplicationNotPermitted"),
        ((*allowed[:2], "s3:InitiateReplication"), "SrcGetObjectNotPermitted"),
        ((*allowed[:3], "s3:InitiateReplication"), "DstPutObjNotPermitted"),
    ):
        batch.allow(*actions)
        job = batch.run(REPLICATE, Manifest=manifest)
        assert [row[4] for row in batch.report(job["JobId"])] == [reason]
    assert batch.s3.head_object(Bucket=batch.bucket, Key="in/001")["ReplicationStatus"] == "FAILED"
    batch.allow("s3:*")
    batch.s3.put_bucket_versioning(Bucket=batch.target, VersioningConfiguration={"Status": "Suspended"})
    job = batch.run(REPLICATE, Manifest=manifest)
    assert [row[4] for row in batch.report(job["JobId"])] == ["DstBucketUnversioned"]


def test_the_filter_of_a_generated_manifest(batch: Replicating) -> None:
    client, bucket = batch.s3, batch.bucket
    client.put_object(Bucket=bucket, Key="new/large.txt", Body=bytes(3000), ServerSideEncryption="aws:kms")
    client.put_object(Bucket=bucket, Key="new/cold.txt", Body=b"x", StorageClass="STANDARD_IA")
    client.put_object(Bucket=bucket, Key="new/cold.txt", Body=b"xy", StorageClass="STANDARD_IA")
    moment = client.head_object(Bucket=bucket, Key="new/large.txt")["LastModified"]
    for wanted, count in (
        ({"KeyNameConstraint": {"MatchAnyPrefix": ["new/"]}}, 3),
        ({"KeyNameConstraint": {"MatchAnySuffix": ["large.txt"]}}, 1),
        ({"KeyNameConstraint": {"MatchAnySubstring": ["col"]}}, 2),
        ({"ObjectSizeGreaterThanBytes": 1, "ObjectSizeLessThanBytes": 3000}, 1),
        ({"MatchAnyStorageClass": ["STANDARD_IA"]}, 2),
        ({"MatchAnyObjectEncryption": [{"SSEKMS": {}}]}, 1),
        ({"MatchAnyObjectEncryption": [{"SSEKMS": {"KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/none"}}]}, 0),
        ({"CreatedBefore": moment.replace(year=moment.year - 1)}, 0),
        ({"ObjectReplicationStatuses": ["FAILED"]}, 0),
    ):
        assert progress(batch.run(TAGS, **batch.generated(**wanted))) == ("Complete", count, 0), wanted


def test_a_generated_manifest_is_written(batch: Replicating) -> None:
    job = batch.run(TAGS, **batch.generated(True, KeyNameConstraint={"MatchAnySuffix": ["a b", "é"]}))
    described = job["GeneratedManifestDescriptor"]
    key = described["Location"]["ObjectArn"].partition("/")[2]
    assert described["Format"] == "S3InventoryReport_CSV_20211130"
    found = batch.s3.get_object(Bucket=batch.target, Key=key)
    assert found["ETag"].strip('"') == described["Location"]["ETag"]
    manifest = json.loads(found["Body"].read())
    assert manifest["sourceBucket"] == batch.bucket
    data = batch.s3.get_object(Bucket=batch.target, Key=manifest["files"][0]["key"])["Body"].read()
    rows = list(csv.reader(io.StringIO(gzip.decompress(data).decode())))
    assert [row[:2] for row in rows] == [[batch.bucket, "in/a+b"], [batch.bucket, "in/%C3%A9"]]


def test_what_a_job_must_say_of_its_objects(batch: Replicating) -> None:
    for more in (
        {**batch.generated(), "Manifest": batch.manifest("in/000")},
        {"Manifest": None},
        {"Manifest": None, "ManifestGenerator": {"S3JobManifestGenerator": {
            "SourceBucket": f"arn:aws:s3:::{batch.bucket}", "EnableManifestOutput": True}}},
    ):  # fmt: skip
        with pytest.raises(ClientError) as refusal:
            batch.create(REPLICATE, **more)
        assert refusal.value.response["Error"]["Code"] == "BadRequestException"
    batch.allow("s3:Get*")
    job = batch.run(REPLICATE, **batch.generated())
    assert (job["Status"], job["FailureReasons"][0]["FailureCode"]) == ("Failed", "AccessDenied")
