"""Real requests of boto3, signed, caught before they leave; and wrk scripts that send them again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

BODY = "hello world " * 16
OBJECT = bytes(range(256)) * 4
LARGE_B = 64 * 1024**2
DISTINCT = 128  # requests per operation, so that nothing is fast by being always the same


class _Caught(Exception):
    pass


def client(service: str, url: str) -> Any:
    """A boto3 client with the credentials that every emulator accepts."""
    config = Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=30)
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", config=config,
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip


def catch(aws: Any, operation: str, **parameters: Any) -> bytes:
    """The bytes of one signed HTTP/1.1 request, which is not sent."""
    caught: list[Any] = []

    def stop(request: Any, **_: Any) -> None:
        caught.append(request)
        raise _Caught

    aws.meta.events.register("before-send", stop, unique_id="bench")
    try:
        getattr(aws, operation)(**parameters)
    except _Caught:
        pass
    finally:
        aws.meta.events.unregister("before-send", unique_id="bench")
    request = caught[0]
    address = urlsplit(request.url)
    body = request.body.read() if hasattr(request.body, "read") else request.body or b""
    body = body.encode() if isinstance(body, str) else body
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {address.netloc}"]
    for name, value in request.headers.items():
        if name.lower() not in ("host", "content-length", "expect"):  # the body is sent at once
            lines.append(f"{name}: {value.decode() if isinstance(value, bytes) else value}")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def sts(url: str) -> list[bytes]:
    """GetCallerIdentity."""
    return [catch(client("sts", url), "get_caller_identity")]


def sqssend(url: str) -> list[bytes]:
    """SendMessage of 192 bytes with one attribute."""
    aws = client("sqs", url)
    queue = aws.create_queue(QueueName="bench-send")["QueueUrl"]
    attributes = {"kind": {"StringValue": "order", "DataType": "String"}}
    return [
        catch(aws, "send_message", QueueUrl=queue, MessageBody=f"{number:04d}{BODY}", MessageAttributes=attributes)
        for number in range(DISTINCT)
    ]


def sqsrecv(url: str) -> list[bytes]:
    """ReceiveMessage of one message, visible again at once, out of a hundred."""
    aws = client("sqs", url)
    queue = aws.create_queue(QueueName="bench-receive")["QueueUrl"]
    for _ in range(100):
        aws.send_message(QueueUrl=queue, MessageBody=BODY)
    return [catch(aws, "receive_message", QueueUrl=queue, VisibilityTimeout=0, MaxNumberOfMessages=1)]


def snspub(url: str) -> list[bytes]:
    """Publish to a topic without subscriptions."""
    aws = client("sns", url)
    topic = aws.create_topic(Name="bench")["TopicArn"]
    return [catch(aws, "publish", TopicArn=topic, Message=f"{number:04d}{BODY}") for number in range(DISTINCT)]


def _item(number: int, place: int) -> dict[str, Any]:
    return {
        "pk": {"S": f"user#{number:09d}"},
        "sk": {"S": f"order#{place:05d}"},
        "count": {"N": str(place)},
        "tags": {"SS": ["a", "b", "c"]},
        "blob": {"B": bytes(range(10))},
        "more": {"M": {"x": {"N": "1"}, "y": {"BOOL": True}}},
    }


def _table(url: str) -> Any:
    """A client, and the table `bench`: of 16 users one has a hundred orders, the others one."""
    aws = client("dynamodb", url)
    if "bench" in aws.list_tables()["TableNames"]:
        return aws
    aws.create_table(
        TableName="bench",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    aws.get_waiter("table_exists").wait(TableName="bench", WaiterConfig={"Delay": 1})
    for number in range(16):
        for place in range(1 if number else 100):
            aws.put_item(TableName="bench", Item=_item(number, place))
    return aws


def ddbput(url: str) -> list[bytes]:
    """PutItem of an item of six attributes, over 128 items."""
    aws = _table(url)
    return [catch(aws, "put_item", TableName="bench", Item=_item(1000 + number, 0)) for number in range(DISTINCT)]


def ddbget(url: str) -> list[bytes]:
    """GetItem of such an item."""
    aws = _table(url)
    keys = [{name: _item(number, 0)[name] for name in ("pk", "sk")} for number in range(16)]
    return [catch(aws, "get_item", TableName="bench", Key=key) for key in keys]


def ddbquery(url: str) -> list[bytes]:
    """Query of a hundred such items."""
    aws = _table(url)
    values = {":pk": {"S": "user#000000000"}}
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
    assert aws.query(TableName="bench", **query)["Count"] == 100
    return [catch(aws, "query", TableName="bench", **query)]


def _bucket(url: str) -> Any:
    """A client, and the bucket `bench` with 16 objects of 1 KiB."""
    aws = client("s3", url)
    if "bench" in [found["Name"] for found in aws.list_buckets()["Buckets"]]:
        return aws
    aws.create_bucket(Bucket="bench")
    for number in range(16):
        aws.put_object(Bucket="bench", Key=f"there/{number}", Body=OBJECT)
    return aws


def s3put(url: str) -> list[bytes]:
    """PutObject of 1 KiB, over 128 objects."""
    aws = _bucket(url)
    return [
        catch(aws, "put_object", Bucket="bench", Key=f"put/{number:04d}", Body=OBJECT) for number in range(DISTINCT)
    ]


def s3get(url: str) -> list[bytes]:
    """GetObject of 1 KiB."""
    aws = _bucket(url)
    return [catch(aws, "get_object", Bucket="bench", Key=f"there/{number}") for number in range(16)]


def s3large(url: str) -> tuple[bytes, bytes]:
    """PutObject and GetObject of 64 MiB."""
    aws = _bucket(url)
    body = bytes(range(256)) * (LARGE_B // 256)
    return catch(aws, "put_object", Bucket="bench", Key="large", Body=body), catch(
        aws, "get_object", Bucket="bench", Key="large"
    )


OPERATIONS: dict[str, Callable[[str], list[bytes]]] = {
    "sts": sts,
    "sqssend": sqssend,
    "sqsrecv": sqsrecv,
    "snspub": snspub,
    "ddbput": ddbput,
    "ddbget": ddbget,
    "ddbquery": ddbquery,
    "s3put": s3put,
    "s3get": s3get,
}

REPORT = """
local turn = 0
request = function() turn = turn + 1; return requests[turn % #requests + 1] end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status, latency:percentile(50),
    latency:percentile(99)))
end
"""


def write_script(requests: list[bytes], file: Path) -> None:
    """A wrk script that sends these requests in turn and prints RESULT requests µs failures p50_µs p99_µs."""
    quoted = ",\n".join('"' + "".join(f"\\{byte:03d}" for byte in request) + '"' for request in requests)
    file.write_text(f"requests = {{\n{quoted}\n}}\n{REPORT}")
