"""The root that sandboxes see: the system's programs and libraries, read-only, and nothing of anyone's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cumulo.engines.sandboxes.enter import Plain

SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
CONFIGURATION = (  # what programs need of /etc: certificates, the linker's lists, alternatives; no names, no secrets
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "mime.types",
    "pki",
    "protocols",
    "services",
    "ssl",
)
HIDDEN = ("/etc/ssl/private", "/etc/pki/tls/private")
FILES = {
    "/etc/hosts": "127.0.0.1 localhost sandbox.localdomain sandbox\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
}
LINKS = (("/etc/passwd", "/run/passwd"), ("/etc/group", "/run/group"), ("/etc/os-release", "../usr/lib/os-release"))
USER = "sbx_user1051"
"""The name of the user that functions run as on AWS."""


def template(
    root: Path,
    namespaces: Iterable[str],
    binds: Iterable[tuple[str, str]],
    hidden: Iterable[str],
    *,
    proc: bool,
    etc: Path = Path("/etc"),
) -> Plain:
    """What `enter.prepare` builds. `binds`: (outside, inside) beside the system's; `hidden`: folders shown empty."""
    shown: dict[str, str] = {"/usr": "/usr"}
    links = [list(pair) for pair in LINKS]
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            links.append([name, str(path.readlink())])
        elif path.is_dir():
            shown[name] = name
    for name in (*CONFIGURATION, *_java(etc)):
        if (etc / name).exists():
            shown[f"/etc/{name}"] = str(etc / name)
    for outside, inside in sorted(binds, key=lambda pair: pair[1].count("/")):
        if not _is_shown(outside, inside, shown):
            shown[inside] = outside
    return {
        "root": str(root),
        "namespaces": list(namespaces),
        "proc": proc,
        "binds": [[outside, inside] for inside, outside in shown.items()],
        "links": links,
        "files": FILES,
        "hidden": [*HIDDEN, *hidden],
    }


def readable() -> list[str]:
    """The system's folders and files that a program without a root of its own may read."""
    names = (*CONFIGURATION, *_java(Path("/etc")))
    return ["/usr", *SYSTEM, *(f"/etc/{name}" for name in names), *(name for name in FILES)]


def _java(etc: Path) -> list[str]:
    """Debian keeps a JVM's own files here, one folder for each version."""
    return [path.name for path in etc.glob("java*")]


def _is_shown(outside: str, inside: str, shown: dict[str, str]) -> bool:
    """Whether a folder above already shows this one in its place."""
    for parent in Path(inside).parents:
        above = shown.get(str(parent))
        if above is not None:
            return Path(above) / Path(inside).relative_to(parent) == Path(outside)
    return shown.get(inside) == outside


def users(uid: int, gid: int) -> dict[str, str]:
    """The files in which a program finds the name of its user."""
    return {
        "/run/passwd": f"root:x:0:0:root:/root:/sbin/nologin\n{USER}:x:{uid}:{gid}::/home/{USER}:/sbin/nologin\n",
        "/run/group": f"root:x:0:\n{USER}:x:{gid}:\n",
    }
