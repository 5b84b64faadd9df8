"""Batch operations: what jobs do, their states, their reports, and what is refused."""

import base64
import csv
import hashlib
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account

BATCH_MAY = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "batchoperations.s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}


class Batch:
    """A bucket with objects, a manifest of them, and a role that may do everything with S3."""

    def __init__(self, cloud: Account) -> None:
        self.cloud = cloud
        self.s3 = cloud.client("s3")
        self.control = cloud.client("s3control")
        self.bucket = f"batch-{cloud.account}"
        self.s3.create_bucket(Bucket=self.bucket)
        iam = cloud.client("iam")
        role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument=json.dumps(BATCH_MAY))
        self.role = role["Role"]["Arn"]
        self.allow("s3:*")
        self.keys = ["in/a b", "in/é", *[f"in/{number:03}" for number in range(150)]]
        for key in self.keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x")
        self.token = 0

    def allow(self, *actions: str) -> None:
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        self.cloud.client("iam").put_role_policy(
            RoleName="batch", PolicyName="p", PolicyDocument=json.dumps({"Statement": [allow]})
        )

    def manifest(self, *keys: str) -> dict[str, Any]:
        from urllib.parse import quote

        text = "".join([f"{self.bucket},{quote(key)}\n" for key in keys or self.keys])
        etag = self.s3.put_object(Bucket=self.bucket, Key="manifest.csv", Body=text.encode())["ETag"]
        return {
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": f"arn:aws:s3:::{self.bucket}/manifest.csv", "ETag": etag},
        }

    def create(self, operation: dict[str, Any], **more: Any) -> str:
        self.token += 1
        report = {
            "Bucket": f"arn:aws:s3:::{self.bucket}", "Format": "Report_CSV_20180820", "Enabled": True,
            "Prefix": "reports", "ReportScope": "AllTasks",
        }  # fmt: skip
        request = {
            "AccountId": self.cloud.account, "Operation": operation, "Report": report, "Priority": 10,
            "RoleArn": self.role, "ClientRequestToken": f"t{self.token}", "ConfirmationRequired": False,
        }  # fmt: skip
        request |= more
        if "Manifest" not in request:
            request["Manifest"] = self.manifest()
        return str(self.control.create_job(**request)["JobId"])

    def run(self, operation: dict[str, Any], **more: Any) -> dict[str, Any]:
        job = self.create(operation, **more)
        self.cloud.settle()
        return self.describe(job)

    def describe(self, job: str) -> dict[str, Any]:
        answer = self.control.describe_job(AccountId=self.cloud.account, JobId=job)
        return dict(answer["Job"])

    def report(self, job: str) -> list[list[str]]:
        root = f"reports/job-{job}"
        manifest = json.loads(self.s3.get_object(Bucket=self.bucket, Key=f"{root}/manifest.json")["Body"].read())
        rows: list[list[str]] = []
        for result in manifest["Results"]:
            text = self.s3.get_object(Bucket=result["Bucket"], Key=result["Key"])["Body"].read().decode()
            rows += list(csv.reader(io.StringIO(text)))
        return rows


@pytest.fixture
def batch(cloud: Account) -> Batch:
    return Batch(cloud)


TAGS = {"S3PutObjectTagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}


def test_tags_are_put_on_all_objects(batch: Batch) -> None:
    job = batch.run(TAGS, Description="all of them")
    assert (job["Status"], job["Description"], job["Priority"]) == ("Complete", "all of them", 10)
    count = len(batch.keys)
    summary = job["ProgressSummary"]
    assert (summary["TotalNumberOfTasks"], summary["NumberOfTasksSucceeded"], summary["NumberOfTasksFailed"]) == (
        count, count, 0,
    )  # fmt: skip
    for key in ("in/a b", "in/é", "in/149"):
        assert batch.s3.get_object_tagging(Bucket=batch.bucket, Key=key)["TagSet"] == [{"Key": "a", "Value": "b"}]
    rows = batch.report(job["JobId"])
    assert [row[1] for row in rows] == batch.keys
    assert {tuple(row[3:]) for row in rows} == {("succeeded", "", "200", "Successful")}
    assert batch.run({"S3DeleteObjectTagging": {}})["Status"] == "Complete"
    assert batch.s3.get_object_tagging(Bucket=batch.bucket, Key="in/é")["TagSet"] == []


def test_copies(batch: Batch) -> None:
    target = f"copies-{batch.cloud.account}"
    batch.s3.create_bucket(Bucket=target)
    options = {
        "TargetResource": f"arn:aws:s3:::{target}", "TargetKeyPrefix": "p", "StorageClass": "STANDARD_IA",
        "NewObjectMetadata": {"UserMetadata": {"m": "n"}, "ContentType": "a/b"},
        "NewObjectTagging": [{"Key": "k", "Value": "v w"}],
    }  # fmt: skip
    job = batch.run({"S3PutObjectCopy": options}, Manifest=batch.manifest("in/a b", "in/é"))
    assert job["Status"] == "Complete", job
    head = batch.s3.head_object(Bucket=target, Key="p/in/a b")
    assert (head["StorageClass"], head["Metadata"], head["ContentType"]) == ("STANDARD_IA", {"m": "n"}, "a/b")
    assert batch.s3.get_object_tagging(Bucket=target, Key="p/in/é")["TagSet"] == [{"Key": "k", "Value": "v w"}]


def test_failures_are_told(batch: Batch) -> None:
    manifest = batch.manifest("in/a b", "gone")
    job = batch.run(TAGS, Manifest=manifest)
    assert (job["Status"], job["ProgressSummary"]["NumberOfTasksFailed"]) == ("Complete", 1)
    rows = {row[1]: row[3:6] for row in batch.report(job["JobId"])}
    assert rows == {"in/a b": ["succeeded", "", "200"], "gone": ["failed", "NoSuchKey", "404"]}
    batch.allow("s3:GetObject", "s3:PutObject")
    job = batch.run(TAGS, Manifest=manifest)
    assert {row[4] for row in batch.report(job["JobId"])} == {"AccessDenied"}


def test_a_manifest_that_cannot_be_read_fails_the_job(batch: Batch) -> None:
    manifest = batch.manifest("in/a b")
    manifest["Location"]["ETag"] = "0" * 32
    job = batch.run(TAGS, Manifest=manifest)
    assert (job["Status"], job["FailureReasons"][0]["FailureReason"]) == (
        "Failed", "The manifest's ETag is not the one that was given.",
    )  # fmt: skip
    manifest["Location"]["ObjectArn"] += "-none"
    assert batch.run(TAGS, Manifest=manifest)["FailureReasons"][0]["FailureCode"] == "NoSuchKey"


def test_states_of_a_job(batch: Batch) -> None:
    account = batch.cloud.account
    job = batch.run(TAGS, ConfirmationRequired=True)
    assert (job["Status"], job["SuspendedCause"]) == ("Suspended", "AwaitingConfirmation")
    assert batch.s3.get_object_tagging(Bucket=batch.bucket, Key="in/é")["TagSet"] == []
    id = job["JobId"]
    assert batch.control.update_job_priority(AccountId=account, JobId=id, Priority=3)["Priority"] == 3
    answer = batch.control.update_job_status(AccountId=account, JobId=id, RequestedJobStatus="Ready")
    assert answer["Status"] == "Ready"
    batch.cloud.settle()
    assert batch.describe(id)["Status"] == "Complete"
    with pytest.raises(ClientError, match="JobStatusException"):
        batch.control.update_job_status(AccountId=account, JobId=id, RequestedJobStatus="Cancelled")
    other = batch.run(TAGS, ConfirmationRequired=True)["JobId"]
    batch.control.update_job_status(
        AccountId=account, JobId=other, RequestedJobStatus="Cancelled", StatusUpdateReason="no more"
    )
    assert (batch.describe(other)["Status"], batch.describe(other)["StatusUpdateReason"]) == ("Cancelled", "no more")
    listed = batch.control.list_jobs(AccountId=account)["Jobs"]
    assert {each["JobId"]: each["Operation"] for each in listed} == {
        id: "S3PutObjectTagging", other: "S3PutObjectTagging",
    }  # fmt: skip
    done = batch.control.list_jobs(AccountId=account, JobStatuses=["Complete"])["Jobs"]
    assert [each["JobId"] for each in done] == [id]


def test_an_inventory_is_a_manifest(batch: Batch) -> None:
    allow = {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{batch.bucket}/*",
    }  # fmt: skip
    batch.s3.put_bucket_policy(Bucket=batch.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    destination = {"Bucket": f"arn:aws:s3:::{batch.bucket}", "Format": "CSV", "Prefix": "inventory"}
    document = {
        "Id": "i", "IsEnabled": True, "IncludedObjectVersions": "Current", "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": destination}, "Filter": {"Prefix": "in/"},
    }  # fmt: skip
    batch.s3.put_bucket_inventory_configuration(Bucket=batch.bucket, Id="i", InventoryConfiguration=document)
    batch.cloud.advance(86_400)
    keys = [each["Key"] for each in batch.s3.list_objects_v2(Bucket=batch.bucket, Prefix="inventory/")["Contents"]]
    key = next(key for key in keys if key.endswith("manifest.json"))
    etag = batch.s3.head_object(Bucket=batch.bucket, Key=key)["ETag"]
    manifest = {
        "Spec": {"Format": "S3InventoryReport_CSV_20161130"},
        "Location": {"ObjectArn": f"arn:aws:s3:::{batch.bucket}/{key}", "ETag": etag},
    }
    job = batch.run(TAGS, Manifest=manifest)
    assert (job["Status"], job["ProgressSummary"]["NumberOfTasksSucceeded"]) == ("Complete", len(batch.keys))


def test_checksums_are_computed(batch: Batch) -> None:
    batch.s3.put_object(Bucket=batch.bucket, Key="cold", Body=b"hello", StorageClass="GLACIER")
    place = {"Bucket": batch.bucket, "Key": "parts"}
    upload = {**place, "UploadId": batch.s3.create_multipart_upload(**place)["UploadId"]}
    pieces = [b"a" * 5 * 1024**2, b"b"]
    parts = [
        {"PartNumber": number, "ETag": batch.s3.upload_part(**upload, PartNumber=number, Body=data)["ETag"]}
        for number, data in enumerate(pieces, 1)
    ]
    batch.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}
    batch.s3.put_object(Bucket=batch.bucket, Key="secret", Body=b"x", **secret)
    keys = ("cold", "parts", "secret", "gone")

    def run(**options: str) -> dict[str, list[str]]:
        job = batch.run({"S3ComputeObjectChecksum": options}, Manifest=batch.manifest(*keys))
        return {row[1]: row[3:] for row in batch.report(job["JobId"])}

    rows = run(ChecksumAlgorithm="SHA256")
    assert rows["cold"][:3] == ["succeeded", "", "200"]
    digest = hashlib.sha256(b"hello")
    assert json.loads(rows["cold"][3]) == {
        "checksum_base64": base64.b64encode(digest.digest()).decode(), "etag": hashlib.md5(b"hello").hexdigest(),
        "checksumAlgorithm": "SHA256", "checksumType": "FULL_OBJECT", "checksum_hex": digest.hexdigest().upper(),
    }  # fmt: skip
    assert json.loads(rows["parts"][3])["checksum_hex"] == hashlib.sha256(b"".join(pieces)).hexdigest().upper()
    for key, text in (
        ("secret", "SSE-C encryption type is not supported for this operation"),
        ("gone", "Key not found"),
    ):
        assert rows[key][:3] == ["failed", "PermanentFailure", "200"]
        told = json.loads(rows[key][3].removeprefix("error details: "))
        assert told["failureMessage"].endswith(f" {text}")
        assert told["errorCode"] == {"secret": "400", "gone": "404"}[key]
    each = [hashlib.sha256(data).digest() for data in pieces]
    composite = json.loads(run(ChecksumAlgorithm="SHA256", ChecksumType="COMPOSITE")["parts"][3])
    assert composite["checksum_base64"] == base64.b64encode(hashlib.sha256(b"".join(each)).digest()).decode() + "-2"
    default = json.loads(run()["cold"][3])
    assert (default["checksumAlgorithm"], default["checksumType"]) == ("CRC64NVME", "FULL_OBJECT")


def test_encryption_is_updated(batch: Batch) -> None:
    key = batch.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    batch.allow("s3:*", "kms:*")
    wanted = {"ObjectEncryption": {"SSEKMS": {"KMSKeyArn": key, "BucketKeyEnabled": True}}}
    job = batch.run({"S3UpdateObjectEncryption": wanted}, Manifest=batch.manifest("in/a b", "in/é", "gone"))
    assert {row[1]: row[3:6] for row in batch.report(job["JobId"])} == {
        "in/a b": ["succeeded", "", "200"], "in/é": ["succeeded", "", "200"], "gone": ["failed", "NoSuchKey", "404"],
    }  # fmt: skip
    head = batch.s3.head_object(Bucket=batch.bucket, Key="in/é")
    assert (head["SSEKMSKeyId"], head["BucketKeyEnabled"]) == (key, True)


def test_what_is_refused(batch: Batch) -> None:
    with pytest.raises(ClientError, match="COMPOSITE"):
        batch.create({"S3ComputeObjectChecksum": {"ChecksumType": "COMPOSITE"}})
    with pytest.raises(ClientError, match="BadRequest"):
        batch.create({})
    with pytest.raises(ClientError, match="NotFoundException"):
        batch.describe("00000000-0000-4000-8000-000000000000")
    with pytest.raises(ClientError, match="AccessDenied"):
        batch.control.list_jobs(AccountId="999999999999")
    token = {"ClientRequestToken": "same"}
    assert batch.create(TAGS, **token) == batch.create(TAGS, **token)
