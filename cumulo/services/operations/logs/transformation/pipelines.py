"""A transformer: its processors checked, and applied to messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec

from cumulo.engines import regexes
from cumulo.services.operations.logs.transformation import dates, grok, mutators, parsers
from cumulo.services.operations.logs.transformation.parsers import MESSAGE, NotParsed
from cumulo.services.operations.logs.transformation.paths import DEPTH

Processor = Callable[[dict[str, Any], dict[str, Any]], None]

PARSERS: dict[str, Processor] = {
    "parseJSON": parsers.parse_json,
    "grok": parsers.parse_grok,
    "parseKeyValue": parsers.parse_key_value,
    "csv": parsers.parse_csv,
}
VENDED: dict[str, Processor] = {
    "parseVPC": parsers.parse_vpc,
    "parseCloudfront": parsers.parse_cloudfront,
    "parseRoute53": parsers.parse_route53,
    "parseWAF": parsers.parse_waf,
    "parsePostgres": parsers.parse_postgres,
}
MUTATORS: dict[str, Processor] = {
    "addKeys": mutators.add_keys,
    "deleteKeys": mutators.delete_keys,
    "moveKeys": mutators.move_keys,
    "renameKeys": mutators.rename_keys,
    "copyValue": mutators.copy_value,
    "listToMap": mutators.list_to_map,
    "lowerCaseString": mutators.lower_case_string,
    "upperCaseString": mutators.upper_case_string,
    "trimString": mutators.trim_string,
    "splitString": mutators.split_string,
    "substituteString": mutators.substitute_string,
    "typeConverter": mutators.type_converter,
    "dateTimeConverter": mutators.date_time_converter,
}
KNOWN = {**PARSERS, **VENDED, **MUTATORS}
UNKNOWN = ("parseToOCSF",)
_MOST, _MOST_PARSERS = 20, 5
_ONCE = ("grok", "addKeys", "copyValue")
METADATA = ("@logGroupName", "@logGroupStream", "@accountId", "@regionName")
_encode = msgspec.json.Encoder().encode


class TransformerError(ValueError):
    """A transformer that breaks a rule; its text says which."""


class Unsupported(TransformerError):
    """A processor, or something in one, that AWS has and cumulo has not."""


class Pipeline:
    """A transformer's processors in their order. Raises TransformerError."""

    def __init__(self, config: Sequence[Mapping[str, Any]]) -> None:
        self._steps = [_step(entry) for entry in config]
        names = [name for name, _ in self._steps]
        if not 0 < len(names) <= _MOST:
            raise TransformerError(f"A transformer has 1 to {_MOST} processors.")
        parsing = [name for name in names if name in PARSERS or name in VENDED]
        if not parsing or parsing[0] != names[0]:
            raise TransformerError("The first processor of a transformer must be a parser.")
        if len(parsing) > _MOST_PARSERS:
            raise TransformerError(f"A transformer has at most {_MOST_PARSERS} parsers.")
        if any(name in VENDED for name in names[1:]):
            raise TransformerError("A parser of logs of AWS must be the first processor, and the only one of its kind.")
        for name in _ONCE:
            if names.count(name) > 1:
                raise TransformerError(f"A transformer has at most one {name} processor.")

    def transform(self, message: str, metadata: Mapping[str, str]) -> str | None:
        """The transformed message; None for one that its parser cannot read."""
        document: dict[str, Any] = {MESSAGE: message, **metadata}
        try:
            for name, options in self._steps:
                KNOWN[name](document, options)
        except (NotParsed, dates.DateError, TypeError, regexes.TooCostly):
            return None
        for key in (MESSAGE, *metadata):
            document.pop(key, None)
        return _encode(document).decode()


def _step(entry: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if len(entry) != 1:
        raise TransformerError("Each element of a transformer must be exactly one processor.")
    ((name, options),) = entry.items()
    if name in UNKNOWN:
        raise Unsupported(f"the processor {name}")
    if name not in KNOWN:
        raise TransformerError(f"{name} is not a processor.")
    options = dict(options)
    if name in VENDED and options.get("source", MESSAGE) != MESSAGE:
        raise TransformerError(f"The source of {name} must be {MESSAGE}.")
    for member in ("source", "destination", "target"):
        if str(options.get(member) or "").count(".") >= DEPTH:
            raise TransformerError(f"The {member} of {name} is nested more than {DEPTH} levels deep.")
    try:
        if name == "grok":
            grok.read(options["match"])
        elif name == "substituteString":
            for each in options["entries"]:
                mutators.read_substitution(each["from"], each["to"])
        elif name == "dateTimeConverter":
            for member in ("sourceTimezone", "targetTimezone"):
                dates.zone_of(options.get(member) or "UTC")
            for pattern in options["matchPatterns"]:
                dates.parse("", pattern, UTC)
        elif name == "listToMap" and options.get("flatten") and not options.get("flattenedElement"):
            raise TransformerError("flattenedElement must be given where flatten is true.")
    except regexes.Unsupported as error:
        raise Unsupported(f"{error} of {name}") from None
    except (grok.GrokError, dates.DateError, regexes.RegexError) as error:
        raise TransformerError(f"{name}: {error}") from None
    return name, options
