"""Operations and what they need. Source: the Service Authorization Reference."""

import gzip
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cumulo.core import access


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    before = access._cache_dir
    access.configure(None)
    yield
    access.configure(before)


QUEUE_ARN = "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"
RULES = [
    ("sqs", "SendMessage", "sqs:SendMessage", "sqs:sendmessage", (QUEUE_ARN,)),
    ("sqs", "SendMessageBatch", "sqs:SendMessage", "sqs:sendmessage", (QUEUE_ARN,)),
    ("sqs", "DeleteMessageBatch", "sqs:DeleteMessage", "sqs:deletemessage", (QUEUE_ARN,)),
    ("sqs", "ListQueues", "sqs:ListQueues", "sqs:listqueues", ()),
    ("sns", "PublishBatch", "sns:Publish", "SNS:Publish", ("arn:${Partition}:sns:${Region}:${Account}:${TopicName}",)),
    ("sns", "ListTopics", "sns:ListTopics", "SNS:ListTopics", ()),
    ("sts", "GetCallerIdentity", None, "sts:GetCallerIdentity", ()),
    ("sts", "GetSessionToken", None, "sts:GetSessionToken", ()),
    (
        "sts",
        "AssumeRole",
        "sts:AssumeRole",
        "sts:AssumeRole",
        ("arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",),
    ),
    ("stepfunctions", "ListActivities", "states:ListActivities", "states:ListActivities", ()),
    ("s3", "ListBuckets", "s3:ListAllMyBuckets", "s3:ListAllMyBuckets", ()),
]


@pytest.mark.parametrize(("service", "operation", "action", "shown", "arns"), RULES)
def test_rule(service: str, operation: str, action: str | None, shown: str, arns: tuple[str, ...]) -> None:
    rule = access.load(service).operation(operation)
    assert (rule.action, rule.shown, rule.arn_templates) == (action, shown, arns)
    assert rule.needs_resource is bool(arns)


def test_condition_keys_of_action_and_resource() -> None:
    keys = access.load("sns").operation("Subscribe").condition_keys
    assert {"sns:Endpoint", "sns:Protocol"} <= set(keys)


def test_an_operation_that_the_reference_does_not_know() -> None:
    rule = access.load("sqs").operation("NoSuchThing")
    assert (rule.action, rule.known, rule.needs_resource) == ("sqs:NoSuchThing", False, False)


def test_an_action_without_an_operation() -> None:
    assert access.load("iam").action("PassRole").action == "iam:PassRole"


def test_cache_file(tmp_path: Path) -> None:
    access.configure(tmp_path)
    first = access.load("sns").operation("Publish")
    (kept,) = tmp_path.iterdir()
    access.configure(tmp_path)
    assert access.load("sns").operation("Publish") == first
    kept.write_bytes(b"torn")
    access.configure(tmp_path)
    assert access.load("sns").operation("Publish") == first


def test_every_patch_has_a_source_and_an_action_that_exists() -> None:
    patches = Path(access.__file__).with_name("patches")
    for path in sorted(patches.glob("*.json")):
        written = json.loads(path.read_text())
        deviates = "shown" in written or "shown_everywhere" in written
        assert deviates is bool(written.get("shown_source")), path.name
        loaded = access.load(path.stem)
        for name, patch in written["operations"].items():
            assert patch.get("source"), f"{path.name}: {name}"
            assert loaded.operation(name).known, f"{path.name}: {name}"


def operations(service: str) -> list[str]:
    found = find_spec("botocore")
    assert found is not None and found.submodule_search_locations
    versions = Path(found.submodule_search_locations[0]) / "data" / service
    (model,) = sorted(versions.iterdir())[-1].glob("service-2.json*")
    raw = model.read_bytes()
    written: dict[str, Any] = json.loads(gzip.decompress(raw) if model.suffix == ".gz" else raw)
    return list(written["operations"])


@pytest.mark.parametrize("service", ["sqs", "sns", "sts", "secretsmanager", "ssm"])
def test_every_operation_of_a_landed_service_is_mapped(service: str) -> None:
    rules = access.load(service)
    assert [name for name in operations(service) if not rules.operation(name).known] == []
