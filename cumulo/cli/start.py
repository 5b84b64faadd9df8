"""Run the cloud: in the foreground until Ctrl-C, or with --detach in the background.

Listens on localhost:4566. On --host beyond this machine only real access keys are accepted: the first start prints one.
"""

import sys
from typing import Any

from cumulo.cli import Refusal, configuration, servers
from cumulo.settings import Settings

SLOW_S = 1.0
DETACH_TIMEOUT_S = 60.0


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo start`."""
    from argparse import SUPPRESS, BooleanOptionalAction

    configuration.add_arguments(parser)
    parser.add_argument("--tls", action=BooleanOptionalAction, help="answer https on the same port too (default)")
    parser.add_argument("--store", metavar="URL", help="postgresql://… to share one cloud between several machines")
    parser.add_argument("--iam", choices=("enforce", "audit"), help="audit: deny nothing, note what AWS would deny")
    parser.add_argument("--log-level", choices=configuration.LEVELS, help="how much to log (default info)")
    parser.add_argument("--detach", "-d", action="store_true", default=None, help="run in the background once healthy")
    parser.add_argument("--detached", action="store_true", default=None, help=SUPPRESS)  # what --detach starts


def run(options: Any) -> int:
    """Start; return when the cloud has stopped (or, detached, when it is healthy)."""
    settings = configuration.load(options)
    servers.prepare_data_dir(settings.data_dir)
    if options.detach:
        return detach(settings)
    return foreground(settings, quiet=bool(options.detached))


def foreground(settings: Settings, *, quiet: bool) -> int:
    """Serve on this process's main thread until SIGTERM or SIGINT; exit code 0 after a clean drain."""
    import asyncio
    import threading

    _log_to_stderr(settings)
    slow = threading.Timer(SLOW_S, _say_slow, [settings])
    slow.daemon = True
    slow.start()

    def on_ready(cloud: Any) -> None:
        slow.cancel()
        if not quiet:
            print(banner(settings, cloud.port, cloud.root_key), flush=True)
        elif cloud.root_key:
            servers.leave_root_key(settings, cloud.root_key)
        servers.write_pid_file(settings, cloud.port)

    try:
        from cumulo import app

        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(app.serve(settings, on_ready=on_ready))
    except OSError as error:
        raise _explained(error, settings)
    except Exception as error:
        if type(error).__module__.startswith("cumulo.store"):  # StoreLocked and its kin say it in their message
            raise Refusal(str(error), _remedy(type(error).__name__))
        raise
    finally:
        slow.cancel()
        servers.remove_pid_file(settings)
    return 0


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _say_slow(settings: Settings) -> None:
    where = "PostgreSQL" if settings.store.startswith("postgres") else str(settings.data_dir)
    print(f"starting; opening the state in {where} …", file=sys.stderr, flush=True)


def banner(settings: Settings, port: int, keys: tuple[str, str] | None) -> str:
    """What a person sees: where it is, where state lives, and a block to paste."""
    from cumulo import __version__
    from cumulo.cli.terminal import style

    state = settings.store.partition("@")[2] or settings.store or str(settings.data_dir)
    return "\n".join(
        [
            "",
            f"  {style('cumulo', 'bold')} {__version__}  {style(_url(settings, port), 'blue')}",
            f"  {style('state', 'dim')}  {state}",
            *_audit(settings),
            "",
            _exports(settings, port, keys),
            "",
            f"  {style('Ctrl-C stops it; nothing is lost.', 'dim')}",
        ]
    )


def _audit(settings: Settings) -> list[str]:
    if settings.iam != "audit":
        return []
    from cumulo.cli.terminal import style

    return [
        f"  {style('iam', 'dim')}    {style('audit', 'bold')}: nothing is denied; `cumulo why` says what AWS denies"
    ]


def _exports(settings: Settings, port: int, keys: tuple[str, str] | None) -> str:
    from cumulo.cli.env import exports

    lines = exports(_url(settings, port), *(keys or ("test", "test")))
    text = "\n".join(f"  {line}" for line in lines)
    if keys:
        text = f"  The account's root key. It is shown only this once:\n\n{text}"
    elif not settings.loopback:
        text += "\n\n  (with a real key: unknown ones are refused on this address)"
    return text


def _url(settings: Settings, port: int) -> str:
    host = "localhost" if settings.loopback or settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://{host}:{port}"


def _log_to_stderr(settings: Settings) -> None:
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())


def _explained(error: OSError, settings: Settings) -> Exception:
    """The OSError of a failed start as a Refusal with its remedy; an OSError that is none of ours as it is."""
    import errno

    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        if settings.port and servers.find(settings) is not None:
            fix = "it is a cumulo: see `cumulo status`, stop it with `cumulo stop`, or choose another --port"
        else:
            fix = "stop it, or choose another port with --port"
        owner = servers.process_on(settings.port)
        return Refusal(f"port {settings.port} is taken" + (f" by {owner}" if owner else ""), fix)
    if error.errno == errno.EACCES and settings.port < 1024:
        return Refusal(f"no permission to listen on {where}", "ports under 1024 belong to root: choose one with --port")
    if error.errno in (errno.EADDRNOTAVAIL, errno.ENOENT) or type(error).__name__ == "gaierror":
        return Refusal(
            f"cannot listen on {where}: {error.strerror or error}", "give an address of this machine as --host"
        )
    if error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT):
        return Refusal(
            f"cannot write to {settings.data_dir}: {error.strerror}", "make room, or choose another --data-dir"
        )
    return error


def _remedy(kind: str) -> str:
    return {
        "StoreLocked": "another cumulo uses this directory: see `cumulo status`, or choose another --data-dir",
        "StoreFull": "make room, or choose another --data-dir",
        "StoreReadOnly": "make it writable, or choose another --data-dir",
        "StoreNewer": "start the newer cumulo that wrote it, or choose another --data-dir",
        "StoreCorrupt": "nothing was changed: restore a copy, or choose another --data-dir",
    }.get(kind, "")


def detach(settings: Settings) -> int:
    """Start ourselves again in a session of our own, wait until it is healthy, and say where it is."""
    import subprocess
    import time

    already = servers.read_pid_file(settings)
    if already and servers.alive(already["pid"]) and (running := servers.find(settings)):
        raise Refusal(f"{running.url} already serves {settings.data_dir}", "stop it with `cumulo stop`")
    log = servers.log_file(settings)
    arguments = [word for word in sys.argv[2:] if word not in ("--detach", "-d")]
    with log.open("ab") as sink:
        begin = sink.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "cumulo", "start", "--detached", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    deadline = time.monotonic() + DETACH_TIMEOUT_S
    while time.monotonic() < deadline:
        noted = servers.read_pid_file(settings)
        if noted and noted["pid"] == process.pid and servers.ask(noted["host"], noted["port"]):
            print(banner(settings, noted["port"], servers.take_root_key(settings)).rpartition("\n")[0])
            print(f"  process {process.pid}, log {log}\n  stop it with `cumulo stop`")
            return 0
        if process.poll() is not None:
            with log.open("rb") as written:
                written.seek(begin)
                said = written.read().decode("utf-8", "replace").strip().removeprefix("cumulo: ")
            raise Refusal(said or f"it ended with exit code {process.returncode}", f"log: {log}")
        time.sleep(0.02)
    process.terminate()
    raise Refusal(f"it did not become healthy within {DETACH_TIMEOUT_S:.0f} s", f"log: {log}")
