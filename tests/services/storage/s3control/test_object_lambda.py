"""Object Lambda access points: what functions make of GetObject."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.compute.lambda_.recorder import record
from tests.services.compute.lambda_.test_fleet import until
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3control.lenses import TEXT, Json, Lens, create, fetch, lens, role, simulated

__all__ = ["create", "lens", "role", "simulated"]


def test_a_function_changes_what_is_read(cloud: Account, lens: Lens) -> None:
    for bucket in (lens.alias, lens.arn):
        got = lens.s3.get_object(Bucket=bucket, Key="a/k 1")
        assert got["Body"].read() == TEXT.upper()
        assert (got["ContentType"], got["ContentLength"], got["Metadata"]) == (
            "text/loud",
            len(TEXT),
            {"by": "function"},
        )
    assert lens.s3.get_object(Bucket=lens.door_alias, Key="a/k 1")["Body"].read() == TEXT


def test_what_the_function_is_told(cloud: Account, lens: Lens) -> None:
    lens.get()
    event = lens.function.next()
    assert event["protocolVersion"] == "1.00"
    assert event["configuration"] == {
        "accessPointArn": lens.arn,
        "supportingAccessPointArn": lens.door,
        "payload": '{"size": 7}',
    }
    assert event["userRequest"]["url"] == f"{cloud.url}/{lens.alias}/a/k 1"
    headers = event["userRequest"]["headers"]
    assert headers["host"] == cloud.url.removeprefix("http://") and "User-Agent" in headers
    assert not {"authorization", "x-amz-date", "x-amz-security-token"} & {name.lower() for name in headers}
    assert event["userIdentity"] == {
        "type": "Root",
        "principalId": cloud.account,
        "arn": f"arn:aws:iam::{cloud.account}:root",
        "accountId": cloud.account,
        "accessKeyId": cloud.account,
    }
    assert set(event["getObjectContext"]) == {"inputS3Url", "outputRoute", "outputToken"}
    asked = parse_qs(urlsplit(event["getObjectContext"]["inputS3Url"]).query)
    assert asked["X-Amz-Expires"] == ["61"] and asked["X-Amz-SignedHeaders"] == ["host"]
    assert "X-Amz-Security-Token" in asked
    assert event["xAmzRequestId"]


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url(cloud: Account, lens: Lens, version: str) -> None:
    s3 = cloud.client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": lens.alias, "Key": "a/k 1"})
    assert fetch(url)[0] == TEXT.upper()
    assert lens.function.next()["userRequest"]["url"] == f"{cloud.url}/{lens.alias}/a/k 1"  # nothing of the signature


def test_versions_and_expected_owners_are_in_the_url(cloud: Account, lens: Lens) -> None:
    lens.s3.put_bucket_versioning(Bucket=lens.bucket, VersioningConfiguration={"Status": "Enabled"})
    first = lens.s3.put_object(Bucket=lens.bucket, Key="v", Body=b"first")["VersionId"]
    lens.s3.put_object(Bucket=lens.bucket, Key="v", Body=b"second")
    owner = "x-amz-expected-bucket-owner"

    def pass_on(event: Json) -> None:
        url = event["getObjectContext"]["inputS3Url"]
        signed = parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"][0].split(";")
        given = {name.lower(): value for name, value in event["userRequest"]["headers"].items()}
        lens.respond(event, fetch(url, **{name: given[name] for name in signed if name != "host"})[0])

    lens.answers(pass_on)
    got = lens.get("v", VersionId=first, ExpectedBucketOwner=cloud.account)
    assert got["Body"].read() == b"first"
    assert owner in lens.function.next()["getObjectContext"]["inputS3Url"]


def test_every_head_of_an_answer(lens: Lens) -> None:
    said = {
        "AcceptRanges": "bytes", "CacheControl": "no-cache", "ContentDisposition": "inline", "ContentEncoding": "gzip",
        "ContentLanguage": "de", "ContentRange": "bytes 0-3/10", "ContentType": "a/b", "ChecksumCRC32": "AAAAAA==",
        "ChecksumCRC32C": "AAAAAA==", "ChecksumSHA1": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "DeleteMarker": True, "ETag": '"abc"',
        "Expiration": "never", "MissingMeta": 2, "ObjectLockMode": "COMPLIANCE", "ObjectLockLegalHoldStatus": "ON",
        "PartsCount": 3, "ReplicationStatus": "COMPLETED", "RequestCharged": "requester",
        "Restore": 'ongoing-request="false"', "ServerSideEncryption": "AES256", "SSECustomerAlgorithm": "AES256",
        "SSEKMSKeyId": "a-key", "SSECustomerKeyMD5": "md5", "StorageClass": "GLACIER", "TagCount": 4, "VersionId": "v",
        "BucketKeyEnabled": True,
    }  # fmt: skip
    dates = {"LastModified": "2021-03-04T05:06:07+00:00", "ObjectLockRetainUntilDate": "2031-03-04T05:06:07+00:00"}
    lens.answers(lambda event: lens.respond(event, b"body", StatusCode=206, **said, **dates, Metadata={"x": "y"}))
    answer = lens.get()
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert {name: answer[name] for name in said} == said
    assert {name: answer[name].isoformat() for name in dates} == dates
    assert answer["Metadata"] == {"x": "y"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 411, 412, 416, 500, 503])
def test_errors_of_the_function_are_the_callers(lens: Lens, status: int) -> None:
    lens.answers(lambda event: lens.respond(event, StatusCode=status, ErrorCode="NotForYou", ErrorMessage="Go away"))
    with refused("NotForYou", "Go away", status):
        lens.get()


def test_a_status_without_an_error(lens: Lens) -> None:
    lens.answers(lambda event: lens.respond(event, StatusCode=304))
    with pytest.raises(ClientError) as caught:
        lens.get()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"StatusCode": 299}, "The status code 299 is not supported."),
        ({"ErrorCode": "No"}, "An error code cannot be used with a successful status code."),
        ({"StatusCode": 403, "ErrorCode": "no"}, "The error code must match ^[A-Z][a-zA-Z]+$."),
        ({"StatusCode": 403, "ErrorMessage": "m"}, "An error message needs an error code."),
        (
            {"StatusCode": 403, "ErrorCode": "No", "Body": b"x"},
            "An error code cannot be used when a body is provided.",
        ),
    ],
)
def test_answers_that_are_none(lens: Lens, said: Json, message: str) -> None:
    heard: list[Json] = []

    def answer(event: Json) -> None:
        context = event["getObjectContext"]
        place = {"RequestRoute": context["outputRoute"], "RequestToken": context["outputToken"]}
        try:
            lens.cloud.client("s3").write_get_object_response(**place, **said)
        except ClientError as error:
            heard.append(error.response["Error"])

    lens.answers(answer)
    with refused("LambdaInvalidResponse", message, 400):
        lens.get()
    until(lambda: bool(heard))
    assert [(each["Code"], each["Message"]) for each in heard] == [("ValidationError", message)]


def test_a_token_is_good_once_and_for_its_account(cloud: Account, lens: Lens) -> None:
    codes: list[str] = []

    def attempt(client: Any, event: Json, **more: str) -> None:
        context = {**event["getObjectContext"], **more}
        try:
            client.write_get_object_response(
                RequestRoute=context["outputRoute"], RequestToken=context["outputToken"], Body=b"x"
            )
            codes.append("")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    def answer(event: Json) -> None:
        attempt(cloud.client("s3"), event, outputToken="none")
        attempt(cloud.client("s3"), event, outputRoute="io-other")
        attempt(cloud.another().client("s3"), event)
        attempt(cloud.client("s3"), event)
        attempt(cloud.client("s3"), event)

    lens.answers(answer)
    assert lens.get()["Body"].read() == b"x"
    until(lambda: len(codes) == 5)
    assert codes == ["ValidationError", "ValidationError", "ValidationError", "", "ValidationError"]


def test_a_function_that_cannot_be_called(lens: Lens, create: Callable[..., Json]) -> None:
    isolated = {"TenantIsolationMode": "PER_TENANT"}
    lens.function = record(create, "tenants", TenancyConfig=isolated)  # to be called for a tenant, which S3 names none
    lens.configure()
    with refused("LambdaInvocationFailed", status=400):
        lens.get()


def test_functions_that_do_not_answer(cloud: Account, lens: Lens) -> None:
    lens.answers(lambda event: None)
    with refused(
        "LambdaResponseNotReceived", "The Lambda exited without successfully calling WriteGetObjectResponse.", 500
    ):
        lens.get()

    def fail(event: Json) -> None:
        raise ValueError("no")

    lens.answers(fail)
    with refused("LambdaRuntimeError", "The Lambda function failed during execution.", 500):
        lens.get()
    cloud.client("lambda").put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=0)
    with refused("SlowDown", status=503):
        lens.get()
    cloud.client("lambda").delete_function(FunctionName="greeter")
    with refused("LambdaNotFound", status=404):
        lens.get()


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_a_function_has_a_minute(cloud: Account, lens: Lens, operation: str) -> None:
    lens.configure(actions=("GetObject", "HeadObject"))
    called, go_on = threading.Event(), threading.Event()

    def wait(event: Json) -> None:
        called.set()
        go_on.wait(20)

    lens.answers(wait)
    codes: list[int] = []

    def ask() -> None:
        try:
            getattr(cloud.client("s3"), operation)(Bucket=lens.alias, Key="a/k 1")
        except ClientError as error:
            codes.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
            assert operation == "head_object" or error.response["Error"]["Code"] == "LambdaTimeout"

    asking = threading.Thread(target=ask)
    asking.start()
    assert called.wait(10)
    cloud.advance(40)
    assert not codes
    cloud.advance(21)
    asking.join(10)
    go_on.set()
    assert codes == [500]


def test_everything_else_goes_to_the_supporting_access_point(cloud: Account, lens: Lens) -> None:
    for bucket in (lens.alias, lens.arn):
        lens.s3.put_object(Bucket=bucket, Key="new", Body=b"new")
        assert lens.s3.head_object(Bucket=bucket, Key="new")["ContentLength"] == 3
        keys = [each["Key"] for each in lens.s3.list_objects_v2(Bucket=bucket)["Contents"]]
        assert keys == ["a/k 1", "new"]
        lens.s3.delete_object(Bucket=bucket, Key="new")
    upload = lens.s3.create_multipart_upload(Bucket=lens.alias, Key="parts")["UploadId"]
    place = {"Bucket": lens.alias, "Key": "parts", "UploadId": upload}
    part = lens.s3.upload_part(**place, PartNumber=1, Body=b"part")
    lens.s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert lens.s3.get_object(Bucket=lens.bucket, Key="parts")["Body"].read() == b"part"
    assert lens.function.quiet
    with refused("MethodNotAllowed", status=405):
        lens.s3.put_bucket_versioning(Bucket=lens.alias, VersioningConfiguration={"Status": "Enabled"})
    with refused("MethodNotAllowed", status=405):
        lens.s3.copy_object(Bucket=lens.bucket, Key="copy", CopySource={"Bucket": lens.alias, "Key": "a/k 1"})


def test_requests_are_counted_where_it_is_asked_for(cloud: Account, lens: Lens) -> None:
    lens.get()
    lens.configure(CloudWatchMetricsEnabled=True)
    lens.get()
    lens.s3.put_object(Bucket=lens.alias, Key="k", Body=b"")
    lens.answers(lambda event: None)
    with refused("LambdaResponseNotReceived", status=500):
        lens.get()
    now = cloud.running.clock.now()
    cloud.advance(61)
    cloudwatch = cloud.client("cloudwatch")

    def total(name: str) -> float:
        dimensions = [
            {"Name": "AccessPointName", "Value": "lens"},
            {"Name": "DataSourceARN", "Value": lens.door},
        ]
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/S3ObjectLambda",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=now - 300,
            EndTime=now + 300,
            Period=600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    counted = {"AllRequests": 3, "GetRequests": 2, "PutRequests": 1, "InvokedLambda": 2, "ProxiedRequests": 1}
    errors = {"5xxErrors": 1, "4xxErrors": 0, "LambdaResponseRequests": 1, "LambdaResponse4xx": 0}
    assert {name: total(name) for name in (*counted, *errors)} == {**counted, **errors}
