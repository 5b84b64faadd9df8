"""The commands. Only this package reads the environment and the config file.

`cumulo COMMAND` imports `cumulo.cli.COMMAND` and nothing else, so that `cumulo start` answers in 0.2 s: a command's
module says `add_arguments(parser)` and `run(options) -> int`, and argparse is loaded only when there are arguments.
"""

import sys
from typing import NoReturn

COMMANDS = {
    "start": "run the cloud",
    "stop": "stop a running cloud",
    "status": "say whether a cloud is running, and where",
    "reset": "delete all state",
    "env": "print what to export for AWS clients",
    "exec": "run a program to which this cloud is AWS",
    "logs": "show the log",
    "invoke": "invoke a function",
    "live": "run a function from a folder, anew with every change",
    "image": "keep container images for functions",
    "coverage": "list operations: real or refused, member by member",
    "explain": "say where an operation's answer comes from",
    "why": "explain a request, and its denial",
    "scrub": "read every stored object and check its bytes",
    "policy": "write the least policy that recorded calls needed",
    "workbench": "make the tables of a NoSQL Workbench model",
}


class Refusal(Exception):
    """The command cannot go on: what is wrong, and what to do about it. `code` is the process's exit code."""

    def __init__(self, message: str, fix: str = "", *, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave the process with its exit code: 0 done, 1 refused, 2 misused."""
    try:
        code = dispatch(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except Refusal as refusal:
        from cumulo.cli.terminal import complain

        complain(refusal.message, refusal.fix)
        code = refusal.code
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # `cumulo coverage | head`
        sys.stderr.close()
        code = 0
    sys.exit(code)


def dispatch(arguments: list[str]) -> int:
    """Find the command named by the first argument and run it with the others."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    name, rest = arguments[0], arguments[1:]
    if name in ("-V", "--version", "version"):
        from cumulo import __version__

        print(f"cumulo {__version__}")
        return 0
    if name not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, 1)
        raise Refusal(
            f"no command {name!r}", f"did you mean `cumulo {near[0]}`?" if near else "see `cumulo --help`", code=2
        )
    if name == "start":
        import gc

        gc.disable()  # a fifth of the start is looking for garbage among modules; `app.serve` switches it on again
    from importlib import import_module

    module = import_module(f"cumulo.cli.{'execute' if name == 'exec' else name}")
    run: int = module.run(_options(name, module, rest))
    return run


class NoOptions:
    """Every option at its default, None: what `cumulo start` alone means, without loading argparse."""

    def __getattr__(self, name: str) -> None:
        return None


def _options(name: str, module: object, rest: list[str]) -> object:
    if not rest and name == "start":
        return NoOptions()
    import argparse

    parser = argparse.ArgumentParser(
        prog=f"cumulo {name}",
        description=(module.__doc__ or "").strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)  # type: ignore[attr-defined]
    return parser.parse_args(rest)


def _overview() -> str:
    lines = ["cumulo: a whole AWS-compatible cloud on your own machine", "", "usage: cumulo COMMAND [options]", ""]
    lines += [f"  {name:<10} {text}" for name, text in COMMANDS.items()]
    return "\n".join([*lines, "", "`cumulo COMMAND --help` tells more about one."])
