"""The programs that make containers: how each is told what to make, and to remove it. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import IO, NamedTuple

from cumulo.engines.containers.mounts import HOME, Mount, Plain, compiled, mounts, skeleton
from cumulo.engines.containers.rapid import Rapid, image_mounts
from cumulo.engines.sandboxes import enter
from cumulo.engines.sandboxes.enter import FILE_BYTES
from cumulo.engines.sandboxes.groups import is_running

PATIENCE_S = 60.0
NAMESPACES = ("pid", "network", "ipc", "uts", "mount")
MASKED = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
          "/proc/timer_list", "/proc/timer_stats")  # fmt: skip
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
"""Of a machine's /proc. Source: the defaults of the OCI runtimes' `spec` command."""
AS_ROOT = ("unshare", "--user", "--map-root-user")
PORTS = "net.ipv4.ip_unprivileged_port_start"
LABEL = "cumulo.server"
MOST = 4096
"""Open files, and processes, of all that is in a container: programs have less."""


class Failed(Exception):
    """The program refused; the text says what."""


class Running(NamedTuple):
    """A container that was started: the link's descriptors, and the process that stays beside it, if one does."""

    source: int
    sink: int
    process: subprocess.Popen[bytes] | None


class Launcher:
    """One of the programs."""

    def __init__(self, template: Plain) -> None:
        """`template`: of `Containers.template`."""
        self.template = template
        self.program: str = template["engine_program"]
        self.words = [self.program]
        """What every command of it begins with."""
        self.folder = Path(template["folder"])
        self.root = Path()
        self._rapid: Rapid | None = None
        self._trusted = self.folder / "trusted"

    def prepare(self) -> None:
        """Make what all containers share; remove what servers left that are gone. Raises Failed, OSError."""
        tree = compiled(self.template["tree"], self.template["interpreter"][0], self.folder)
        self.template = {**self.template, "tree": tree}
        self.root = skeleton(self.template, self.folder / "roots")
        if self.template["image"]:
            try:
                self._rapid = Rapid(self.template["interpreter"][0], self.template["tree"], self.folder)
            except subprocess.SubprocessError as error:
                raise Failed(f"no Python for images: {error}") from None
            self._keep_trusted()
        own = self.folder / "containers"
        own.mkdir(parents=True, exist_ok=True)
        for left in own.iterdir():
            if not is_running(left.name):
                shutil.rmtree(left, ignore_errors=True)

    def start(self, name: str, own: Path, spec: Plain) -> Running:
        """Make a container and start its supervisor. `own`: its own folder. Raises Failed."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove what is left of it."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """The supervisor."""
        python = self._rapid.command() if self._rapid else self.template["interpreter"]
        return [*python, f"{HOME}/cumulo/engines/containers/contained.py", HOME]

    def variables(self) -> dict[str, str]:
        """The supervisor's environment."""
        return self._rapid.variables() if self._rapid else dict(self.template["variables"])

    @staticmethod
    def complaint(own: Path) -> str:
        """The last that the program, or the supervisor, complained of."""
        try:
            return _last((own / "errors").read_bytes())
        except OSError:
            return _last(b"")

    def mounts(self, own: Path, spec: Plain) -> list[Mount]:
        """What is mounted in a container; its own files are written."""
        if self._rapid is not None:
            return image_mounts(self.template, spec, self._rapid, self._trusted, self.root)
        for name, text in spec["files"].items():
            file = own / name[1:]
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            file.chmod(0o644)
        return mounts(self.template, spec, own, self.root)

    def root_of(self, spec: Plain) -> str:
        """The folder that is the root of a container."""
        return spec["image"] or str(self.root)

    def _keep_trusted(self) -> None:
        """The cloud's certificates under the names that an image finds them by, in one folder."""
        for outside, inside in self.template["binds"]:
            if inside.startswith("/etc/cumulo/"):
                self._trusted.mkdir(exist_ok=True)
                place = self._trusted / Path(inside).name
                made = Path(f"{place}.{os.getpid()}")
                shutil.copyfile(outside, made)
                made.replace(place)

    def _run(self, *words: str) -> str:
        """What the program prints. Raises Failed with what it complains of."""
        try:
            done = subprocess.run(
                [*self.words, *words], capture_output=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"{self.program}: {error}") from None
        if done.returncode != 0:
            raise Failed(f"{self.program}: {_last(done.stderr)}")
        return done.stdout.decode(errors="replace")


class Oci(Launcher):
    """Programs that take an OCI runtime bundle: runc, crun, gVisor's runsc.

    Source: the Open Container Initiative's runtime specification, "config.md".
    """

    def __init__(self, template: Plain) -> None:
        super().__init__(template)
        self._state = self.folder / template["engine"]
        self._sandboxed = template["engine"] == "gvisor"
        self._rootless = os.geteuid() != 0
        if self._sandboxed and self._rootless:  # which would want newuidmap for a user namespace of its own making
            self.words = [*AS_ROOT, self.program, "--rootless"]
        self.words += ["--root", str(self._state)]
        if self._sandboxed:
            self.words += ["--network=none", "--ignore-cgroups"]
        elif template["engine"] == "crun":
            self.words += ["--cgroup-manager=disabled"]

    def prepare(self) -> None:
        super().prepare()
        self._state.mkdir(parents=True, exist_ok=True)
        # A folder or, of gVisor's, files: "<name>_sandbox:<name>.state".
        for name in sorted({left.name.partition("_sandbox:")[0] for left in self._state.iterdir()}):
            if not is_running(name):
                self.remove(name)

    def start(self, name: str, own: Path, spec: Plain) -> Running:
        (own / "config.json").write_text(json.dumps(self._configuration(own, spec)))
        inside_in, source_in = os.pipe()
        source_out, inside_out = os.pipe()
        words = ["run", "-detach" if self._sandboxed else "--detach", "--bundle", str(own), name]
        with (own / "errors").open("wb") as complaints:
            try:
                done = subprocess.run(
                    [*self.words, *words],
                    stdin=inside_in, stdout=inside_out, stderr=complaints, timeout=PATIENCE_S, check=False,
                    preexec_fn=lambda: enter.join(spec["groups"]),
                )  # fmt: skip
            except (OSError, subprocess.SubprocessError) as error:
                raise Failed(f"{self.program}: {error}") from None
            finally:
                os.close(inside_in)
                os.close(inside_out)
        if done.returncode != 0:
            raise Failed(f"{self.program}: {self.complaint(own)}")
        return Running(source_out, source_in, None)

    def remove(self, name: str) -> None:
        with contextlib.suppress(Failed):
            self._run("delete", "--force", name)

    def _configuration(self, own: Path, spec: Plain) -> Plain:
        uid, gid = spec["user"]
        kinds = ("bounding", "effective", "permitted", "inheritable", "ambient")
        linux: Plain = {
            "namespaces": [{"type": name} for name in NAMESPACES if name != "network" or not self._sandboxed],
            "maskedPaths": list(MASKED),
            "readonlyPaths": list(READ_ONLY),
        }
        if not self._sandboxed:
            linux["sysctl"] = {PORTS: "0"}
        if self._rootless and not self._sandboxed:
            _map_user(linux, uid, gid)
        mounts = [_oci(mount) for mount in self.mounts(own, spec)]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "terminal": False,
                "user": {"uid": uid, "gid": gid},
                "args": self.command(),
                "env": [f"{name}={value}" for name, value in self.variables().items()],
                "cwd": "/",
                "capabilities": {kind: [] for kind in kinds},
                "noNewPrivileges": True,
            },
            "root": {"path": self.root_of(spec), "readonly": True},
            "hostname": spec["hostname"],
            "mounts": [_proc(), _dev(read_only=not self._sandboxed), *mounts],
            "linux": linux,
        }


class Commands(Launcher):
    """podman and docker: one command that stays for as long as the container, and speaks for it.

    Sources: podman-run(1); Docker's reference, "docker container run".
    """

    def __init__(self, template: Plain) -> None:
        super().__init__(template)
        self._podman = template["engine"] == "podman"
        self._image = ""

    def prepare(self) -> None:
        super().prepare()
        listed = self._run("ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}")
        for name in listed.split():
            if not is_running(name):
                self.remove(name)
        if not self._podman:
            self._image = self._import(_packed(self.root))

    def start(self, name: str, own: Path, spec: Plain) -> Running:
        command = [self.program, "run", *self._options(name, own, spec), *self.command()]
        with (own / "errors").open("wb") as complaints:
            try:
                process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, bufsize=0
                )
            except OSError as error:
                raise Failed(f"{self.program}: {error}") from None
        assert process.stdin is not None and process.stdout is not None
        return Running(_moved(process.stdout), _moved(process.stdin), process)

    def remove(self, name: str) -> None:
        with contextlib.suppress(Failed):
            self._run("rm", "--force", "--volumes", *(["--time", "0"] if self._podman else []), name)

    def _options(self, name: str, own: Path, spec: Plain) -> list[str]:
        user = "{}:{}".format(*spec["user"])
        made = [
            "--rm", "--interactive", f"--name={name}", f"--label={LABEL}={self.template['server']}",
            "--network=none", "--ipc=none", "--cgroupns=host", "--read-only", "--cap-drop=all",
            "--security-opt=no-new-privileges", "--security-opt=label=disable", f"--sysctl={PORTS}=0",
            f"--pids-limit={spec['processes']}", f"--memory={spec['memory_bytes']}",
            f"--memory-swap={spec['memory_bytes']}", "--log-driver=none", f"--user={user}",
            f"--hostname={spec['hostname']}", "--workdir=/",
        ]  # fmt: skip
        made += [f"--env={name}={value}" for name, value in self.variables().items()]
        for mount in self.mounts(own, spec):
            made += _option(mount, "notmpcopyup" if self._podman else _most_files(mount))
        if self._podman:
            made += [f"--ulimit={name}={_hard(name)}" for name in ("nofile", "nproc")]
            made += ["--read-only-tmpfs=false", "--no-hosts", "--passwd=false"]
            return [*made, "--rootfs", self.root_of(spec)]
        if not spec["image"]:
            return [*made, "--entrypoint=", self._image]
        shown, archive = _top(Path(spec["image"]))
        for mount in shown:
            made += _option(mount)
        return [*made, "--entrypoint=", self._import(archive)]

    def _import(self, archive: bytes) -> str:
        """An image of a root, which docker takes in no other way; it is named by what is in it."""
        image = f"cumulo-root:{hashlib.sha256(archive).hexdigest()[:32]}"
        with contextlib.suppress(Failed):
            self._run("image", "inspect", image)
            return image
        try:
            done = subprocess.run(
                [self.program, "import", "-", image],
                input=archive, capture_output=True, timeout=PATIENCE_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"{self.program}: {error}") from None
        if done.returncode != 0:
            raise Failed(f"{self.program}: {_last(done.stderr)}")
        return image


def launcher(template: Plain) -> Launcher:
    """What makes containers of this template."""
    return Commands(template) if template["engine"] in ("podman", "docker") else Oci(template)


def _moved(stream: IO[bytes]) -> int:
    """The descriptor of a stream, as ours alone to close."""
    moved = os.dup(stream.fileno())
    stream.close()
    return moved


def _packed(root: Path) -> bytes:
    """A root as a tar archive; the same each time."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(root, ".", filter=_of_root)
    return archive.getvalue()


def _top(root: Path) -> tuple[list[Mount], bytes]:
    """How docker is shown the root of an image: a root of empty folders, files and links, and what is bound there."""
    (root / "etc/hostname").touch()  # docker mounts a file of its own there
    shown = []
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for place in sorted(root.iterdir()):
            tar.add(place, place.name, recursive=False, filter=_empty)
            if not place.is_symlink() and place.name not in ("proc", "sys", "dev", "tmp"):
                shown.append(Mount(str(place), f"/{place.name}"))
    return shown, archive.getvalue()


def _empty(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.size = 0
    if not member.issym() and not member.isdir():
        member.type = tarfile.REGTYPE
    return _of_root(member)


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _option(mount: Mount, more: str = "") -> list[str]:
    """`more`: an option of empty folders that only one program has."""
    if not mount.source:
        mode = "rw,exec,mode=1777" if mount.target == "/tmp" else "rw,mode=755"
        return ["--tmpfs", f"{mount.target}:{mode},nosuid,nodev,size={mount.size_bytes},{more}"]
    fields = ["type=bind", f"source={mount.source}", f"target={mount.target}", "readonly"]
    return ["--mount", ",".join(_quoted(field) for field in fields)]


def _hard(name: str) -> str:
    """What this process may have itself: podman's own wish may be more, which the kernel refuses."""
    hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]
    hard = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    return f"{hard}:{hard}"


def _quoted(field: str) -> str:
    """A field of comma-separated values."""
    return '"{}"'.format(field.replace('"', '""')) if "," in field or '"' in field else field


def _map_user(linux: Plain, uid: int, gid: int) -> None:
    """A user namespace with the one user that an ordinary user may put there: itself."""
    linux["namespaces"].append({"type": "user"})
    linux["uidMappings"] = [{"containerID": uid, "hostID": os.geteuid(), "size": 1}]
    linux["gidMappings"] = [{"containerID": gid, "hostID": os.getegid(), "size": 1}]


def _proc() -> Plain:
    return {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]}


def _dev(*, read_only: bool) -> Plain:
    """`read_only`: gVisor would not let even /dev/null be written to."""
    options = ["nosuid", "strictatime", "mode=755", "size=64k", *(["ro"] if read_only else [])]
    return {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": options}


def _oci(mount: Mount) -> Plain:
    if mount.source:
        options = ["rbind", "ro", "nosuid", "nodev"]
        return {"destination": mount.target, "type": "bind", "source": mount.source, "options": options}
    mode = "mode=1777" if mount.target == "/tmp" else "mode=755"
    options = ["nosuid", "nodev", mode, f"size={mount.size_bytes}", _most_files(mount)]
    return {"destination": mount.target, "type": "tmpfs", "source": "tmpfs", "options": options}


def _most_files(mount: Mount) -> str:
    """Files take memory even when they are empty, which only groups of root's count: as many as would have a page."""
    return f"nr_inodes={mount.size_bytes // FILE_BYTES + 64}"


def _last(complaints: bytes) -> str:
    """The last line, which says what was wrong."""
    lines = [line for line in complaints.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
