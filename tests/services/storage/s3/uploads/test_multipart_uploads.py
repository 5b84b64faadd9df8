"""Uploads in parts: begun, filled, completed, aborted, listed."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any
from zlib import crc32

import pytest
from awscrt.checksums import crc32c, crc64nvme

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

MIN_B = 5 * 1024**2
NOT_FOUND = (
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
    "entity tag may not match the part's entity tag."
)
GONE = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed."
)


class Upload:
    """One upload to the key "k"."""

    def __init__(self, s3: Any, bucket: str, key: str = "k", **options: Any) -> None:
        self.s3 = s3
        self.created = s3.create_multipart_upload(Bucket=bucket, Key=key, **options)
        self.place = {"Bucket": bucket, "Key": key, "UploadId": self.created["UploadId"]}
        self.parts: list[dict[str, Any]] = []

    def part(self, number: int, body: bytes, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.s3.upload_part(**self.place, PartNumber=number, Body=body, **options)
        given = {name: value for name, value in answer.items() if name.startswith("Checksum")}
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"], **(given if self.algorithm else {})})
        return answer

    @property
    def algorithm(self) -> str:
        return self.created.get("ChecksumAlgorithm", "")

    def complete(self, parts: list[dict[str, Any]] | None = None, **options: Any) -> dict[str, Any]:
        listed = self.parts if parts is None else parts
        answer: dict[str, Any] = self.s3.complete_multipart_upload(
            **self.place, MultipartUpload={"Parts": listed}, **options
        )
        return answer

    def listed(self, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.s3.list_parts(**self.place, **options)
        return answer


def crc64(data: bytes) -> str:
    return b64encode(crc64nvme(data).to_bytes(8, "big")).decode()


def test_an_upload_from_beginning_to_end(cloud: Account, s3: Any, bucket: str) -> None:
    upload = Upload(
        s3, bucket, ContentType="text/plain", Metadata={"a": "b"}, Tagging="t=1", StorageClass="STANDARD_IA"
    )
    assert upload.created["Bucket"] == bucket
    assert upload.created["ServerSideEncryption"] == "AES256"
    first, second = b"1" * MIN_B, b"22"
    assert upload.part(2, second)["ETag"] == f'"{hashlib.md5(second).hexdigest()}"'
    answer = upload.part(1, first)
    assert answer["ChecksumCRC32"] == b64encode(crc32(first).to_bytes(4, "big")).decode()
    upload.parts.reverse()
    answer = upload.complete()
    etag = hashlib.md5(hashlib.md5(first).digest() + hashlib.md5(second).digest()).hexdigest() + "-2"
    assert answer["ETag"] == f'"{etag}"'
    assert answer["Location"] == f"{cloud.url}/{bucket}/k"
    assert (answer["ChecksumCRC64NVME"], answer["ChecksumType"]) == (crc64(first + second), "FULL_OBJECT")
    found = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert found["Body"].read() == first + second
    assert (found["ETag"], found["ContentType"], found["Metadata"]) == (f'"{etag}"', "text/plain", {"a": "b"})
    assert (found["TagCount"], found["StorageClass"]) == (1, "STANDARD_IA")
    assert found["ChecksumCRC64NVME"] == crc64(first + second)
    found = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={MIN_B - 2}-{MIN_B}")
    assert found["Body"].read() == b"112"
    found = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert (found["Body"].read(), found["PartsCount"]) == (b"22", 2)


def test_a_location_with_odd_characters(cloud: Account, s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket, key="folder/test_—_file")
    upload.part(1, b"x")
    assert upload.complete()["Location"] == f"{cloud.url}/{bucket}/folder%2Ftest_%E2%80%94_file"


def test_the_same_completion_twice(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.part(1, b"x")
    first = upload.complete()
    s3.put_object(Bucket=bucket, Key="k", Body=b"later")
    assert upload.complete()["ETag"] == first["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"later"
    with refused("NoSuchUpload", GONE, 404, UploadId=upload.place["UploadId"]):
        upload.complete([{"PartNumber": 2, "ETag": "x"}])
    with refused("NoSuchUpload", GONE, 404):
        upload.listed()


def test_a_completion_is_forgotten_in_the_end(cloud: Account, s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.part(1, b"x")
    upload.complete()
    cloud.advance(90_000)
    cloud.advance(4000)
    with refused("NoSuchUpload", GONE, 404):
        upload.complete()


def test_a_part_in_place_of_another(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.part(1, b"old")
    old = upload.parts.pop()
    upload.part(1, b"new")
    with refused("InvalidPart", NOT_FOUND, PartNumber="1", ETag=old["ETag"].strip('"')):
        upload.complete([old])
    upload.complete()
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"


def test_what_completions_refuse(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.part(1, b"part")
    upload.part(2, b"part")
    etag = upload.parts[0]["ETag"].strip('"')
    with refused("InvalidRequest", "You must specify at least one part"):
        upload.complete([])
    with refused("EntityTooSmall", PartNumber="1", ProposedSize="4", MinSizeAllowed="5242880", ETag=etag):
        upload.complete()
    text = "The list of parts was not in ascending order. Parts must be ordered by part number."
    with refused("InvalidPartOrder", text, UploadId=upload.place["UploadId"]):
        upload.complete(upload.parts[::-1])
    with refused("InvalidPartOrder", text):
        upload.complete([upload.parts[0], upload.parts[0]])
    with refused("InvalidPart", NOT_FOUND, PartNumber="3", ETag=etag, UploadId=upload.place["UploadId"]):
        upload.complete([{"PartNumber": 3, "ETag": etag}])
    with refused("InvalidRequest"):
        upload.complete(upload.parts[:1], MpuObjectSize=5)
    with refused("NoSuchUpload", GONE, 404):
        s3.complete_multipart_upload(**{**upload.place, "Key": "other"}, MultipartUpload={"Parts": upload.parts})
    upload.complete(upload.parts[:1], MpuObjectSize=4)


@pytest.mark.parametrize("number", [0, 10_001])
def test_part_numbers(s3: Any, bucket: str, number: int) -> None:
    text = "Part number must be an integer between 1 and 10000, inclusive"
    with refused("InvalidArgument", text, ArgumentName="partNumber", ArgumentValue=str(number)):
        Upload(s3, bucket).part(number, b"x")


def test_an_upload_that_is_aborted(cloud: Account, s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.part(1, b"x" * 100_000)
    before = blobs(cloud)
    assert s3.abort_multipart_upload(**upload.place)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (upload.complete, upload.listed, lambda: upload.part(1, b"x")):
        with refused("NoSuchUpload", GONE, 404, UploadId=upload.place["UploadId"]):
            call()
    with refused("NoSuchUpload", GONE, 404):
        s3.abort_multipart_upload(**upload.place)
    with refused("NoSuchUpload", GONE, 404):
        s3.list_parts(Bucket=bucket, Key="k", UploadId="nonsense")
    assert len(before - blobs(cloud)) == 1


def blobs(cloud: Account) -> set[str]:
    """The files of the data directory's blobs, once those that are to go are gone."""
    cloud.settle()
    return {path.name for path in (cloud.data_dir / "blobs").glob("*/*")}


def test_parts_that_were_not_chosen_go(cloud: Account, s3: Any, bucket: str) -> None:
    before = blobs(cloud)
    upload = Upload(s3, bucket)
    upload.part(1, b"x")
    upload.part(2, b"y")
    assert len(blobs(cloud) - before) == 2
    upload.complete(upload.parts[1:])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"y"
    assert len(blobs(cloud) - before) == 1
    s3.delete_object(Bucket=bucket, Key="k")
    assert blobs(cloud) == before


def test_a_bucket_with_uploads_may_be_deleted(cloud: Account, s3: Any, bucket: str) -> None:
    before = blobs(cloud)
    Upload(s3, bucket).part(1, b"x")
    s3.delete_bucket(Bucket=bucket)
    assert blobs(cloud) == before


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_composite_checksums(s3: Any, bucket: str, algorithm: str) -> None:
    upload = Upload(s3, bucket, ChecksumAlgorithm=algorithm)
    assert (upload.algorithm, upload.created["ChecksumType"]) == (algorithm, "COMPOSITE")
    bodies = [b"a" * MIN_B, b"b" * MIN_B, b"c"]
    for number, body in enumerate(bodies, 1):
        upload.part(number, body, ChecksumAlgorithm=algorithm)
    name = f"Checksum{algorithm}"
    listed = upload.listed()
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, "COMPOSITE")
    assert [part[name] for part in listed["Parts"]] == [part[name] for part in upload.parts]
    text = (
        f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the checksum "
        "for each part. It was missing for part 1 in the request."
    )
    with refused("InvalidRequest", text):
        upload.complete([{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in upload.parts])
    with refused("InvalidPart", NOT_FOUND, PartNumber="1"):
        upload.complete([{**upload.parts[0], name: upload.parts[1][name]}, *upload.parts[1:]])
    answer = upload.complete()
    assert answer[name] == f"{digest(algorithm, b''.join(raw(algorithm, body) for body in bodies))}-3"
    assert answer["ChecksumType"] == "COMPOSITE"
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[name], head["ChecksumType"]) == (answer[name], "COMPOSITE")
    part = s3.get_object(Bucket=bucket, Key="k", PartNumber=3, ChecksumMode="ENABLED")
    assert (part["Body"].read(), part[name]) == (b"c", digest(algorithm, b"c"))


def raw(algorithm: str, data: bytes) -> bytes:
    if algorithm == "CRC32":
        return crc32(data).to_bytes(4, "big")
    if algorithm == "CRC32C":
        return crc32c(data).to_bytes(4, "big")
    if algorithm == "CRC64NVME":
        return crc64nvme(data).to_bytes(8, "big")
    return hashlib.new(algorithm.lower(), data).digest()


def digest(algorithm: str, data: bytes) -> str:
    return b64encode(raw(algorithm, data)).decode()


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_checksums_of_the_whole(s3: Any, bucket: str, algorithm: str) -> None:
    upload = Upload(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    bodies = [b"a" * MIN_B, b"b" * (MIN_B + 1), b"c"]
    for number, body in enumerate(bodies, 1):
        upload.part(number, body, ChecksumAlgorithm=algorithm)
    name, whole = f"Checksum{algorithm}", digest(algorithm, b"".join(bodies))
    text = f"The {algorithm.lower()} you specified did not match the calculated checksum."
    with refused("BadDigest", text):
        upload.complete(**{name: digest(algorithm, b"other")})
    with refused("BadDigest", text):
        upload.complete(ChecksumSHA1=digest("SHA1", b"".join(bodies)))
    text = (
        "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum "
        "mode."
    )
    with refused("InvalidRequest", text):
        upload.complete(ChecksumType="COMPOSITE")
    answer = upload.complete(**{name: whole}, ChecksumType="FULL_OBJECT")
    assert (answer[name], answer["ChecksumType"]) == (whole, "FULL_OBJECT")
    part = s3.get_object(Bucket=bucket, Key="k", PartNumber=3, ChecksumMode="ENABLED")
    assert part["Body"].read() == b"c"
    assert name not in part


def test_checksums_that_are_refused(s3: Any, bucket: str) -> None:
    text = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
    with refused("InvalidRequest", text):
        Upload(s3, bucket, ChecksumType="COMPOSITE")
    text = (
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
    )
    with refused("InvalidRequest", text):
        Upload(s3, bucket, ChecksumAlgorithm="TEST")
    for algorithm, kind in (("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")):
        with refused("InvalidRequest"):
            Upload(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    upload = Upload(s3, bucket, ChecksumAlgorithm="SHA256")
    text = "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32"
    with refused("InvalidRequest", text):
        upload.part(1, b"abc", ChecksumAlgorithm="CRC32")
    plain = Upload(s3, bucket)
    plain.part(1, b"abc", ChecksumAlgorithm="CRC32C")
    assert "ChecksumCRC32C" not in plain.listed()["Parts"][0]
    text = "The upload was created using the null checksum mode. The complete request must use the same checksum mode."
    with refused("InvalidRequest", text):
        plain.complete(ChecksumType="FULL_OBJECT")
    with refused("InvalidPart", NOT_FOUND, PartNumber="1"):
        plain.complete([{**plain.parts[0], "ChecksumCRC32C": digest("CRC32C", b"abc")}])


def test_completions_on_condition(s3: Any, bucket: str) -> None:
    failed = "At least one of the pre-conditions you specified did not hold"
    upload = Upload(s3, bucket)
    upload.part(1, b"x")
    with refused("NoSuchKey", status=404):
        upload.complete(IfMatch='"abc"')
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"y")["ETag"]
    with refused("PreconditionFailed", failed, 412, Condition="If-None-Match"):
        upload.complete(IfNoneMatch="*")
    with refused("PreconditionFailed", failed, 412, Condition="If-Match"):
        upload.complete(IfMatch='"abc"')
    text = "The conditional request cannot succeed due to a conflicting operation against this resource."
    with refused("ConditionalRequestConflict", text, 409, Condition="If-Match", Key="k"):
        upload.complete(IfMatch=etag)  # what is there came while the upload went on
    again = Upload(s3, bucket)
    again.part(1, b"x")
    etag = again.complete(IfMatch=etag)["ETag"]
    third = Upload(s3, bucket)
    third.part(1, b"z")
    third.complete(IfMatch=etag)


def test_parts_listed_in_pages(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    answer = upload.listed()
    assert (answer["PartNumberMarker"], answer["NextPartNumberMarker"], answer["IsTruncated"]) == (0, 0, False)
    assert "Parts" not in answer
    for number in (1, 2, 5):
        upload.part(number, b"part")
    answer = upload.listed(MaxParts=2)
    assert [part["PartNumber"] for part in answer["Parts"]] == [1, 2]
    assert (answer["NextPartNumberMarker"], answer["MaxParts"], answer["IsTruncated"]) == (2, 2, True)
    answer = upload.listed(PartNumberMarker=2)
    assert [(part["PartNumber"], part["Size"]) for part in answer["Parts"]] == [(5, 4)]
    assert (answer["NextPartNumberMarker"], answer["MaxParts"], answer["IsTruncated"]) == (5, 1000, False)
    answer = upload.listed(PartNumberMarker=10, MaxParts=1)
    assert (answer["PartNumberMarker"], answer["NextPartNumberMarker"]) == (10, 0)
    assert answer["Owner"]["ID"] == answer["Initiator"]["ID"]
    with refused("InvalidArgument", ArgumentName="max-parts"):
        upload.listed(MaxParts=-1)


def test_uploads_listed(s3: Any, bucket: str) -> None:
    answer = s3.list_multipart_uploads(Bucket=bucket)
    assert (answer["KeyMarker"], answer["NextKeyMarker"], answer["NextUploadIdMarker"]) == ("", "", "")
    assert (answer["MaxUploads"], answer["IsTruncated"], answer.get("Uploads")) == (1000, False, None)
    keys = ["test/foo/bar/1", "test/bar/foo/1", "test/foo/bar/1", "z"]
    ids = [Upload(s3, bucket, key=key).place["UploadId"] for key in keys]
    answer = s3.list_multipart_uploads(Bucket=bucket)
    expected = [(keys[1], ids[1]), (keys[0], ids[0]), (keys[2], ids[2]), (keys[3], ids[3])]
    assert [(upload["Key"], upload["UploadId"]) for upload in answer["Uploads"]] == expected
    assert (answer["NextKeyMarker"], answer["NextUploadIdMarker"]) == expected[-1]
    assert answer["Uploads"][0]["StorageClass"] == "STANDARD"
    seen = []
    markers: dict[str, str] = {}
    while True:
        answer = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1, **markers)
        seen += [(upload["Key"], upload["UploadId"]) for upload in answer["Uploads"]]
        if not answer["IsTruncated"]:
            break
        markers = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}
    assert seen == expected
    answer = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="test/foo/bar/1")
    assert [upload["Key"] for upload in answer["Uploads"]] == ["z"]
    answer = s3.list_multipart_uploads(Bucket=bucket, Prefix="test/", Delimiter="/", EncodingType="url")
    assert answer["CommonPrefixes"] == [{"Prefix": "test/bar/"}, {"Prefix": "test/foo/"}]
    assert (answer["NextKeyMarker"], answer["NextUploadIdMarker"], answer["Prefix"]) == ("", "", "test/")
    with refused("InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentName="encoding-type"):
        s3.list_multipart_uploads(Bucket=bucket, EncodingType="value")


def test_ten_thousand_parts(s3: Any, bucket: str, cloud: Account) -> None:
    """Their bytes are one blob each; only the last may be small, so most are made up in the store."""
    from cumulo.services.storage.s3.stored.open_uploads import PARTS_OF_UPLOADS, UploadedPart
    from tests.services.storage.s3.stored_objects import transact

    upload = Upload(s3, bucket)
    head = upload.place["UploadId"][:32]
    upload.part(10_000, b"x")
    etag = hashlib.md5(b"").hexdigest()

    def make_up(ctx: Any) -> None:
        for number in range(1, 10_000):
            part = UploadedPart(head, number, MIN_B, etag, crc64(b""), f"{number:032x}", MIN_B, 0.0)
            PARTS_OF_UPLOADS.put(ctx, part)

    transact(cloud, make_up)
    made_up = [{"PartNumber": number, "ETag": etag} for number in range(1, 10_000)]
    answer = upload.complete(made_up + upload.parts)
    assert answer["ETag"].endswith('-10000"')
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 9_999 * MIN_B + 1


def customers_key(secret: bytes) -> dict[str, str]:
    return {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": b64encode(secret).decode(),
        "SSECustomerKeyMD5": b64encode(hashlib.md5(secret).digest()).decode(),
    }


def test_parts_under_a_customers_key(s3: Any, bucket: str) -> None:
    key = customers_key(b"k" * 32)
    upload = Upload(s3, bucket, **key)
    assert upload.created["SSECustomerKeyMD5"] == key["SSECustomerKeyMD5"]
    bodies = [b"1" * MIN_B, b"2" * 70_000]
    for number, body in enumerate(bodies, 1):
        answer = upload.part(number, body, **key)
        assert answer["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    answer = upload.complete()
    assert not {"ServerSideEncryption", "ChecksumCRC64NVME"} & answer.keys()
    found = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={MIN_B - 1}-", **key)
    assert found["Body"].read() == b"1" + bodies[1]
    text = (
        "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
        "retrieve the object."
    )
    with refused("InvalidRequest", text):
        s3.get_object(Bucket=bucket, Key="k")


def test_parts_with_another_key_or_none(s3: Any, bucket: str) -> None:
    text = (
        "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
        "encryption parameters."
    )
    with refused("InvalidRequest", text):
        Upload(s3, bucket).part(1, b"x", **customers_key(b"k" * 32))
    upload = Upload(s3, bucket, **customers_key(b"k" * 32))
    with refused("InvalidRequest", text):
        upload.part(1, b"x")
    with refused("InvalidRequest", "The provided encryption parameters did not match the ones used originally."):
        upload.part(1, b"x", **customers_key(b"l" * 32))


def test_parts_under_kms(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket, ServerSideEncryption="aws:kms", BucketKeyEnabled=True)
    assert (upload.created["ServerSideEncryption"], upload.created["BucketKeyEnabled"]) == ("aws:kms", True)
    answer = upload.part(1, b"test-sse")
    assert answer["SSEKMSKeyId"] == upload.created["SSEKMSKeyId"]
    answer = upload.complete()
    assert answer["ServerSideEncryption"] == "aws:kms"
    assert "ChecksumCRC64NVME" not in answer
    found = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["ChecksumCRC64NVME"]) == (b"test-sse", crc64(b"test-sse"))


def test_empty_numbers_say_nothing(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.part(1, b"x")
    for name in ("MaxParts", "PartNumberMarker"):
        listed = upload.listed(**{name: ""})
        assert (listed["MaxParts"], listed["PartNumberMarker"], len(listed["Parts"])) == (1000, 0, 1)
    with refused("InvalidArgument", "Provided max-parts not an integer or within integer range"):
        upload.listed(MaxParts="many")


def test_checksums_of_parts_in_another_algorithm(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket, ChecksumAlgorithm="CRC32")
    etag = upload.part(1, b"x", ChecksumAlgorithm="CRC32")["ETag"]
    other = b64encode(hashlib.sha256(b"x").digest()).decode()
    with refused("BadDigest", "The sha256 you specified for part 1 did not match what we received."):
        upload.complete([{"PartNumber": 1, "ETag": etag, "ChecksumSHA256": other}])


def test_the_order_of_parts_is_looked_at_first(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    etag = upload.part(1, b"x")["ETag"]
    with refused("InvalidPartOrder"):
        upload.complete([{"PartNumber": 2, "ETag": etag}, {"PartNumber": 1, "ETag": etag}])
