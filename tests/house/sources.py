"""The project's own files, parsed once for all house rules."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cumulo"


@cache
def modules() -> dict[Path, ast.Module]:
    """Every module of the package by its path relative to the root, generated stubs left out."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text("utf-8"), str(path))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "stubs" not in path.parts
    }


def imports(tree: ast.Module) -> set[str]:
    """Full names of all that a module imports at run time; what stands under TYPE_CHECKING does not count."""
    found: set[str] = set()
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for inner in node.body:
                skipped.update(ast.walk(inner))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods, nested ones too."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def dotted_calls(tree: ast.Module) -> list[tuple[str, int]]:
    """Dotted names used in a module, with their lines: `time.time`, `os.environ`."""
    return [(ast.unparse(node), node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]


def services() -> dict[str, Path]:
    """The package folder of every service by its dotted name."""
    return {
        f"cumulo.services.{init.parent.parent.name}.{init.parent.name}": init.parent
        for init in sorted(PACKAGE.glob("services/*/*/__init__.py"))
    }
