"""What a function's configuration may say: limits, runtimes, roles' rights, and what is refused by name."""

import json
from typing import Any

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import RuntimeMissing
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused

INVALID = "InvalidParameterValueException"
ACCEPTED = (
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
    "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
    "java11, dotnet6, nodejs18.x, provided.al2, java8.al2"
)


@pytest.mark.parametrize("runtime", ["non-existent-runtime", "PYTHON3.12"])
def test_a_runtime_that_aws_does_not_know(create: Create, runtime: str) -> None:
    refused(
        lambda: create(Runtime=runtime),
        INVALID,
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{ACCEPTED}] "
        "or be a valid ARN",
    )


@pytest.mark.parametrize("runtime", ["python3.7", "nodejs14.x", "go1.x", "java8", "provided", "dotnetcore3.1"])
def test_a_runtime_that_aws_takes_no_more(create: Create, runtime: str) -> None:
    refused(
        lambda: create(Runtime=runtime),
        INVALID,
        f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We "
        "recommend you use a supported runtime while creating or updating functions.",
    )


def test_a_runtime_that_this_machine_has_not_got(cloud: Account, create: Create) -> None:
    runtime = "dotnet6"
    with pytest.raises(RuntimeMissing) as missing:
        runtimes.find(runtime)
    text = f"cumulo cannot run this function: {missing.value}"
    refused(lambda: create(Runtime=runtime), INVALID, text)
    create()
    client = cloud.client("lambda")
    refused(lambda: client.update_function_configuration(FunctionName="greeter", Runtime=runtime), INVALID, text)


@pytest.mark.parametrize(
    ("options", "member", "value", "limit"),
    [
        ({"Timeout": 901}, "timeout", 901, 900),
        ({"Timeout": 9000}, "timeout", 9000, 900),
        ({"MemorySize": 10241}, "memorySize", 10241, 10240),
        ({"EphemeralStorage": {"Size": 10241}}, "ephemeralStorage.size", 10241, 10240),
    ],
)
def test_limits(create: Create, options: dict[str, Any], member: str, value: int, limit: int) -> None:
    error = refused(lambda: create(**options))["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have "
        "value less than or equal to "
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"Architectures": ["x86_64", "arm64"]},
            "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less "
            "than or equal to 1",
        ),
        (
            {"Architectures": ["X86_64"]},
            "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member "
            "must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        ),
        (
            {"Role": "r1"},
            "Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: "
            r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        ),
        (
            {"FunctionName": "f" * 65},
            f"Value '{'f' * 65}' at 'functionName' failed to satisfy constraint: Member must have length less than or "
            "equal to 64",
        ),
    ],
)
def test_what_the_model_refuses(create: Create, options: dict[str, Any], text: str) -> None:
    refused(lambda: create(**options), "ValidationException", f"1 validation error detected: {text}")


def test_runtime_and_handler_are_needed(create: Create) -> None:
    text = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
    for member in ("Runtime", "Handler"):
        refused(lambda member=member: create(**{member: None}), INVALID, text)


@pytest.mark.parametrize(
    ("options", "member"),
    [
        ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "VpcConfig"),
        ({"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:us-east-1:111122223333:access-point/fsap-"
                                 + "0" * 17, "LocalMountPath": "/mnt/a"}]}, "FileSystemConfigs"),
    ],
)  # fmt: skip
def test_what_is_not_here_yet_is_refused_by_name(create: Create, options: dict[str, Any], member: str) -> None:
    error = refused(lambda: create(**options))["Error"]
    assert error["Code"] == "NotImplemented"
    assert f"cumulo does not honour {member} of lambda:CreateFunction yet" in error["Message"]


def test_a_function_may_be_told_to_be_in_no_network(cloud: Account, create: Create) -> None:
    made = create(VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
    assert made["VpcConfig"] == {
        "SubnetIds": [],
        "SecurityGroupIds": [],
        "VpcId": "",
        "Ipv6AllowedForDualStack": False,
    }


def test_tenants_may_be_kept_apart(cloud: Account, create: Create) -> None:
    made = create(TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    assert made["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    assert cloud.client("lambda").get_function_configuration(FunctionName="greeter")["TenancyConfig"]
    error = refused(lambda: cloud.client("lambda").invoke(FunctionName="greeter"))["Error"]
    assert error["Code"] == INVALID
    assert "tenant ID" in error["Message"]


def test_what_tenants_cannot_have(cloud: Account, create: Create) -> None:
    """Source: Lambda Developer Guide, "Tenant isolation", Supported features and limitations."""
    create(TenancyConfig={"TenantIsolationMode": "PER_TENANT"}, Runtime="python3.12", Publish=True)
    client, queue = cloud.client("lambda"), cloud.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    on = {"FunctionName": "greeter", "Qualifier": "1"}
    of = "not supported for functions with tenant isolation."
    url = client.create_function_url_config
    refused(lambda: url(FunctionName="greeter", AuthType="NONE"), INVALID, f"Function URLs are {of}")
    provision = client.put_provisioned_concurrency_config
    refused(lambda: provision(**on, ProvisionedConcurrentExecutions=1), INVALID, f"Provisioned concurrency is {of}")
    change = client.update_function_configuration
    snap_start = {"ApplyOn": "PublishedVersions"}
    refused(lambda: change(FunctionName="greeter", SnapStart=snap_start), INVALID, f"SnapStart is {of}")
    read = client.create_event_source_mapping
    refused(
        lambda: read(FunctionName="greeter", EventSourceArn=attributes["QueueArn"]),
        INVALID,
        f"Event source mappings are {of}",
    )


def test_both_architectures_are_taken(create: Create) -> None:
    assert create("one")["Architectures"] == ["x86_64"]
    assert create("two", Architectures=["arm64"])["Architectures"] == ["arm64"]


def _allow(cloud: Account, *actions: str) -> None:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    cloud.client("iam").put_role_policy(
        RoleName="worker",
        PolicyName="rights",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )


def test_the_role_must_be_allowed_to_send_dead_letters(cloud: Account, create: Create) -> None:
    queue = f"arn:aws:sqs:us-east-1:{cloud.account}:dead"
    topic = f"arn:aws:sns:us-east-1:{cloud.account}:dead"
    text = "The provided execution role does not have permissions to call {}"
    refused(lambda: create(DeadLetterConfig={"TargetArn": queue}), INVALID, text.format("SendMessage on SQS"))
    refused(lambda: create(DeadLetterConfig={"TargetArn": topic}), INVALID, text.format("Publish on SNS"))
    _allow(cloud, "sqs:SendMessage")
    assert create(DeadLetterConfig={"TargetArn": queue})["DeadLetterConfig"] == {"TargetArn": queue}
    client = cloud.client("lambda")
    changed = client.update_function_configuration(FunctionName="greeter", DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in changed
    bucket = "arn:aws:s3:::dead"
    assert refused(lambda: create("other", DeadLetterConfig={"TargetArn": bucket}))["Error"]["Code"] == INVALID


def test_the_role_must_be_allowed_to_trace(cloud: Account, create: Create) -> None:
    refused(
        lambda: create(TracingConfig={"Mode": "Active"}),
        INVALID,
        "The provided execution role does not have permissions to call PutTraceSegments on XRAY",
    )
    _allow(cloud, "xray:*")
    assert create(TracingConfig={"Mode": "Active"})["TracingConfig"] == {"Mode": "Active"}


def test_a_caller_must_be_allowed_to_pass_the_role(cloud: Account, create: Create, role: str) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    statement = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    iam.put_user_policy(
        UserName="ann",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = cloud.client("lambda", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    create()
    error = refused(lambda: ann.update_function_configuration(FunctionName="greeter", Role=role))["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in error["Message"]
    assert ann.update_function_configuration(FunctionName="greeter", Timeout=9)["Timeout"] == 9


def test_a_policy_may_ask_for_layers(cloud: Account, create: Create) -> None:
    create()
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:layer:good:*"
    statement = {
        "Effect": "Allow",
        "Action": ["lambda:UpdateFunctionConfiguration", "lambda:GetLayerVersion"],
        "Resource": "*",
        "Condition": {"ForAllValues:StringLike": {"lambda:Layer": [arn]}},
    }
    iam.put_user_policy(
        UserName="ann",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = cloud.client("lambda", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    bad = arn.replace("good:*", "bad:1")
    error = refused(lambda: ann.update_function_configuration(FunctionName="greeter", Layers=[bad]))["Error"]
    assert error["Code"] == "AccessDeniedException"
    missing = arn.replace("*", "1")
    refused(
        lambda: ann.update_function_configuration(FunctionName="greeter", Layers=[missing]),
        INVALID,
        f"Layer version {missing} does not exist.",
    )


def test_limits_are_told_together(create: Create) -> None:
    words = "Value '{}' at '{}' failed to satisfy constraint: Member must have value less than or equal to {}"
    both = "; ".join(words.format(*each) for each in (("901", "timeout", 900), ("10241", "memorySize", 10240)))
    refused(
        lambda: create(Timeout=901, MemorySize=10_241), "ValidationException", f"2 validation errors detected: {both}"
    )


def test_a_log_group_of_awss(create: Create) -> None:
    refused(
        lambda: create(LoggingConfig={"LogGroup": "aws/mine"}),
        INVALID,
        "Log groups starting with AWS/ are reserved for AWS.",
    )


def test_dead_letters_end_when_that_is_said(cloud: Account, create: Create) -> None:
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    cloud.client("iam").put_role_policy(RoleName="worker", PolicyName="send", PolicyDocument=json.dumps(allow))
    target = {"TargetArn": f"arn:aws:sqs:us-east-1:{cloud.account}:letters"}
    create(DeadLetterConfig=target)
    client = cloud.client("lambda")
    for given, left in (({}, target), ({"TargetArn": ""}, None)):
        answer = client.update_function_configuration(FunctionName="greeter", DeadLetterConfig=given)
        assert answer.get("DeadLetterConfig") == left
        cloud.settle()
    fifo = {"TargetArn": f"{target['TargetArn']}.fifo"}
    answer = refused(lambda: client.update_function_configuration(FunctionName="greeter", DeadLetterConfig=fifo))
    assert answer["Error"]["Code"] == INVALID
