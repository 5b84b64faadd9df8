"""However large an object is, the server's memory is not."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import Server

SIZE = 100 << 20
MOST_MB = 64

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")


def memory_mb(server: Server, figure: str) -> int:
    """`VmRSS`, what there is now, or `VmHWM`, the most there was."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith(f"{figure}:"):
            return int(line.split()[1]) >> 10
    raise AssertionError(f"no {figure}")


def read(answer: dict[str, Any]) -> int:
    return sum(len(piece) for piece in answer["Body"].iter_chunks(1 << 20))


def test_memory_grows_by_64_mb_at_most(server: Server, tmp_path: Path) -> None:
    client = server.client("s3")
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="small", Body=b"x" * 100_000)
    secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(SIZE)  # takes no place on the disk here
    before = memory_mb(server, "VmRSS")
    for options in ({}, secret):
        with large.open("rb") as body:
            client.put_object(Bucket="bucket", Key="large", Body=body, **options)
        piece = client.get_object(Bucket="bucket", Key="large", Range=f"bytes=1-{SIZE - 1}", **options)
        assert read(piece) == SIZE - 1
    source = {f"CopySource{name}": value for name, value in secret.items()}
    client.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/large", **source)
    upload = {"Bucket": "bucket", "Key": "parts"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    with large.open("rb") as body:
        etag = client.upload_part(**upload, PartNumber=1, Body=body)["ETag"]
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert read(client.get_object(Bucket="bucket", Key="parts")) == SIZE
    grown = memory_mb(server, "VmHWM") - before
    print(f"{grown} MB more than {before}")
    assert grown <= MOST_MB
