"""Scrubbing finds what is not as it was; sweeping takes what nobody names; a full disk leaves nothing half-written."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from boto3.s3.transfer import TransferConfig

from tests.conftest import Account, RunningCloud
from tests.services.storage.s3.conftest import refused

ACCOUNT = "111122223333"
PART = 5 * 1024**2


def scrub(running: RunningCloud) -> dict[str, Any]:
    """All pages in one."""
    total: dict[str, Any] = {"versions": 0, "bytes": 0, "sealed": 0, "damaged": []}
    after = ""
    while True:
        with urlopen(f"{running.url}/_cumulo/scrub?after={after}") as answer:
            page = json.load(answer)
        for name in total:
            total[name] += page[name]
        after = page["after"]
        if not after:
            return total


def blobs(running: RunningCloud) -> dict[int, Path]:
    """Files by their size."""
    folder = running.cloud.runtime.blobs.folder
    return {path.stat().st_size: path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def running(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> RunningCloud:
    return start_cloud(tmp_path)


@pytest.fixture
def s3(running: RunningCloud) -> Any:
    client = Account(running, ACCOUNT).client("s3")
    client.create_bucket(Bucket="kept")
    return client


def test_what_is_whole_is_not_reported(running: RunningCloud, s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    for number in range(120):
        s3.put_object(Bucket="kept", Key=str(number % 50), Body=b"x" * number)
    s3.delete_object(Bucket="kept", Key="7")
    s3.put_object(Bucket="kept", Key="large", Body=os.urandom(100_000), ChecksumAlgorithm="SHA256")
    s3.put_object(Bucket="kept", Key="sealed", Body=os.urandom(100_000), ServerSideEncryption="aws:kms")
    parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    s3.upload_fileobj(io.BytesIO(os.urandom(PART + 10)), "kept", "parts", Config=parts)
    s3.copy_object(Bucket="kept", Key="copy", CopySource="kept/parts")
    found = scrub(running)
    assert found["damaged"] == []
    assert (found["versions"], found["sealed"]) == (124, 1)


def test_what_is_damaged_is_reported(running: RunningCloud, s3: Any) -> None:
    sizes = {"changed": 100_001, "short": 100_002, "gone": 100_003, "whole": 100_004}
    for key, size in sizes.items():
        s3.put_object(Bucket="kept", Key=key, Body=os.urandom(size))
    parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    s3.upload_fileobj(io.BytesIO(os.urandom(PART + 10)), "kept", "parts", Config=parts)
    files = blobs(running)
    data = bytearray(files[sizes["changed"]].read_bytes())
    data[5000] ^= 1
    files[sizes["changed"]].write_bytes(data)
    os.truncate(files[sizes["short"]], 50_000)
    files[sizes["gone"]].unlink()
    files[10].write_bytes(b"0123456789")
    problems = {found["key"]: found["problem"] for found in scrub(running)["damaged"]}
    assert problems == {
        "changed": "its MD5 is another",
        "short": "its bytes end too early",
        "gone": "its bytes are gone",
        "parts": "its MD5 is another",
    }
    command = [sys.executable, "-m", "cumulo", "scrub", "--port", str(running.cloud.port)]
    done = subprocess.run(
        [*command, "--data-dir", str(running.settings.data_dir)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "kept/gone version null: its bytes are gone" in done.stdout
    assert "5 versions" in done.stdout and "4 damaged" in done.stdout


def test_files_that_nothing_names_are_swept_at_the_next_start(
    start_cloud: Callable[..., RunningCloud], running: RunningCloud, s3: Any
) -> None:
    data = os.urandom(100_000)
    s3.put_object(Bucket="kept", Key="k", Body=data)
    orphan = running.cloud.runtime.blobs.folder / "ab" / ("ab" * 16)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"half an upload")
    running.stop()
    again = start_cloud(running.settings.data_dir)
    for _ in range(200):
        if not orphan.exists():
            break
        again.settle()
    assert not orphan.exists()
    assert Account(again, ACCOUNT).client("s3").get_object(Bucket="kept", Key="k")["Body"].read() == data


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root on Linux")
    mounted = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    start_cloud: Callable[..., RunningCloud], small_disk: Path
) -> None:
    running = start_cloud(small_disk / "data")
    s3 = Account(running, ACCOUNT).client("s3")
    s3.create_bucket(Bucket="kept")
    data = os.urandom(3_000_000)
    stored = []
    for number in range(20):
        try:
            s3.put_object(Bucket="kept", Key=str(number), Body=data)
        except s3.exceptions.ClientError as refusal:
            assert refusal.response["Error"]["Code"] == "ServiceUnavailable"
            assert "No space is left" in refusal.response["Error"]["Message"]
            break
        stored.append(str(number))
    assert 3 <= len(stored) < 10
    with refused("ServiceUnavailable", None, 503):
        s3.put_object(Bucket="kept", Key=stored[0], Body=data + b"changed")
    assert len(blobs(running)) == 1 and len(list(running.cloud.runtime.blobs.folder.glob("*/*"))) == len(stored)
    for key in stored:
        assert s3.get_object(Bucket="kept", Key=key)["Body"].read() == data
    s3.delete_object(Bucket="kept", Key=stored[0])
    for _ in range(200):
        if len(list(running.cloud.runtime.blobs.folder.glob("*/*"))) < len(stored):
            break
        running.settle()
    s3.put_object(Bucket="kept", Key="again", Body=data)
    assert scrub(running)["damaged"] == []
    running.stop()
