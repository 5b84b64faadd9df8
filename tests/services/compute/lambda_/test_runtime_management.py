"""Runtime management and recursion configs."""

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused


def test_when_a_runtime_is_updated(cloud: Account, create: Create) -> None:
    made = create(Publish=True)
    client = cloud.client("lambda")
    arn = made["FunctionArn"]
    shown = client.get_runtime_management_config(FunctionName="greeter")
    assert (shown["UpdateRuntimeOn"], shown["FunctionArn"]) == ("Auto", arn)
    assert "RuntimeVersionArn" not in shown
    runtime = made["RuntimeVersionConfig"]["RuntimeVersionArn"]
    place = {"FunctionName": "greeter", "Qualifier": "1"}
    put = client.put_runtime_management_config(UpdateRuntimeOn="Manual", RuntimeVersionArn=runtime, **place)
    assert (put["UpdateRuntimeOn"], put["FunctionArn"], put["RuntimeVersionArn"]) == ("Manual", f"{arn}:1", runtime)
    assert client.get_runtime_management_config(**place)["RuntimeVersionArn"] == runtime
    assert client.get_runtime_management_config(FunctionName="greeter")["UpdateRuntimeOn"] == "Auto"
    for wrong in (
        {"UpdateRuntimeOn": "Manual"},
        {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": runtime},
        {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": f"{runtime[:-1]}x"},
    ):
        error = refused(lambda wrong=wrong: client.put_runtime_management_config(**place, **wrong))
        assert error["Error"]["Code"] == "InvalidParameterValueException"


def test_loops_are_ended_unless_they_are_allowed(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")
    assert client.get_function_recursion_config(FunctionName="greeter")["RecursiveLoop"] == "Terminate"
    put = client.put_function_recursion_config(FunctionName="greeter", RecursiveLoop="Allow")
    assert put["RecursiveLoop"] == "Allow"
    assert client.get_function_recursion_config(FunctionName="greeter")["RecursiveLoop"] == "Allow"
    refused(
        lambda: client.put_function_recursion_config(FunctionName="greeter", RecursiveLoop="InvalidValue"),
        "ValidationException",
        "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member "
        "must satisfy enum value set: [Terminate, Allow]",
    )
