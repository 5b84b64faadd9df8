"""What functions return for ListObjects and ListObjectsV2: S3's XML as it goes out, or the same as JSON.

Source: S3 User Guide, "Writing Lambda functions for S3 Object Lambda Access Points", "Working with ListObjects requests
in Lambda": `listResultXml`, which is not looked at further, or `listBucketResult`, of which some members are required.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.written import Written
from cumulo.services.storage.s3.errors import LAMBDA_INVALID_RESPONSE

if TYPE_CHECKING:
    from cumulo.core.context import Context

_OPENING = re.compile(r"<ListBucketResult(?:\s[^<>]*|/)?>")
_CLOSING = "</ListBucketResult"
_REQUIRED = ("name", "maxKeys", "isTruncated")
_REQUIRED_OF_OBJECTS = ("key", "lastModified", "size")
_TEXTS = (
    "name", "prefix", "marker", "nextMarker", "delimiter", "encodingType", "continuationToken",
    "nextContinuationToken", "startAfter",
)  # fmt: skip
_NUMBERS = ("maxKeys", "keyCount")


def answer(ctx: Context, said: dict[str, Any]) -> dict[str, Any]:
    """The operation's answer. Raises LambdaInvalidResponse."""
    xml, result = said.get("listResultXml"), said.get("listBucketResult")
    if (xml is None) == (result is None):
        raise LAMBDA_INVALID_RESPONSE("The Lambda function must return either listResultXml or listBucketResult")
    if xml is not None:
        return {"Contents": Written(_inside(xml))}
    shape = ctx.handler.model.output if ctx.handler is not None else None
    try:
        found = _of_json(result, second=ctx.operation == "ListObjectsV2")
        return {name: value for name, value in found.items() if shape is not None and name in shape.members}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise LAMBDA_INVALID_RESPONSE("The Lambda function returned an invalid listBucketResult") from None


def _inside(xml: Any) -> str:
    """What is in the document's one element: all of an answer's elements are written one after the other."""
    text = xml.rstrip() if isinstance(xml, str) else ""
    opening = _OPENING.search(text)
    if opening is not None and text.endswith(">"):
        if opening[0].endswith("/>"):
            if opening.end() == len(text):
                return ""
        elif (inner := text[opening.end() : -1].rstrip()).endswith(_CLOSING):
            return inner.removesuffix(_CLOSING)
    raise LAMBDA_INVALID_RESPONSE("The Lambda function returned an invalid listResultXml")


def _of_json(result: Any, *, second: bool) -> dict[str, Any]:
    for name in (*_REQUIRED, *(("keyCount",) if second else ())):
        if result.get(name) is None:
            raise KeyError(name)
    found: dict[str, Any] = {_member(name): str(result[name]) for name in _TEXTS if result.get(name) is not None}
    found |= {_member(name): int(result[name]) for name in _NUMBERS if result.get(name) is not None}
    found["IsTruncated"] = bool(result["isTruncated"])
    if result.get("contents"):
        found["Contents"] = [_object(each) for each in result["contents"]]
    if result.get("commonPrefixes"):
        found["CommonPrefixes"] = [{"Prefix": str(each["prefix"])} for each in result["commonPrefixes"]]
    return found


def _member(name: str) -> str:
    return name[0].upper() + name[1:]


def _object(said: Any) -> dict[str, Any]:
    for name in _REQUIRED_OF_OBJECTS:
        if said.get(name) is None:
            raise KeyError(name)
    entry: dict[str, Any] = {
        "Key": str(said["key"]),
        "LastModified": datetime.fromisoformat(said["lastModified"]).timestamp(),
        "Size": int(said["size"]),
    }
    for name in ("eTag", "storageClass"):
        if said.get(name) is not None:
            entry[_member(name)] = str(said[name])
    if said.get("checksumAlgorithm"):
        entry["ChecksumAlgorithm"] = [str(said["checksumAlgorithm"])]
    if said.get("owner"):
        entry["Owner"] = {"DisplayName": str(said["owner"]["displayName"]), "ID": str(said["owner"]["id"])}
    return entry


def error_in(xml: Any) -> tuple[str, str]:
    """Code and message of an Error document, "" each where it is none."""
    text = xml if isinstance(xml, str) else ""
    found = [re.search(f"<{name}>([^<]*)</{name}>", text) for name in ("Code", "Message")]
    code, message = (html.unescape(each[1]) if each is not None else "" for each in found)
    return code, message
