"""Invoke, with functions that run in this process."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.services.compute.lambda_.stored import versions
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.simulation import Environments

Create = Callable[..., dict[str, Any]]

CONTEXT = (
    "def handler(event, context):\n"
    "    return {'event': event, 'id': context.aws_request_id, 'arn': context.invoked_function_arn,\n"
    "            'version': context.function_version, 'client': context.client_context, 'trace': context.trace_id}\n"
)
FAILS = "def handler(event, context):\n    raise ValueError('no')\n"


def error_of(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    answer: dict[str, Any] = caught.value.response
    return answer


def test_a_function_answers(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": CONTEXT})})
    lambda_ = cloud.client("lambda")
    context = base64.b64encode(b'{"client":{"a":1}}').decode()
    answer = lambda_.invoke(FunctionName="greeter", Payload=b'{"n": 1}', LogType="Tail", ClientContext=context)
    document = json.load(answer["Payload"])
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert document["event"] == {"n": 1}
    assert document["id"] == answer["ResponseMetadata"]["RequestId"]
    assert document["arn"] == f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter"
    assert json.loads(document["client"]) == {"client": {"a": 1}}
    assert document["trace"].startswith("Root=1-")
    assert base64.b64decode(answer["LogResult"]).startswith(b"START RequestId: ")


def test_headers_of_answers(cloud: Account, create: Create, simulated: Environments) -> None:
    """As users of AWS's SDKs see them printed: what was answered, and the trace that the function was given."""
    create(Code={"ZipFile": zip_of({"index.py": CONTEXT})})
    lambda_ = cloud.client("lambda")
    answer = lambda_.invoke(FunctionName="greeter")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/json" and headers["x-amz-executed-version"] == "$LATEST"
    assert headers["x-amzn-trace-id"] == json.load(answer["Payload"])["trace"]
    assert headers["x-amzn-remapped-content-length"] == "0"
    event = lambda_.invoke(FunctionName="greeter", InvocationType="Event")["ResponseMetadata"]["HTTPHeaders"]
    assert event["x-amzn-trace-id"].startswith("Root=1-") and event["content-length"] == "0"


def test_no_payload_is_an_empty_document(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    answer = cloud.client("lambda").invoke(FunctionName="greeter")
    assert json.load(answer["Payload"]) == {}
    assert "LogResult" not in answer


def test_what_a_function_raises_is_its_answer(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": FAILS})})
    answer = cloud.client("lambda").invoke(FunctionName="greeter")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    document = json.load(answer["Payload"])
    assert (document["errorMessage"], document["errorType"]) == ("no", "ValueError")


def test_an_answer_can_be_too_long(cloud: Account, create: Create, simulated: Environments) -> None:
    long = "def handler(event, context):\n    return 'a' * event\n"
    create(Code={"ZipFile": zip_of({"index.py": long})})
    lambda_ = cloud.client("lambda")
    most = 6_291_556 - 2
    assert len(lambda_.invoke(FunctionName="greeter", Payload=str(most).encode())["Payload"].read()) == most + 2
    answer = lambda_.invoke(FunctionName="greeter", Payload=str(most + 1).encode())
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"]) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }


def test_a_dry_run_runs_nothing(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    answer = cloud.client("lambda").invoke(FunctionName="greeter", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert not simulated.started


def test_a_version_is_invoked(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": CONTEXT})}, Publish=True)
    answer = cloud.client("lambda").invoke(FunctionName="greeter", Qualifier="1")
    document = json.load(answer["Payload"])
    assert answer["ExecutedVersion"] == document["version"] == "1"
    assert document["arn"].endswith(":function:greeter:1")


def test_payloads_that_are_refused(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    invoke = cloud.client("lambda").invoke
    answer = error_of(invoke, FunctionName="greeter", Payload=b"{test: 1}")
    assert answer["Error"] == {
        "Code": "InvalidRequestContentException",
        "Message": "Could not parse request body into json: Could not parse payload into json: Unexpected character "
        "('t' (code 116)): was expecting double-quote to start field name\n"
        ' at [Source: (byte[])"{test: 1}"; line: 1, column: 3]',
    }
    assert (answer["Type"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("User", 400)
    answer = error_of(invoke, FunctionName="greeter", ClientContext="{}")
    assert answer["Error"]["Message"] == "Client context must be a valid Base64-encoded JSON object."
    answer = error_of(invoke, FunctionName="greeter", InvocationType="Event", Payload=b'"' + b"a" * 1_048_575 + b'"')
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert answer["Error"] == {
        "Code": "RequestTooLargeException",
        "Message": "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
    }


def test_functions_that_are_not_there(cloud: Account, simulated: Environments) -> None:
    answer = error_of(cloud.client("lambda").invoke, FunctionName="nobody")
    assert answer["Error"]["Code"] == "ResourceNotFoundException"
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function:nobody:$LATEST"
    assert answer["Error"]["Message"] == f"Function not found: {arn}"


def test_a_machine_that_starts_nothing(cloud: Account, create: Create, simulated: Environments) -> None:
    from cumulo.engines.environments.builds import StartFailed

    create()
    simulated.failure = StartFailed("no sandbox")
    answer = error_of(cloud.client("lambda").invoke, FunctionName="greeter")
    assert answer["Error"]["Code"] == "ServiceException"
    assert "no sandbox" in answer["Error"]["Message"]


def test_a_function_that_calls_itself_is_stopped(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": CONTEXT})})
    lambda_ = cloud.client("lambda")
    trace = ""

    def pass_on(request: Any, **_: Any) -> None:
        if trace:
            request.headers["X-Amzn-Trace-Id"] = trace

    lambda_.meta.events.register("before-sign", pass_on)
    for _ in range(16):
        trace = json.load(lambda_.invoke(FunctionName="greeter")["Payload"])["trace"]
    answer = error_of(lambda_.invoke, FunctionName="greeter")
    assert answer["Error"]["Code"] == "RecursiveInvocationException"
    lambda_.put_function_recursion_config(FunctionName="greeter", RecursiveLoop="Allow")
    assert "FunctionError" not in lambda_.invoke(FunctionName="greeter")


def test_who_may_invoke(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    other = cloud.another()
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter"
    foreign = other.client("lambda")
    answer = error_of(foreign.invoke, FunctionName=arn)
    assert answer["Error"]["Code"] == "AccessDeniedException"
    assert f"is not authorized to perform: lambda:InvokeFunction on resource: {arn}" in answer["Error"]["Message"]
    lambda_ = cloud.client("lambda")
    permission = {"StatementId": "other", "Action": "lambda:InvokeFunction", "Principal": other.account}
    lambda_.add_permission(FunctionName="greeter", Qualifier="1", **permission)
    assert foreign.invoke(FunctionName=f"{arn}:1")["ExecutedVersion"] == "1"
    assert error_of(foreign.invoke, FunctionName=arn)["Error"]["Code"] == "AccessDeniedException"
    assert (
        error_of(foreign.invoke, FunctionName=arn, InvocationType="DryRun")["Error"]["Code"] == "AccessDeniedException"
    )


def test_tenants_are_kept_apart(cloud: Account, create: Create, simulated: Environments) -> None:
    create(TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    invoke = cloud.client("lambda").invoke
    assert error_of(invoke, FunctionName="greeter")["Error"]["Code"] == "InvalidParameterValueException"
    for tenant in ("a", "b", "a"):
        invoke(FunctionName="greeter", TenantId=tenant)
    assert [each.invocations for each in simulated.started] == [2, 1]
    create("plain")
    answer = error_of(invoke, FunctionName="plain", TenantId="a")
    assert "is not enabled with tenancy configuration" in answer["Error"]["Message"]


def test_an_alias_shares_its_calls(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    lambda_.update_function_configuration(FunctionName="greeter", Timeout=9)
    cloud.settle()
    lambda_.publish_version(FunctionName="greeter")
    cloud.settle()
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    lambda_.create_alias(FunctionName="greeter", Name="live", FunctionVersion="1", RoutingConfig=routing)
    executed = {lambda_.invoke(FunctionName="greeter:live")["ExecutedVersion"] for _ in range(40)}
    assert executed == {"1", "2"}


def test_a_function_that_is_not_ready(cloud: Account, role: str, simulated: Environments) -> None:
    lambda_ = cloud.client("lambda")
    lambda_.create_function(
        FunctionName="greeter", Runtime="python3.12", Role=role, Handler="index.handler", Code={"ZipFile": zip_of()}
    )
    runtime = cloud.running.cloud.runtime

    async def pend() -> None:
        def work(ctx: Any) -> None:
            version = versions.of(ctx, cloud.account, "us-east-1", "greeter")
            assert version is not None
            version.state = "Pending"
            versions.keep(ctx, version)

        await runtime.internal_context("lambda", "test", cloud.account, "us-east-1").transact(work)

    cloud.settle()
    cloud.running.run(pend())
    answer = error_of(lambda_.invoke, FunctionName="greeter")
    assert answer["Error"] == {
        "Code": "ResourceConflictException",
        "Message": "The operation cannot be performed at this time. The function is currently in the following state: "
        "Pending",
    }
