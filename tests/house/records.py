"""What is kept on disk: the forms of all records, and the names of the places and the tasks in the store.

`python -m tests.house.records` notes new ones in records.json and names.json.
"""

import importlib
import json
import pkgutil
from pathlib import Path
from types import ModuleType

import msgspec

import cumulo.core
import cumulo.services
from cumulo.core.operation import TaskMark, mark_of
from cumulo.core.table import Record, Space, Table

KEPT = Path(__file__).with_name("records.json")
KEPT_NAMES = Path(__file__).with_name("names.json")


def _modules() -> list[ModuleType]:
    return [
        importlib.import_module(found.name)
        for package in (cumulo.core, cumulo.services)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]


def names() -> dict[str, list[str]]:
    """The names of places in the store, indexes among them, and of durable tasks; no module's name is in them."""
    places: set[str] = set()
    tasks: set[str] = set()
    for module in _modules():
        for each in vars(module).values():
            mark = mark_of(each)
            if isinstance(each, Space):
                places.add(each.name)
            if isinstance(each, Table):
                places |= {index.name for index, _ in each.indexes.values()}
            if isinstance(mark, TaskMark):
                tasks.add(mark.name)
    return {"places": sorted(places), "tasks": sorted(tasks)}


def forms() -> dict[str, list[str]]:
    """Every record with its fields in order: name, type, and `=` when it has a default."""
    _modules()
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
    KEPT_NAMES.write_text(json.dumps(names(), indent=1) + "\n")
