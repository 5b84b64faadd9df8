"""Exports to buckets."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.services.operations.logs.events import export_tasks
from tests.conftest import Account
from tests.services.operations.logs.conftest import Storage, refused

GROUP = "/shop/orders"
Now = Callable[[], int]
PERMISSION = (
    "{} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this "
    "operation."
)


@pytest.fixture
def bucket(cloud: Account) -> str:
    """A bucket that nobody else may use yet."""
    name = f"exports-{cloud.account}"
    cloud.client("s3").create_bucket(Bucket=name)
    return name


def let(cloud: Account, bucket: str, *, objects: bool = True) -> None:
    service = {"Service": "logs.us-east-1.amazonaws.com"}
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:GetBucketAcl",
            "Resource": f"arn:aws:s3:::{bucket}",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": [cloud.account]},
                "ArnLike": {"aws:SourceArn": [f"arn:aws:logs:us-east-1:{cloud.account}:log-group:*"]},
            },
        }
    ]
    if objects:
        statements.append(
            {
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
                "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
            }
        )
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)


def export(logs: Any, bucket: str, now: int, **more: Any) -> str:
    request = {"logGroupName": GROUP, "from": now - 1000, "to": now + 1000, "destination": bucket, **more}
    task_id: str = logs.create_export_task(**request)["taskId"]
    return task_id


def put(logs: Any, stream: str, *events: tuple[int, str]) -> None:
    logs.put_log_events(
        logGroupName=GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": at, "message": message} for at, message in events],
    )


def files(cloud: Account, bucket: str) -> dict[str, str]:
    s3 = cloud.client("s3")
    found = {}
    for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        found[entry["Key"]] = (gzip.decompress(body) if entry["Key"].endswith(".gz") else body).decode()
    return found


def test_events_become_files(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, bucket: str, storage: Storage
) -> None:
    let(cloud, bucket)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="a/b")
    logs.create_log_stream(logGroupName=GROUP, logStreamName="empty")
    now = now_ms() // 1000 * 1000
    put(logs, "one", (now - 1001, "early"), (now - 1000, "first"), (now + 5, "second\nline"), (now + 1001, "late"))
    storage.seal()
    put(logs, "a/b", (now + 7, "other"))
    task_id = export(logs, bucket, now, taskName="mine", destinationPrefix="out")
    cloud.settle()
    found = files(cloud, bucket)
    assert found.pop("out/aws-logs-write-test") == "Permission Check Successful"
    assert sorted(found) == [f"out/{task_id}/a-b/000000.gz", f"out/{task_id}/one/000000.gz"]
    lines = found[f"out/{task_id}/one/000000.gz"].split("\n")
    assert [line[19:] for line in lines[:2]] == [".000Z first", ".005Z second"]
    assert lines[2:] == ["line", ""]
    assert found[f"out/{task_id}/a-b/000000.gz"].endswith(".007Z other\n")
    [task] = logs.describe_export_tasks(taskId=task_id)["exportTasks"]
    assert task["executionInfo"].pop("completionTime") >= task["executionInfo"].pop("creationTime")
    assert task == {
        "taskId": task_id,
        "taskName": "mine",
        "logGroupName": GROUP,
        "from": now - 1000,
        "to": now + 1000,
        "destination": bucket,
        "destinationPrefix": "out",
        "status": {"code": "COMPLETED", "message": "Completed successfully"},
        "executionInfo": {},
    }
    second = export(logs, bucket, now, logStreamNamePrefix="a/")
    cloud.settle()
    assert [key for key in files(cloud, bucket) if second in key] == [f"exportedlogs/{second}/a-b/000000.gz"]
    first = logs.describe_export_tasks(limit=1)
    assert first["exportTasks"][0]["taskId"] == second
    assert logs.describe_export_tasks(nextToken=first["nextToken"])["exportTasks"][0]["taskId"] == task_id
    assert len(logs.describe_export_tasks(statusCode="COMPLETED")["exportTasks"]) == 2
    assert logs.describe_export_tasks(taskId="nothing")["exportTasks"] == []


def test_much_becomes_several_files(
    cloud: Account,
    logs: Any,
    stream: dict[str, str],
    now_ms: Now,
    bucket: str,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.setattr(export_tasks, "FILE_BYTES", 50_000)
    let(cloud, bucket)
    now = now_ms()
    put(logs, "one", *[(now, f"{number} " + "x" * 1000) for number in range(900)])
    storage.seal()
    export(logs, bucket, now)
    cloud.settle()
    found = files(cloud, bucket)
    found.pop("exportedlogs/aws-logs-write-test")
    assert len(found) >= 2
    text = "".join([found[key] for key in sorted(found)])
    assert [line.split(" ")[1] for line in text.splitlines()] == [str(number) for number in range(900)]


def test_exports_are_cancelled_and_fail(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, bucket: str, storage: Storage
) -> None:
    let(cloud, bucket)
    put(logs, "one", (now_ms(), "x"))
    export(logs, bucket, now_ms())
    cloud.settle()
    [task] = logs.describe_export_tasks()["exportTasks"]
    with refused("InvalidOperationException", "The specified export task has already finished"):
        logs.cancel_export_task(taskId=task["taskId"])
    with refused("ResourceNotFoundException", "The specified export task does not exist."):
        logs.cancel_export_task(taskId="nothing")
    group = storage.group()
    made = export_tasks.ExportTask("t", "", group.id, GROUP, "", 0, now_ms() + 5000, bucket, "p", now_ms())
    storage.transact(lambda ctx: export_tasks.EXPORT_TASKS.put(ctx, made))
    with refused("LimitExceededException", "Resource limit exceeded."):
        export(logs, bucket, now_ms())
    logs.cancel_export_task(taskId="t")
    assert logs.describe_export_tasks(taskId="t")["exportTasks"][0]["status"]["code"] == "PENDING_CANCEL"
    storage.transact(lambda ctx: ctx.later(export_tasks.export_events, {"id": "t"}))
    cloud.settle()
    assert logs.describe_export_tasks(taskId="t")["exportTasks"][0]["status"]["code"] == "CANCELLED"
    cloud.client("s3").delete_bucket_policy(Bucket=bucket)
    made.id = "u"
    storage.transact(lambda ctx: export_tasks.EXPORT_TASKS.put(ctx, made))
    storage.transact(lambda ctx: ctx.later(export_tasks.export_events, {"id": "u"}))
    cloud.settle()
    assert logs.describe_export_tasks(taskId="u")["exportTasks"][0]["status"]["code"] == "FAILED"


def test_exports_that_are_refused(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, bucket: str) -> None:
    now = now_ms()
    with refused("InvalidParameterException", "The given bucket does not exist. Please make sure the bucket is valid."):
        export(logs, "nothing-" + bucket, now)
    with refused("InvalidParameterException", PERMISSION.format("GetBucketAcl")):
        export(logs, bucket, now)
    let(cloud, bucket, objects=False)
    with refused("InvalidParameterException", PERMISSION.format("PutObject")):
        export(logs, bucket, now)
    let(cloud, bucket)
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        export(logs, bucket, now, logGroupName="nothing")
    for bad in ({"from": now + 2000}, {"from": 1, "to": 2}):
        with refused("InvalidParameterException"):
            export(logs, bucket, now, **bad)
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="reader", PolicyName="a", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = cloud.client("logs", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    with refused(
        "InvalidParameterException",
        "Please ensure that the CreateExportTask caller has been granted s3:PutObject access to the bucket.",
    ):
        export(reader, bucket, now)
