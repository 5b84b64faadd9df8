"""Run a program to which this cloud is AWS: no endpoint option, no change to the program.

    cumulo exec -- aws sqs list-queues

AWS's real host names (sqs.us-east-1.amazonaws.com, BUCKET.s3.amazonaws.com, …) lead to the running cloud and its
certificates are trusted, for this program and what it starts; everything else of its network stays as it is. Without
credentials in the environment it gets test/test and us-east-1. Starts a cloud when none is running. Linux only.
"""

import contextlib
import os
import select
import selectors
import signal
import socket
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal, configuration, servers
from cumulo.cli.terminal import note
from cumulo.engines.environments import aws_names
from cumulo.settings import Settings

FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")
FROM_TERMINALS = ("SIGINT", "SIGQUIT")
NOT_FOUND, NOT_EXECUTABLE = 127, 126


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo exec`."""
    configuration.add_arguments(parser)
    parser.add_argument(
        "--except",
        dest="excepted",
        action="append",
        default=[],
        metavar="HOST",
        help="a name of AWS that keeps its real address, with all names under it; may be repeated",
    )
    parser.add_argument("program", nargs="...", metavar="-- COMMAND", help="the program and its arguments")


def run(options: Any) -> int:
    """Run the program; the exit code is its own (128 + n when signal n ended it)."""
    program = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not program:
        raise Refusal("no program to run", "cumulo exec -- aws sqs list-queues", code=2)
    if sys.platform != "linux":
        raise Refusal(
            "`cumulo exec` needs Linux's namespaces and seccomp",
            'here, point clients at the cloud instead: eval "$(cumulo env)"',
        )
    settings = configuration.load(options)
    running = _running(settings, options)
    if not running.health.get("tls"):
        raise Refusal(f"{running.url} does not answer https, which AWS's names need", "start it without --no-tls")
    bundle = _trust(running, settings.cache_dir / "exec")
    environment = _environment(bundle, bundle.with_name("ca.pem"))
    return _supervised(program, environment, running, bundle, tuple(name.lower() for name in options.excepted))


def _running(settings: Settings, options: Any) -> servers.Running:
    running = servers.find(settings, options)
    if running is not None:
        return running
    import subprocess

    flags = ["--host", settings.host, "--port", str(settings.port), "--data-dir", str(settings.data_dir)]
    started = subprocess.run(
        [sys.executable, "-m", "cumulo", "start", "--detach", *flags], capture_output=True, text=True, check=False
    )
    running = servers.find(settings, options)
    if running is None:
        raise Refusal(
            f"no cloud is running, and none could be started: {started.stderr.strip().removeprefix('cumulo: ')}"
        )
    note(f"started a cloud at {running.url}; it stays: `cumulo stop` ends it")
    return running


def _trust(running: servers.Running, folders: Path) -> Path:
    """Write the cloud's CA, and a bundle of it with all the certificates trusted so far; the bundle's path.

    Each CA has a folder of its own: another cloud of this user may run programs at the same time, and they must not
    come to trust this one in place of theirs.
    """
    from cumulo.cli import namespaces

    status, ca = servers.get(running.host, running.port, "/_cumulo/ca.pem")
    if status != 200:
        raise Refusal(f"{running.url}/_cumulo/ca.pem answered {status}")
    folder = folders / sha256(ca).hexdigest()[:16]
    namespaces.prepare(folder)
    sources = [os.environ[name] for name in aws_names.BUNDLE_VARIABLES if os.environ.get(name)]
    files = [Path(source) for source in dict.fromkeys(sources)]
    system = aws_names.system_bundle()
    files += [system] if system is not None and system not in files else []
    _write(folder / "ca.pem", ca)
    _write(folder / "ca-bundle.pem", aws_names.bundle_of(ca, [file for file in files if file.parent != folder]))
    return folder / "ca-bundle.pem"


def _write(file: Path, content: bytes) -> None:
    if file.exists() and file.read_bytes() == content:
        return
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(file)


def _environment(bundle: Path, ca: Path) -> dict[str, str]:
    environment = dict(os.environ)
    for name in aws_names.BUNDLE_VARIABLES:
        environment[name] = str(bundle)
    environment[aws_names.NODE_VARIABLE] = str(ca)  # added to Node's own list, so the CA alone
    if not environment.get("AWS_ACCESS_KEY_ID") and not environment.get("AWS_PROFILE"):
        environment["AWS_ACCESS_KEY_ID"] = environment["AWS_SECRET_ACCESS_KEY"] = "test"
        environment.pop("AWS_SESSION_TOKEN", None)
    named = any(environment.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"))
    if not named and not (Path.home() / ".aws" / "config").exists():
        environment["AWS_REGION"] = environment["AWS_DEFAULT_REGION"] = "us-east-1"
    return environment


def _supervised(
    program: list[str],
    environment: dict[str, str],
    running: servers.Running,
    bundle: Path,
    excepted: tuple[str, ...],
) -> int:
    from cumulo.cli import resolver, seccomp

    names = resolver.Resolver(excepted=excepted)
    cloud = (running.host, running.port)

    def redirect(kind: int, wanted: tuple[str, int]) -> tuple[str, int] | None:
        host, port = wanted
        if port == 53:
            return "127.0.0.1", names.port
        if host == resolver.AWS_ADDRESS and port in (80, 443) and kind != socket.SOCK_DGRAM:
            return cloud
        return None

    ours, theirs = socket.socketpair()
    # Who hears the program may answer with a signal before we have gone on: it waits until it can be passed on.
    passed_on = {getattr(signal, name) for name in (*FORWARDED, *FROM_TERMINALS)}
    signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    child = os.fork()
    if child != 0:
        _pass_signals_on(child)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
    if child == 0:
        ours.close()
        names.close()
        _become(program, environment, bundle, theirs)
    theirs.close()
    message, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
    if not descriptors:
        os.waitpid(child, 0)
        raise Refusal(
            f"cannot lead AWS's names here: {message.decode() or 'the program could not be prepared'}",
            'point clients at the cloud instead: eval "$(cumulo env)"',
        )
    ours.close()
    if message != b"ok":
        note(
            f"{message.decode()}; the certificates are trusted through variables only (AWS_CA_BUNDLE, SSL_CERT_FILE, …)"
        )
    return _loop(child, seccomp.Supervisor(descriptors[0], redirect), names)


def _become(program: list[str], environment: dict[str, str], bundle: Path, parent: socket.socket) -> None:
    """In the child: enter the namespace, install the filter, hand its listener over, turn into the program."""
    from cumulo.cli import namespaces, seccomp

    try:
        remark = namespaces.enter(bundle, bundle.parent)
        try:
            listener = seccomp.install()
        except seccomp.Unsupported as error:
            parent.send(str(error).encode())
            os._exit(1)
        socket.send_fds(parent, [remark.encode() or b"ok"], [listener])
        os.close(listener)
        parent.close()
        for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them; programs expect the system's way
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execvpe(program[0], program, environment)
    except OSError as error:
        print(f"cumulo: {program[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)
    finally:
        os._exit(1)


def _loop(child: int, supervisor: Any, names: Any) -> int:
    """Serve connects and names until the program has ended; then its exit code."""
    selector = selectors.DefaultSelector()
    ended = os.pidfd_open(child)
    selector.register(ended, selectors.EVENT_READ, "ended")
    selector.register(supervisor.listener, selectors.EVENT_READ, "connect")
    selector.register(names.udp, selectors.EVENT_READ, "udp")
    selector.register(names.tcp, selectors.EVENT_READ, "tcp")
    while True:
        for key, _ in selector.select():
            if key.data == "ended":
                selector.unregister(ended)
                _, status = os.waitpid(child, 0)
                if not _others_live(supervisor.listener) or os.fork():
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code
                _stay_behind()
            elif key.data == "connect":
                _answer(supervisor, selector)
            else:
                _resolve(key, names, selector)


def _answer(supervisor: Any, selector: selectors.BaseSelector) -> None:
    poll = select.poll()
    poll.register(supervisor.listener, select.POLLIN)
    events = dict(poll.poll(0)).get(supervisor.listener, 0)
    if events & select.POLLIN:
        supervisor.answer()
    elif events & select.POLLHUP:  # nobody is left under the filter
        selector.unregister(supervisor.listener)
        if not any(key.data == "ended" for key in selector.get_map().values()):
            os._exit(0)


def _others_live(listener: int) -> bool:
    """Whether descendants of the program go on after it; the kernel hangs up when the last one has ended."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return not dict(poll.poll(0)).get(listener, 0) & select.POLLHUP


def _stay_behind() -> None:
    """Serve the descendants in the background: away from the terminal and from pipes that someone reads to the end."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _resolve(key: selectors.SelectorKey, names: Any, selector: selectors.BaseSelector) -> None:
    if key.data == "udp":
        forwarded = names.udp_query()
        for asked in forwarded.sockets if forwarded else ():
            selector.register(asked, selectors.EVENT_READ, forwarded)
    elif key.data == "tcp":
        names.tcp_query()
    else:
        for asked in key.data.sockets:
            selector.unregister(asked)
        key.data.finish(key.fileobj)


def _pass_signals_on(child: int) -> None:
    """Signals sent to us alone are meant for the program. Ctrl-C on a terminal reaches both: it is not sent twice."""

    def forward(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for name in FORWARDED:
        signal.signal(getattr(signal, name), forward)
    for name in FROM_TERMINALS:
        signal.signal(getattr(signal, name), signal.SIG_IGN if sys.stdin.isatty() else forward)
