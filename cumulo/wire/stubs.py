"""Type stubs of requests and answers: `python -m cumulo.wire.stubs sqs sns --into cumulo/stubs`.

Services import them under TYPE_CHECKING only: `from cumulo.stubs import sqs as t`. Structures become TypedDicts
with AWS's member names; required members of a structure are required.
"""

import argparse
import keyword
import sys
from pathlib import Path

from cumulo.wire import models
from cumulo.wire.models import Service
from cumulo.wire.shapes import Member, Shape

_SCALARS = {
    "string": "str",
    "character": "str",
    "boolean": "bool",
    "integer": "int",
    "long": "int",
    "biginteger": "int",
    "float": "float",
    "double": "float",
    "bigdecimal": "float",
    "timestamp": "float",
    "blob": "bytes",
}
_HEADER = "# Generated from botocore's model by cumulo.wire.stubs: not to be edited.\nimport typing as _t\n\n"


def stub(service: Service) -> str:
    """The text of a service's stub module."""
    parts = [_HEADER]
    for name in service.shape_names():
        shape = service.shape(name)
        if shape.type == "structure" and not shape.document and name.isidentifier() and not keyword.iskeyword(name):
            parts.append(_structure(shape))
    return "".join(parts)


def _structure(shape: Shape) -> str:
    fields = []
    for name, member in shape.members.items():
        kind = _reference(member)
        fields.append((name, kind if name in shape.required else f"_t.NotRequired[{kind}]"))
    if all(name.isidentifier() and not keyword.iskeyword(name) for name, _ in fields):
        lines = "".join(f"    {name}: {kind}\n" for name, kind in fields)
        return f"class {shape.name}(_t.TypedDict):\n{lines or '    pass' + chr(10)}\n"
    inner = ", ".join(f'"{name}": "{kind}"' for name, kind in fields)
    return f'{shape.name} = _t.TypedDict("{shape.name}", {{{inner}}})\n\n'


def _reference(member: Member) -> str:
    shape = member.shape
    if member.streaming or shape.document or (shape.type == "structure" and shape.eventstream):
        return "_t.Any"
    if shape.type == "structure":
        return shape.name if not keyword.iskeyword(shape.name) else "_t.Any"
    if shape.type == "list":
        return f"list[{_element(shape, shape.member)}]"
    if shape.type == "map":
        return f"dict[str, {_element(shape, shape.value)}]"
    return _SCALARS.get(shape.type, "_t.Any")


def _element(shape: Shape, member: Member) -> str:
    # A list may hold itself (DynamoDB's attributes do, through structures): without a structure between, give up.
    if member.shape.name == shape.name:
        return "_t.Any"
    kind = _reference(member)
    return f"{kind} | None" if shape.sparse else kind


def main(arguments: list[str] | None = None) -> int:
    """The command. Writes `<service>.pyi` for each service, `-` as `_`, and gives 0."""
    parser = argparse.ArgumentParser(prog="python -m cumulo.wire.stubs", description="Write type stubs of services.")
    parser.add_argument("services", nargs="+", metavar="SERVICE")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args(arguments)
    options.into.mkdir(parents=True, exist_ok=True)
    (options.into / "__init__.pyi").write_text("")
    for name in options.services:
        module = name.replace("-", "_")
        module += "_" if keyword.iskeyword(module) else ""
        (options.into / f"{module}.pyi").write_text(stub(models.load(name)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
