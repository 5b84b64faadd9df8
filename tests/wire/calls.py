"""Requests as botocore writes them and answers as it reads them, for tests of our side."""

import copy
import random
import string
from typing import Any
from urllib.parse import quote, urlencode

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
from botocore.awsrequest import HeadersDict

from cumulo.wire.http import Headers, Request
from cumulo.wire.shapes import Member, Shape

_loader = botocore.loaders.Loader()
_models: dict[str, botocore.model.ServiceModel] = {}
PARSERS = botocore.parsers.PROTOCOL_PARSERS
SCOPE = "Credential=test/20260101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=00"


def botocore_model(service: str, protocol: str = "") -> botocore.model.ServiceModel:
    """botocore's model of a service, told to speak this protocol."""
    key = f"{service} {protocol}"
    if key not in _models:
        description = copy.deepcopy(_loader.load_service_model(service, "service-2"))
        if protocol:
            description["metadata"]["protocol"] = protocol
        _models[key] = botocore.model.ServiceModel(description, service)
    return _models[key]


def request(
    method: str = "POST",
    target: str = "/",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    *,
    service: str = "",
    host: str = "localhost:4566",
) -> Request:
    """A request, with a credential scope when a signing name is given."""
    fields = {"Host": host, **(headers or {})}
    if service:
        fields["Authorization"] = "AWS4-HMAC-SHA256 " + SCOPE.format(service)
    raw = [(name.encode(), value.encode("utf-8")) for name, value in fields.items()]
    return Request(method, target, Headers(raw), body=body)


def written(service: str, operation: str, params: dict[str, Any], protocol: str = "") -> Request:
    """The request that botocore makes of these parameters."""
    model = botocore_model(service, protocol)
    shape = model.operation_model(operation)
    spoken = model.metadata["protocol"]
    made = botocore.serialize.create_serializer(spoken, include_validation=False).serialize_to_request(params, shape)
    body = made["body"]
    if isinstance(body, dict):
        body = urlencode(body).encode()
    target = made["url_path"]
    query = made["query_string"]
    if query:
        pairs = [(k, i) for k, v in query.items() for i in (v if isinstance(v, list) else [v])]
        target += ("&" if "?" in target else "?") + urlencode(pairs, quote_via=quote)
    headers = {name: str(value) for name, value in made["headers"].items()}
    data = body.encode() if isinstance(body, str) else bytes(body)
    return request(made["method"], target, headers, data, service=model.signing_name)


def read(service: str, operation: str, response: tuple[int, list[tuple[str, str]], bytes], protocol: str = "") -> Any:
    """What botocore makes of a response."""
    model = botocore_model(service, protocol)
    parser = PARSERS[model.metadata["protocol"]](
        timestamp_parser=lambda v: botocore.utils.parse_timestamp(v).timestamp()
    )
    status, headers, body = response
    said = {"status_code": status, "headers": HeadersDict(dict(headers)), "body": body, "context": {}}
    return parser.parse(said, model.operation_model(operation).output_shape)


_TEXT = string.ascii_letters + string.digits + " -_./:+&<>\"'=%äß漢😀"
_PLAIN = string.ascii_letters + string.digits + "-_"


class Values:
    """Random values for shapes, of the kind that a valid request or answer holds."""

    def __init__(self, chance: random.Random, depth: int = 4) -> None:
        self.chance = chance
        self.depth = depth

    def structure(self, shape: Shape, depth: int = 0) -> dict[str, Any]:
        """Members by chance; the required ones always."""
        out = {}
        names = list(shape.members)
        if shape.union:
            names = [self.chance.choice(names)]
        for name in names:
            member = shape.members[name]
            # botocore's client extras make a timestamp of S3's Expires, which S3 itself keeps as the text that came
            if member.shape.eventstream or member.shape.name == "Expires":
                continue
            needed = name in shape.required or member.location == "uri" or shape.union
            if needed or (self.chance.random() < (0.5 if depth < 2 else 0.2) and depth < self.depth):
                out[name] = self.member(member, depth + 1)
        if not out and depth and shape.members:  # a form or XML cannot tell an empty structure from none
            simple = [m for m in shape.members.values() if m.shape.type not in ("structure", "list", "map")]
            member = self.chance.choice(simple or list(shape.members.values()))
            out[member.name] = self.member(member, depth + 1)
        return out

    def member(self, member: Member, depth: int) -> Any:
        """A value for a member, in the alphabet of its place."""
        if member.jsonvalue and member.location == "header":
            return {"a": [1, "b"]}
        return self.value(member.shape, depth, member.location)

    def value(self, shape: Shape, depth: int, location: str = "") -> Any:
        """A value for a shape."""
        chance = self.chance
        if shape.document:
            return {"any": [1, "thing", None, {"deep": True}]}
        if shape.type == "structure":
            return self.structure(shape, depth)
        if shape.type == "list":
            count = chance.randint(1, 3) if depth < self.depth else 1
            return [self.value(shape.member.shape, depth + 1, location) for _ in range(count)]
        if shape.type == "map":
            keys = {self.text(shape.key.shape, location or "key") for _ in range(chance.randint(1, 3))}
            return {key: self.value(shape.value.shape, depth + 1, location) for key in sorted(keys)}
        return self.scalar(shape, location)

    def scalar(self, shape: Shape, location: str) -> Any:
        """A value for a scalar shape."""
        chance = self.chance
        if shape.type == "boolean":
            return chance.random() < 0.5
        if shape.type in ("integer", "long"):
            limit = 1 << (31 if shape.type == "integer" else 63)
            return chance.choice([0, 1, -1, limit - 1, -limit, chance.randint(-limit, limit - 1)])
        if shape.type in ("float", "double", "bigdecimal"):
            return chance.choice([0.0, -1.5, 1e300, 3.14159, float(chance.randint(-9, 9))])
        if shape.type == "timestamp":
            return chance.randint(0, 4_000_000_000)
        if shape.type == "blob":
            return chance.randbytes(chance.randint(1, 20))
        return self.text(shape, location)

    def text(self, shape: Shape, location: str) -> str:
        """A text: an enum's value, or letters that its place can carry."""
        if shape.enum:
            return self.chance.choice(shape.enum)
        alphabet = _PLAIN if location in ("header", "headers", "key") else _TEXT
        text = "".join(self.chance.choice(alphabet) for _ in range(self.chance.randint(1, 12)))
        text = text.strip() or "x"
        return text.lower() if location == "headers" else text  # HTTP has no case in names
