"""The wire protocols of AWS, one module each: parser, answerer and fail. A module is imported when first spoken."""

from importlib import import_module
from types import ModuleType

_MODULES = {
    "json": "json",
    "query": "query",
    "ec2": "ec2",
    "rest-json": "rest_json",
    "rest-xml": "rest_xml",
    "smithy-rpc-v2-cbor": "cbor",
}
_loaded: dict[str, ModuleType] = {}


def protocol(name: str) -> ModuleType:
    """The module of a protocol by botocore's name. Raises KeyError."""
    module = _loaded.get(name)
    if module is None:
        module = _loaded[name] = import_module(f"cumulo.wire.protocols.{_MODULES[name]}")
    return module
