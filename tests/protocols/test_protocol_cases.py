"""botocore's protocol cases read backwards: its expected requests are our input, its results our output.

An input case holds when our parser makes of the expected request the parameters that botocore was given. An output
case holds when botocore's parser makes of our answer the expected result, and our body says the same as the expected
one. A case that does not hold is listed in `exceptions.json` with the reason, and must go on not holding.
"""

import base64
import json
import math
import xml.etree.ElementTree as ET
from typing import Any

import botocore.model
import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream
from botocore.utils import parse_timestamp

from cumulo.wire import eventstream
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from cumulo.wire.paths import Paths
from cumulo.wire.protocols import cbor_items
from cumulo.wire.routing import Route
from cumulo.wire.shapes import Member, Shape
from tests.protocols.cases import CASES, TROUBLE, Case, exceptions

REASONS = exceptions()


def test_the_cases_are_there() -> None:
    assert not TROUBLE, TROUBLE
    assert len(CASES) > 700


def test_every_exception_names_a_case_and_a_reason() -> None:
    known = {case.id for case in CASES}
    assert not TROUBLE, TROUBLE
    assert [name for name in REASONS if name not in known] == []
    assert all(len(reason) > 10 for reason in REASONS.values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case) -> None:
    reason = REASONS.get(case.id)
    if reason is None:
        _run(case)
        return
    with pytest.raises((AssertionError, Fault, botocore.parsers.ResponseParserError)):
        _run(case)
        pytest.fail(f"holds now: take it out of exceptions.json ({reason})", pytrace=False)


def _run(case: Case) -> None:
    if case.id.startswith("input/"):
        _run_input(case)
    elif "error" in case.case:
        _run_error(case)
    else:
        _run_output(case)


# ---- input


def _request(case: Case) -> Request:
    said = case.case["serialized"]
    body = said.get("body", "")
    data = base64.b64decode(body) if case.suite["metadata"]["protocol"] == "smithy-rpc-v2-cbor" else body.encode()
    headers = {"Host": said.get("host", "localhost:4566"), **said.get("headers", {})}
    raw = [(name.encode(), str(value).encode()) for name, value in headers.items()]
    return Request(said.get("method", "POST"), said.get("uri", "/"), Headers(raw), body=data)


def _run_input(case: Case) -> None:
    service = case.service()
    operation = service.operations[case.name]
    request = _request(case)
    labels: dict[str, str] = {}
    protocol = case.suite["metadata"]["protocol"]
    if protocol.startswith("rest-"):
        match = Paths(service).match(request.method, request.path, request.query, request.headers)
        assert match is not None, "no route"
        labels = match.labels
    parsed = Route(request, operation, protocol, "us-east-1", labels).parse()
    expected = _ours(operation.input, case.case["params"]) if operation.input is not None else {}
    assert _plain(parsed) == _plain(expected)


def _ours(shape: Shape, value: Any) -> Any:
    """A value of a case in the form that our parsers give."""
    if shape.document or value is None:
        return value
    if shape.type == "structure":
        members = ((name, shape.members.get(name), item) for name, item in value.items())
        return {name: _ours_member(member, item) for name, member, item in members if member is not None}
    if shape.type == "list":
        return [_ours_member(shape.member, item) for item in value]
    if shape.type == "map":
        return {key: _ours_member(shape.value, item) for key, item in value.items()}
    if shape.type == "blob":
        return value.encode() if isinstance(value, str) else value
    if shape.type in ("float", "double") and isinstance(value, str):
        return float(value.replace("Infinity", "inf"))
    return value


def _ours_member(member: Member, value: Any) -> Any:
    in_header = member.jsonvalue and member.location == "header" and isinstance(value, str)
    return json.loads(value) if in_header else _ours(member.shape, value)


def _plain(value: Any) -> Any:
    """The same value, comparable: NaN equals itself, a null member is none, a blob is text."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


# ---- output


PARSERS = {
    "ec2": botocore.parsers.EC2QueryParser,
    "query": botocore.parsers.QueryParser,
    "json": botocore.parsers.JSONParser,
    "rest-json": botocore.parsers.RestJSONParser,
    "rest-xml": botocore.parsers.RestXMLParser,
    "smithy-rpc-v2-cbor": botocore.parsers.RpcV2CBORParser,
}


def _models(case: Case) -> tuple[botocore.model.ServiceModel, botocore.model.OperationModel, Any]:
    description = {**case.suite, "operations": {case.name: case.case}}
    model = botocore.model.ServiceModel(json.loads(json.dumps(description)))
    operation = botocore.model.OperationModel(case.case["given"], model)
    parser = PARSERS[model.metadata["protocol"]](timestamp_parser=lambda value: parse_timestamp(value).timestamp())
    return model, operation, parser


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Any:
        yield self._data


def _run_output(case: Case) -> None:
    service = case.service()
    operation = service.operations[case.name]
    protocol = case.suite["metadata"]["protocol"]
    given = _ours(operation.output, case.case["result"]) if operation.output is not None else {}
    route = Route(Request("POST", "/", Headers([])), operation, protocol, "us-east-1", {})
    stream = operation.eventstream_output
    said = {name.lower(): value for name, value in case.case["response"].get("headers", {}).items()}
    status, headers, body = route.answer(given, said.get("x-amzn-requestid", "request-1"))
    if stream is not None:
        encode = eventstream.event_encoder(operation, protocol)
        if protocol in ("json", "smithy-rpc-v2-cbor"):
            body += eventstream.initial_response(operation, protocol, given)
        body += b"".join(encode(event) for event in given.get(stream.name, ()))
    assert status == case.case["response"].get("status_code", status)
    _check_headers(case, headers)
    _, model, parser = _models(case)
    shape = model.output_shape
    if protocol == "query" and shape is not None and shape.members:
        shape.serialization["resultWrapper"] = f"{case.name}Result"
    response = {
        "status_code": status,
        "headers": HeadersDict(dict(headers)),
        "body": _Body(body) if stream is not None else body,
        "context": {"operation_name": case.name},
    }
    parsed = parser.parse(response, shape)
    parsed.pop("ResponseMetadata", None)
    assert _plain(_events(parsed)) == _plain(_read_back(model.output_shape, case.case["result"]))
    if stream is None and case.case["response"].get("body"):
        _check_body(case, protocol, body)


def _events(parsed: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, EventStream) else value for name, value in parsed.items()}


def _read_back(shape: Any, value: Any) -> Any:
    """A value of a case in the form that botocore's parsers give."""
    if shape is None or value is None or getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure":
        return {name: _read_back(shape.members[name], item) for name, item in value.items() if name in shape.members}
    if shape.type_name == "list":
        return [_read_back(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: _read_back(shape.value, item) for key, item in value.items()}
    return json.loads(value) if shape.serialization.get("jsonvalue") and isinstance(value, str) else value


def _check_headers(case: Case, headers: list[tuple[str, str]]) -> None:
    ours = {name.lower(): value for name, value in headers}
    for name, value in case.case["response"].get("headers", {}).items():
        if name.lower() in ("content-length", "content-type"):
            continue
        assert ours.get(name.lower()) == value, name


def _check_body(case: Case, protocol: str, body: bytes) -> None:
    expected = case.case["response"].get("body", "")
    if protocol == "smithy-rpc-v2-cbor":
        assert _plain(cbor_items.decode(body)) == _plain(cbor_items.decode(base64.b64decode(expected)))
    elif protocol in ("json", "rest-json"):
        assert _plain(_json(body)) == _plain(_json(expected.encode()))
    else:
        assert _leaves(body, protocol) == _leaves(expected.encode(), protocol)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return body


def _leaves(body: bytes, protocol: str) -> Any:
    """An XML body as nested (name, attributes, text, children), without request ids and root names."""
    try:
        root = ET.fromstring(body) if body else ET.Element("none")
    except ET.ParseError:
        return body
    hidden = ("ResponseMetadata", "requestId", "RequestId", "return")

    def tree(element: ET.Element) -> Any:
        children = [tree(child) for child in element if child.tag.rpartition("}")[2] not in hidden]
        text = (element.text or "").strip() if not children else ""
        return element.tag.rpartition("}")[2], dict(element.attrib), text, sorted(children, key=repr)

    return tree(root)[1:]


# ---- errors


def _run_error(case: Case) -> None:
    service = case.service()
    protocol = case.suite["metadata"]["protocol"]
    members = dict(case.case["error"])
    (reference,) = case.case["given"]["errors"]
    error = service.errors[reference["shape"]]
    message = case.case.get("errorMessage", "") or members.get("message", members.get("Message", ""))
    members = _ours(error.shape, members)
    fault = Fault(error.name, message, members={k: v for k, v in members.items() if k.lower() != "message"})
    route = Route(Request("POST", "/", Headers([])), service.operations[case.name], protocol, "us-east-1", {})
    status, headers, body = route.fault(fault, "request-1")
    assert status == case.case["response"]["status_code"]
    said = {name.lower(): value for name, value in headers}
    for name, value in case.case["response"].get("headers", {}).items():
        if name.lower() == "x-amzn-query-error":
            assert said[name.lower()] == value
    model, operation, parser = _models(case)
    response = {"status_code": status, "headers": HeadersDict(dict(headers)), "body": body, "context": {}}
    parsed = parser.parse(response, operation.output_shape)
    assert parsed["Error"]["Code"] == case.case.get("errorCode", "")
    assert (parsed["Error"].get("Message") or "") == message
    shape = model.shape_for_error_code(parsed["Error"]["Code"]) or model.shape_for(error.name)
    again = parser.parse(response, shape)
    for name, value in case.case["error"].items():
        assert again[name] == value
