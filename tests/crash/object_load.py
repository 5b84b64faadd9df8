"""Threads that put, overwrite, delete and complete objects on a server that may die, and remember what was answered."""

import contextlib
import hashlib
import random
import threading
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.server_process import Server

BUCKET = "survivors"
GONE = ""
DYING = {"ServiceUnavailable", "InternalFailure", "InternalError", "500", "503"}
SIZES = (0, 100, 8192, 8193, 70_000, 300_000, 1_500_000)
PART = 5 * 1024**2


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Load:
    """Workers, each with keys of its own, so that it knows what its keys may hold.

    `allowed` has, for every key, the digests that it may have now: one after an answer, two or more after none.
    """

    def __init__(self, server: Server, *, workers: int, keys: int, seed: int, multipart: bool = True) -> None:
        self.server = server
        self.allowed: dict[str, set[str]] = {}
        self.acknowledged = 0
        self.failures: list[BaseException] = []
        self.stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(number, keys, seed, multipart), daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join(60)
        assert not self.failures, self.failures[0]

    def _guarded(self, number: int, keys: int, seed: int, multipart: bool) -> None:
        try:
            self._work(number, keys, random.Random(seed * 1000 + number), multipart)
        except BaseException as failure:
            self.failures.append(failure)

    def _work(self, number: int, keys: int, chance: random.Random, multipart: bool) -> None:
        client = self.server.client("s3")
        while not self.stopping.is_set():
            key = f"{number}/{chance.randrange(keys)}"
            kind = chance.random()
            data = chance.randbytes(chance.choice(SIZES))
            if kind < 0.2:
                self._try(key, GONE, partial(client.delete_object, Bucket=BUCKET, Key=key))
            elif kind < 0.25 and multipart:
                whole = chance.randbytes(PART) + data
                self._try(key, digest(whole), partial(self._in_parts, client, key, whole))
            else:
                self._try(key, digest(data), partial(client.put_object, Bucket=BUCKET, Key=key, Body=data))

    def _in_parts(self, client: Any, key: str, data: bytes) -> None:
        upload = {"Bucket": BUCKET, "Key": key}
        upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
        parts = []
        for part, at in enumerate((0, PART), 1):
            end = PART if at == 0 else len(data)
            answer = client.upload_part(PartNumber=part, Body=data[at:end], **upload)
            parts.append({"PartNumber": part, "ETag": answer["ETag"]})
        client.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload)

    def _try(self, key: str, wanted: str, call: Any) -> None:
        before = self.allowed.get(key, {GONE})
        self.allowed[key] = before | {wanted}
        try:
            call()
        except BotoCoreError:
            self.stopping.wait(0.02)  # it may have happened or not; what was allowed before stays so
        except ClientError as refusal:
            answer = refusal.response
            if str(answer["Error"]["Code"]) not in DYING:
                raise
        else:
            self.allowed[key] = {wanted}
            self.acknowledged += 1

    def check(self) -> list[str]:
        """What is wrong with the objects that are there: every one must be one of those that its key may have."""
        client = self.server.client("s3")
        wrong = []
        for key, allowed in self.allowed.items():
            found = GONE
            with contextlib.suppress(client.exceptions.NoSuchKey):
                found = digest(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
            if found not in allowed:
                wrong.append(f"{key} is {found[:8] or 'gone'}, not one of {[each[:8] or 'gone' for each in allowed]}")
            self.allowed[key] = {found}
        return wrong
