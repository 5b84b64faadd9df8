"""What becomes of events that cannot be run."""

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_events import let, make_queue, received, send
from tests.services.compute.lambda_.test_invocations import FAILS, Create


def test_no_retries_when_none_are_wanted(cloud: Account, create: Create, simulated: Environments) -> None:
    url, arn = make_queue(cloud)
    let(cloud)
    create(Code={"ZipFile": zip_of({"index.py": FAILS})}, DeadLetterConfig={"TargetArn": arn})
    cloud.client("lambda").put_function_event_invoke_config(FunctionName="greeter", MaximumRetryAttempts=0)
    request_id = send(cloud, {"raise_error": 1})
    [letter] = received(cloud, url)
    assert letter["Body"] == '{"raise_error": 1}'
    assert letter["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "no"},
    }


def test_an_event_of_a_deleted_function_is_dropped(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": FAILS})})
    send(cloud, {"n": 1})
    cloud.client("lambda").delete_function(FunctionName="greeter")
    cloud.advance(3600)
    mine = [each for each in simulated.started if f":{cloud.account}:" in each.build.function_arn]
    assert sum(each.invocations for each in mine) == 1  # others' events come due too
