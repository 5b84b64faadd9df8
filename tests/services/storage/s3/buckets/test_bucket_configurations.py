"""Configurations of buckets: what is kept, what is refused, what is said where nothing is set."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.core.context import Context
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.buckets import metrics
from cumulo.services.storage.s3.stored import configurations
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.stored_objects import transact

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        ("get_bucket_policy", "NoSuchBucketPolicy", "The bucket policy does not exist"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy", "The bucket policy does not exist"),
        ("get_bucket_tagging", "NoSuchTagSet", "The TagSet does not exist"),
        ("get_bucket_cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        (
            "get_bucket_website",
            "NoSuchWebsiteConfiguration",
            "The specified bucket does not have a website configuration",
        ),
        (
            "get_bucket_lifecycle_configuration",
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        ),
        (
            "get_object_lock_configuration",
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
    ],
)
def test_what_is_not_set(s3: Any, bucket: str, operation: str, code: str, message: str) -> None:
    with refused(code, message, 404, BucketName=bucket):
        getattr(s3, operation)(Bucket=bucket)


@pytest.mark.parametrize(
    "operation",
    [
        "delete_bucket_policy",
        "delete_bucket_tagging",
        "delete_bucket_cors",
        "delete_bucket_website",
        "delete_bucket_lifecycle",
        "delete_bucket_encryption",
        "delete_bucket_ownership_controls",
        "delete_public_access_block",
    ],
)
def test_what_is_not_set_can_be_removed(s3: Any, bucket: str, operation: str) -> None:
    for _ in range(2):
        assert getattr(s3, operation)(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_versioning(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ("Suspended", "Enabled"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status
    with refused("IllegalVersioningConfigurationException", "The Versioning element must be specified"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={})
    for status in ("enabled", "Disabled"):
        with refused("MalformedXML", MALFORMED):
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def test_tags(s3: Any, bucket: str) -> None:
    tags = [{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": ""}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    with refused("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey="a"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": v} for v in "12"]})
    with refused("InvalidTag", "System tags cannot be added/updated by requester"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "aws:a", "Value": "1"}]})
    with refused("BadRequest", "Bucket tag count cannot be greater than 50"):
        many = [{"Key": str(number), "Value": ""} for number in range(51)]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": many})
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet", status=404):
        s3.get_bucket_tagging(Bucket=bucket)


def test_default_encryption(s3: Any, bucket: str) -> None:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules == [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False},
    ]
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"},
        "BucketKeyEnabled": True,
        "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
    }
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == rules


@pytest.mark.parametrize(
    ("rules", "code", "message"),
    [
        ([], "MalformedXML", MALFORMED),
        ([{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}] * 2, "MalformedXML", MALFORMED),
        ([{"BucketKeyEnabled": True}], "MalformedXML", MALFORMED),
        (
            [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "x"}}],
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
        ),
    ],
)
def test_encryption_rules_that_cannot_be(s3: Any, bucket: str, rules: list[Any], code: str, message: str) -> None:
    with refused(code, message):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def test_sources_of_other_services_are_refused_by_name(s3: Any, bucket: str) -> None:
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:fsx"}}]
    with refused("NotImplemented", status=501):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def test_logging(cloud: Account, s3: Any, new_bucket: Callable[..., str]) -> None:
    source, target = new_bucket(), new_bucket()
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=source)
    enabled = {
        "TargetBucket": target,
        "TargetPrefix": "log/",
        "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
    }
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": enabled})
    assert s3.get_bucket_logging(Bucket=source)["LoggingEnabled"] == enabled
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=source)


def test_logging_has_targets_it_cannot_have(cloud: Account, s3: Any, bucket: str) -> None:
    def log(source: str, target: str, client: Any = s3, **more: Any) -> None:
        enabled = {"TargetBucket": target, "TargetPrefix": "", **more}
        client.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": enabled})

    with refused("InvalidTargetBucketForLogging", "The target bucket for logging does not exist"):
        log(bucket, f"nowhere-{cloud.account}")
    other = cloud.another()
    other.client("s3").create_bucket(Bucket=f"theirs-{other.account}")
    with refused(
        "InvalidTargetBucketForLogging",
        "The owner for the bucket to be logged and the target bucket must be the same.",
    ):
        log(bucket, f"theirs-{other.account}")
    west = cloud.client("s3", region="us-west-2")
    name = f"logs-{cloud.account}"
    west.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    text = "Cross S3 location logging not allowed. "
    with refused("CrossLocationLoggingProhibitted", text, 403, TargetBucketLocation="us-west-2"):
        log(bucket, name)
    places = {"SourceBucketLocation": "us-west-2", "TargetBucketLocation": "us-east-1"}
    with refused("CrossLocationLoggingProhibitted", text, 403, **places):
        log(name, bucket, west)
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": "wrong"}, "Permission": "READ"}]
    with refused("AccessControlListNotSupported"):
        log(bucket, bucket, TargetGrants=grants)


def test_small_settings(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"
    with refused("MalformedXML", MALFORMED):
        s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Nobody"})
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_accelerate_configuration(Bucket=bucket)["Status"] == "Enabled"
    with refused("MalformedXML", MALFORMED):
        s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "enabled"})


def test_no_acceleration_with_periods(cloud: Account, s3: Any) -> None:
    name = f"dotted.{cloud.account}"
    s3.create_bucket(Bucket=name)
    with refused(
        "InvalidRequest", "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
    ):
        s3.put_bucket_accelerate_configuration(Bucket=name, AccelerateConfiguration={"Status": "Enabled"})


def test_abac_makes_tags_the_business_of_tag_resource(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_abac(Bucket=bucket)["AbacStatus"]["Status"] == "Disabled"
    s3.put_bucket_abac(Bucket=bucket, AbacStatus={"Status": "Enabled"})
    assert s3.get_bucket_abac(Bucket=bucket)["AbacStatus"]["Status"] == "Enabled"
    with refused("InvalidRequest"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})


def test_public_access_block(s3: Any, bucket: str) -> None:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(names, True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == {**dict.fromkeys(names, False), "BlockPublicPolicy": True}
    s3.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", 404):
        s3.get_public_access_block(Bucket=bucket)


def test_ownership_controls(s3: Any, bucket: str) -> None:
    def rules() -> Any:
        return s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]

    assert rules() == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    assert rules() == [{"ObjectOwnership": "BucketOwnerPreferred"}]
    for wrong in ([], [{"ObjectOwnership": "ObjectWriter"}] * 2, [{"ObjectOwnership": "Nobody"}]):
        with refused("MalformedXML", MALFORMED):
            s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": wrong})
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    with refused("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", 404):
        rules()


def test_object_lock(s3: Any, bucket: str) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    with refused("InvalidBucketState", status=409):
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == lock
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    assert "Rule" not in s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]


@pytest.mark.parametrize(
    "lock",
    [
        {},
        {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE"}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}},
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "MILD", "Days": 1}}},
    ],
)
def test_object_locks_that_cannot_be(s3: Any, bucket: str, lock: dict[str, Any]) -> None:
    with refused("MalformedXML", MALFORMED):
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)


DESTINATION = {"S3BucketDestination": {"Bucket": "arn:aws:s3:::reports", "Format": "CSV"}}
LISTED = [
    (
        "inventory",
        "InventoryConfiguration",
        {
            "Destination": DESTINATION,
            "IsEnabled": True,
            "IncludedObjectVersions": "All",
            "Schedule": {"Frequency": "Daily"},
        },
    ),
    (
        "analytics",
        "AnalyticsConfiguration",
        {
            "Filter": {"Prefix": "logs/"},
            "StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": DESTINATION}},
        },
    ),
    ("metrics", "MetricsConfiguration", {"Filter": {"Prefix": "logs/"}}),
    (
        "intelligent_tiering",
        "IntelligentTieringConfiguration",
        {"Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]},
    ),
]


@pytest.mark.parametrize(("kind", "member", "document"), LISTED, ids=[kind for kind, _, _ in LISTED])
def test_configurations_by_id(s3: Any, bucket: str, kind: str, member: str, document: dict[str, Any]) -> None:
    def call(verb: str, id: str, plural: str = "", **more: Any) -> Any:
        return getattr(s3, f"{verb}_bucket_{kind}_configuration{plural}")(Bucket=bucket, Id=id, **more)

    def listed(**more: Any) -> Any:
        return getattr(s3, f"list_bucket_{kind}_configurations")(Bucket=bucket, **more)

    with refused("NoSuchConfiguration", "The specified configuration does not exist.", 404):
        call("get", "none")
    with refused("NoSuchConfiguration", status=404):
        call("delete", "none")
    assert f"{member}List" not in listed()
    for id in ("z", "a"):
        call("put", id, **{member: {"Id": id, **document}})
    assert call("get", "a")[member] == {"Id": "a", **document}
    answer = listed()
    assert [each["Id"] for each in answer[f"{member}List"]] == ["a", "z"] and answer["IsTruncated"] is False
    with refused("MalformedXML", MALFORMED):
        call("put", "b", **{member: {"Id": "other", **document}})
    with refused("InvalidArgument"):
        call("put", "b b", **{member: {"Id": "b b", **document}})
    for number in range(100):
        call("put", f"n{number:03}", **{member: {"Id": f"n{number:03}", **document}})
    page = listed()
    assert page["IsTruncated"] and len(page[f"{member}List"]) == 100
    rest = listed(ContinuationToken=page["NextContinuationToken"])
    assert [each["Id"] for each in rest[f"{member}List"]] == ["n099", "z"]
    call("delete", "z")
    with refused("NoSuchConfiguration", status=404):
        call("get", "z")


def test_filters_that_cannot_be(s3: Any, bucket: str) -> None:
    def put(**given: Any) -> None:
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id="a", MetricsConfiguration={"Id": "a", "Filter": given})

    for wrong in ({"Prefix": "a", "Tag": {"Key": "a", "Value": "b"}}, {"And": {"Prefix": "a"}}):
        with refused("MalformedXML", MALFORMED):
            put(**wrong)
    with refused("InvalidRequest", "Duplicate Tag Keys are not allowed."):
        put(And={"Tags": [{"Key": "a", "Value": "b"}] * 2})
    with refused("InvalidArgument", "Invalid bucket ARN."):
        wrong_arn = {"S3BucketDestination": {"Bucket": "reports", "Format": "CSV"}}
        configuration = {"Id": "a", **LISTED[0][2], "Destination": wrong_arn}
        s3.put_bucket_inventory_configuration(Bucket=bucket, Id="a", InventoryConfiguration=configuration)


def test_tiers_need_their_days(s3: Any, bucket: str) -> None:
    for tier, days in (("ARCHIVE_ACCESS", 89), ("DEEP_ARCHIVE_ACCESS", 179), ("ARCHIVE_ACCESS", 731)):
        with refused("InvalidArgument"):
            s3.put_bucket_intelligent_tiering_configuration(
                Bucket=bucket,
                Id="a",
                IntelligentTieringConfiguration={
                    "Id": "a",
                    "Status": "Enabled",
                    "Tierings": [{"Days": days, "AccessTier": tier}],
                },
            )


def test_documents_are_what_was_meant(s3: Any, bucket: str) -> None:
    body = {"Status": "Enabled"}
    wrong = base64.b64encode(hashlib.md5(b"another", usedforsecurity=False).digest()).decode()
    with refused("BadDigest"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=body, ContentMD5=wrong)
    with refused("InvalidDigest"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=body, ContentMD5="short")
    for algorithm in ("CRC32", "SHA256", "CRC64NVME"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=body, ChecksumAlgorithm=algorithm)


def test_configurations_go_with_their_bucket(s3: Any, bucket: str) -> None:
    s3.put_bucket_cors(
        Bucket=bucket,
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
    )
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    with refused("NoSuchCORSConfiguration", status=404):
        s3.get_bucket_cors(Bucket=bucket)


def test_one_configuration_more_than_a_bucket_has(cloud: Account, s3: Any, bucket: str) -> None:
    def fill(ctx: Context) -> None:
        there = BUCKETS.peek(ctx, bucket)
        assert there is not None
        for number in range(1000):
            configurations.put(ctx, there, metrics.KIND, {"Id": f"n{number}"}, f"n{number}")

    transact(cloud, fill)
    with refused("TooManyConfigurations"):
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id="more", MetricsConfiguration={"Id": "more"})
    s3.put_bucket_metrics_configuration(Bucket=bucket, Id="n7", MetricsConfiguration={"Id": "n7"})


@pytest.mark.parametrize(
    ("subresource", "document"),
    [
        ("versioning", "<Versioning><Status>Enabled</Status></Versioning>"),
        ("versioning", "<VersioningConfiguration><Status>Enabled</Status><Else/></VersioningConfiguration>"),
        (
            "versioning",
            "<VersioningConfiguration><Status>Enabled</Status><Status>Suspended</Status></VersioningConfiguration>",
        ),
        ("versioning", "<VersioningConfiguration><status>Enabled</status></VersioningConfiguration>"),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><Filter><prefix>logs/</prefix></Filter><Status>Enabled</Status>"
            "<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
        ),
        ("tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value><Note/></Tag></TagSet></Tagging>"),
    ],
)
def test_documents_are_held_against_the_schema(s3: Any, bucket: str, subresource: str, document: str) -> None:
    call, member = {
        "versioning": (s3.put_bucket_versioning, "VersioningConfiguration"),
        "lifecycle": (s3.put_bucket_lifecycle_configuration, "LifecycleConfiguration"),
        "tagging": (s3.put_bucket_tagging, "Tagging"),
    }[subresource]

    def replace(params: dict[str, Any], **_: Any) -> None:
        body = document.encode()
        params["body"] = body
        for name in [name for name in params["headers"] if "checksum" in name.lower()]:
            del params["headers"][name]
        params["headers"]["Content-MD5"] = base64.b64encode(hashlib.md5(body).digest()).decode()

    s3.meta.events.register("before-call.s3", replace)
    with refused("MalformedXML", MALFORMED):
        call(Bucket=bucket, **{member: {}})
