"""Which folders of an interpreter's installation its environments are shown."""

from __future__ import annotations

import pwd
from collections.abc import Iterable
from pathlib import Path


def shown(prefix: str, programs: Iterable[str]) -> list[str]:
    """All of it, in general; of an interpreter in somebody's home the program and its libraries.

    By the rule that finds `/opt/node/bin/node` in `/opt/node`, `~/bin/node` is installed in the home, with the keys and
    letters that are there too.
    """
    if not prefix:
        return []
    if not _is_private(Path(prefix)):
        return [prefix]
    parts = [program for program in programs if Path(program).is_relative_to(prefix)]
    return sorted({*parts, *(f"{prefix}/{name}" for name in ("lib", "lib64") if Path(prefix, name).is_dir())})


def _is_private(prefix: Path) -> bool:
    """Whether it is a home, the part of one where people's programs keep what is theirs, or holds homes."""
    homes = {Path.home(), *(Path(entry.pw_dir) for entry in pwd.getpwall() if entry.pw_dir.startswith("/"))}
    homes |= {home.resolve() for home in homes}
    return any(prefix in (home, home / ".local", *home.parents) for home in homes - {Path("/")})
