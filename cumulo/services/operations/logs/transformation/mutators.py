"""Processors that change a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from cumulo.engines.regexes import Groups, Regex, RegexError
from cumulo.services.operations.logs.transformation import dates, paths
from cumulo.services.operations.logs.transformation.paths import MISSING, Document

_REFERENCE = re.compile(r"\$\{([^}]+)\}")


def add_keys(document: Document, options: dict[str, Any]) -> None:
    """addKeys; "${key}" in a value stands for another field."""
    for entry in options["entries"]:
        value = _REFERENCE.sub(lambda found: _text(paths.get(document, found[1])), entry["value"])
        paths.put(document, entry["key"], value, overwrite=bool(entry.get("overwriteIfExists")))


def _text(value: Any) -> str:
    return "" if value is MISSING else str(value)


def delete_keys(document: Document, options: dict[str, Any]) -> None:
    """deleteKeys."""
    for key in options["withKeys"]:
        paths.drop(document, key)


def _transferred(document: Document, entry: dict[str, Any], source: str, target: str, *, moved: bool) -> None:
    value = paths.get(document, entry[source])
    overwrite = bool(entry.get("overwriteIfExists"))
    if value is MISSING or (not overwrite and paths.get(document, entry[target]) is not MISSING):
        return
    if moved:
        paths.drop(document, entry[source])
    paths.put(document, entry[target], value)


def move_keys(document: Document, options: dict[str, Any]) -> None:
    """moveKeys: under the target, by the last part of the source's name."""
    for entry in options["entries"]:
        value = paths.get(document, entry["source"])
        name = entry["source"].rpartition(".")[2]
        target = f"{entry['target']}.{name}"
        overwrite = bool(entry.get("overwriteIfExists"))
        if value is not MISSING and (overwrite or paths.get(document, target) is MISSING):
            paths.drop(document, entry["source"])
            paths.put(document, target, value)


def rename_keys(document: Document, options: dict[str, Any]) -> None:
    """renameKeys."""
    for entry in options["entries"]:
        _transferred(document, entry, "key", "renameTo", moved=True)


def copy_value(document: Document, options: dict[str, Any]) -> None:
    """copyValue."""
    for entry in options["entries"]:
        _transferred(document, entry, "source", "target", moved=False)


def list_to_map(document: Document, options: dict[str, Any]) -> None:
    """listToMap."""
    items = paths.get(document, options["source"])
    if not isinstance(items, list):
        return
    found: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict) or options["key"] not in item:
            continue
        value = item.get(options["valueKey"]) if options.get("valueKey") else item
        found.setdefault(str(item[options["key"]]), []).append(value)
    if options.get("flatten"):
        index = -1 if options.get("flattenedElement") == "last" else 0
        found = {key: values[index] for key, values in found.items()}
    paths.merge(document, options.get("target"), found)


def _of_texts(change: Callable[[str], Any]) -> Callable[[Document, dict[str, Any]], None]:
    def process(document: Document, options: dict[str, Any]) -> None:
        for key in options["withKeys"]:
            value = paths.get(document, key)
            if isinstance(value, str):
                paths.put(document, key, change(value))

    return process


lower_case_string = _of_texts(str.lower)
upper_case_string = _of_texts(str.upper)
trim_string = _of_texts(str.strip)


def split_string(document: Document, options: dict[str, Any]) -> None:
    """splitString."""
    for entry in options["entries"]:
        value = paths.get(document, entry["source"])
        if isinstance(value, str):
            paths.put(document, entry["source"], value.split(entry["delimiter"]))


_GROUP = re.compile(r"\$(\d+|\{\w+\})")


def substitute_string(document: Document, options: dict[str, Any]) -> None:
    """substituteString, in the way of Java: $1 and ${name} stand for groups."""
    for entry in options["entries"]:
        value = paths.get(document, entry["source"])
        if isinstance(value, str):
            expression, parts = read_substitution(entry["from"], entry["to"])
            paths.put(document, entry["source"], expression.replaced(value, partial(_filled, parts)))


def _filled(parts: Sequence[str | int], groups: Groups) -> str:
    return "".join([each if isinstance(each, str) else groups[each] or "" for each in parts])


@lru_cache(maxsize=256)
def read_substitution(source: str, replacement: str) -> tuple[Regex, list[str | int]]:
    """The expression of an entry, and its replacement: texts, and the numbers of groups. Raises RegexError."""
    expression = Regex(source, java=True)
    parts: list[str | int] = []
    passed = 0
    for found in _GROUP.finditer(replacement):
        name, end = found[1].strip("{}"), found.end()
        if not name.isdigit():
            number = expression.names.get(name, -1)
        else:
            while int(name) > expression.groups and len(name) > 1:  # "$12" is the first group and a 2 where it is none
                name, end = name[:-1], end - 1
            number = int(name)
        if not 0 <= number <= expression.groups:
            raise RegexError(f"there is no group {name}")
        parts += (replacement[passed : found.start()], number)
        passed = end
    return expression, [*parts, replacement[passed:]]


_CASTS: dict[str, Callable[[Any], Any]] = {
    "integer": lambda value: int(float(value)),
    "double": float,
    "string": lambda value: ("true" if value else "false") if isinstance(value, bool) else str(value),
    "boolean": lambda value: value if isinstance(value, bool) else str(value).lower() == "true",
}


def type_converter(document: Document, options: dict[str, Any]) -> None:
    """typeConverter; what cannot be converted stays."""
    for entry in options["entries"]:
        value = paths.get(document, entry["key"])
        if value is MISSING or isinstance(value, dict | list) or value is None:
            continue
        try:
            paths.put(document, entry["key"], _CASTS[entry["type"]](value))
        except (ValueError, OverflowError):
            continue


def date_time_converter(document: Document, options: dict[str, Any]) -> None:
    """dateTimeConverter: the first pattern that fits."""
    value = paths.get(document, options["source"])
    if value is MISSING:
        return
    source = dates.zone_of(options.get("sourceTimezone") or "UTC")
    target = dates.zone_of(options.get("targetTimezone") or "UTC")
    for pattern in options["matchPatterns"]:
        moment = dates.parse(str(value), pattern, source)
        if moment is not None:
            paths.put(
                document, options["target"], dates.write(moment, options.get("targetFormat") or dates.DEFAULT, target)
            )
            return
