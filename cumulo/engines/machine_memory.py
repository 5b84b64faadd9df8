"""How much memory this machine has left."""

from __future__ import annotations

from pathlib import Path

LEAST_KB = 262_144
LEAST_SHARE = 0.08


def short(path: Path = Path("/proc/meminfo")) -> bool:
    """Whether so little is left that what is only kept for speed should go. Unknown (no Linux) is not short."""
    found: dict[str, int] = {}
    try:
        with path.open(encoding="ascii") as lines:
            for line in lines:
                name, _, rest = line.partition(":")
                if name in ("MemTotal", "MemAvailable"):
                    found[name] = int(rest.split()[0])
                    if len(found) == 2:
                        break
    except (OSError, ValueError, IndexError):
        return False
    if len(found) < 2:
        return False
    return found["MemAvailable"] < max(LEAST_KB, int(found["MemTotal"] * LEAST_SHARE))
