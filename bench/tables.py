"""Whether a large table costs more than a small one: `python bench/tables.py [--items 1000000]`.

One server has both. GetItem of any item and Query of a hundred, over keys of the whole table, in rounds that alternate
between the tables: CPU of the server per request, and the server's memory. The bar is 1.5 times the small table's CPU.
Linux; needs wrk.
"""

import argparse
import gzip
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import processes
import run
import signed

ORDERS = 100  # of every user
SMALL = 1_000
DISTINCT = 2_000  # requests of each kind
FILE_ITEMS = 100_000


def lines(first: int, count: int) -> Iterator[bytes]:
    """Items of users with a hundred orders each, as DynamoDB JSON."""
    for number in range(first, first + count):
        yield json.dumps({"Item": item(number // ORDERS, number % ORDERS)}).encode() + b"\n"


def item(user: int, order: int) -> dict[str, Any]:
    """An item of some 200 bytes."""
    return {
        "pk": {"S": f"user#{user:09d}"},
        "sk": {"S": f"order#{order:05d}"},
        "count": {"N": str(order)},
        "tags": {"SS": ["a", "b", "c"]},
        "more": {"M": {"x": {"N": "1"}, "y": {"BOOL": True}}},
        "text": {"S": "x" * 100},
    }


def fill(url: str, table: str, count: int) -> None:
    """Import so many items into a new table."""
    s3, dynamodb = signed.client("s3", url), signed.client("dynamodb", url)
    s3.create_bucket(Bucket=table)
    for first in range(0, count, FILE_ITEMS):
        data = gzip.compress(b"".join(lines(first, min(FILE_ITEMS, count - first))), 1)
        s3.put_object(Bucket=table, Key=f"{first:09}.json.gz", Body=data)
    begun = time.perf_counter()
    arn = dynamodb.import_table(
        S3BucketSource={"S3Bucket": table},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters={
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        },
    )["ImportTableDescription"]["ImportArn"]
    while True:
        state = dynamodb.describe_import(ImportArn=arn)["ImportTableDescription"]
        if state["ImportStatus"] != "IN_PROGRESS":
            break
        time.sleep(0.5)
    if state.get("ImportedItemCount") != count:
        raise SystemExit(f"not imported: {state}")
    print(f"{count} items imported in {time.perf_counter() - begun:.0f} s", flush=True)


def requests(url: str, table: str, count: int) -> dict[str, list[bytes]]:
    """GetItem and Query with keys from all over the table."""
    aws = signed.client("dynamodb", url)
    chance = random.Random(1)
    users = [chance.randrange(count // ORDERS) for _ in range(DISTINCT)]
    gets, queries = [], []
    for user in users:
        whole = item(user, chance.randrange(ORDERS))
        gets.append(signed.catch(aws, "get_item", TableName=table, Key={name: whole[name] for name in ("pk", "sk")}))
        query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": whole["pk"]}}
        queries.append(signed.catch(aws, "query", TableName=table, **query))
    answer = aws.query(TableName=table, **query)
    assert answer["Count"] == ORDERS, answer["Count"]
    return {"GetItem": gets, "Query": queries}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="per round, operation and table")
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("needs wrk (apt install wrk, brew install wrk)")
    with tempfile.TemporaryDirectory(prefix="cumulo-bench-") as name:
        folder = Path(name)
        server = run.Server("cumulo", folder)
        server.start()
        server.wait(signed.sts(server.url)[0])
        try:
            measure(server, folder, options)
        finally:
            server.stop()


def measure(server: run.Server, folder: Path, options: argparse.Namespace) -> None:
    """Fill both tables, and compare them."""
    sizes = {"small": SMALL, "large": options.items}
    scripts: dict[tuple[str, str], Path] = {}
    for table, count in sizes.items():
        fill(server.url, table, count)
        print(f"{table}: {processes.rss_mb(server.pid):.0f} MiB", flush=True)
    server.stop()  # what comes now finds nothing in memory
    server.start()
    server.wait(signed.sts(server.url)[0])
    print(f"started again: {processes.rss_mb(server.pid):.0f} MiB", flush=True)
    for table, count in sizes.items():
        for operation, asked in requests(server.url, table, count).items():
            scripts[operation, table] = folder / f"{operation}-{table}.lua"
            signed.write_script(asked, scripts[operation, table])
    figures: dict[tuple[str, str], list[tuple[float, float, float, float]]] = {each: [] for each in scripts}
    for number in range(options.rounds + 1):
        for each, script in scripts.items():
            measured = run.load(server, script, options.connections, options.seconds)
            if number:  # the first warms up
                figures[each].append(measured)
    for operation in ("GetItem", "Query"):
        cpu = {}
        for table in sizes:
            per_second, cpu[table], p99_ms, failed = (
                statistics.median(column) for column in zip(*figures[operation, table], strict=True)
            )
            line = f"{operation:8} {table:6} {per_second:8.0f} requests/s {cpu[table]:8.1f} µs CPU p99 {p99_ms:7.2f} ms"
            print(line + (f"  {failed:.1%} FAILED" if failed else ""), flush=True)
        print(f"{operation:8} the large table takes {cpu['large'] / cpu['small']:.2f} x the CPU", flush=True)
    print(f"afterwards: {processes.rss_mb(server.pid):.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
