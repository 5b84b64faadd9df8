"""What a page of ListObjectsV2 costs in a large bucket: `python bench/listings.py [--keys 1000000]`.

A bucket of a thousand folders with as many keys each is filled through PutObject by anonymous clients, whom its policy
lets in. Then pages of a thousand keys, each asked for once, from all over the bucket: CPU of the server per page.
The bar is 10 ms. Linux.
"""

import argparse
import http.client
import json
import random
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import processes
import run
import signed

BUCKET = "keys"
FOLDERS = 1_000
WRITERS = 64
AHEAD = 16  # requests on their way in every writer's connection
PAGE = 1_000


def key(number: int, count: int) -> str:
    """The key of this number; those of a folder are neighbours."""
    folder, place = divmod(number, max(1, count // FOLDERS))
    return f"logs/{folder:04d}/part-{place:07d}.json"


def fill(server: run.Server, count: int) -> None:
    """Put so many objects of a few bytes."""
    aws = signed.client("s3", server.url)
    aws.create_bucket(Bucket=BUCKET)
    aws.delete_public_access_block(Bucket=BUCKET)
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    aws.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    failures: list[Exception] = []

    def write(writer: int) -> None:
        try:
            put(server.port, [key(number, count) for number in range(writer, count, WRITERS)])
        except Exception as error:
            failures.append(error)

    begun, spent_us = time.perf_counter(), processes.cpu_us(server.pid)
    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    if failures:
        raise failures[0]
    spent_us = processes.cpu_us(server.pid) - spent_us
    print(f"{count} objects put in {time.perf_counter() - begun:.0f} s, {spent_us / count:.1f} µs CPU each", flush=True)


def put(port: int, keys: list[str]) -> None:
    """Put these objects over one connection, some requests ahead of their answers."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        answers = connection.makefile("rb")
        for first in range(0, len(keys), AHEAD):
            some = keys[first : first + AHEAD]
            connection.sendall(
                b"".join(
                    f"PUT /{BUCKET}/{each} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nbody".encode()
                    for each in some
                )
            )
            for _ in some:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += answers.readline()
                if not head.startswith(b"HTTP/1.1 200"):
                    raise SystemExit(f"not put: {head.decode()}")


def questions(count: int, pages: int) -> dict[str, list[dict[str, Any]]]:
    """Kinds of pages, and the parameters of each page."""
    chance = random.Random(1)

    def anywhere(most: int) -> str:
        return key(chance.randrange(most), count)

    folders = max(1, count // FOLDERS)
    full = max(1, count - PAGE)  # from here on no page is full
    return {
        "from anywhere": [{"StartAfter": anywhere(full)} for _ in range(pages)],
        "of a folder": [{"Prefix": anywhere(count).rpartition("/")[0] + "/"} for _ in range(pages)],
        "of a folder, from its middle": [
            {"Prefix": found.rpartition("/")[0] + "/", "StartAfter": found}
            for found in (anywhere(count) for _ in range(pages))
        ],
        "of folders, by delimiter": [
            {"Prefix": "logs/", "Delimiter": "/", "StartAfter": key(chance.randrange(folders), count)}
            for _ in range(pages)
        ],
        "of a folder, by delimiter": [
            {"Prefix": anywhere(count).rpartition("/")[0] + "/", "Delimiter": "/"} for _ in range(pages)
        ],
    }


def measure(server: run.Server, parameters: list[dict[str, Any]]) -> tuple[float, float, float]:
    """CPU of the server per page (ms), median wait (ms), and entries per page."""
    aws = signed.client("s3", server.url)
    parsed = aws.list_objects_v2(Bucket=BUCKET, **parameters[0])
    entries = parsed["KeyCount"]
    asked = [signed.catch(aws, "list_objects_v2", Bucket=BUCKET, **each) for each in parameters[1:]]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    waits = []
    before = processes.cpu_us(server.pid)
    for request in asked:
        head, _, _ = request.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        begun = time.perf_counter()
        connection.request("GET", first.split()[1], headers=dict(line.split(": ", 1) for line in lines))
        answer = connection.getresponse()
        body = answer.read()
        waits.append((time.perf_counter() - begun) * 1000)
        if answer.status != 200 or b"</ListBucketResult>" not in body:
            raise SystemExit(f"not listed: {answer.status} {body[:300].decode()}")
    spent_ms = (processes.cpu_us(server.pid) - before) / 1000
    return spent_ms / len(asked), statistics.median(waits), entries


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=300, help="of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cumulo-bench-") as name:
        server = run.Server("cumulo", Path(name))
        server.start()
        server.wait(signed.sts(server.url)[0])
        try:
            fill(server, options.keys)
            print(f"resident: {processes.rss_mb(server.pid):.0f} MiB", flush=True)
            server.stop()  # what comes now finds nothing in memory
            server.start()
            server.wait(signed.sts(server.url)[0])
            for kind, parameters in questions(options.keys, options.pages).items():
                cpu_ms, wait_ms, entries = measure(server, parameters)
                print(f"{kind:30} {entries:5} entries {cpu_ms:7.2f} ms CPU {wait_ms:7.2f} ms wait", flush=True)
            print(f"resident: {processes.rss_mb(server.pid):.0f} MiB", flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
