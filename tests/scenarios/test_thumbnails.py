"""Pictures become thumbnails: S3, Lambda with Pillow from a layer, DynamoDB, its stream, Lambda, SNS, SQS.

Deployed by boto3 to a real server that is killed while it works, and started again: every picture comes out.
"""

import io
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from tests.scenarios.lambda_code import RUNTIME, allow, installed, make_function, make_role, until, zipped
from tests.server_process import Server

ACCOUNT = "000000000000"
PICTURES, THUMBNAILS = "pictures", "thumbnails"

THUMBNAIL = b"""
import io, os, urllib.parse
import boto3
from PIL import Image

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

def handler(event, context):
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        picture = Image.open(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
        picture.thumbnail((32, 32))
        out = io.BytesIO()
        picture.save(out, "PNG")
        s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, Body=out.getvalue(), ContentType="image/png")
        table.put_item(Item={"key": key, "width": picture.width, "height": picture.height})
        print(f"made {key} {picture.width}x{picture.height}")
"""

ANNOUNCE = b"""
import json, os
import boto3

sns = boto3.client("sns")

def handler(event, context):
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        told = {"key": image["key"]["S"], "width": int(image["width"]["N"]), "height": int(image["height"]["N"])}
        sns.publish(TopicArn=os.environ["TOPIC"], Message=json.dumps(told))
        print("announced " + told["key"])
"""

SNOOP = b"""
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        boto3.client("s3").get_object(Bucket="pictures", Key="picture-0.png")
    except ClientError as error:
        return error.response["Error"]
"""


def deploy(server: Server) -> str:
    """Everything; the URL of the queue that hears of thumbnails."""
    s3, lambda_ = server.client("s3"), server.client("lambda")
    s3.create_bucket(Bucket=PICTURES)
    s3.create_bucket(Bucket=THUMBNAILS)
    table = server.client("dynamodb").create_table(
        TableName=THUMBNAILS,
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    server.client("dynamodb").get_waiter("table_exists").wait(TableName=THUMBNAILS, WaiterConfig={"Delay": 1})
    topic, url = _announcements(server)

    layer = lambda_.publish_layer_version(
        LayerName="pillow", Content={"ZipFile": zipped(installed("pillow"))}, CompatibleRuntimes=[RUNTIME]
    )["LayerVersionArn"]
    role = make_role(
        server,
        "thumbnailer",
        [
            allow("s3:GetObject", f"arn:aws:s3:::{PICTURES}/*"),
            allow("s3:PutObject", f"arn:aws:s3:::{THUMBNAILS}/*"),
            allow("dynamodb:PutItem", table["TableArn"]),
        ],
    )
    variables = {"TABLE": THUMBNAILS, "THUMBNAILS": THUMBNAILS}
    thumbnailer = make_function(
        server, "thumbnailer", role, {"index.py": THUMBNAIL}, Layers=[layer], Environment={"Variables": variables}
    )
    # A few environments do it all: each takes a second of a busy machine to import boto3 and Pillow.
    lambda_.put_function_concurrency(FunctionName="thumbnailer", ReservedConcurrentExecutions=2)
    lambda_.add_permission(
        FunctionName="thumbnailer",
        StatementId="pictures",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{PICTURES}",
        SourceAccount=ACCOUNT,
    )
    entry = {"LambdaFunctionArn": thumbnailer, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=PICTURES, NotificationConfiguration={"LambdaFunctionConfigurations": [entry]}
    )

    reads = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"]
    role = make_role(server, "announcer", [allow(reads, table["LatestStreamArn"]), allow("sns:Publish", topic)])
    make_function(server, "announcer", role, {"index.py": ANNOUNCE}, Environment={"Variables": {"TOPIC": topic}})
    mapping = lambda_.create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"], FunctionName="announcer", StartingPosition="TRIM_HORIZON", BatchSize=5
    )["UUID"]
    until(lambda: lambda_.get_event_source_mapping(UUID=mapping)["State"] == "Enabled")
    return url


def _announcements(server: Server) -> tuple[str, str]:
    """A topic and the queue that gets what it is told."""
    sns, sqs = server.client("sns"), server.client("sqs")
    topic = sns.create_topic(Name="thumbnails")["TopicArn"]
    url = sqs.create_queue(QueueName="thumbnails")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return topic, url


def picture(number: int) -> tuple[bytes, tuple[int, int]]:
    """A picture, and how large its thumbnail is."""
    out = io.BytesIO()
    image = Image.new("RGB", (64 + 8 * number, 64), (number, 0, 255 - number))
    image.save(out, "PNG")
    image.thumbnail((32, 32))
    return out.getvalue(), image.size


def upload(server: Server, numbers: range) -> None:
    s3 = server.client("s3")
    for number in numbers:
        s3.put_object(Bucket=PICTURES, Key=f"picture-{number}.png", Body=picture(number)[0])


def hear(server: Server, url: str, found: dict[str, tuple[int, int]], wanted: int) -> None:
    """Add to `found` what the queue hears, until it has heard of so many thumbnails."""
    sqs = server.client("sqs")
    end = time.monotonic() + 90
    while len(found) < wanted and time.monotonic() < end:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
        for message in messages:
            told = json.loads(message["Body"])
            found[told["key"]] = told["width"], told["height"]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.mark.timeout(300)
def test_pictures_become_thumbnails_whatever_happens(server: Server) -> None:
    url = deploy(server)
    found: dict[str, tuple[int, int]] = {}
    upload(server, range(4))
    hear(server, url, found, 2)
    upload(server, range(4, 8))
    server.kill()
    server.start()
    upload(server, range(8, 10))
    wanted = {f"picture-{number}.png": picture(number)[1] for number in range(10)}
    hear(server, url, found, 10)
    assert found == wanted

    s3 = server.client("s3")
    for key, size in wanted.items():
        made = Image.open(io.BytesIO(s3.get_object(Bucket=THUMBNAILS, Key=key)["Body"].read()))
        assert (made.size, made.format) == (size, "PNG")
    items = server.client("dynamodb").scan(TableName=THUMBNAILS)["Items"]
    assert {item["key"]["S"]: (int(item["width"]["N"]), int(item["height"]["N"])) for item in items} == wanted

    # Lines that had not been shipped when the server died are lost; those of later pictures are all there.
    later = {key: size for key, size in wanted.items() if int(key[8:-4]) >= 8}
    logs = server.client("logs")
    _logs_tell(logs, later)
    _insights_tells(logs, later)

    role = make_role(server, "snoop", [])
    make_function(server, "snoop", role, {"index.py": SNOOP})
    answer = json.load(server.client("lambda").invoke(FunctionName="snoop")["Payload"])
    assert answer["Code"] == "AccessDenied"
    assert answer["Message"].startswith(
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/snoop/snoop is not authorized to perform: s3:GetObject on "
        f'resource: "arn:aws:s3:::{PICTURES}/picture-0.png" because no identity-based policy allows the s3:GetObject '
        "action"
    )


def _logs_tell(logs: Any, wanted: dict[str, tuple[int, int]]) -> None:
    lines = {f"made {key} {width}x{height}" for key, (width, height) in wanted.items()}

    def told() -> bool:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/lambda/thumbnailer", filterPattern="made"
        )
        return {event["message"].strip() for page in pages for event in page["events"]} >= lines

    until(told)


def _insights_tells(logs: Any, wanted: dict[str, tuple[int, int]]) -> None:
    now = int(time.time())
    query = f"""
        parse @message /announced (?<key>\\S+)/
        | filter key in {json.dumps(sorted(wanted))}
        | stats count_distinct(key) as thumbnails
    """

    def told() -> Any:
        request = {"logGroupName": "/aws/lambda/announcer", "startTime": now - 3600, "endTime": now + 3600}
        try:
            query_id = logs.start_query(queryString=query, **request)["queryId"]
        except ClientError as error:
            pytest.fail(str(error))
        answer = until(lambda: _complete(logs.get_query_results(queryId=query_id)))
        ((field,),) = answer["results"]
        return int(field["value"]) == len(wanted)

    until(told)


def _complete(answer: dict[str, Any]) -> dict[str, Any] | None:
    return answer if answer["status"] == "Complete" else None
