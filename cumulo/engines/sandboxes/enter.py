"""Put a freshly forked process into a sandbox. Standard library only, Python 3.9 or newer, Linux.

It runs in interpreters that know nothing of cumulo (each runtime's zygote loads this file by its path), so what it is
told are plain dicts that JSON can carry. A zygote calls `prepare(template)` once and, in every child it forks,
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
    "binds": [[outside, inside], …] shown read-only; what is missing outside is left out,
    "links": [[where, to], …], "files": {path: text}, "folders": [path, …] mount points for `enter`'s binds,
    "hidden": [path, …] covered by an empty folder when a bind shows it (the state folder in a prefix, …) }
`spec`: {
    "control": descriptor of a SOCK_SEQPACKET unix socket to the server,
    "stdout", "stderr": descriptors (-1: /dev/null),
    "keep": [descriptor, …] that the program keeps open beside,
    "uid", "gid": of the program (null: as it is), "groups": [cgroup.procs file, …] to join,
    "tmp_bytes": size of /tmp, "tmp": folder used as /tmp without own root,
    "binds": [[outside, inside], …], "layers": [folder, …] the later over the earlier, in /opt,
    "listen": [[kind "tcp" or "udp", address, port], …] opened inside and handed to the server, in this order,
    "limits": {"nofile": n, "nproc": n, "fsize": n, "data": n, …}, "nice": n, "oom": oom_score_adj,
    "seccomp": base64 of a classic BPF program or "", "landlock": {"read": […], "write": […], "ports": [n, …]} or null,
    "nested": whether children of the program will enter sandboxes of their own,
    "cwd": folder, "hostname": name }

The control socket carries one JSON object a message. From inside: {"pid": C2 as seen outside}; {"ready": true,
"addresses": [[address, port], …]} with the listening sockets as descriptors, or {"error": step and reason};
{"started": name, "pid": inner}; {"exit": name, "status": wait status}, name "runtime" for the program itself.
From the server:
{"spawn": name, "argv": […], "variables": {…}, "cwd": folder} with its stdout and stderr as one descriptor;
{"signal": name, "number": n}; and end of file, which ends everything.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import fcntl
import json
import os
import platform
import resource
import select
import signal
import socket
import struct
from typing import Any, NoReturn

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
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 36, 47, 4
LAST_CAPABILITY = 63
MACHINE = platform.machine()
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(MACHINE, -1)
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}.get(MACHINE, -1)
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}.get(MACHINE, -1)
SYS_LANDLOCK = 444
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MESSAGE_BYTES = 128 * 1024
ROOT_FOLDERS = ("/proc", "/tmp", "/dev", "/etc", "/var/task", "/var/runtime", "/opt")
DEVICES = ("null", "zero", "full", "random", "urandom")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
Plain = dict[str, Any]  # what JSON carries
_prepared: Plain = {}


class Failed(Exception):
    """A step that the kernel refused; the text says which and why."""


def subreaper() -> None:
    """Make this process the parent of grandchildren whose parent ends, and end it with its own parent."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def prepare(template: Plain) -> None:
    """Build, once and in this process's own mount namespace, the root that all its sandboxes share read-only."""
    _prepared.clear()
    root = template.get("root") or ""
    if root:
        _unshare([name for name in ("user", "mount") if name in template["namespaces"]])
        _mount(None, "/", None, MS_REC | MS_PRIVATE)
        _build(root, template)
    _prepared.update(template)


def enter(spec: Plain) -> Plain:
    """Enter a sandbox; returns only in the program's process, with its view of the sandbox.

    {"addresses": [[address, port], …] of the listening sockets, "paths": {inside: where it really is}}: without a root
    of its own a program finds its folders where they are, and its ports where one was free.
    """
    control = _move_descriptors(spec)
    try:
        _join(spec)
        _unshare([name for name in _prepared["namespaces"] if not (name == "mount" and not _prepared.get("root"))])
        pid = os.fork()
        if pid:
            control.send(json.dumps({"pid": pid}).encode())
            os._exit(0)
        listening = _inside(spec)
        addresses = [list(each.getsockname()[:2]) for each in listening]
        program = _fork_program(spec)
        if program:
            message = json.dumps({"ready": True, "addresses": addresses}).encode()
            socket.send_fds(control, [message], [each.fileno() for each in listening])
            for each in listening:
                each.close()
            _supervise(control, {program: "runtime"}, spec)
    except BaseException as error:  # a fork must never run on into its parent's code
        _tell(control, {"error": str(error) or type(error).__name__})
        os._exit(1)
    control.close()
    for each in listening:
        each.close()
    return {"addresses": addresses, "paths": _paths(spec)}


# -- outside: what C1 does


def _move_descriptors(spec: Plain) -> socket.socket:
    """Give the program its output, close whatever else the zygote had open, and say where the control socket is."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, name in ((0, ""), (1, "stdout"), (2, "stderr")):
        given = spec.get(name, -1) if name else -1
        os.dup2(given if given >= 0 else nothing, number)
    keep = sorted({0, 1, 2, spec["control"], *spec.get("keep", ())})
    for before, after in zip(keep, [*keep[1:], 1 << 16]):  # noqa: B905, zip() has no `strict` before 3.10
        os.closerange(before + 1, after)
    return socket.socket(fileno=spec["control"])


def _join(spec: Plain) -> None:
    for file in spec.get("groups", ()):
        _write(file, "0")
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
    if flags and _libc.unshare(ctypes.c_int(flags)) != 0:
        _fail(f"unshare({', '.join(names)})")
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
        with open(root + file, "w") as written:
            written.write(text)
    for hidden in template.get("hidden", ()):
        if os.path.isdir(root + hidden):
            _mount("hidden", root + hidden, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=700,size=4k")
    _mount(None, root, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)


# -- inside: what C2 does


def _inside(spec: Plain) -> list[socket.socket]:
    """Everything that needs rights: mounts, addresses; then give the rights up. The listening sockets."""
    made = _prepared["namespaces"]
    if "uts" in made:
        name = spec.get("hostname", "sandbox").encode()
        _libc.sethostname(name, len(name))
    if "net" in made:
        _loopback_up()
    listening = [_listen(kind, address, port, "net" in made) for kind, address, port in spec.get("listen", ())]
    if _prepared.get("root"):
        _own_root(_prepared["root"], spec)
    os.umask(0o022)
    _limit(spec)
    _lock_down(spec)
    return listening


def _own_root(root: str, spec: Plain) -> None:
    if "user" in _prepared["namespaces"]:  # what another user namespace mounted is locked: only a copy may be moved to
        _mount(root, root, None, MS_BIND | MS_REC)
    _mount("tmp", root + "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={spec['tmp_bytes']}")
    if "pid" in _prepared["namespaces"]:
        _mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for outside, inside in spec.get("binds", ()):
        _bind(outside, root + inside)
    layers = spec.get("layers", ())
    if len(layers) == 1:
        _bind(layers[0], root + "/opt")
    elif layers:
        lower = ":".join(path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,") for path in layers[::-1])
        _mount("opt", root + "/opt", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, f"lowerdir={lower}")
    os.chdir(root)
    if _libc.syscall(SYS_PIVOT_ROOT, b".", b".") != 0:
        _fail("pivot_root")
    if _libc.umount2(b".", MNT_DETACH) != 0:
        _fail("umount of the old root")
    os.chdir("/")


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


def _limit(spec: Plain) -> None:
    for name, value in spec.get("limits", {}).items():
        number = getattr(resource, f"RLIMIT_{name.upper()}")
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (value, value))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _lock_down(spec: Plain) -> None:
    """Give up every right for good; in this order, as each step needs what the next takes away."""
    privileged = os.geteuid() == 0 or "user" in _prepared["namespaces"]
    if privileged:
        for capability in range(LAST_CAPABILITY + 1):
            if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                break  # the kernel knows no more of them
    uid, gid = spec.get("uid"), spec.get("gid")
    if uid is not None and gid is not None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("=Ii", 0x20080522, 0)
    if _libc.syscall(SYS_CAPSET, header, bytes(24)) != 0:
        _fail("capset")
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # the program has our user, and must not look into us
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        _fail("no_new_privs")
    if spec.get("seccomp"):
        code = base64.b64decode(spec["seccomp"])
        instructions = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(instructions))
        if _libc.syscall(SYS_SECCOMP, 1, 0, program) != 0:
            _fail("seccomp")


# -- the supervisor


def _fork_program(spec: Plain) -> int:
    program = os.fork()
    if program == 0:
        _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # its own /proc/self is its own
        cwd: str = spec["cwd"]
        os.chdir(_paths(spec).get(cwd, cwd))
    return program


def _paths(spec: Plain) -> Plain:
    if _prepared.get("root"):
        return {}
    paths = {inside: outside for outside, inside in spec.get("binds", ())}
    paths["/tmp"] = spec.get("tmp", "/tmp")
    return paths


def _supervise(control: socket.socket, names: dict[int, str], spec: Plain) -> NoReturn:
    """Be pid 1 until the server hangs up. Never returns."""
    for number in (1, 2, spec.get("stdout", -1), spec.get("stderr", -1), *spec.get("keep", ())):
        if number >= 0 and number != control.fileno():
            with contextlib.suppress(OSError):
                os.close(number)
    os.chdir("/")
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    woken.setblocking(False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(woken, select.POLLIN)
    _reap(control, names)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == control.fileno():
                _obey(control, names, spec)
            else:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
                _reap(control, names)


def _reap(control: socket.socket, names: dict[int, str]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        name = names.pop(pid, None)
        if name is not None:
            _tell(control, {"exit": name, "status": status})


def _obey(control: socket.socket, names: dict[int, str], spec: Plain) -> None:
    message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 4)
    if not message:
        os._exit(0)  # pid 1: the kernel kills the others
    wanted = json.loads(message)
    if "spawn" in wanted:
        try:
            pid = os.fork()
        except OSError as error:
            _tell(control, {"exit": wanted["spawn"], "status": 0, "error": error.strerror})
        else:
            if pid == 0:
                _become(wanted, descriptors)
            names[pid] = wanted["spawn"]
            _tell(control, {"started": wanted["spawn"], "pid": pid})
    elif "signal" in wanted:
        for pid, name in names.items():
            if name == wanted["signal"]:
                os.kill(pid, wanted["number"])
    for descriptor in descriptors:
        os.close(descriptor)


def _become(wanted: Plain, descriptors: list[int]) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if descriptors:
            os.dup2(descriptors[0], 1)
            os.dup2(descriptors[0], 2)
        os.closerange(3, 1 << 16)
        os.chdir(wanted.get("cwd") or "/")
        os.execve(wanted["argv"][0], wanted["argv"], wanted["variables"])
    except OSError as error:
        os.write(2, f"{wanted['argv'][0]}: {error.strerror}\n".encode())
    os._exit(127)


# -- the kernel


def _tell(control: socket.socket, message: Plain) -> None:
    try:
        control.send(json.dumps(message).encode())
    except OSError:
        os._exit(1)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    arguments = (source and source.encode(), target.encode(), kind and kind.encode(), flags, options.encode() or None)
    if _libc.mount(*arguments) != 0:
        _fail(f"mount of {source or kind or 'flags'} at {target}")


def _bind(outside: str, inside: str, device: bool = False) -> None:
    if not os.path.exists(inside):
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        if os.path.isdir(outside):
            os.mkdir(inside)
        else:
            os.close(os.open(inside, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(outside, inside, None, MS_BIND)
    kept = _locked_flags(inside)
    _mount(None, inside, None, MS_REMOUNT | MS_BIND | MS_NOSUID | kept | (0 if device else MS_RDONLY | MS_NODEV))


def _locked_flags(path: str) -> int:
    """Flags of the mount beneath, which a remount in a user namespace must not clear."""
    flags = os.statvfs(path).f_flag
    return flags & (MS_NOEXEC | MS_NODEV | MS_NOATIME | MS_NODIRATIME)  # statvfs(3) numbers them as mount(2) does


def _write(file: str, text: str) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None


def _fail(step: str) -> NoReturn:
    raise Failed(f"{step}: {os.strerror(ctypes.get_errno())}")
