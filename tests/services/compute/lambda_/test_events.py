"""Events: the queue, retries, ages, destinations and dead letters."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import refused, zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_invocations import FAILS, Create, error_of

pytestmark = pytest.mark.usefixtures("still")

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def let(cloud: Account, name: str = "worker") -> None:
    """Allow the role of the functions everything."""
    cloud.client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALLOW))


def make_queue(cloud: Account, name: str = "ends") -> tuple[str, str]:
    url = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{cloud.account}:{name}"


def received(cloud: Account, url: str) -> list[dict[str, Any]]:
    answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def bodies(cloud: Account, url: str) -> list[dict[str, Any]]:
    return [json.loads(message["Body"]) for message in received(cloud, url)]


def send(cloud: Account, payload: Any = None, name: str = "greeter", **more: Any) -> str:
    lambda_ = cloud.client("lambda")
    options = {"Payload": json.dumps(payload).encode()} if payload is not None else {}
    answer = lambda_.invoke(FunctionName=name, InvocationType="Event", **options, **more)
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    cloud.settle()
    request_id: str = answer["ResponseMetadata"]["RequestId"]
    return request_id


def runs(simulated: Environments) -> int:
    return sum(each.invocations for each in simulated.started)


def test_an_event_runs_once(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    send(cloud, {"n": 1})
    assert runs(simulated) == 1
    cloud.advance(7 * 3600)
    assert runs(simulated) == 1


def test_success_is_told(cloud: Account, create: Create, simulated: Environments) -> None:
    url, arn = make_queue(cloud)
    create()
    let(cloud)
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="greeter", DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    request_id = send(cloud, {"n": 1})
    [record] = bodies(cloud, url)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"n": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"n": 1},
    }


def test_a_failure_is_tried_three_times(cloud: Account, create: Create, simulated: Environments) -> None:
    url, arn = make_queue(cloud)
    create(Code={"ZipFile": zip_of({"index.py": FAILS})})
    let(cloud)
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="greeter", DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    request_id = send(cloud, {"n": 1})
    assert runs(simulated) == 1
    cloud.advance(59)
    assert runs(simulated) == 1
    cloud.advance(2)
    assert runs(simulated) == 2
    cloud.advance(118)
    assert (runs(simulated), bodies(cloud, url)) == (2, [])
    cloud.advance(3)
    [record] = bodies(cloud, url)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["requestId"] == request_id
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorMessage"] == "no"


def test_an_event_gets_too_old(cloud: Account, create: Create, simulated: Environments) -> None:
    url, arn = make_queue(cloud)
    create(Code={"ZipFile": zip_of({"index.py": FAILS})})
    let(cloud)
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="greeter",
        MaximumEventAgeInSeconds=100,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    send(cloud, 1)
    cloud.advance(61)  # the third run would come too late
    [record] = bodies(cloud, url)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 2


def test_a_destination_needs_the_roles_permission(cloud: Account, create: Create, simulated: Environments) -> None:
    url, arn = make_queue(cloud)
    create()
    create("second")
    iam, functions = cloud.client("iam"), cloud.client("lambda")
    topic = cloud.client("sns").create_topic(Name="ends")["TopicArn"]
    second = f"arn:aws:lambda:us-east-1:{cloud.account}:function:second"
    bucket = f"ends-{cloud.account}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    for to, call in (
        (arn, "SendMessage"),
        (topic, "Publish"),
        (second, "Invoke"),
        (f"arn:aws:s3:::{bucket}", "PutObject"),
    ):
        config = {"OnFailure": {"Destination": to}}
        refused(
            lambda config=config: functions.put_function_event_invoke_config(
                FunctionName="greeter", DestinationConfig=config
            ),
            "InvalidParameterValueException",
            f"The function's execution role does not have permissions to call {call} on {to}",
        )
    let(cloud)
    functions.put_function_event_invoke_config(
        FunctionName="greeter", DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    iam.delete_role_policy(RoleName="worker", PolicyName="all")
    send(cloud, 1)
    assert bodies(cloud, url) == []


def test_what_is_no_destination(cloud: Account, create: Create) -> None:
    create()
    let(cloud)
    functions = cloud.client("lambda")
    cloud.client("sqs").create_queue(QueueName="ends.fifo", Attributes={"FifoQueue": "true"})
    for arn in (
        f"arn:aws:sqs:us-east-1:{cloud.account}:ends.fifo",
        f"arn:aws:sqs:us-east-1:{cloud.account}:nowhere",
        f"arn:aws:lambda:us-east-1:{cloud.account}:function:nobody",
    ):
        config = {"OnFailure": {"Destination": arn}}
        refused(
            lambda config=config: functions.put_function_event_invoke_config(
                FunctionName="greeter", DestinationConfig=config
            ),
            "InvalidParameterValueException",
            f"The destination ARN {arn} is invalid.",
        )


def test_a_function_is_told(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    create("second")
    let(cloud)
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function:second"
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="greeter", DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    send(cloud, {"n": 1})
    cloud.settle()
    assert sum(each.invocations for each in simulated.of("second")) == 1


def test_a_bucket_is_told_of_failures(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": FAILS})})
    let(cloud)
    s3 = cloud.client("s3")
    bucket = f"ends-{cloud.account}"
    s3.create_bucket(Bucket=bucket)
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="greeter",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}},
    )
    send(cloud, {"n": 1})
    [entry] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert entry["Key"].startswith("aws/lambda/async/greeter/20")
    record = json.load(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"])
    assert record["requestPayload"] == {"n": 1}


def test_a_throttled_event_waits(cloud: Account, create: Create, simulated: Environments) -> None:
    from cumulo.engines.environments.builds import StartFailed

    create()
    simulated.failure = StartFailed("no room")
    send(cloud, {"n": 1})
    cloud.advance(1.1)
    simulated.failure = None
    assert runs(simulated) == 0
    cloud.advance(2.1)
    assert runs(simulated) == 1


def test_invoke_async(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    answer = cloud.client("lambda").invoke_async(FunctionName="greeter", InvokeArgs=b'{"n": 2}')
    assert answer["Status"] == 202
    cloud.settle()
    assert runs(simulated) == 1


def test_many_events_run_side_by_side(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    for number in range(80):
        cloud.client("lambda").invoke(
            FunctionName="greeter", InvocationType="Event", Payload=json.dumps(number).encode()
        )
    cloud.settle()
    assert runs(simulated) == 80


def test_functions_that_tell_each_other_are_stopped(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    create("second")
    let(cloud)
    put = cloud.client("lambda").put_function_event_invoke_config
    for name, other in (("greeter", "second"), ("second", "greeter")):
        arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function:{other}"
        put(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    send(cloud, {"n": 1})
    for _ in range(40):
        cloud.settle()
    assert runs(simulated) == 32


# --- configurations -------------------------------------------------------------------------------


def test_the_life_of_a_configuration(cloud: Account, create: Create) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter"
    put = lambda_.put_function_event_invoke_config(FunctionName="greeter", MaximumRetryAttempts=0)
    assert put["FunctionArn"] == f"{arn}:$LATEST"
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert "MaximumEventAgeInSeconds" not in put
    updated = lambda_.update_function_event_invoke_config(FunctionName="greeter", MaximumEventAgeInSeconds=60)
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 60)
    lambda_.put_function_event_invoke_config(FunctionName="greeter:1", MaximumRetryAttempts=1)
    got = lambda_.get_function_event_invoke_config(FunctionName="greeter", Qualifier="1")
    assert (got["FunctionArn"], got["MaximumRetryAttempts"]) == (f"{arn}:1", 1)
    listed = lambda_.list_function_event_invoke_configs(FunctionName="greeter")["FunctionEventInvokeConfigs"]
    assert [each["FunctionArn"] for each in listed] == [f"{arn}:$LATEST", f"{arn}:1"]
    page = lambda_.list_function_event_invoke_configs(FunctionName="greeter", MaxItems=1)
    rest = lambda_.list_function_event_invoke_configs(FunctionName="greeter", Marker=page["NextMarker"])
    assert [each["FunctionArn"] for each in rest["FunctionEventInvokeConfigs"]] == [f"{arn}:1"]
    again = lambda_.put_function_event_invoke_config(FunctionName="greeter", MaximumEventAgeInSeconds=70)
    assert "MaximumRetryAttempts" not in again
    lambda_.delete_function_event_invoke_config(FunctionName="greeter")
    answer = error_of(lambda_.get_function_event_invoke_config, FunctionName="greeter")
    assert answer["Error"]["Message"] == f"The function {arn}:$LATEST doesn't have an EventInvokeConfig"


def test_configurations_that_are_refused(cloud: Account, create: Create) -> None:
    create()
    lambda_ = cloud.client("lambda")
    put = lambda_.put_function_event_invoke_config
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function"

    def message(call: Callable[..., Any], **request: Any) -> str:
        text: str = error_of(call, **request)["Error"]["Message"]
        return text

    def to(destination: str, kind: str = "OnSuccess") -> dict[str, Any]:
        return {"FunctionName": "greeter", "DestinationConfig": {kind: {"Destination": destination}}}

    assert message(put, FunctionName="greeter") == (
        "You must specify at least one of error handling or destination setting."
    )
    for name in ("nobody", "greeter:9", "greeter:alias"):
        assert message(put, FunctionName=name, MaximumRetryAttempts=1) == "The function doesn't exist."
    assert message(put, FunctionName="greeter:1", Qualifier="2", MaximumRetryAttempts=1) == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )
    wrong = f"arn:aws:iam:us-east-1:{cloud.account}:role"
    assert message(put, **to(wrong)) == (
        f"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={wrong}), onFailure=null) "
        "is invalid."
    )
    assert message(put, **to(f"{arn}:nobody")) == f"The destination ARN {arn}:nobody is invalid."
    assert message(put, **to(f"{arn}:greeter")) == "You can't specify the function as a destination for itself."
    queue = f"arn:aws:sqs:us-east-1:{cloud.account}:nowhere"
    assert message(put, **to(queue, "OnFailure")) == f"The destination ARN {queue} is invalid."
    bus = error_of(put, **to(f"arn:aws:events:us-east-1:{cloud.account}:event-bus/default"))
    assert bus["Error"]["Code"] == "NotImplemented"
    assert message(lambda_.update_function_event_invoke_config, FunctionName="nobody", MaximumRetryAttempts=1) == (
        "The function doesn't exist."
    )
    assert message(lambda_.list_function_event_invoke_configs, FunctionName="nobody") == "The function doesn't exist."
    assert message(lambda_.delete_function_event_invoke_config, FunctionName="nobody") == (
        f"The function {arn}:nobody:$LATEST doesn't have an EventInvokeConfig"
    )
