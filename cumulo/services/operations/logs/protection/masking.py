"""Finds and masks what a policy names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from cumulo.services.operations.logs.protection.identifiers import ARN_START, MANAGED
from cumulo.services.operations.logs.protection.kinds import NEAR, Identifier

CUSTOM_MOST = 10
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_CUSTOM_REGEX = re.compile(r"[\x20-\x7e]{1,200}")


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
    """What a policy asks for. `masks`: whether it is masked, not only counted."""

    def __init__(self, name: str, identifiers: Sequence[Identifier], masks: bool) -> None:
        self.name = name
        self.masks = masks
        self._identifiers = identifiers

    def find(self, message: str) -> list[Finding]:
        """All sensitive data in a message."""
        found = []
        for identifier in self._identifiers:
            words = identifier.words
            if words is not None and words.search(message) is None:
                continue
            for match in identifier.form.finditer(message):
                start, end = match.span()
                if identifier.check is not None and not identifier.check(match[0]):
                    continue
                if words is not None and words.search(message, max(start - NEAR, 0), end + NEAR) is None:
                    continue
                if end > start:
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
    if destination:
        raise Unknown("FindingsDestination with destinations")
    custom = {each.name: each for each in policy.configuration.custom}
    return Protection(policy.name, [_identifier(each, custom) for each in audit[0].identifiers], True)


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
        if len(custom) > CUSTOM_MOST or not _NAME.fullmatch(text) or not _CUSTOM_REGEX.fullmatch(regex):
            raise PolicyError(f"The custom data identifier {text} is not valid.")
        try:
            return Identifier(text, re.compile(regex))
        except re.error:
            raise PolicyError(f"The regular expression of the custom data identifier {text} is not valid.") from None
    _, found, name = text.partition(ARN_START)
    if not text.startswith("arn:") or not found or ":dataprotection:" not in text:
        raise PolicyError(f"The data identifier {text} is not valid.")
    if name not in MANAGED:
        raise Unknown(f"the data identifier {name}")
    return MANAGED[name]
