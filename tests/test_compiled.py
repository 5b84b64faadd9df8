"""What mypyc gets wrong without a word is looked for here, in the modules that a wheel carries compiled."""

import ast
import importlib
import pkgutil
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

import cumulo
from cumulo.wire import http

COMPILED = not str(http.__file__).endswith(".py")
PROJECT = tomllib.loads(Path(__file__).parent.parent.joinpath("pyproject.toml").read_text())
MODULES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["modules"]


def classes(path: str) -> Iterator[tuple[ModuleType, ast.ClassDef]]:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    source = Path(cumulo.__file__).parent.parent / path
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.ClassDef):
            yield module, node


@pytest.mark.parametrize("path", MODULES)
def test_classes_take_no_keywords(path: str) -> None:
    """mypyc drops them: a frozen struct would thaw. `gc=False` only costs a little when it is dropped."""
    for _, node in classes(path):
        assert [word.arg for word in node.keywords if word.arg != "gc"] == [], (
            f"{node.name} belongs into another module"
        )


@pytest.mark.parametrize("path", MODULES)
def test_fields_keep_their_types(path: str) -> None:
    """mypyc makes `type` of an annotation that is no plain class, and msgspec would decode that."""
    for module, node in classes(path):
        found = getattr(module, node.name)
        if not issubclass(found, msgspec.Struct):
            continue
        hints = typing.get_type_hints(found)
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                wanted = eval(ast.unparse(field.annotation), {**vars(typing), **vars(module)})
                wanted = eval(wanted, vars(module)) if isinstance(wanted, str) else wanted
                assert hints[field.target.id] == (wanted or type(None)), f"{node.name}.{field.target.id}"


@pytest.mark.parametrize("path", MODULES)
def test_nothing_is_raised_again_behind_an_await(path: str) -> None:
    """mypyc frees the exception once too often, and the process dies later."""
    source = Path(cumulo.__file__).parent.parent / path
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ExceptHandler):
            waits = [each.lineno for each in ast.walk(node) if isinstance(each, ast.Await)]
            again = [each.lineno for each in ast.walk(node) if isinstance(each, ast.Raise) and each.exc is None]
            assert not waits or max(again, default=0) < min(waits), f"line {node.lineno}"


def test_no_class_that_is_not_compiled_derives_from_one_that_is() -> None:
    """On import that would be a TypeError, save for structs, named tuples and exceptions, which mypyc leaves alone."""
    compiled = {path.removesuffix(".py").replace("/", ".") for path in MODULES}
    wrong = []
    for found in pkgutil.walk_packages(cumulo.__path__, "cumulo."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for each in vars(module).values():
            if type(each) is not type or each.__module__ != found.name or found.name in compiled:
                continue
            wrong += [
                f"{found.name}.{each.__name__} derives from {base.__module__}.{base.__name__}"
                for base in each.__bases__
                if base.__module__ in compiled and not issubclass(base, BaseException | tuple)
            ]
    assert not wrong, "name the module in pyproject.toml, where the compiled ones are"


@pytest.mark.skipif(not COMPILED, reason="this cumulo is not compiled")
@pytest.mark.parametrize("path", MODULES)
def test_the_module_is_compiled(path: str) -> None:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    assert not str(module.__file__).endswith(".py")
