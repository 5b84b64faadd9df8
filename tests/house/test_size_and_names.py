"""Files under 500 lines, functions under 70, names that say what is inside."""

import ast

from tests.house.sources import ROOT, functions, modules

MAX_LINES = 500
MAX_FUNCTION_LINES = 70
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base", "tools"}


def test_files_are_under_500_lines() -> None:
    too_long = {
        str(path): lines for path in modules() if (lines := (ROOT / path).read_text("utf-8").count("\n")) >= MAX_LINES
    }
    assert not too_long, f"split by noun: {too_long}"


def test_functions_are_under_70_lines() -> None:
    too_long = {
        f"{path}:{node.lineno} {node.name}": lines
        for path, tree in modules().items()
        for node in functions(tree)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) >= MAX_FUNCTION_LINES
    }
    assert not too_long, f"ifs go up, fors go down: {too_long}"


def test_names_say_what_is_inside() -> None:
    nameless = [str(path) for path in modules() if {path.stem, *path.parent.parts} & SAYS_NOTHING]
    assert not nameless, f"name the noun: {nameless}"


def test_public_things_have_docstrings() -> None:
    bare = []
    for path, tree in modules().items():
        if not ast.get_docstring(tree):
            bare.append(str(path))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                documented = node.name.startswith("_") or ast.get_docstring(node) or _is_operation(node)
                if not documented:
                    bare.append(f"{path}:{node.lineno} {node.name}")
    assert not bare, f"say what they mean: {bare}"


def _is_operation(node: ast.stmt) -> bool:
    """An operation's documentation is AWS's; an overload's is its function's."""
    marks = [ast.unparse(mark) for mark in getattr(node, "decorator_list", [])]
    return any("operation" in mark or "overload" in mark for mark in marks)
