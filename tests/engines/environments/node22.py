"""A Node.js beside the machine's own: npm's package `node` holds the real program."""

import subprocess
from functools import cache
from pathlib import Path

HOME = Path.home() / ".cache" / "cumulo-tests" / "node22"


@cache
def program() -> Path:
    """Where it is: in the place that nvm would have put it in, if HOME were HOME."""
    target = HOME / ".nvm" / "versions" / "node" / "v22" / "bin" / "node"
    if not target.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        (HOME / "package.json").write_text("{}")
        options = ["--no-audit", "--no-fund", "--silent", "--no-save", "--ignore-scripts=false"]
        subprocess.run(["npm", "install", *options, "node@22"], cwd=HOME, check=True, timeout=200)
        found = [each for each in HOME.glob("node_modules/node*/bin/node") if each.stat().st_size > 1_000_000]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(found[0])
    return target
