"""A service's part of the published reference, as the cache files hold it."""

import msgspec


class Action(msgspec.Struct, array_like=True):
    """One action; `types` are (resource type, whether required, its condition keys)."""

    name: str
    level: str
    types: list[tuple[str, bool, list[str]]]
    keys: list[str]
    dependent: list[str]


class Reference(msgspec.Struct, array_like=True):
    """Actions by lower-case name, ARN templates by resource type; `prefix` is the service's name in policies."""

    prefix: str
    actions: dict[str, Action]
    arns: dict[str, str]
