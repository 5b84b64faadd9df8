"""What a container sees: a root of empty folders and links, and what is mounted there. Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

Plain = dict[str, Any]
FOLDERS = ("/proc", "/sys", "/tmp", "/dev", "/etc", "/run", "/var/task", "/opt", "/var/rapid")
HOME = "/var/rapid"
"""AWS's own folder for what runs beside a function: ours is shown there."""
PATIENCE_S = 30.0
PARTS = ("containers", "sandboxes", "environments/guest")
"""Of cumulo/engines, what runs in a container."""


class Mount(NamedTuple):
    """`source` is "" for an empty folder in memory of so many bytes, which may be written to if it is /tmp."""

    source: str
    target: str
    size_bytes: int = 0


def skeleton(template: Plain, folder: Path) -> Path:
    """Make the root that all containers of a template share: folders and files to mount on, links, our own files."""
    content = {name: template[name] for name in ("binds", "links", "files")}
    root = folder / hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
    if root.is_dir():
        return root
    made = Path(f"{root}.{os.getpid()}")
    for name in FOLDERS:
        (made / name[1:]).mkdir(parents=True, exist_ok=True)
    (made / "tmp").chmod(0o1777)  # runc gives what it mounts the mode of what is beneath
    for where, target in template["links"]:
        place = made / where[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(place):
            place.symlink_to(target)
    for name, text in template["files"].items():
        file = made / name[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
    binds = [*template["binds"], *parts(template["tree"])]
    for outside, inside in sorted(binds, key=lambda pair: pair[1].count("/")):
        place_for(made, outside, inside)
    try:
        made.rename(root)
    except OSError:  # another has made it meanwhile
        if not root.is_dir():
            raise
    return root


def place_for(root: Path, outside: str, inside: str) -> None:
    """A folder or a file to mount on, unless there is one."""
    place = root / inside[1:]
    if os.path.lexists(place) or not Path(outside).exists():
        return
    if Path(outside).is_dir():
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(0o644)


def parts(tree: str) -> list[tuple[str, str]]:
    """(outside, inside) of our own code; `tree`: the folder that cumulo's package is in."""
    return [(f"{tree}/cumulo/engines/{part}", f"{HOME}/cumulo/engines/{part}") for part in PARTS]


def compiled(tree: str, python: str, folder: Path) -> str:
    """A copy of our code for this interpreter, which would compile it in every container; it is used as `tree`."""
    files = [file for part in PARTS for file in sorted(Path(tree, "cumulo/engines", part).glob("*.py"))]
    seen = "\0".join([python, *(f"{file} {file.stat().st_mtime_ns}" for file in files)])
    copy = folder / f"code-{hashlib.sha256(seen.encode()).hexdigest()[:32]}"
    if copy.is_dir():
        return str(copy)
    made = Path(f"{copy}.{os.getpid()}")
    for file in files:
        place = made / file.relative_to(tree)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
    command = [python, "-I", "-S", "-m", "compileall", "-q", str(made)]
    subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False, env={}, cwd="/")
    for place in (made, *made.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)
    try:
        made.rename(copy)
    except OSError:  # another has made it meanwhile
        shutil.rmtree(made, ignore_errors=True)
        if not copy.is_dir():
            raise
    return str(copy)


def mounts(template: Plain, spec: Plain, own: Path, root: Path) -> list[Mount]:
    """In the order in which they lie over each other. `own`: the folder of this container's own files."""
    binds = [(outside, inside) for outside, inside in template["binds"] if Path(outside).exists()]
    made = [Mount("", "/tmp", spec["tmp_bytes"]), Mount(str(own / "run"), "/run")]
    made += [Mount(outside, inside) for outside, inside in binds]
    made += [Mount(outside, inside) for outside, inside in parts(template["tree"])]
    made += [Mount(outside, inside) for outside, inside in spec["binds"]]
    made += [Mount(f"{root}{file}", file) for file in ("/etc/hosts", "/etc/resolv.conf")]  # in place of engines' own
    made += _layers(spec["layers"], binds)
    shown = [inside for _, inside in binds]
    for hidden in template["hidden"]:
        if any(hidden.startswith(f"{above}/") for above in shown) and Path(hidden).is_dir():
            made.append(Mount("", hidden, 4096))
    return sorted(made, key=lambda mount: mount.target.count("/"))


def _layers(layers: list[str], binds: list[tuple[str, str]]) -> list[Mount]:
    """The one folder of the layers, as /opt; part by part where a runtime is installed there."""
    if not layers:
        return []
    (layer,) = layers
    if not any(inside.startswith("/opt/") for _, inside in binds):
        return [Mount(layer, "/opt")]
    return [Mount("", "/opt", 4096), *(Mount(str(each), f"/opt/{each.name}") for each in sorted(Path(layer).iterdir()))]
