"""Jobs that call a Lambda function for each object.

Source: S3 User Guide, "Invoke AWS Lambda function": the request and the response in both schema versions, the three
result codes. What reports say of a function that fails is of our own: AWS was not heard.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from cumulo.core.errors import Fault
from cumulo.services.storage.s3control.errors import BAD_JOB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.services.storage.s3control.job_manifests import Target

Row = tuple[str, str, str, str, int, str]

NAME = "LambdaInvoke"
ATTEMPTS = 3  # of a task that fails for the time being
SUCCEEDED, TEMPORARY, PERMANENT = "Succeeded", "TemporaryFailure", "PermanentFailure"
_THROTTLED = "TooManyRequestsException"


def check(wanted: Mapping[str, Any]) -> None:
    """BadRequestException for a function that cannot be called as it is asked for."""
    options: Any = wanted.get(NAME)
    if options is None:
        return
    if not options.get("FunctionArn"):
        raise BAD_JOB("FunctionArn is required.")
    version = options.get("InvocationSchemaVersion", "1.0")
    if version not in ("1.0", "2.0"):
        raise BAD_JOB(f"The invocation schema version {version} is not supported.")
    if options.get("UserArguments") and version == "1.0":
        raise BAD_JOB("UserArguments require the invocation schema version 2.0.")


async def call(acting: Context, job_id: str, options: dict[str, Any], target: Target) -> Row:
    """Call the function for one object, again while it says that it fails for the time being; the report's row."""
    code, text = TEMPORARY, ""
    for _ in range(ATTEMPTS):
        code, text = await _once(acting, job_id, options, target)
        if code != TEMPORARY:
            break
    return (*target, "" if code == SUCCEEDED else code, 200, text)


async def _once(acting: Context, job_id: str, options: dict[str, Any], target: Target) -> tuple[str, str]:
    task_id = b64encode(acting.runtime.ids.random_bytes(24)).decode()
    event = _event(acting, job_id, task_id, options, target)
    request = {"FunctionName": options["FunctionArn"], "Payload": msgspec.json.encode(event)}
    try:
        answer = await acting.aws.lambda_.invoke(request)
    except Fault as fault:
        if fault.code == _THROTTLED:
            return TEMPORARY, fault.message
        raise
    payload = bytes(answer.get("Payload") or b"")
    if answer.get("FunctionError"):
        return PERMANENT, f"Lambda returned function error: {payload.decode(errors='replace')}"
    return _result(payload, task_id)


def _event(acting: Context, job_id: str, task_id: str, options: dict[str, Any], target: Target) -> dict[str, Any]:
    version = options.get("InvocationSchemaVersion", "1.0")
    job: dict[str, Any] = {"id": job_id}
    task: dict[str, Any] = {
        "taskId": task_id,
        "s3Key": quote(target.key, safe="/~"),
        "s3VersionId": target.version_id or None,
    }
    if version == "1.0":
        task["s3BucketArn"] = f"arn:{acting.partition}:s3:::{target.bucket}"
    else:
        task["s3Bucket"] = target.bucket
        job["userArguments"] = options.get("UserArguments") or {}
    invocation_id = b64encode(acting.runtime.ids.random_bytes(36)).decode()
    return {"invocationSchemaVersion": version, "invocationId": invocation_id, "job": job, "tasks": [task]}


def _result(payload: bytes, task_id: str) -> tuple[str, str]:
    """What the function says of the task; `treatMissingKeysAs` where it says nothing."""
    try:
        answer = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        return PERMANENT, "Lambda returned an invalid response."
    for result in answer.get("results") or ():
        if isinstance(result, dict) and result.get("taskId") == task_id:
            return _known(result.get("resultCode")), str(result.get("resultString") or "")
    return _known(answer.get("treatMissingKeysAs")), ""


def _known(code: Any) -> str:
    return code if code in (SUCCEEDED, TEMPORARY) else PERMANENT
