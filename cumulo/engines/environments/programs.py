"""What runs in an environment of each runtime: which zygote it is forked from, and what that becomes.

Source: AWS Lambda Developer Guide, "Building a custom runtime for AWS Lambda" (where a bootstrap is looked for),
"Modifying the runtime environment" (wrapper scripts), "Configuring Lambda functions with layers" (folders of layers).
"""

from __future__ import annotations

import functools
import os
import re
import sysconfig
from pathlib import Path

from msgspec import Struct

from cumulo.engines.environments import debugging, guest, package_paths
from cumulo.engines.environments.builds import Build
from cumulo.engines.environments.runtimes import IMAGE, JAVA, NODE, PROVIDED, PYTHON, RUBY, Runtime, base_python
from cumulo.engines.environments.variables import OLD_JAVA

GUEST = Path(guest.__file__).parent
PACKAGE = "cumulo/engines/environments/guest"
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
SOURCE_BYTES = 1 << 20
"""Of a handler's file that are looked at."""
HEAP_SHARE = 0.9
JAVA_HEAP_SHARE = 0.85
JAVA_OPTIONS = "JAVA_TOOL_OPTIONS"
JAVA_ARCHIVE = "/var/runtime/java.jsa"
JAVA_MAIN = "cumulo.runtime.Main"
JAVA_RUNTIME = GUEST / "java" / "runtime.jar"


class Program(Struct, frozen=True):
    """See above."""

    zygote: str
    """The Python that forks."""
    prefix: str
    """The folder of the runtime's own installation that sandboxes are shown, also as /var/lang."""
    binds: tuple[tuple[str, str], ...] = ()
    """Beside the system's folders: (outside, inside)."""
    argv: tuple[str, ...] = ()
    """What to execute; () for the Python runtime in the fork itself."""
    framed: bool = False
    """The runtime writes framed records to a descriptor that it finds in _LAMBDA_TELEMETRY_LOG_FD."""
    with_sdk: bool = False
    """The zygote has imported AWS's SDK."""
    failure: str = ""
    """Why it cannot even be tried."""


def program(build: Build, runtime: Runtime, java_archive: str = "") -> Program:
    """The program of a build. `java_archive`: see java_archives.py."""
    family = runtime.family
    if family == PYTHON:
        made = _python(build, runtime)
    elif family == NODE:
        made = _node(build, runtime)
    elif family == JAVA:
        made = _java(build, runtime, java_archive)
    elif family == RUBY:
        made = _ruby(build, runtime)
    elif family == IMAGE:
        made = _image(build)
    else:
        made = _provided(build)
    wrapper = build.variables.get(WRAPPER, "")
    if wrapper and family not in (PROVIDED, IMAGE):
        return Program(made.zygote, made.prefix, made.binds, (wrapper, *made.argv), made.framed)
    return made


def _python(build: Build, runtime: Runtime) -> Program:
    installed = prefix(runtime.program)
    packages = sdk_packages()
    binds = [(path, f"/var/runtime/{Path(path).name}") for path in packages.values()]
    binds += debugging.binds(build)
    modules = GUEST / "modules"
    binds += [(str(file), f"/var/runtime/{file.name}") for file in modules.glob("[a-z]*.py")]
    if not (build.variables.get(WRAPPER) or _brings_libraries(build)):
        hidden = any(path.startswith("/tmp/") for path in packages.values())  # by the environment's own /tmp
        with_sdk = "boto3" in packages and not hidden and _uses_sdk(build, packages)
        if with_sdk:  # its modules know where they were imported from, and read their data there
            binds += [(path, path) for path in packages.values()]
        return Program(runtime.program, installed, tuple(binds), framed=True, with_sdk=with_sdk)
    binds.append((str(GUEST / "run_python.py"), "/var/runtime/bootstrap.py"))
    binds.append((str(GUEST), f"/var/runtime/.cumulo/{PACKAGE}"))
    return Program(base_python(), installed, tuple(binds), (runtime.program, "/var/runtime/bootstrap.py"), True)


def _node(build: Build, runtime: Runtime) -> Program:
    heap_mb = int(build.memory_mb * HEAP_SHARE)
    argv = (
        runtime.program,
        "--expose-gc",
        "--max-http-header-size",
        "81920",
        f"--max-old-space-size={heap_mb}",
        "/var/runtime/index.mjs",
    )
    binds = tuple((str(file), f"/var/runtime/{file.name}") for file in sorted((GUEST / "node").glob("*.mjs")))
    return Program(base_python(), prefix(runtime.program), binds, argv, True)


def _java(build: Build, runtime: Runtime, archive: str) -> Program:
    jar = str(JAVA_RUNTIME)
    shown = "/var/runtime/runtime.jar" if jar.startswith("/tmp/") else jar  # an environment has a /tmp of its own
    binds = [(jar, shown)]
    if archive and shown == jar:  # archives are of files in one certain place
        binds.append((archive, JAVA_ARCHIVE))
    else:
        archive = ""
    given = build.variables.get(JAVA_OPTIONS, "")
    flags = (*java_flags(build.memory_mb, given, archive and JAVA_ARCHIVE), *debugging.java_flags(build))
    argv = (runtime.program, *flags, "-cp", shown, JAVA_MAIN, "/opt/java")
    told = build.runtime not in OLD_JAVA  # the others write the same records, and say nothing of it
    return Program(base_python(), prefix(runtime.program), tuple(binds), argv, told)


def java_flags(memory_mb: int, given: str = "", archive: str = "") -> tuple[str, ...]:
    """Options as AWS's runtimes set them, but for those that the function's own options say otherwise.

    A JVM reads JAVA_TOOL_OPTIONS first, so what follows on the command line would win.
    """
    flags = [
        (f"-XX:MaxHeapSize={int(memory_mb * 1024 * JAVA_HEAP_SHARE)}k", "-Xmx|MaxHeapSize|MaxRAM"),
        ("-XX:+UseSerialGC", "Use[A-Za-z0-9]*GC"),
        ("-XX:TieredStopAtLevel=1", "TieredStopAtLevel|TieredCompilation"),
        ("-Djava.net.preferIPv4Stack=true", "preferIPv4Stack"),
        ("-Dfile.encoding=UTF-8", "file.encoding"),
        ("-Dorg.crac.Core.Compat=com.amazonaws.services.lambda.crac", "org.crac.Core.Compat"),
    ]
    if archive:
        shared = "SharedArchiveFile|-Xshare"
        flags += [(f"-XX:SharedArchiveFile={archive}", shared), ("-Xlog:cds*=off", shared)]
    return tuple(flag for flag, pattern in flags if not re.search(pattern, given))


def _ruby(build: Build, runtime: Runtime) -> Program:
    binds = tuple((str(file), f"/var/runtime/bootstrap/{file.name}") for file in sorted((GUEST / "ruby").glob("*.rb")))
    return Program(
        base_python(), prefix(runtime.program), binds, (runtime.program, "/var/runtime/bootstrap/run.rb"), True
    )


def _provided(build: Build) -> Program:
    """The bootstrap of the code, else the last layer's."""
    for folder, inside in ((build.code, "/var/task"), *((layer, "/opt") for layer in reversed(build.layers))):
        if package_paths.is_program(folder, "bootstrap"):
            return Program(base_python(), "", (), (f"{inside}/bootstrap",))
    return Program(base_python(), "", failure="Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")


def _image(build: Build) -> Program:
    """The image's own program, put together as Docker does. Source: Docker docs, "Dockerfile reference", ENTRYPOINT."""
    argv = (*build.entry_point, *build.command)
    return Program(base_python(), "", argv=argv, failure="" if argv else "no command specified")


def prefix(program: str) -> str:
    """The installation that a program belongs to; "" for the system's own, which sandboxes show anyway."""
    found = str(Path(program).resolve().parents[1])
    return "" if found in ("/", "/usr") else found


def _brings_libraries(build: Build) -> bool:
    """Whether code or layers have shared libraries where LD_LIBRARY_PATH looks.

    The dynamic linker reads that variable once, when a process begins: a fork of the zygote would not find them.
    """
    places = ((build.code, ""), (build.code, "lib"), *((layer, "lib") for layer in build.layers))
    folders = (package_paths.find(folder, name) for folder, name in places)
    return any(folder is not None and _has_library(folder) for folder in folders)


def _has_library(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(".so" in entry.name and not _is_extension_module(entry.name) for entry in entries)
    except OSError:
        return False


def _is_extension_module(name: str) -> bool:
    """Python's own, that nothing else is linked with."""
    return ".cpython-" in name or ".abi3." in name


def _uses_sdk(build: Build, packages: dict[str, str]) -> bool:
    """Whether a warm SDK helps: the handler's file speaks of boto3, and neither code nor layers bring a part of it."""
    version = ".".join(build.runtime.removeprefix("python").split(".")[:2])
    places = [(build.code, "")]
    for layer in build.layers:
        places += [(layer, "python"), (layer, f"python/lib/python{version}/site-packages")]
    folders = [package_paths.find(folder, name) for folder, name in places]
    names = [file for name in packages for file in (name, f"{name}.py")]
    if any(folder is not None and os.path.lexists(folder / name) for folder in folders for name in names):
        return False
    module = build.handler.rpartition(".")[0].replace(".", "/")
    text = package_paths.beginning(build.code, f"{module}.py", SOURCE_BYTES)
    return b"boto3" in text or b"botocore" in text


@functools.cache
def sdk_packages() -> dict[str, str]:
    """The packages of AWS's SDK beside cumulo, and where they are."""
    places = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    found = {}
    for name in SDK:
        for place in places:
            if (place / name).exists():
                found[name.removesuffix(".py")] = str(place / name)
                break
    return found
