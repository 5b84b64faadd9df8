"""Node.js beside the machine's own: npm's package `node` holds the real program."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

CACHE = Path.home() / ".cache" / "cumulo-tests"


def home(major: int) -> Path:
    """What HOME must be for the program to be found."""
    return CACHE / f"node{major}"


@cache
def program(major: int) -> Path:
    """Where it is: in the place that nvm would have put it in. Skips the test where npm is not here to fetch it."""
    folder = home(major)
    target = folder / ".nvm" / "versions" / "node" / f"v{major}" / "bin" / "node"
    if not target.exists():
        if shutil.which("npm") is None:
            pytest.skip("needs npm")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        options = ["--no-audit", "--no-fund", "--silent", "--no-save", "--ignore-scripts=false"]
        subprocess.run(["npm", "install", *options, f"node@{major}"], cwd=folder, check=True, timeout=200)
        found = [each for each in folder.glob("node_modules/node*/bin/node") if each.stat().st_size > 1_000_000]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(found[0])
    return target
