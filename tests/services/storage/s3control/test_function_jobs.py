"""Batch operations that call functions, whose code is the test's own."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import create, role, simulated
from tests.services.compute.lambda_.recorder import Recorder, record
from tests.services.compute.lambda_.simulation import Environments
from tests.services.storage.s3control.test_jobs import Batch

__all__ = ["create", "role", "simulated"]


@pytest.fixture
def function(create: Callable[..., dict[str, Any]], simulated: Environments) -> Recorder:
    return record(create)


def test_a_job_calls_a_function_for_each_object(cloud: Account, function: Recorder) -> None:
    batch = Batch(cloud)
    batch.allow("s3:*", "lambda:InvokeFunction")
    tries: dict[str, int] = {}

    def answer(event: Any) -> Any:
        (task,) = event["tasks"]
        key = unquote(task["s3Key"])
        tries[key] = tries.get(key, 0) + 1
        if key == "in/003":
            raise ValueError("no")
        codes = {"in/001": "PermanentFailure", "in/002": "TemporaryFailure" if tries[key] < 3 else "Succeeded"}
        result = {"taskId": task["taskId"], "resultCode": codes.get(key, "Succeeded"), "resultString": key.upper()}
        return {"invocationSchemaVersion": "1.0", "invocationId": event["invocationId"], "results": [result]}

    function.answer = answer
    manifest = batch.manifest("in/a b", "in/001", "in/002", "in/003")
    job = batch.create({"LambdaInvoke": {"FunctionArn": function.arn}}, Manifest=manifest)
    cloud.settle()
    seen = function.next()
    (task,) = seen["tasks"]
    assert (seen["invocationSchemaVersion"], seen["job"]) == ("1.0", {"id": job})
    assert (task["s3Key"], task["s3VersionId"]) == ("in/a%20b", None)
    assert task["s3BucketArn"] == f"arn:aws:s3:::{batch.bucket}"
    described = batch.describe(job)
    assert (described["Status"], described["ProgressSummary"]["NumberOfTasksFailed"]) == ("Complete", 2)
    rows = {unquote(row[1]): row[3:] for row in batch.report(job)}
    assert rows["in/a b"] == ["succeeded", "", "200", "IN/A B"]
    assert rows["in/001"] == ["failed", "PermanentFailure", "200", "IN/001"]
    assert rows["in/002"] == ["succeeded", "", "200", "IN/002"]
    assert rows["in/003"][:2] == ["failed", "PermanentFailure"]
    assert rows["in/003"][3].startswith("Lambda returned function error: ")


def test_jobs_have_arguments_of_their_own(cloud: Account, function: Recorder) -> None:
    batch = Batch(cloud)
    batch.allow("s3:*", "lambda:InvokeFunction")
    function.answer = lambda event: {"treatMissingKeysAs": "Succeeded", "results": []}
    wanted = {"FunctionArn": function.arn, "InvocationSchemaVersion": "2.0", "UserArguments": {"size": "32"}}
    job = batch.create({"LambdaInvoke": wanted}, Manifest=batch.manifest("in/001"))
    cloud.settle()
    seen = function.next()
    assert seen["job"] == {"id": job, "userArguments": {"size": "32"}}
    assert seen["tasks"][0]["s3Bucket"] == batch.bucket
    assert batch.describe(job)["ProgressSummary"]["NumberOfTasksSucceeded"] == 1
    with pytest.raises(ClientError) as caught:
        batch.create({"LambdaInvoke": {**wanted, "InvocationSchemaVersion": "1.0"}})
    assert caught.value.response["Error"]["Code"] == "BadRequestException"
