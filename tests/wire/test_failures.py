"""Faults as every protocol sends them, read back by botocore."""

from typing import Any

import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict

from cumulo.wire import models
from cumulo.wire.faults import Fault
from cumulo.wire.protocols import protocol

PARSERS = botocore.parsers.PROTOCOL_PARSERS


def sent(service: str, spoken: str, fault: Fault) -> tuple[int, dict[str, str], bytes, dict[str, Any]]:
    status, headers, body = protocol(spoken).fail(models.load(service), None, fault, "request-1")
    response = {"status_code": status, "headers": HeadersDict(dict(headers)), "body": body, "context": {}}
    error = PARSERS[spoken]().parse(response, None)["Error"]
    return status, {name.lower(): value for name, value in headers}, body, error


GONE = Fault("QueueDoesNotExist", "The specified queue does not exist.")


def test_sqs_in_json() -> None:
    status, headers, body, error = sent("sqs", "json", GONE)
    assert (status, headers["x-amzn-query-error"]) == (400, "AWS.SimpleQueueService.NonExistentQueue;Sender")
    assert body == b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}'
    assert error == {
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "Message": "The specified queue does not exist.",
        "QueryErrorCode": "QueueDoesNotExist",
        "Type": "Sender",
    }


def test_sqs_in_query() -> None:
    status, _, _, error = sent("sqs", "query", GONE)
    assert status == 400
    assert error == {
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "Message": "The specified queue does not exist for this wsdl version.",
        "Type": "Sender",
        "Detail": None,
    }


@pytest.mark.parametrize(
    ("code", "name", "query_code", "status"),
    [
        ("PurgeQueueInProgress", "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403),
        ("QueueNameExists", "QueueNameExists", "QueueAlreadyExists", 400),
        ("ResourceNotFoundException", "ResourceNotFoundException", "ResourceNotFoundException", 404),
        ("InvalidParameterValue", "InvalidParameterValueException", "InvalidParameterValue", 400),
        ("MissingParameter", "MissingRequiredParameterException", "MissingParameter", 400),
        (
            "TooManyEntriesInBatchRequest",
            "TooManyEntriesInBatchRequest",
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            400,
        ),
    ],
)
def test_sqs_errors_as_observed(code: str, name: str, query_code: str, status: int) -> None:
    said, _, _, error = sent("sqs", "json", Fault(code, "text"))
    assert (said, error["QueryErrorCode"], error["Code"]) == (status, name, query_code)
    said, _, _, error = sent("sqs", "query", Fault(code, "text"))
    assert (said, error["Code"]) == (status, query_code)


@pytest.mark.parametrize(
    ("service", "spoken", "code", "status"),
    [
        ("sts", "query", "AccessDenied", 403),
        ("ec2", "ec2", "UnauthorizedOperation", 403),
        ("dynamodb", "json", "AccessDeniedException", 400),
        ("lambda", "rest-json", "AccessDeniedException", 403),
        ("s3", "rest-xml", "AccessDenied", 403),
        ("cloudwatch", "smithy-rpc-v2-cbor", "AccessDenied", 403),
        ("sqs", "json", "AccessDenied", 403),
    ],
)
def test_shared_codes_follow_the_protocol(service: str, spoken: str, code: str, status: int) -> None:
    for asked in ("AccessDenied", "AccessDeniedException"):
        said, _, _, error = sent(service, spoken, Fault(asked, "You may not."))
        assert (said, error["Code"], error["Message"]) == (status, code, "You may not.")


@pytest.mark.parametrize(
    ("service", "spoken"),
    [
        ("sns", "query"),
        ("ec2", "ec2"),
        ("kms", "json"),
        ("lambda", "rest-json"),
        ("s3", "rest-xml"),
        ("route53", "rest-xml"),
    ],
)
def test_any_text_survives(service: str, spoken: str) -> None:
    text = "<&>\"' ä 漢 \u2028 \x01 ]]>"
    _, _, body, error = sent(service, spoken, Fault("Whatever", text.replace("\x01", "")))
    assert error["Code"] == "Whatever" and error["Message"] == text.replace("\x01", "")
    sent_status, _, _ = protocol(spoken).fail(models.load(service), None, Fault("X", text), "r")
    assert sent_status == 400 and body


def test_members_of_errors_travel() -> None:
    fault = Fault("TransactionCanceledException", "no", members={"CancellationReasons": [{"Code": "None"}]})
    _, _, body, _ = sent("dynamodb", "json", fault)
    assert b'"CancellationReasons":[{"Code":"None"}]' in body
    _, _, body, _ = sent("s3", "rest-xml", Fault("NoSuchBucket", "no", members={"BucketName": "b"}))
    assert b"<BucketName>b</BucketName>" in body and b"<ErrorResponse" not in body


def test_our_own_faults_are_receivers() -> None:
    status, _, _, error = sent("sns", "query", Fault("InternalFailure", "oops", sender=False))
    assert (status, error["Type"]) == (500, "Receiver")
