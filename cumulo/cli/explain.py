"""Say where an operation's answer comes from: the function, its file and line, what it refuses, who may call it.

cumulo explain sqs SendMessage
"""

import sys
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal, configuration, registry


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo explain`."""
    configuration.add_arguments(parser)
    parser.add_argument("service", help="as AWS's command line names it (sqs)")
    parser.add_argument("operation", help="SendMessage, send-message or send_message")


def run(options: Any) -> int:
    """Print the explanation."""
    from cumulo.core import coverage

    found = registry.load(options)
    service = registry.known(found, options.service)
    code = found.service(service)
    wanted = options.operation.replace("-", "").replace("_", "").lower()
    named = {name.lower(): name for name in code.model.operations}
    if wanted not in named:
        from difflib import get_close_matches

        near = get_close_matches(wanted, named, 1)
        raise Refusal(
            f"{service} has no operation {options.operation!r}",
            f"did you mean {named[near[0]]}?" if near else "",
            code=2,
        )
    operation = named[wanted]
    print(coverage.explain(found, service, operation))
    handler = code.handlers.get(operation)
    if handler is None:
        return 0
    print(f"  file      {_place(handler.function)}")
    print(f"  runs as   {'a coroutine that waits' if handler.is_async else 'one transaction'}")
    members = sorted(handler.model.input.members) if handler.model.input is not None else []
    print(f"  honours   {', '.join(member for member in members if member not in handler.unsupported) or 'no members'}")
    if handler.unsupported:
        print(f"  refuses   {', '.join(sorted(handler.unsupported))}")
    return 0


def _place(function: Any) -> str:
    """File and line, found in the source: a compiled function knows neither."""
    module = function.__module__
    file = Path(str(sys.modules[module].__file__)).with_name(module.rpartition(".")[2] + ".py")
    starts = (f"def {function.__name__}(", f"async def {function.__name__}(")
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line.startswith(starts):
            return f"{file}:{number}"
    return str(file)
