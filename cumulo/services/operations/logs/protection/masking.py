"""Finds and masks what a policy names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from cumulo.engines.regexes import Regex, RegexError, TooCostly
from cumulo.services.operations.logs.protection.identifiers import ARN_START, MANAGED
from cumulo.services.operations.logs.protection.kinds import Identifier

CUSTOM_MOST = 10
CUSTOM_LENGTH = 200
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
# Source: CloudWatch Logs User Guide, "Custom data identifier constraints": no others, so no groups.
_CUSTOM_REGEX = re.compile(r"[a-zA-Z0-9_#=@/;, ^$?\[\]{}|\\*+.-]+")


class PolicyError(ValueError):
    """A policy that breaks a rule; its text says which."""


class Unknown(PolicyError):
    """A policy that names what AWS has and cumulo has not."""


class Finding(NamedTuple):
    """Sensitive data in a message."""

    identifier: str
    start: int
    end: int


class Protection:
    """What a policy asks for. `masks`: whether it is masked, not only counted; `reports_to`: a log group, or ""."""

    def __init__(self, name: str, identifiers: Sequence[Identifier], masks: bool, reports_to: str = "") -> None:
        self.name = name
        self.masks = masks
        self.reports_to = reports_to
        self._identifiers = identifiers

    @property
    def custom(self) -> list[tuple[str, Regex]]:
        """Names and expressions of what is not managed."""
        return [(each.name, each.form) for each in self._identifiers if isinstance(each.form, Regex)]

    def find(self, message: str) -> list[Finding]:
        """All sensitive data in a message."""
        found = []
        for identifier in self._identifiers:
            words = identifier.words
            if words is not None and not words.may_be_in(message):
                continue
            for start, end in _places(identifier.form, message):
                if identifier.check is not None and not identifier.check(message[start:end]):
                    continue
                if words is None or words.near(message, start, end):
                    found.append(Finding(identifier.name, start, end))
        return found

    def masked(self, message: str) -> str:
        """The message with asterisks in place of what is sensitive."""
        found = self.find(message) if self.masks else []
        if not found:
            return message
        characters = list(message)
        for finding in found:
            characters[finding.start : finding.end] = "*" * (finding.end - finding.start)
        return "".join(characters)


def _places(form: re.Pattern[str] | Regex, message: str) -> Iterator[tuple[int, int]]:
    """Where data of a form is. What would take too long to look at counts as such data, so that it is masked."""
    last = 0
    try:
        for start, end in form.spans(message) if isinstance(form, Regex) else map(_span, form.finditer(message)):
            if end > start:
                yield start, end
            last = end
    except TooCostly:
        yield last, len(message)


def _span(found: re.Match[str]) -> tuple[int, int]:
    return found.span()


def check(document: str) -> Protection:
    """A policy that is new. Those that are kept may be of a time when fewer rules were known."""
    protection = read(document)
    for name, form in protection.custom:
        if name in MANAGED or not _CUSTOM_REGEX.fullmatch(form.source):
            raise PolicyError(f"The custom data identifier {name} is not valid.")
    return protection


@lru_cache(maxsize=256)
def read(document: str) -> Protection:
    """A policy. Raises PolicyError. Source: API reference, PutDataProtectionPolicy."""
    try:
        policy = msgspec.json.decode(document, type=_Policy)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(f"The policy document is not valid: {error}") from None
    audit = [each for each in policy.statements if each.operation.audit is not None]
    mask = [each for each in policy.statements if each.operation.deidentify is not None]
    if len(policy.statements) != 2 or len(audit) != 1 or len(mask) != 1:
        raise PolicyError("The policy document must have one Audit and one Deidentify statement.")
    if audit[0].identifiers != mask[0].identifiers:
        raise PolicyError("The data identifiers of the Audit and Deidentify statements must be the same.")
    if (mask[0].operation.deidentify or {}).get("MaskConfig") != {}:
        raise PolicyError("The Deidentify operation must have an empty MaskConfig.")
    destination = (audit[0].operation.audit or {}).get("FindingsDestination")
    if not isinstance(destination, dict):
        raise PolicyError("The Audit operation must have a FindingsDestination.")
    custom = {each.name: each for each in policy.configuration.custom}
    identifiers = [_identifier(each, custom) for each in audit[0].identifiers]
    return Protection(policy.name, identifiers, True, _reports_to(destination))


def _reports_to(destination: dict[str, object]) -> str:
    """The log group that findings are reported to, "" for none."""
    for kind in destination:
        if kind in ("Firehose", "S3"):
            raise Unknown(f"FindingsDestination {kind}")
        if kind != "CloudWatchLogs":
            raise PolicyError(f"The FindingsDestination {kind} is not valid.")
    options = destination.get("CloudWatchLogs")
    if options is None:
        return ""
    group = options.get("LogGroup") if isinstance(options, dict) else None
    if not isinstance(group, str) or not group:
        raise PolicyError("The FindingsDestination CloudWatchLogs must have a LogGroup.")
    return group


class _Custom(msgspec.Struct):
    name: str = msgspec.field(name="Name")
    regex: str = msgspec.field(name="Regex")


class _Configuration(msgspec.Struct):
    custom: list[_Custom] = msgspec.field(name="CustomDataIdentifier", default_factory=list)


class _Operation(msgspec.Struct):
    audit: dict[str, dict[str, object]] | None = msgspec.field(name="Audit", default=None)
    deidentify: dict[str, dict[str, object]] | None = msgspec.field(name="Deidentify", default=None)


class _Statement(msgspec.Struct):
    identifiers: list[str] = msgspec.field(name="DataIdentifier")
    operation: _Operation = msgspec.field(name="Operation")
    sid: str = msgspec.field(name="Sid", default="")


class _Policy(msgspec.Struct):
    statements: list[_Statement] = msgspec.field(name="Statement")
    name: str = msgspec.field(name="Name", default="")
    description: str = msgspec.field(name="Description", default="")
    version: str = msgspec.field(name="Version", default="")
    configuration: _Configuration = msgspec.field(name="Configuration", default_factory=_Configuration)


def _identifier(text: str, custom: dict[str, _Custom]) -> Identifier:
    if text in custom:
        regex = custom[text].regex
        if len(custom) > CUSTOM_MOST or not _NAME.fullmatch(text) or not 0 < len(regex) <= CUSTOM_LENGTH:
            raise PolicyError(f"The custom data identifier {text} is not valid.")
        try:
            return Identifier(text, Regex(regex))
        except RegexError:
            raise PolicyError(f"The regular expression of the custom data identifier {text} is not valid.") from None
    _, found, name = text.partition(ARN_START)
    if not text.startswith("arn:") or not found or ":dataprotection:" not in text:
        raise PolicyError(f"The data identifier {text} is not valid.")
    if name not in MANAGED:
        raise Unknown(f"the data identifier {name}")
    return MANAGED[name]
