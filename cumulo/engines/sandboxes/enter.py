"""Put a freshly forked process into a sandbox. Standard library only, Python 3.9 or newer, Linux.

It runs in interpreters that know nothing of cumulo, with this file and the two that it imports, so what it is told are
plain dicts that JSON can carry. A zygote calls `prepare(template)` once and, in every child it forks,
`enter(spec)`. Three processes come of it:

    zygote ── C1: makes the namespaces, says the pid of C2, ends
              C2: pid 1 inside; mounts, listens, locks itself down; then the sandbox's supervisor: it starts and signals
                  programs when told so, reaps, tells who ended, and ends with its control socket: then all ends
              C3: the program: `enter` returns in it, and only in it

The zygote must be single-threaded, must reap (`subreaper()` first, then waitpid(-1) at times: C2 becomes its child) and
must close its copy of the control socket after the fork.

`template`: {
    "root": an empty folder outside, where the new root is built in a private mount namespace ("" : no own root),
    "namespaces": of "user", "mount", "pid", "ipc", "uts", "net", "cgroup": those to make ("user" only when not root),
    "proc": whether to mount a /proc of its own,
    "binds": [[outside, inside], …] shown read-only; what is missing outside is left out,
    "links": [[where, to], …], "files": {path: text}, "folders": [path, …] mount points for `enter`'s binds,
    "hidden": [path, …] covered by an empty folder when a bind shows it (the state folder in a prefix, …) }
`spec`: {
    "control": descriptor of a SOCK_SEQPACKET unix socket to the server,
    "stdout", "stderr": descriptors (-1: /dev/null),
    "keep": [descriptor, …] that the program keeps open beside,
    "uid", "gid": of the program (null: as it is),
    "groups": [{"folder": …, "files": [[name, value, whether it must be there], …]}, …] of control groups to join,
    "tmp_bytes": size of /tmp, "tmp": folder used as /tmp without own root,
    "binds": [[outside, inside], …], "layers": [folder, …] the later over the earlier, in /opt,
    "image": a folder outside that is the root instead of what was prepared, "" for none; it has FOLDERS and FILES,
    "files": {"/run/…": text} of this sandbox alone,
    "listen": [[kind "tcp" or "udp", address, port], …] opened inside and handed to the server, in this order,
    "names": {suffix: address, …} that a name server inside knows; null for none,
    "limits": {"nofile": n, "nproc": n, "fsize": n, "data": n, …}, "nice": n, "oom": oom_score_adj,
    "seccomp": base64 of a classic BPF program or "",
    "landlock": {"read": [path, …] or null for all, "write": [path, …],
                 "connect": [TCP port, …] beside those of "listen", or null for all} or null,
    "cwd": folder, "hostname": name }

The control socket carries one JSON object a message. From inside: {"pid": C2 as seen outside}; {"ready": true,
"addresses": [[address, port], …]} with descriptors: the listening sockets and, with an own root, the folder /tmp; or
{"error": step and reason}; {"exit": name, "status": wait status, "peak": the most bytes it had in memory}, name
"runtime" for the program itself. From the server: {"spawn": name, "argv": […], "variables": {…}, "cwd": folder} with
its stdout and stderr as one descriptor; {"signal": name, "number": n}; {"connect": port}, answered by {"connected":
port} with a descriptor or {"refused": port}; and end of file, which ends everything.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import platform
import signal
import socket
import struct
from collections.abc import Iterable

from cumulo.engines.sandboxes.lockdown import (
    LINUX,
    PR_SET_DUMPABLE,
    Failed,
    Plain,
    fail,
    libc,
    limit,
    limit_files,
    lock_down,
    prctl,
    shield_parent,
)
from cumulo.engines.sandboxes.programs import lead_group
from cumulo.engines.sandboxes.supervisor import PR_SET_CHILD_SUBREAPER, adopt, supervise, tell

__all__ = ["Failed", "Plain", "enter", "join", "prepare", "subreaper"]

NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "pid": 0x20000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "net": 0x40000000,
    "cgroup": 0x02000000,
}
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_NOATIME, MS_NODIRATIME, MS_REC, MS_PRIVATE = 1024, 2048, 16384, 1 << 18
MNT_DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
PR_SET_PDEATHSIG = 1
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(platform.machine(), -1)
SYS_MOUNT_SETATTR = 442
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
ROOT_FOLDERS = ("/proc", "/tmp", "/dev", "/etc", "/run", "/var/task", "/opt")
FOLDERS = ("/dev", "/etc/cumulo")
FILES = ("/etc/hosts", "/etc/resolv.conf")
"""What the root of an image gets of ours."""
FILE_BYTES = 4096
DEVICES = ("null", "zero", "full", "random", "urandom")

if LINUX:
    libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_prepared: Plain = {}


def subreaper() -> None:
    """Make this process the parent of grandchildren whose parent ends, and end it with its own parent."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def prepare(template: Plain) -> None:
    """Build, once and in this process's own mount namespace, the root that all its sandboxes share read-only."""
    _prepared.clear()
    root = template.get("root") or ""
    if root:
        _unshare([name for name in ("user", "mount") if name in template["namespaces"]])
        _mount(None, "/", None, MS_REC | MS_PRIVATE)
        _build(root, template)
    _prepared.update(template)


def nest() -> None:
    """Let this process's forks enter sandboxes of their own from within its own: the same root, all else apart.

    The sandbox's filter must allow it (`nested`). They keep its user, so that a user namespace can be theirs.
    """
    namespaces = [name for name in _prepared["namespaces"] if name != "cgroup"]
    given = {"namespaces": ["user", *(name for name in namespaces if name != "user")], "proc": _prepared.get("proc")}
    _prepared.clear()
    _prepared.update(given, nested=True, root="")


def enter(spec: Plain) -> Plain:
    """Enter a sandbox; returns only in the program's process, with its view of the sandbox.

    {"addresses": [[address, port], …] of the listening sockets, "paths": {inside: where it really is}}: without a root
    of its own a program finds its folders where they are, and its ports where one was free.
    """
    control = _move_descriptors(spec)
    try:
        join(spec.get("groups", ()))
        _step_back(spec)
        own_mounts = _prepared.get("root") or _prepared.get("nested")
        _unshare([name for name in _prepared["namespaces"] if name != "mount" or own_mounts])
        pid = os.fork()
        if pid:
            control.send(json.dumps({"pid": pid}).encode())
            os._exit(0)
        listening = _inside(spec)
        resolver = listening.pop() if spec.get("names") else None
        addresses = [list(each.getsockname()[:2]) for each in listening]
        handed = [each.fileno() for each in listening]
        if own_mounts:
            handed.append(os.open("/tmp", os.O_RDONLY | os.O_DIRECTORY))
        adopt()
        program = _fork_program(spec)
        if program:
            socket.send_fds(control, [json.dumps({"ready": True, "addresses": addresses}).encode()], handed)
            for descriptor in handed:
                os.close(descriptor)
            supervise(control, {program: "runtime"}, spec, resolver)
    except BaseException as error:  # a fork must never run on into its parent's code
        tell(control, {"error": str(error) or type(error).__name__})
        os._exit(1)
    control.close()
    for descriptor in handed:
        os.close(descriptor)
    if resolver is not None:
        resolver.close()
    return {"addresses": addresses, "paths": _paths(spec)}


# -- outside: what C1 does


def _move_descriptors(spec: Plain) -> socket.socket:
    """Give the program its output, close whatever else the zygote had open, and say where the control socket is."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, name in ((0, ""), (1, "stdout"), (2, "stderr")):
        given = spec.get(name, -1) if name else -1
        os.dup2(given if given >= 0 else nothing, number)
    if _prepared.get("nested"):  # what the program has opened stays its own
        os.close(nothing)
        return socket.socket(fileno=spec["control"])
    keep = sorted({0, 1, 2, spec["control"], *spec.get("keep", ())})
    for before, after in zip(keep, [*keep[1:], 1 << 16]):  # noqa: B905, zip() has no `strict` before 3.10
        os.closerange(before + 1, after)
    return socket.socket(fileno=spec["control"])


def join(groups: Iterable[Plain]) -> None:
    """Make these control groups, and be in them."""
    for group in groups:
        folder = group["folder"]
        os.mkdir(folder)
        for name, value, needed in group["files"]:
            if needed or os.path.exists(f"{folder}/{name}"):
                _write(f"{folder}/{name}", str(value))
        _write(f"{folder}/cgroup.procs", "0")


def _step_back(spec: Plain) -> None:
    oom = spec.get("oom")
    if oom is not None:
        _write("/proc/self/oom_score_adj", str(oom))
    if spec.get("nice"):
        os.nice(spec["nice"])


def _unshare(names: list[str]) -> None:
    flags = 0
    for name in names:
        flags |= NAMESPACES[name]
    uid, gid = os.geteuid(), os.getegid()
    if flags and libc.unshare(ctypes.c_int(flags)) != 0:
        fail(f"unshare({', '.join(names)})")
    if "user" in names:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")


def _build(root: str, template: Plain) -> None:
    _mount("sandbox", root, "tmpfs", MS_NOSUID, "mode=755,size=4m")
    for folder in (*ROOT_FOLDERS, *template.get("folders", ())):
        os.makedirs(root + folder, exist_ok=True)
    os.chmod(root + "/tmp", 0o1777)
    for device in DEVICES:
        _bind(f"/dev/{device}", f"{root}/dev/{device}", device=True)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"{root}/dev/{name}")
    for where, target in template.get("links", ()):
        os.makedirs(os.path.dirname(root + where), exist_ok=True)
        if not os.path.lexists(root + where):
            os.symlink(target, root + where)
    for outside, inside in sorted(template.get("binds", ()), key=lambda pair: pair[1].count("/")):
        if os.path.exists(outside):
            _bind(outside, root + inside)
    for file, text in template.get("files", {}).items():
        os.makedirs(os.path.dirname(root + file), exist_ok=True)
        _create(root + file, text)
    _hide(root, template.get("hidden", ()))
    _mount(None, root, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)


def _hide(root: str, folders: Iterable[str]) -> None:
    for hidden in folders:
        if os.path.isdir(root + hidden):
            _mount("hidden", root + hidden, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=700,size=4k")


# -- inside: what C2 does


def _inside(spec: Plain) -> list[socket.socket]:
    """Everything that needs rights: mounts, addresses; then give the rights up. The listening sockets."""
    made = _prepared["namespaces"]
    if "uts" in made:
        name = spec.get("hostname", "sandbox").encode()
        libc.sethostname(name, len(name))
    if "net" in made:
        _loopback_up()
    listening = [_listen(kind, address, port, "net" in made) for kind, address, port in spec.get("listen", ())]
    if spec.get("names"):
        listening.append(_listen("udp", "127.0.0.1", 53, "net" in made))
    if _prepared.get("root"):
        _own_root(_prepared["root"], spec)
    elif _prepared.get("nested"):
        _mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, _tmp_options(spec))
        if _prepared.get("proc"):
            _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.umask(0o022)
    limit(spec)
    ports = [each.getsockname()[1] for each in listening]
    lock_down(spec, ports, privileged=os.geteuid() == 0 or "user" in _prepared["namespaces"])
    return listening


def _own_root(root: str, spec: Plain) -> None:
    if "user" in _prepared["namespaces"]:  # what another user namespace mounted is locked: only a copy may be moved to
        _mount(root, root, None, MS_BIND | MS_REC)
    image = spec.get("image")
    if image:
        root = _image_root(root, image)
    _mount("tmp", root + "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, _tmp_options(spec))
    if spec.get("files") and not image:
        _mount("run", root + "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=256k")
        for file, text in spec["files"].items():
            _create(root + file, text)
        _mount(None, root + "/run", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    if _prepared.get("proc", True):
        _mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for outside, inside in spec.get("binds", ()):
        _bind(outside, root + inside)
    _show_layers(root, spec.get("layers", ()), [] if image else _prepared.get("binds", []))
    os.chdir(root)
    if libc.syscall(SYS_PIVOT_ROOT, b".", b".") != 0:
        fail("pivot_root")
    if libc.umount2(b".", MNT_DETACH) != 0:
        fail("umount of the old root")
    os.chdir("/")


def _tmp_options(spec: Plain) -> str:
    """A file takes memory even when it is empty: there may be as many as would each have a page."""
    return f"mode=1777,size={spec['tmp_bytes']},nr_inodes={spec['tmp_bytes'] // FILE_BYTES + 64}"


def _show_layers(root: str, layers: list[str], binds: list[list[str]]) -> None:
    """Mount the layers over /opt, and show again what they or the new /tmp cover: a runtime may be installed there."""
    covered = [pair for pair in binds if pair[1].startswith(("/tmp/", "/opt/") if layers else "/tmp/")]
    lower = list(layers[::-1])
    if any(inside.startswith("/opt/") for _, inside in covered):
        lower.append(root + "/opt")  # for its empty folders: an overlay does not show what is mounted there
    if len(lower) == 1:
        _bind(lower[0], root + "/opt")
    elif lower:
        folders = ":".join(path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,") for path in lower)
        _mount("opt", root + "/opt", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, f"lowerdir={folders}")
    for outside, inside in covered:
        if os.path.exists(outside):
            _bind(outside, root + inside)
            _hide(root, [path for path in _prepared.get("hidden", ()) if path.startswith(inside + "/")])


def _image_root(prepared: str, image: str) -> str:
    """Show an image's folder where it can become the root, with our devices and names; that place."""
    root = prepared + "/var/task"
    _bind(image, root)
    for name in (*FOLDERS, *FILES):
        if os.path.exists(prepared + name):
            _mount(prepared + name, root + name, None, MS_BIND | MS_REC)
    return root


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def _listen(kind: str, address: str, port: int, own_network: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    if kind == "tcp":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port if own_network else 0))
    if kind == "tcp":
        made.listen(128)
    return made


def _fork_program(spec: Plain) -> int:
    program = os.fork()
    if program == 0:
        lead_group()
        limit_files(spec)
        if spec.get("landlock") and "pid" not in _prepared["namespaces"]:
            shield_parent()
        prctl(PR_SET_DUMPABLE, 1)  # its own /proc/self is its own
        cwd: str = spec["cwd"]
        os.chdir(_paths(spec).get(cwd, cwd))
    return program


def _paths(spec: Plain) -> Plain:
    if _prepared.get("root") or _prepared.get("nested"):
        return {}
    paths = {inside: outside for outside, inside in spec.get("binds", ())}
    if spec.get("layers"):
        paths["/opt"] = spec["layers"][-1]
    paths["/tmp"] = spec.get("tmp", "/tmp")
    return paths


# -- the kernel


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    arguments = (source and source.encode(), target.encode(), kind and kind.encode(), flags, options.encode() or None)
    if libc.mount(*arguments) != 0:
        fail(f"mount of {source or kind or 'flags'} at {target}")


def _bind(outside: str, inside: str, device: bool = False) -> None:
    if not os.path.exists(inside):
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        if os.path.isdir(outside):
            os.mkdir(inside)
        else:
            os.close(os.open(inside, os.O_CREAT | os.O_WRONLY, 0o644))
    if not device:
        _mount(outside, inside, None, MS_BIND | MS_REC)
        attributes = struct.pack("=QQQQ", ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV, 0, 0, 0)
        size = ctypes.c_size_t(len(attributes))
        if libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, inside.encode(), AT_RECURSIVE, attributes, size) == 0:
            return
        if ctypes.get_errno() != errno.ENOSYS:
            fail(f"attributes of {inside}")
    else:
        _mount(outside, inside, None, MS_BIND)
    kept = _locked_flags(inside)
    _mount(None, inside, None, MS_REMOUNT | MS_BIND | MS_NOSUID | kept | (0 if device else MS_RDONLY | MS_NODEV))


def _locked_flags(path: str) -> int:
    """Flags of the mount beneath, which a remount in a user namespace must not clear."""
    flags = os.statvfs(path).f_flag
    return flags & (MS_NOEXEC | MS_NODEV | MS_NOATIME | MS_NODIRATIME)  # statvfs(3) numbers them as mount(2) does


def _create(file: str, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def _write(file: str, text: str) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None
