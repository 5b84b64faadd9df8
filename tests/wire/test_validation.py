"""Validation in AWS's words, as its answers have been seen."""

from typing import Any

import pytest

from cumulo.wire import models
from cumulo.wire.faults import Fault
from cumulo.wire.validation import validator


def refusal(service: str, operation: str, request: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(Fault) as refused:
        validator(models.load(service).operations[operation])(request)
    return refused.value.code, refused.value.message


FUNCTION = {"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r", "Code": {}}
NULL = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null"


@pytest.mark.parametrize(
    ("service", "operation", "request_", "code", "text"),
    [
        ("kms", "DescribeKey", {}, "ValidationException", NULL.format("keyId")),
        ("sts", "AssumeRole", {"RoleArn": "r" * 20}, "ValidationError", NULL.format("roleSessionName")),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "u", "MessageBody": ""},
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
        ),
        ("sqs", "CreateQueue", {}, "MissingParameter", "The request must contain the parameter QueueName."),
        ("ec2", "TerminateInstances", {}, "MissingParameter", "The request must contain the parameter InstanceId"),
        (
            "sns",
            "SetSubscriptionAttributes",
            {"AttributeName": "a"},
            "InvalidParameter",
            "Invalid parameter: SubscriptionArn Reason: no value for required parameter",
        ),
        (
            "sns",
            "CreatePlatformApplication",
            {"Name": "n", "Platform": "p"},
            "ValidationError",
            NULL.format("attributes"),
        ),
        (
            "cloudwatch",
            "SetAlarmState",
            {"AlarmName": "a", "StateValue": "INVALID", "StateReason": "r"},
            "ValidationError",
            "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must "
            "satisfy enum value set: [OK, ALARM, INSUFFICIENT_DATA]",
        ),
        (
            "lambda",
            "PutProvisionedConcurrencyConfig",
            {"FunctionName": "f", "Qualifier": "1", "ProvisionedConcurrentExecutions": 0},
            "ValidationException",
            "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            "events",
            "PutTargets",
            {"Rule": "r", "Targets": [{"Id": "!", "Arn": "a"}]},
            "ValidationException",
            "1 validation error detected: Value '!' at 'targets.1.member.id' failed to satisfy constraint: Member must "
            r"satisfy regular expression pattern: [\.\-_A-Za-z0-9]+",
        ),
        (
            "lambda",
            "CreateFunction",
            {
                "FunctionName": "f",
                "Role": "arn:aws:iam::123456789012:role/r",
                "Code": {},
                "Architectures": ["x86_64", "arm64"],
            },
            "ValidationException",
            "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: "
            "Member must have length less than or equal to 1",
        ),
        (
            "stepfunctions",
            "CreateActivity",
            {"name": "n" * 81},
            "ValidationException",
            f"1 validation error detected: Value '{'n' * 81}' at 'name' failed to satisfy constraint: Member must have "
            "length less than or equal to 80",
        ),
        (
            "kms",
            "Encrypt",
            {"KeyId": "k", "Plaintext": b"p" * 4097},
            "ValidationException",
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length "
            "less than or equal to 4096",
        ),
        (
            "s3",
            "PutBucketCors",
            {"Bucket": "b", "CORSConfiguration": {}},
            "MalformedXML",
            "The XML you provided was not",
        ),
        ("route53", "CreateHostedZone", {"Name": "n"}, "InvalidInput", NULL.format("callerReference")),
    ],
)
def test_texts(service: str, operation: str, request_: dict[str, Any], code: str, text: str) -> None:
    said_code, said = refusal(service, operation, request_)
    assert said_code == code
    assert said.startswith(text)


def test_several_errors_are_joined() -> None:
    _, text = refusal("kms", "Encrypt", {})
    assert text == (
        "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; "
        "Value null at 'plaintext' failed to satisfy constraint: Member must not be null"
    )


def test_items_that_are_texts_are_reported_at_their_list() -> None:
    _, text = refusal("lambda", "CreateFunction", {**FUNCTION, "Architectures": ["X"]})
    assert "Value '[X]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [" in text
    assert text.endswith("[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")
    _, text = refusal("iam", "UntagRole", {"RoleName": "r", "TagKeys": ["k" * 129]})
    assert text.startswith("1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must ")
    assert text.endswith(r"pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]")


def test_the_number_of_errors_is_bounded() -> None:
    targets = [{"Id": "!", "Arn": ""} for _ in range(100)]
    _, text = refusal("events", "PutTargets", {"Rule": "r", "Targets": targets})
    assert text.startswith("10 validation errors detected")


def test_sensitive_values_are_never_shown() -> None:
    _, text = refusal("kms", "Encrypt", {"KeyId": "k", "Plaintext": b"secret" * 1000})
    assert "secret" not in text
    _, text = refusal("secretsmanager", "CreateSecret", {"Name": "n", "SecretString": "hidden" * 20000})
    assert "hidden" not in text


def test_lengths_are_counted_as_java_counts_them() -> None:
    validate = validator(models.load("stepfunctions").operations["CreateActivity"])
    validate({"name": "😀" * 40})
    with pytest.raises(Fault):
        validate({"name": "😀" * 41})


def test_an_absent_list_is_an_empty_one_for_sqs() -> None:
    request: dict[str, Any] = {"QueueUrl": "u"}
    validator(models.load("sqs").operations["SendMessageBatch"])(request)
    assert request["Entries"] == []


def test_valid_requests_pass() -> None:
    validator(models.load("sts").operations["GetCallerIdentity"])({})
    tags = [{"Key": "a b", "Value": "Ünï: 漢字"}]
    request = {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "s1", "Tags": tags}
    validator(models.load("sts").operations["AssumeRole"])(request)
