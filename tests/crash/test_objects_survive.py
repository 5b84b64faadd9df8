"""S3 while its server is killed: what was acknowledged is there, what was not is whole or absent, no file is left."""

import json
import random
import time
import urllib.request
from typing import Any

import pytest

from tests.crash.object_load import BUCKET, Load
from tests.server_process import Server


@pytest.fixture
def server(server: Server) -> Server:
    """With a bucket."""
    server.client("s3").create_bucket(Bucket=BUCKET)
    return server


def survives(server: Server, rounds: int, between_kills_s: tuple[float, float], seed: int) -> None:
    load = Load(server, workers=4, keys=6, seed=seed)
    chance = random.Random(seed)
    load.start()
    for _ in range(rounds):
        load.stopping.wait(chance.uniform(*between_kills_s))  # real load in real time
        server.kill()
        server.start()
        assert not load.failures, load.failures[0]
    load.finish()
    print(f"{load.acknowledged} acknowledged, {rounds} kills")
    assert load.acknowledged > rounds
    wrong = load.check()
    assert not wrong, "\n".join(wrong[:5])
    assert scrubbed(server) == []
    nothing_is_left_over(server)


def scrubbed(server: Server) -> list[Any]:
    """What `cumulo scrub` finds damaged."""
    damaged: list[Any] = []
    after = ""
    while True:
        with urllib.request.urlopen(f"{server.url}/_cumulo/scrub?after={after}") as answer:
            page = json.load(answer)
        damaged += page["damaged"]
        after = page["after"]
        if not after:
            return damaged


def nothing_is_left_over(server: Server) -> None:
    """When all is deleted and aborted and a start has swept, no file is left."""
    client = server.client("s3")
    for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=found["Key"])
    for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    server.stop()
    server.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        left = [path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"{len(left)} files are named by nothing: {left[:3]}")


def test_objects_survive(server: Server) -> None:
    survives(server, 8, (0.3, 0.9), 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 20))
def test_objects_survive_a_thousand_times(server: Server, seed: int) -> None:
    survives(server, 100, (0.2, 1.5), seed)
