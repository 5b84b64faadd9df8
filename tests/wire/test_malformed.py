"""Whatever bytes arrive, the answer is a Fault of AWS's and nothing else, quickly."""

import contextlib
import random
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.wire import models
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from cumulo.wire.protocols import cbor_items
from cumulo.wire.routing import Router
from cumulo.wire.validation import validator
from tests.wire.calls import Values, request, written

CLIENTS = [
    ("sqs", "SendMessageBatch"),
    ("dynamodb", "PutItem"),
    ("cloudwatch", "PutMetricData"),
    ("sns", "PublishBatch"),
    ("ec2", "RunInstances"),
    ("lambda", "CreateFunction"),
    ("s3", "PutBucketLifecycleConfiguration"),
    ("s3", "PutObject"),
    ("route53", "ChangeResourceRecordSets"),
]
JUNK = [b"\xff\xfe", b"\x00", b"]" * 50, b'{"a":' * 50, b"<a>" * 50, b"9" * 60, b"\xed\xa0\x80", b"&=.%"]
ROUTER = Router(dict.fromkeys(service for service, _ in CLIENTS))


def answered(sent: Request) -> str:
    """Route, parse and validate: the fault's code, "" when all went well. Any other exception is a bug."""
    try:
        route = ROUTER.route(sent)
    except Fault as fault:
        status, _, _ = ROUTER.fault(sent, fault, "request-1")
        assert 400 <= status < 600
        return fault.code
    try:
        validator(route.operation)(route.parse())
    except Fault as fault:
        status, headers, body = route.fault(fault, "request-1")
        assert 400 <= status < 600 and headers and b"Traceback" not in body
        return fault.code
    return ""


def sample(service: str, name: str, seed: int) -> Request:
    operation = models.load(service).operations[name]
    assert operation.input is not None
    params = Values(random.Random(seed)).structure(operation.input)
    if service == "s3":
        params["Bucket"] = "bucket"
    return written(service, name, params)


def broken(sent: Request, chance: random.Random) -> Iterator[Request]:
    """Variants of a request: cut, bits turned, pieces doubled or foreign bytes put in, in body, target or a header."""
    body = sent.body
    for _ in range(6):
        at = chance.randrange(len(body) + 1)
        junk = chance.choice(
            [b"\xff\xfe", b"\x00", b"]" * 50, b'{"a":' * 50, b"<a>" * 50, b"9" * 60, b"\xed\xa0\x80", b"&=.%"]
        )
        turned = bytearray(body)
        if turned:
            turned[chance.randrange(len(turned))] ^= 1 << chance.randrange(8)
        for other in (body[:at], bytes(turned), body[:at] + junk + body[at:], body + body, body[at:]):
            yield Request(sent.method, sent.target, sent.headers, body=other)
        spot = chance.randrange(len(sent.target) + 1)
        piece = chance.choice(["%", "%ff", "%00", "/", "//", "?", "&", "=", "{", "\x7f", "%e0%80%80", "?Action=X"])
        yield Request(sent.method, sent.target[:spot] + piece + sent.target[spot:], sent.headers, body=body)
        raw = list(sent.headers.raw)
        field = chance.randrange(len(raw))
        raw[field] = (raw[field][0], chance.choice([b"", b"\xff", b"Credential=", b"a/b/c", b"9" * 500, b'"', b"%ff"]))
        yield Request(sent.method, sent.target, Headers(raw), body=body)


@pytest.mark.parametrize(("service", "name"), CLIENTS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 30))
def test_broken_requests_get_faults(service: str, name: str, seed: int) -> None:
    for other in broken(sample(service, name, seed), random.Random(seed)):
        answered(other)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=60))
def test_any_bytes_are_cbor_or_refused(data: bytes) -> None:
    with contextlib.suppress(cbor_items.MalformedCbor):
        cbor_items.decode(data)


JSON = {"X-Amz-Target": "DynamoDB_20120810.PutItem", "Content-Type": "application/x-amz-json-1.0"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CBOR = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
CBOR_PATH = "/service/GraniteServiceVersion20100801/operation/PutMetricData"


def cbor_request(body: bytes) -> Request:
    return request(target=CBOR_PATH, headers=CBOR, body=body)


LIFECYCLE = "/bucket?lifecycle"

HOSTILE = [
    ("json, truncated", request(headers=JSON, body=b'{"TableName": "a'), "SerializationException"),
    ("json, no object", request(headers=JSON, body=b"[1]"), "SerializationException"),
    ("json, wrong type", request(headers=JSON, body=b'{"TableName": 1}'), "SerializationException"),
    ("json, bad UTF-8", request(headers=JSON, body=b'{"TableName": "\xff"}'), "SerializationException"),
    ("json, lone surrogate", request(headers=JSON, body=b'{"TableName": "\\ud800"}'), "SerializationException"),
    ("json, deep", request(headers=JSON, body=b'{"a":' * 200_000), "SerializationException"),
    ("json, deep lists", request(headers=JSON, body=b"[" * 1_000_000), "SerializationException"),
    (
        "json, huge number",
        request(headers=JSON, body=b'{"TableName":' + b"9" * 1_000_000 + b"}"),
        "SerializationException",
    ),
    ("json, huge exponent", request(headers=JSON, body=b'{"TableName":1e999999999}'), "SerializationException"),
    (
        "json, deep values of a recursive shape",
        request(headers=JSON, body=b'{"TableName":"t","Item":{"a":' + b'{"L":[' * 300 + b"]}" * 300 + b"}}"),
        "SerializationException",
    ),
    ("form, bad escape", request(headers=FORM, body=b"Action=%ff", service="sns"), "MalformedQueryString"),
    ("form, bad UTF-8", request(headers=FORM, body=b"Action=Publish&a=\xff", service="sns"), "MalformedQueryString"),
    ("form, many fields", request(headers=FORM, body=b"a=1&" * 300_000, service="sns"), "MalformedQueryString"),
    (
        "form, deep",
        request(headers=FORM, body=b"Action=Publish&TopicArn" + b".a" * 300_000 + b"=1", service="sns"),
        "MalformedInput",
    ),
    ("form, no action", request(headers=FORM, body=b"a=b", service="sns"), "MissingAction"),
    (
        "form, list for a text",
        request(headers=FORM, body=b"Action=Publish&Message.member.1=x", service="sns"),
        "MalformedInput",
    ),
    (
        "form, text for a number",
        request(headers=FORM, body=b"Action=RunInstances&MinCount=abc", service="ec2"),
        "MalformedInput",
    ),
    ("cbor, truncated", cbor_request(b"\xa1\x69Name"), "SerializationException"),
    (
        "cbor, endless length",
        cbor_request(b"\x9b" + b"\xff" * 8),
        "SerializationException",
    ),
    ("cbor, deep", cbor_request(b"\x81" * 1_000_000), "SerializationException"),
    ("cbor, deep tags", cbor_request(b"\xc1" * 1_000_000), "SerializationException"),
    ("cbor, after the end", cbor_request(b"\xa0\xa0"), "SerializationException"),
    ("xml, truncated", request("PUT", LIFECYCLE, body=b"<a><b>", service="s3"), "MalformedXML"),
    ("xml, deep", request("PUT", LIFECYCLE, body=b"<a>" * 500_000, service="s3"), "MalformedXML"),
    (
        "xml, entities",
        request("PUT", LIFECYCLE, body=b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', service="s3"),
        "MalformedXML",
    ),
    ("xml, bad UTF-8", request("PUT", LIFECYCLE, body=b"<a>\xff</a>", service="s3"), "MalformedXML"),
    ("path, bad UTF-8", request("GET", "/bucket/%ff", service="s3"), "InvalidURI"),
    ("query, wrong type", request("GET", "/bucket?list-type=2&max-keys=x", service="s3"), "InvalidArgument"),
]


@pytest.mark.parametrize(
    ("sent", "code"), [(sent, code) for _, sent, code in HOSTILE], ids=[name for name, *_ in HOSTILE]
)
def test_hostile_requests_get_their_fault_at_once(sent: Request, code: str) -> None:
    begin = time.process_time()
    assert answered(sent) == code
    assert time.process_time() - begin < 1


def below(frames: int, sent: Request) -> str:
    """The answer, asked for from this many frames down the stack."""
    return answered(sent) if frames == 0 else below(frames - 1, sent)


@pytest.mark.parametrize("levels", [10, 49, 60, 90, 147, 148, 149, 200])
def test_what_is_not_too_deep_to_be_read_is_not_too_deep_for_anything_else(levels: int) -> None:
    value = b'{"L":[' * levels + b'{"S":"x"}' + b"]}" * levels
    sent = request(headers=JSON, body=b'{"TableName":"table","Item":{"a":' + value + b"}}")
    assert below(200, sent) == ("" if levels <= 148 else "SerializationException")


@pytest.mark.parametrize("size", [20_000, 40_000])
def test_work_grows_with_the_size_only(size: int) -> None:
    begin = time.process_time()
    body = b"Action=Publish&" + b"&".join(b"MessageAttributes.entry.%d.Name=n" % n for n in range(1, size))
    answered(request(headers=FORM, body=body, service="sns"))
    answered(request("PUT", LIFECYCLE, body=b"<a>" + b"<Rule/>" * size + b"</a>", service="s3"))
    answered(request(headers=JSON, body=b'{"TableName":"t","Item":{' + b'"a":{"S":"x"},' * size + b'"b":{"S":"x"}}}'))
    assert time.process_time() - begin < 3
