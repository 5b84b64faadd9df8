"""Every operation that is answered has its permission: an action of the published reference, or none on purpose."""

from pathlib import Path

import pytest

from cumulo.app import service_packages
from cumulo.core.discovery import Registry
from cumulo.wire import models


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    models.configure(tmp_path_factory.mktemp("cache"))
    return Registry(service_packages())


def test_every_operation_is_mapped_to_its_action(registry: Registry) -> None:
    unknown = [
        f"{name}:{operation}"
        for name in registry.names
        for operation, handler in registry.service(name).handlers.items()
        if not handler.rule.known and handler.rule.action is not None and not handler.public
    ]
    assert not unknown


def test_every_action_has_a_resource_or_needs_none(registry: Registry) -> None:
    for name in registry.names:
        for operation, handler in registry.service(name).handlers.items():
            rule = handler.rule
            assert len(rule.resource_types) == len(rule.arn_templates), f"{name}:{operation}"
            assert "*" not in rule.arn_templates, f"{name}:{operation} acts on a resource without an ARN"


def test_patches_are_of_operations_that_are_there() -> None:
    from cumulo.core import access

    folder = Path(access.__file__).parent / "patches"
    assert {path.stem for path in folder.glob("*.json")} >= {"iam", "sns", "sqs", "sts"}
