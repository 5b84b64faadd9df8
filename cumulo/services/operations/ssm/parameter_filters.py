"""Filters of DescribeParameters and GetParametersByPath. Pure.

Source: Systems Manager API Reference, ParameterStringFilter and ParametersFilter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.services.operations.ssm import parameter_names
from cumulo.services.operations.ssm.errors import (
    INVALID_FILTER_KEY,
    INVALID_FILTER_OPTION,
    INVALID_FILTER_VALUE,
    VALIDATION,
)

if TYPE_CHECKING:
    from cumulo.services.operations.ssm.parameter_records import Parameter, Version

_OPTIONS = {
    "Name": ("BeginsWith", "Equals", "Contains"),
    "Path": ("Recursive", "OneLevel"),
    "Label": ("Equals",),
    "Tier": ("Equals",),
    "DataType": ("Equals",),
}
_DEFAULT_OPTIONS = ("BeginsWith", "Equals")
_TYPES = ("String", "StringList", "SecureString")
_TIERS = ("Standard", "Advanced", "Intelligent-Tiering")
_FOR_DESCRIPTIONS = ("Path", "Name", "Type", "KeyId", "Tier", "Label", "DataType")
_FOR_PATHS = ("Type", "KeyId", "Label")


class Filter(NamedTuple):
    """One condition: a parameter passes when one of the values fits."""

    key: str
    option: str
    values: tuple[str, ...]

    def accepts(self, parameter: Parameter, version: Version) -> bool:
        """Whether the parameter, in this version, passes."""
        if self.key == "Label":
            return any(label in parameter.labels for label in self.values)
        if self.key == "Path":
            recursive = self.option == "Recursive"
            paths = [value.removesuffix("/") for value in self.values]
            return any(parameter_names.under(parameter.name, path, recursive=recursive) for path in paths)
        if self.key.startswith("tag:"):
            text = parameter.tags.get(self.key.removeprefix("tag:"))
            if text is not None and not self.values:
                return True
        else:
            text = {
                "Name": parameter.name,
                "Type": version.type,
                "KeyId": version.key_id,
                "Tier": version.tier,
                "DataType": version.data_type,
            }[self.key]
        return text is not None and any(self._fits(text, value) for value in self.values)

    def _fits(self, text: str, value: str) -> bool:
        if self.option == "BeginsWith":
            return text.startswith(value)
        return value in text if self.option == "Contains" else text == value


def for_descriptions(request: Any) -> list[Filter]:
    """The filters of a DescribeParameters, in either form."""
    if request.get("Filters") and request.get("ParameterFilters"):
        raise VALIDATION("You can use either Filters or ParameterFilters in a single request.")
    if request.get("Filters"):
        return [Filter(each["Key"], "BeginsWith", tuple(each["Values"])) for each in request["Filters"]]
    return _filters(request.get("ParameterFilters", []), _FOR_DESCRIPTIONS, tags=True)


def for_paths(written: list[Any]) -> list[Filter]:
    """The filters of a GetParametersByPath."""
    return _filters(written, _FOR_PATHS, tags=False)


def _filters(written: list[Any], keys: tuple[str, ...], *, tags: bool) -> list[Filter]:
    found = [_filter(each, keys, tags=tags) for each in written]
    seen: set[str] = set()
    for each in found:
        if each.key in seen:
            raise INVALID_FILTER_KEY(
                f"The following filter is duplicated in the request: {each.key}. "
                "A request can contain only one occurrence of a specific filter."
            )
        seen.add(each.key)
    return found


def _filter(written: Any, keys: tuple[str, ...], *, tags: bool) -> Filter:
    key = written["Key"]
    tagged = key.startswith("tag:") and tags
    if key not in keys and not tagged:
        raise INVALID_FILTER_KEY(
            f"The following filter key is not valid: {key}. Valid filter keys include: [{', '.join(keys)}]"
        )
    options = ("Equals",) if tagged else _OPTIONS.get(key, _DEFAULT_OPTIONS)
    option = written.get("Option") or ("OneLevel" if key == "Path" else "Equals")
    if option not in options:
        raise INVALID_FILTER_OPTION(
            f"The following filter option is not valid: {option}. Valid options include: [{', '.join(options)}]"
        )
    values = tuple(written.get("Values") or ())
    if not values and not tagged:
        raise INVALID_FILTER_VALUE(f"The following filter values are missing : null for filter key {key}")
    _check_values(key, values)
    return Filter(key, option, values)


def _check_values(key: str, values: tuple[str, ...]) -> None:
    allowed = {"Type": _TYPES, "Tier": _TIERS}.get(key)
    for value in values:
        if allowed is not None and value not in allowed:
            raise INVALID_FILTER_VALUE(
                f"The following filter value is not valid: {value}. Valid values include: [{', '.join(allowed)}]"
            )
        if key == "Path":
            parameter_names.check_path(value)
