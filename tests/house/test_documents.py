"""What the documents say exists: commands, make targets, files, service pages, changelog entries."""

import re
from pathlib import Path

import pytest

from cumulo.cli import COMMANDS
from tests.house.sources import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_files_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    code = "\n".join(_code(text))
    unknown = [name for name in re.findall(r"(?:^|[\s&;(])cumulo ([a-z]+)\b", code) if name not in COMMANDS]
    unknown += [f"make {name}" for name in re.findall(r"(?:^|[\s&;])make ([a-z]+)\b", code) if name not in TARGETS]
    assert not unknown, f"no such commands: {unknown}"
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text) + re.findall(r'src="(?!https?:)([^"]+)"', text)
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing, f"no such files: {missing}"


def _code(text: str) -> list[str]:
    return [block or inline for block, inline in re.findall(r"```.*?\n(.*?)```|`([^`\n]+)`", text, re.S)]


def test_every_change_has_a_title() -> None:
    wrong = []
    for file in sorted((ROOT / "changelog").glob("*.md")):
        if file.name == "README.md":
            continue
        first, second = [*file.read_text("utf-8").splitlines(), "", ""][:2]
        if not (
            re.fullmatch(r"\d{4}-[a-z0-9-]+", file.stem) and first.startswith("# ") and len(first) <= 100 and not second
        ):
            wrong.append(file.name)
    assert not wrong, f"NNNN-slug.md, a title of at most 100 characters, an empty line: {wrong}"


def test_every_decision_has_its_parts() -> None:
    for file in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        text = file.read_text("utf-8")
        for part in ("## Context", "## Choice", "## Given up"):
            assert part in text, f"{file.name} lacks {part}"
