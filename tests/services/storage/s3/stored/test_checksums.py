"""Checksums: computed, checked, answered."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from base64 import b64encode
from typing import Any

import pytest
from awscrt import checksums as crt
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.storage.s3.stored import checksums
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

DATA = b"test data.."
ALGORITHMS = list(checksums.SIZES)


def expected(algorithm: str, data: bytes) -> str:
    """What another library, or another way, says."""
    made = {
        "CRC32": lambda: zlib.crc32(data).to_bytes(4, "big"),
        "CRC32C": lambda: crt.crc32c(data).to_bytes(4, "big"),
        "CRC64NVME": lambda: crt.crc64nvme(data).to_bytes(8, "big"),
        "XXHASH64": lambda: bytes(crt.XXHash.compute_xxhash64(data)),
        "XXHASH3": lambda: bytes(crt.XXHash.compute_xxhash3_64(data)),
        "XXHASH128": lambda: bytes(crt.XXHash.compute_xxhash3_128(data)),
    }
    raw = made[algorithm]() if algorithm in made else hashlib.new(algorithm.lower(), data).digest()
    return b64encode(raw).decode()


def test_what_aws_was_seen_to_answer() -> None:
    assert checksums.checksum("CRC32C", DATA) == "Pf4upw=="
    assert checksums.checksum("CRC64NVME", DATA) == "qUVrWYOrIAM="


@given(st.sampled_from(ALGORITHMS), st.lists(st.binary(max_size=100), max_size=5))
def test_in_pieces_or_whole(algorithm: str, pieces: list[bytes]) -> None:
    digest = checksums.Digest(algorithm)
    for piece in pieces:
        digest.update(piece)
    whole = b"".join(pieces)
    assert digest.digest() == checksums.checksum(algorithm, whole) == expected(algorithm, whole)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [11, 100_000])
def test_each_algorithm(s3: Any, bucket: str, algorithm: str, size: int) -> None:
    data = os.urandom(size)
    member, right = f"Checksum{algorithm}", expected(algorithm, data)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data, **{member: right})
    assert (put[member], put["ChecksumType"]) == (right, "FULL_OBJECT")
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[member] == right and got["Body"].read() == data
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[member], head["ChecksumType"]) == (right, "FULL_OBJECT")
    assert member not in s3.head_object(Bucket=bucket, Key="k")
    wrong = expected(algorithm, b"another")
    with refused("BadDigest", f"The {algorithm} you specified did not match the calculated checksum."):
        s3.put_object(Bucket=bucket, Key="k", Body=data, **{member: wrong})
    with refused("InvalidRequest", f"Value for x-amz-checksum-{algorithm.lower()} header is invalid."):
        s3.put_object(Bucket=bucket, Key="k", Body=data, **{member: "no base64"})
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == put["ETag"]


@pytest.mark.parametrize("size", [11, 100_000])
def test_without_a_checksum_there_is_one(cloud: Account, bucket: str, size: int) -> None:
    s3 = cloud.client("s3", config=Config(request_checksum_calculation="when_required"))
    data = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data)
    assert put["ChecksumCRC64NVME"] == expected("CRC64NVME", data)
    assert (
        s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC64NVME"] == put["ChecksumCRC64NVME"]
    )


@pytest.mark.parametrize("size", [11, 100_000])
def test_content_md5(s3: Any, bucket: str, size: int) -> None:
    data = os.urandom(size)
    right = b64encode(hashlib.md5(data).digest()).decode()
    put = s3.put_object(Bucket=bucket, Key="k", Body=data, ContentMD5=right)
    assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    wrong = b64encode(hashlib.md5(b"other").digest()).decode()
    text = "The Content-MD5 you specified did not match what we received."
    with refused("BadDigest", text, ExpectedDigest=wrong, CalculatedDigest=right):
        s3.put_object(Bucket=bucket, Key="k", Body=data, ContentMD5=wrong)
    for broken in ("short", b64encode(b"too short").decode()):
        with refused("InvalidDigest", "The Content-MD5 you specified was invalid."):
            s3.put_object(Bucket=bucket, Key="k", Body=data, ContentMD5=broken)


def test_one_checksum_at_most(s3: Any, bucket: str) -> None:
    both = {"ChecksumCRC32": expected("CRC32", DATA), "ChecksumSHA1": expected("SHA1", DATA)}
    text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    with refused("InvalidRequest", text):
        s3.put_object(Bucket=bucket, Key="k", Body=DATA, **both)


def test_the_algorithm_that_an_sdk_names_must_be_there(cloud: Account, bucket: str) -> None:
    s3 = cloud.client("s3", config=Config(request_checksum_calculation="when_required"))

    def add(name: str, value: str) -> Any:
        return lambda request, **_: request.headers.add_header(name, value)

    s3.meta.events.register("before-sign.s3.PutObject", add("x-amz-sdk-checksum-algorithm", "SHA256"))
    text = (
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were "
        "found."
    )
    with refused("InvalidRequest", text):
        s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    with refused("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid."):
        s3.put_object(Bucket=bucket, Key="k", Body=DATA, ChecksumCRC32=expected("CRC32", DATA))


def test_a_file_of_the_transfer_manager(s3: Any, bucket: str) -> None:
    data = os.urandom(300_000)
    s3.upload_fileobj(io.BytesIO(data), bucket, "k", ExtraArgs={"ChecksumAlgorithm": "SHA256"})
    out = io.BytesIO()
    s3.download_fileobj(bucket, "k", out)
    assert out.getvalue() == data
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"] == expected("SHA256", data)


@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_the_only_part_has_a_checksum(s3: Any, bucket: str, kind: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32C", ChecksumType=kind)
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    part = s3.upload_part(**place, PartNumber=1, Body=DATA, ChecksumAlgorithm="CRC32C")
    listed = {"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32C": part["ChecksumCRC32C"]}
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [listed]})
    for read in (s3.get_object, s3.head_object):
        answer = read(Bucket=bucket, Key="k", PartNumber=1, ChecksumMode="ENABLED")
        assert (answer["ChecksumCRC32C"], answer["ChecksumType"]) == (expected("CRC32C", DATA), kind)


def test_without_a_checksum_there_is_no_type(s3: Any, bucket: str) -> None:
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", **key)
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    part = s3.upload_part(**place, PartNumber=1, Body=DATA, **key)
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}, **key)
    answer = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", **key)
    assert answer["Body"].read() == DATA
    assert not [name for name in answer if name.startswith("Checksum")]
