"""Templates of documents: "@{name}" in their texts stands for a parameter's values. No AWS calls here.

Source: RoleTemplateVersion (API Reference): "The pattern can include @{parameter} placeholders". Values take the place
of placeholders in the document's texts, not in its JSON, so no value can become more than a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulo.services.identity.iam.errors import INVALID_INPUT

_PLACEHOLDER = re.compile(r"@\{([^{}]+)\}")

Values = Mapping[str, list[str]]


def filled(document: Any, values: Values) -> Any:
    """The document with its placeholders filled. InvalidInput for one without a value, or with several in a text.

    A text that is nothing but a placeholder becomes the list of its values when there are several.
    """
    if isinstance(document, str):
        return _text(document, values)
    if isinstance(document, list):
        out: list[Any] = []
        for item in document:
            found = filled(item, values)
            if isinstance(item, str) and isinstance(found, list):
                out += found
            else:
                out.append(found)
        return out
    if isinstance(document, dict):
        return {key: filled(value, values) for key, value in document.items()}
    return document


def filled_text(pattern: str, values: Values) -> str:
    """A pattern that can only be one text."""
    return _PLACEHOLDER.sub(lambda match: _one(match.group(1), values), pattern)


def _text(text: str, values: Values) -> Any:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole is not None and len(values.get(whole.group(1), ())) > 1:
        return list(values[whole.group(1)])
    return filled_text(text, values)


def _one(name: str, values: Values) -> str:
    found = values.get(name)
    if not found:
        raise INVALID_INPUT(f"No value is given for the parameter {name}.")
    if len(found) > 1:
        raise INVALID_INPUT(f"The parameter {name} takes one value here.")
    return found[0]
