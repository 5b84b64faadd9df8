"""List every operation: real or refused, and the request members that are refused.

Read from the code, so it cannot be wrong about itself; no cloud needs to run.
"""

import json
from pathlib import Path
from typing import Any

from cumulo.cli import configuration, registry
from cumulo.cli.terminal import style, table

Rows = list[dict[str, Any]]

GENERATED = "<!-- written by `cumulo coverage --markdown docs/services` -->"


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo coverage`."""
    configuration.add_arguments(parser)
    parser.add_argument("service", nargs="?", help="only this service (sqs)")
    parser.add_argument("--json", action="store_true", help="every member honoured and refused, as JSON")
    parser.add_argument("--markdown", metavar="DIR", help="write one page a service into this folder")


def run(options: Any) -> int:
    """Print the coverage, or write the pages of the documentation."""
    from cumulo.core import coverage

    found = registry.load(options)
    names = [registry.known(found, options.service)] if options.service else sorted(found.names)
    rows = {name: coverage.of_service(found.service(name)) for name in names}
    if options.json:
        print(json.dumps(rows, indent=2))
    elif options.markdown:
        for name in names:
            code = found.service(name)
            write(Path(options.markdown) / f"{name}.md", page(name, summary(code.package), rows[name]))
        if not options.service:
            write(Path(options.markdown) / "README.md", index(rows))
    elif options.service:
        print(_operations(names[0], rows[names[0]]))
    else:
        print(_services(rows))
    return 0


def _services(rows: dict[str, Rows]) -> str:
    lines = [["service", "operations", "real", "refused", "members refused"]]
    for name, operations in rows.items():
        real = [row for row in operations if row["real"]]
        refused = sum(len(row["refused"]) for row in real)
        lines.append([name, str(len(operations)), str(len(real)), str(len(operations) - len(real)), str(refused)])
    return table(lines)


def _operations(name: str, rows: Rows) -> str:
    lines = []
    for row in rows:
        state = style("real", "green") if row["real"] else style("refused", "red")
        members = f"refuses {', '.join(row['refused'])}" if row["real"] and row["refused"] else ""
        lines.append([row["operation"], state, members])
    real = sum(row["real"] for row in rows)
    return f"{table(lines)}\n\n{name}: {real} of {len(rows)} operations are real, the others answer NotImplemented"


def summary(package: str) -> str:
    """The first line that a service's package says of itself."""
    from importlib import import_module

    return (import_module(package).__doc__ or "").strip().partition("\n")[0]


def page(name: str, title: str, rows: Rows) -> str:
    """The documentation page of one service."""
    real = [row for row in rows if row["real"]]
    refused = [row["operation"] for row in rows if not row["real"]]
    lines = [f"# {name}", "", *([title, ""] if title else []), GENERATED, ""]
    lines += [f"{len(real)} of {len(rows)} operations are real.", ""]
    if real:
        lines += ["| operation | members honoured | members refused |", "|---|---:|---|"]
        lines += [
            f"| `{row['operation']}` | {len(row['honoured'])} | {_quoted(row['refused']) or 'none'} |" for row in real
        ]
        lines.append("")
    if refused:
        lines += ["Refused with `NotImplemented`:", "", f"{_quoted(refused)}.", ""]
    lines += [f"Where an answer comes from: `cumulo explain {name} {rows[0]['operation']}`.", ""]
    return "\n".join(lines)


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def index(rows: dict[str, Rows]) -> str:
    """The list of all services."""
    lines = ["# Services", "", GENERATED, ""]
    lines += ["| service | operations | real |", "|---|---:|---:|"]
    for name, operations in rows.items():
        lines.append(f"| [{name}]({name}.md) | {len(operations)} | {sum(row['real'] for row in operations)} |")
    return "\n".join([*lines, "", "A member that is not honoured is refused by name, never dropped.", ""])


def write(file: Path, text: str) -> None:
    """Write a page; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
