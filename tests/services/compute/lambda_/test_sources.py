"""Where code comes from, how large it may be, and the links by which it can be read again."""

import io
import urllib.error
import urllib.request
import zipfile

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import HANDLER, Create, refused, zip_of
from tests.services.compute.lambda_.test_build import build_of

INVALID = "InvalidParameterValueException"


@pytest.fixture
def bucket(cloud: Account) -> str:
    name = f"code-{cloud.account}"
    cloud.client("s3").create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize("extra", [0, 20_000, 3_000_000])
def test_code_from_s3(cloud: Account, create: Create, bucket: str, extra: int) -> None:
    code = zip_of({"index.py": HANDLER, "data.bin": b"\7" * extra})
    cloud.client("s3").put_object(Bucket=bucket, Key="code.zip", Body=code)
    assert create(Code={"S3Bucket": bucket, "S3Key": "code.zip"})["CodeSize"] == len(code)
    assert (build_of(cloud, "greeter").code / "data.bin").stat().st_size == extra


def test_a_version_of_an_object(cloud: Account, create: Create, bucket: str) -> None:
    s3 = cloud.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = zip_of({"index.py": "first = 1"})
    version = s3.put_object(Bucket=bucket, Key="code.zip", Body=first)["VersionId"]
    s3.put_object(Bucket=bucket, Key="code.zip", Body=zip_of())
    create(Code={"S3Bucket": bucket, "S3Key": "code.zip", "S3ObjectVersion": version})
    assert (build_of(cloud, "greeter").code / "index.py").read_text() == "first = 1"
    changed = cloud.client("lambda").update_function_code(FunctionName="greeter", S3Bucket=bucket, S3Key="code.zip")
    assert changed["CodeSize"] == len(zip_of())


def test_what_s3_refuses(cloud: Account, create: Create, bucket: str) -> None:
    text = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"
    refused(
        lambda: create(Code={"S3Bucket": "no-bucket-of-this-name", "S3Key": "code.zip"}),
        INVALID,
        text.format("NoSuchBucket", "The specified bucket does not exist"),
    )
    refused(
        lambda: create(Code={"S3Bucket": bucket, "S3Key": "code.zip"}),
        INVALID,
        text.format("NoSuchKey", "The specified key does not exist."),
    )


def test_a_source_is_needed(cloud: Account, create: Create, bucket: str) -> None:
    refused(lambda: create(Code={}), INVALID, "Please provide a source for function code.")
    both = {"ZipFile": zip_of(), "S3Bucket": bucket, "S3Key": "code.zip"}
    refused(
        lambda: create(Code=both),
        INVALID,
        "Please do not provide other FunctionCode parameters when providing a ZipFile.",
    )
    reference = {"S3Bucket": bucket, "S3Key": "code.zip", "S3ObjectStorageMode": "REFERENCE"}
    assert refused(lambda: create(Code=reference))["Error"]["Code"] == "NotImplemented"


def test_unzipped_code_has_a_limit(create: Create) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("zeros.bin", "w") as sink,
    ):
        for _ in range(251):
            sink.write(bytes(1 << 20))
    refused(
        lambda: create(Code={"ZipFile": buffer.getvalue()}),
        INVALID,
        "Unzipped size must be smaller than 262144000 bytes",
    )


def test_zipped_code_has_a_limit(create: Create) -> None:
    error = refused(
        lambda: create(Code={"ZipFile": bytes(52428801)}),
        "RequestEntityTooLargeException",
        "Zipped size must be smaller than 52428800 bytes",
    )
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_requests_have_a_limit(create: Create) -> None:
    error = refused(
        lambda: create(Code={"ZipFile": bytes(53_000_000)}),
        "RequestEntityTooLargeException",
        "Request must be smaller than 70167211 bytes for the CreateFunction operation",
    )
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_code_can_be_read_for_ten_minutes(cloud: Account, create: Create) -> None:
    create()
    code = cloud.client("lambda").get_function(FunctionName="greeter")["Code"]
    assert code["RepositoryType"] == "S3"
    with urllib.request.urlopen(code["Location"]) as answer:
        assert answer.read() == zip_of()
    assert _status(code["Location"][:-1] + "x") == 403
    cloud.advance(601)
    assert _status(code["Location"]) == 403


def _status(url: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    with caught.value:
        return int(caught.value.code)
