"""The forms of all records that are kept on disk. `python -m tests.house.records` notes new ones in records.json."""

import importlib
import json
import pkgutil
from pathlib import Path

import msgspec

import cumulo.core
import cumulo.services
from cumulo.core.table import Record

KEPT = Path(__file__).with_name("records.json")


def forms() -> dict[str, list[str]]:
    """Every record with its fields in order: name, type, and `=` when it has a default."""
    for package in (cumulo.core, cumulo.services):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    noted: dict[str, list[str]] = {}
    queue = list(Record.__subclasses__())
    while queue:
        record = queue.pop()
        queue += record.__subclasses__()
        if record.__module__.startswith("cumulo."):
            noted[f"{record.__module__}.{record.__name__}"] = [
                f"{field.name}: {_name(field.type)}{' =' if not field.required else ''}"
                for field in msgspec.structs.fields(record)
            ]
    return dict(sorted(noted.items()))


def _name(kind: object) -> str:
    return (
        getattr(kind, "__name__", str(kind)) if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    )


if __name__ == "__main__":
    KEPT.write_text(json.dumps(forms(), indent=1) + "\n")
