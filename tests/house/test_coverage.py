"""What the coverage says is true, and the pages generated from it are fresh."""

import ast
import re
from pathlib import Path

import pytest

from cumulo.app import service_packages
from cumulo.cli.coverage import index, page, summary
from cumulo.core import coverage
from cumulo.core.discovery import Registry
from cumulo.wire import models
from tests.house.sources import ROOT, services

COMPLETE = ("sns", "sqs", "sts")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    models.configure(tmp_path_factory.mktemp("cache"))
    return Registry(service_packages())


def test_every_honoured_member_is_read(registry: Registry) -> None:
    """A member that stands nowhere in a service's code is dropped in silence: honour it or refuse it."""
    unread = []
    for name, package in service_packages().items():
        words = _words(services()[package])
        for row in coverage.of_service(registry.service(name)):
            if row["real"]:
                unread += [f"{name}:{row['operation']} {member}" for member in row["honoured"] if member not in words]
    assert not unread, unread


def _words(folder: Path) -> set[str]:
    return {
        node.value
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_services_refuse_no_operation(registry: Registry, name: str) -> None:
    refused = [row["operation"] for row in coverage.of_service(registry.service(name)) if not row["real"]]
    assert not refused


def test_service_pages_are_fresh(registry: Registry) -> None:
    rows = coverage.of_cloud(registry)
    pages = {f"{name}.md": page(name, summary(registry.service(name).package), rows[name]) for name in rows}
    pages["README.md"] = index(rows)
    folder = ROOT / "docs" / "services"
    stale = [
        name for name, text in pages.items() if not (folder / name).exists() or (folder / name).read_text() != text
    ]
    stale += [file.name for file in folder.glob("*.md") if file.name not in pages]
    assert not stale, f"run `make docs`: {stale}"


README_NAMES = {"S3 Control": "s3control", "Streams": "dynamodbstreams", "Parameter Store": "ssm"} | {
    "CloudWatch Logs": "logs", "Secrets Manager": "secretsmanager"
}  # fmt: skip


def test_the_readme_counts_what_is_real(registry: Registry) -> None:
    rows = coverage.of_cloud(registry)
    counted = []
    for names, counts in re.findall(r"^\| (\[.*?) \| ([^|]*\d[^|]*) \|", (ROOT / "README.md").read_text("utf-8"), re.M):
        for shown, count in zip(re.findall(r"\[([^]]+)\]", names), counts.split(","), strict=True):
            name = README_NAMES.get(shown, shown.lower())
            real = sum(row["real"] for row in rows[name])
            right = {f"{real} of {len(rows[name])}", f"all {real}" if real == len(rows[name]) else ""}
            counted.append(name)
            assert count.strip() in right or (name == "ssm" and count == f"all {real} of it"), f"{shown}: {right}"
    assert sorted(counted) == sorted(set(rows) - {"dax"})  # in the text of DynamoDB's row
