"""botocore as the client: what it writes we read, what we write it reads, for random values in every protocol."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.wire import models
from cumulo.wire.routing import Router
from cumulo.wire.shapes import Shape
from tests.wire.calls import Values, botocore_model, read, written

# service, protocol that the client speaks, operations
CLIENTS = [
    ("sqs", "json", ["SendMessage", "SendMessageBatch", "ReceiveMessage", "CreateQueue", "GetQueueAttributes"]),
    ("dynamodb", "json", ["PutItem", "Query", "TransactWriteItems", "CreateTable", "BatchGetItem"]),
    ("kms", "json", ["Encrypt", "CreateKey", "ListAliases", "DescribeKey"]),
    ("cloudwatch", "json", ["PutMetricData", "PutMetricAlarm", "DescribeAlarms"]),
    ("cloudwatch", "smithy-rpc-v2-cbor", ["PutMetricData", "GetMetricData", "DescribeAlarms", "GetMetricWidgetImage"]),
    ("cloudwatch", "query", ["PutMetricAlarm", "DescribeAlarms", "GetMetricStatistics"]),
    ("sns", "query", ["Publish", "PublishBatch", "CreateTopic", "ListTopics", "GetTopicAttributes"]),
    ("sts", "query", ["AssumeRole", "GetCallerIdentity", "GetFederationToken"]),
    ("iam", "query", ["CreateRole", "ListUsers", "SimulateCustomPolicy", "GetAccountAuthorizationDetails"]),
    ("cloudformation", "query", ["CreateStack", "DescribeStacks"]),
    ("ec2", "ec2", ["RunInstances", "DescribeInstances", "AuthorizeSecurityGroupIngress", "CreateLaunchTemplate"]),
    ("lambda", "rest-json", ["CreateFunction", "ListFunctions", "Invoke", "UpdateFunctionConfiguration"]),
    ("apigateway", "rest-json", ["CreateRestApi", "PutIntegration", "GetRestApis", "UpdateStage"]),
    ("iot-data", "rest-json", ["Publish", "GetThingShadow"]),
    ("route53", "rest-xml", ["CreateHostedZone", "ChangeResourceRecordSets", "ListResourceRecordSets"]),
    ("s3", "rest-xml", ["PutObject", "GetObject", "CompleteMultipartUpload", "PutBucketLifecycleConfiguration"]),
    ("s3", "rest-xml", ["ListObjectsV2", "PutBucketNotificationConfiguration", "GetBucketAcl", "DeleteObjects"]),
    ("cloudfront", "rest-xml", ["CreateDistribution", "ListDistributions2020_05_31", "CreateInvalidation"]),
]
PAIRS = [
    (service, protocol, name)
    for service, protocol, names in CLIENTS
    for name in names
    if name in models.load(service).operations
]
ROUTER = Router(dict.fromkeys(service for service, _, _ in CLIENTS))
EXAMPLES = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("service", "protocol", "name"), PAIRS)
@EXAMPLES
@given(seed=st.integers(0, 1 << 30))
def test_what_botocore_writes_we_read(service: str, protocol: str, name: str, seed: int) -> None:
    operation = models.load(service).operations[name]
    assert operation.input is not None
    params = Values(random.Random(seed)).structure(operation.input)
    if service == "s3":  # a bucket is one label of a path or host
        params = {**params, "Bucket": "bucket"}
    sent = written(service, name, params, "" if protocol == models.load(service).metadata.protocol else protocol)
    route = ROUTER.route(sent)
    assert (route.operation.name, route.protocol, route.region) == (name, protocol, "eu-west-1")
    parsed = route.parse()
    if operation.input.payload and operation.input.members[operation.input.payload].streaming:
        params.setdefault(operation.input.payload, b"")
    assert _same(operation.input, parsed, params)


@pytest.mark.parametrize(("service", "protocol", "name"), PAIRS)
@EXAMPLES
@given(seed=st.integers(0, 1 << 30))
def test_what_we_write_botocore_reads(service: str, protocol: str, name: str, seed: int) -> None:
    operation = models.load(service).operations[name]
    shape = operation.output
    result: dict[str, Any] = {}
    if shape is not None:
        result = Values(random.Random(seed)).structure(shape)
        if shape.payload and shape.members[shape.payload].shape.type == "blob" and shape.payload in result:
            result[shape.payload] = b"botocore reads a payload as text"
    params = Values(random.Random(seed), depth=1).structure(operation.input) if operation.input is not None else {}
    if service == "s3":
        params["Bucket"] = "bucket"
    spoken = "" if protocol == models.load(service).metadata.protocol else protocol
    route = ROUTER.route(written(service, name, params, spoken))
    status, headers, body = route.answer(result, "request-1")
    if shape is not None:
        for member in shape.members.values():
            if member.location == "statusCode":  # every answer has a status
                status = result[member.name] = 200
            if member.wire_name == "Content-Type" and member.name not in result:
                result[member.name] = dict(headers)["Content-Type"]
    parsed = read(service, name, (status, headers, body), spoken)
    parsed.pop("ResponseMetadata")
    if shape is None:
        assert parsed == {}
        return
    known = botocore_model(service, spoken).operation_model(name).output_shape.members
    for member in shape.members.values():
        if member.name not in known:
            result.pop(member.name, None)  # a member of ours
    if shape.payload:
        payload = shape.members[shape.payload]
        if isinstance(parsed.get(shape.payload), str):
            parsed[shape.payload] = parsed[shape.payload].encode("utf-8", "surrogateescape")
        if payload.shape.type == "blob" and not result.get(shape.payload):
            parsed.pop(shape.payload, None)
    assert _same(shape, parsed, result)


def _same(shape: Shape, one: Any, other: Any) -> bool:
    assert _normal(shape, one) == _normal(shape, other)
    return True


def _normal(shape: Shape, value: Any) -> Any:
    """A value in the form in which both sides agree: what XML and forms cannot tell apart is left out."""
    if shape.document or value is None:
        return value
    if shape.type == "structure":
        out = {name: _normal(shape.members[name].shape, item) for name, item in value.items() if name in shape.members}
        return {name: item for name, item in out.items() if item not in ({}, [], None)}
    if shape.type == "list":
        return [_normal(shape.member.shape, item) for item in value]
    if shape.type == "map":
        return {key: _normal(shape.value.shape, item) for key, item in value.items()}
    if shape.type == "blob":
        return value.encode() if isinstance(value, str) else bytes(value)
    if shape.type == "timestamp":
        return float(value)
    return value
