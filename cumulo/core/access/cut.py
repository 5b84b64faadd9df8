"""Cutting the published service reference down to what decisions need; runs once a service and version."""

from pathlib import Path

import msgspec

from cumulo.core.access.reference import Action, Reference


class _SourceType(msgspec.Struct, rename="camel"):
    name: str
    required: bool = False
    condition_keys: list[str] = []
    dependent_actions: list[str] = []


class _SourceAction(msgspec.Struct, rename="camel"):
    name: str
    access_level: str = ""
    resource_types: list[_SourceType] = []
    condition_keys: list[str] = []
    dependent_actions: list[str] = []


class _SourceResource(msgspec.Struct, rename="camel"):
    key: str
    arn: str = "*"


def cut(prefix: str, data: Path) -> Reference:
    """What decisions need of the reference of the service with this prefix, from the package's data folder."""
    actions_path = data / "actions" / f"{prefix}.json"
    if not actions_path.exists():
        return Reference(prefix, {}, {})
    actions = msgspec.json.decode(actions_path.read_bytes(), type=dict[str, _SourceAction])
    types_path = data / "resourceTypes" / f"{prefix}.json"
    types = msgspec.json.decode(types_path.read_bytes(), type=dict[str, _SourceResource]) if types_path.exists() else {}
    return Reference(
        prefix=prefix,
        actions={
            name: Action(
                name=action.name,
                level=action.access_level,
                types=[(each.name, each.required, each.condition_keys) for each in action.resource_types],
                keys=action.condition_keys,
                dependent=list(
                    dict.fromkeys(
                        [
                            *action.dependent_actions,
                            *(more for each in action.resource_types for more in each.dependent_actions),
                        ]
                    )
                ),
            )
            for name, action in actions.items()
        },
        arns={resource.key: resource.arn for resource in types.values()},
    )
