"""All the environments of one cloud: the zygotes that fork them, and how many start at a time."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cumulo.engines.containers import engines
from cumulo.engines.containers.containers import KEEPER, Containers
from cumulo.engines.environments import (
    aws_names,
    debugging,
    installations,
    programs,
    runtimes,
    snapshots,
    variables,
)
from cumulo.engines.environments.builds import NEEDS_ROOT, Build, LogLine, StartFailed
from cumulo.engines.environments.environment import Environment
from cumulo.engines.environments.java_archives import JavaArchives
from cumulo.engines.environments.programs import Program
from cumulo.engines.environments.runtimes import Runtime
from cumulo.engines.environments.snapshots import Snapshot
from cumulo.engines.environments.zygotes import PRELOADED, Message, Zygote
from cumulo.engines.sandboxes.sandbox import Limits, Sandbox
from cumulo.engines.sandboxes.sandboxes import Sandboxes

Adopt = Callable[[socket.socket], Awaitable[Callable[[], None]]]
"""Serve the cloud on a listening socket that is inside an environment; gives what stops it."""
OnLog = Callable[[list[LogLine]], None]
RUNTIME_API = ("tcp", "127.0.0.1", 9001)
TASK = "/var/task"
STARTS_PER_CORE = 2
TURN_S = 1.0
"""The longest that a start keeps others from starting."""
END_S = 5.0
MOST_SNAPSHOTS = 16


class _Adopted:
    """What stops the serving of the cloud inside an environment, in the shape of a server."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.close = stop


class _Turn:
    """A place among those that start. An init that takes long mostly waits for others: it gives its place away."""

    def __init__(self, starts: asyncio.Semaphore) -> None:
        self._starts: asyncio.Semaphore | None = starts
        self._timer = asyncio.get_running_loop().call_later(TURN_S, self.end)

    def end(self) -> None:
        self._timer.cancel()
        if self._starts is not None:
            self._starts.release()
            self._starts = None


class Environments:
    """Starts environments. Nothing is loaded or started before the first function asks."""

    def __init__(
        self,
        data_dir: Path,
        logger: logging.Logger,
        now: Callable[[], float],
        wall: Callable[[], float],
        adopt: Adopt | None = None,
        trust: Callable[[], Path] | None = None,
        isolation: str = engines.NAMESPACES,
    ) -> None:
        """`now` is the cloud's time, for log lines; `wall` the real one, for deadlines; both in seconds.

        `trust` gives the file of the cloud's authority: AWS's own names lead to the cloud then, and are trusted.
        `isolation`: one of `engines.ISOLATIONS`, what keeps functions apart.
        """
        self.now = now
        self.wall = wall
        self._logger = logger
        self._adopt = adopt
        self._trust = trust
        self._certificates = data_dir / "lambda" / "certificates"
        self.sandboxes = Sandboxes(data_dir / "lambda" / "sandboxes", logger, [data_dir])
        self._data_dir = data_dir
        self._containers = self._containers_by(isolation, data_dir) if isolation != engines.NAMESPACES else None
        self._java = JavaArchives(data_dir / "lambda" / "java", logger)
        self._snapshots: dict[str, asyncio.Task[Snapshot | None]] = {}
        self._zygotes: dict[tuple[Any, ...], asyncio.Task[Zygote]] = {}
        self._made: set[Sandbox] = set()
        self._living: set[Environment] = set()
        self._starts = asyncio.Semaphore(STARTS_PER_CORE * (os.cpu_count() or 1))

    async def start(self, build: Build, on_log: OnLog, log_stream: str = "") -> Environment:
        """A new environment after its INIT phase; an init that failed is repeated by its first invocation, as on AWS.

        Waits for its turn: few start at a time. Raises RuntimeMissing and StartFailed.
        """
        runtime = runtimes.find(build.runtime)
        await self._starts.acquire()
        turn = _Turn(self._starts)
        try:
            environment = Environment(self, build, runtime, on_log, log_stream)
            self._living.add(environment)
            try:
                await environment.init()
            except BaseException:
                self._living.discard(environment)
                raise
        finally:
            turn.end()
        return environment

    async def close(self) -> None:
        """Stop everything: environments by SHUTDOWN, then their zygotes."""
        await asyncio.gather(*(environment.stop() for environment in list(self._living)), return_exceptions=True)
        for taken in self._snapshots.values():
            self._drop(taken)
        self._snapshots.clear()
        ends = [asyncio.ensure_future(sandbox.end()) for sandbox in self._made if not sandbox.ended]
        if ends:
            _, unfinished = await asyncio.wait(ends, timeout=END_S)
            for end in unfinished:
                end.cancel()
        for task in self._zygotes.values():
            task.cancel()
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().close()
        self._zygotes.clear()
        self.sandboxes.close()

    def forget(self, environment: Environment) -> None:
        """It has stopped."""
        self._living.discard(environment)

    def debugged(self, function_arn: str) -> Environment | None:
        """The environment of this function that a debugger may attach to, if one is there."""
        for each in self._living:
            of_function = each.build.function_arn == function_arn or each.build.function_arn.startswith(
                function_arn + ":"
            )
            if of_function and debugging.is_wanted(each.build) and not each.dead:
                return each
        return None

    async def adopt(self, listening: socket.socket) -> Any:
        """Serve the cloud on this socket."""
        if self._adopt is None:
            listening.close()
            return _Adopted(lambda: None)
        return _Adopted(await self._adopt(listening))

    async def prepare(self, build: Build) -> None:
        """Start what environments of this build are forked from, so that the first needs not wait for it.

        Raises RuntimeMissing and StartFailed.
        """
        runtime = runtimes.find(build.runtime)
        await self.sandboxes.open()
        await self._java.prepare(runtime)
        await self._zygote(build, runtime)

    async def zygote_of(self, environment: Environment) -> Zygote:
        """The zygote to fork; of containers what starts them. Raises StartFailed."""
        build = environment.build
        await self.sandboxes.open()
        containers = self._containers_of(build)
        await self.sandboxes.stack([str(folder) for folder in build.layers], merged=containers is not None)
        await self._java.prepare(environment.runtime)
        return await self._zygote(build, environment.runtime)

    def _containers_of(self, build: Build) -> Containers | None:
        """What makes containers for this build, where it does not run in a sandbox of ours."""
        if self._containers is None and build.image is not None and not self.sandboxes.abilities.own_root:
            return self._for_images
        return self._containers

    @functools.cached_property
    def _for_images(self) -> Containers | None:
        engine = engines.for_images()
        if not engine:
            return None
        self._logger.warning("functions of images run in containers of %s: there are no namespaces for them", engine)
        return self._containers_by(engine, self._data_dir)

    def program(self, build: Build, runtime: Runtime) -> Program:
        """What runs in an environment of a build."""
        return programs.program(build, runtime, self._java.of(runtime))

    def prepared(
        self, environment: Environment, *, nested: bool = False, inside: bool = False
    ) -> tuple[Sandbox, Message]:
        """The sandbox to enter and the program to be; `nested` and `inside` as `Sandboxes.make`. Raises StartFailed."""
        build = environment.build
        containers = self._containers_of(build)
        if build.image is not None and containers is None and not self.sandboxes.abilities.own_root:
            raise StartFailed(NEEDS_ROOT)
        chosen = self.program(build, environment.runtime)
        layers = self.sandboxes.stacked([str(folder) for folder in build.layers], merged=containers is not None)
        listen = [RUNTIME_API]
        if build.port:
            listen.append(("tcp", "127.0.0.1", build.port))
        named = self._names_aws(containers)
        if named:
            listen += [("tcp", aws_names.ADDRESS, port) for port in aws_names.PORTS]
        make = containers.make if containers else functools.partial(self.sandboxes.make, nested=nested, inside=inside)
        try:
            sandbox = make(
                Limits(debugging.memory_mb(build), build.ephemeral_mb),
                [] if build.image else [(str(build.code), TASK)],
                layers,
                listen,
                cwd="/" if build.image else TASK,
                image=str(build.image or ""),
                names=self._known_names(containers, named),
            )
        except OSError as error:
            raise StartFailed(f"no sandbox: {error}") from None
        self._made = {each for each in self._made if not each.ended} if len(self._made) > 256 else self._made
        self._made.add(sandbox)
        own = variables.of(build, environment.runtime, environment.log_stream)
        if build.credentials_end_at and self.may_copy(environment):
            own = environment.credentials.variables(own, *RUNTIME_API[1:])
        program: Message = {
            "variables": {**(aws_names.VARIABLES if named else {}), **own},
            "argv": list(chosen.argv),
            "framed": chosen.framed,
            "failure": chosen.failure,
            "cwd": (build.working_directory or "/") if build.image else "",
            "keep": [],
            "shown": {} if self._has_roots(containers) else {inside: out for out, inside in chosen.binds},
        }
        return sandbox, program

    def may_copy(self, environment: Environment) -> bool:
        """Whether environments of this build may begin as copies of an initialised one."""
        abilities = self.sandboxes.abilities
        if self._containers_of(environment.build) or "net" not in abilities.namespaces:
            return False
        return snapshots.possible(environment, abilities.own_root)

    async def snapshot_of(self, environment: Environment) -> Snapshot | None:
        """The snapshot of a build, taken when the first environment asks for it; None where none can be taken."""
        build = environment.build
        if not self.may_copy(environment):
            return None
        task = self._snapshots.pop(build.key, None)
        if task is not None and task.done():
            found = None if task.cancelled() or task.exception() else task.result()
            if found is not None and not found.alive:
                task = None  # its process has ended: another is taken
        if task is None:
            task = asyncio.create_task(snapshots.take(self, environment))
            while len(self._snapshots) >= MOST_SNAPSHOTS:
                self._drop(self._snapshots.pop(next(iter(self._snapshots))))
        self._snapshots[build.key] = task  # the one that was used last comes last
        return await asyncio.shield(task)

    @staticmethod
    def _drop(task: asyncio.Task[Snapshot | None]) -> None:
        task.cancel()
        if task.done() and not task.cancelled() and task.exception() is None:
            found = task.result()
            if found is not None:
                found.close()

    async def _zygote(self, build: Build, runtime: Runtime) -> Zygote:
        chosen, containers = self.program(build, runtime), self._containers_of(build)
        image = containers is not None and build.image is not None
        key = (containers, image, chosen.zygote, chosen.prefix, chosen.binds, bool(chosen.argv))
        task = self._zygotes.get(key)
        if task is not None and task.done() and (task.cancelled() or task.exception() or not task.result().alive):
            task = None
        if task is None:
            task = asyncio.create_task(
                self._start_keeper(chosen, containers, image) if containers else self._start_zygote(chosen)
            )
            self._zygotes[key] = task
        return await asyncio.shield(task)

    def _known_names(self, containers: Containers | None, named: bool) -> dict[str, str] | None:
        """What the name server inside knows; `named`: AWS's names too."""
        if not self._has_roots(containers):
            return None
        return {**aws_names.LOCAL, **(dict.fromkeys(aws_names.SUFFIXES, aws_names.ADDRESS) if named else {})}

    def _has_roots(self, containers: Containers | None) -> bool:
        """Whether functions have a root of their own."""
        return containers is not None or self.sandboxes.abilities.own_root

    def _names_aws(self, containers: Containers | None) -> bool:
        """Whether AWS's names lead to the cloud: in a network of its own, with files of its own."""
        own_network = containers is not None or "net" in self.sandboxes.abilities.namespaces
        return self._trust is not None and own_network and self._has_roots(containers)

    def _trusted(self, java: bool) -> list[tuple[str, str]]:
        """Write the certificates that programs inside trust; (outside, inside) of each."""
        assert self._trust is not None
        ca = self._trust().read_bytes()
        system = aws_names.system_bundle()
        self._certificates.mkdir(parents=True, exist_ok=True)
        bundle, alone = self._certificates / "bundle.pem", self._certificates / "ca.pem"
        bundle.write_bytes(aws_names.bundle_of(ca, [system] if system else []))
        alone.write_bytes(ca)
        shown = [(str(bundle), os.path.realpath(name)) for name in aws_names.BUNDLES if Path(name).is_file()]
        if java:
            store = self._certificates / "trust.jks"
            store.write_bytes(aws_names.java_store_of(bundle.read_bytes()))
            shown.append((str(store), aws_names.JAVA_STORE))
        return [*dict.fromkeys(shown), (str(bundle), aws_names.BUNDLE), (str(alone), aws_names.CA)]

    async def _start_zygote(self, chosen: Program) -> Zygote:
        sdk = programs.sdk_packages() if chosen.with_sdk else {}
        modules = () if chosen.argv else PRELOADED
        zygote = Zygote(
            chosen.zygote, modules, sdk, {"LD_LIBRARY_PATH": variables.LANG_LIBRARIES + variables.LIBRARIES}
        )
        template = self.sandboxes.template(await self._shown(chosen, None))
        template["links"] = [*template.get("links", ()), ["/var/lang", chosen.prefix or "/usr"]]
        await zygote.start(template, self.sandboxes.zygote_groups())
        return zygote

    async def _start_keeper(self, chosen: Program, containers: Containers, image: bool) -> Zygote:
        """What starts containers of a program: inside, its Python comes up anew each time."""
        keeper = Zygote(runtimes.base_python(), (), {}, None, KEEPER)
        inside = [chosen.zygote, "-I", *(["-S"] if chosen.argv else []), "-X", "utf8"]
        try:
            template = containers.template(
                await self._shown(chosen, containers),
                inside,
                {"LD_LIBRARY_PATH": variables.LANG_LIBRARIES + variables.LIBRARIES},
                chosen.prefix or "/usr",
                image=image,
            )
        except engines.EngineMissing as error:
            raise StartFailed(str(error)) from None
        await keeper.start(template, self.sandboxes.zygote_groups())
        return keeper

    async def _shown(self, chosen: Program, containers: Containers | None) -> list[tuple[str, str]]:
        """(outside, inside) of what a program needs beside the system's folders."""
        prefixes = {chosen.prefix} if containers is None else {chosen.prefix, programs.prefix(chosen.zygote)}
        java = programs.JAVA_MAIN in chosen.argv
        trusted = await asyncio.to_thread(self._trusted, java) if self._names_aws(containers) else []
        started = (chosen.zygote, *chosen.argv[:1])
        shown = {folder for prefix in prefixes for folder in installations.shown(prefix, started)}
        return [*((each, each) for each in sorted(shown)), *chosen.binds, *trusted]

    def _containers_by(self, engine: str, data_dir: Path) -> Containers:
        return Containers(data_dir / "lambda" / "containers", self.sandboxes, self._logger, engine)
