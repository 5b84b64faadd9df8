"""Show the log of a detached cloud. (In the foreground, the log is on the terminal.)"""

import sys
import time
from typing import Any

from cumulo.cli import Refusal, configuration, servers


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo logs`."""
    configuration.add_arguments(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    parser.add_argument("-n", "--lines", type=int, default=100, help="how many of the last lines (default 100)")


def run(options: Any) -> int:
    """Print the end of the log file, and what is added to it until Ctrl-C."""
    settings = configuration.load(options)
    file = servers.log_file(settings)
    if not file.exists():
        raise Refusal(f"there is no log at {file}", "a cloud writes one when started with `cumulo start --detach`")
    with file.open(encoding="utf-8", errors="replace") as log:
        for line in log.readlines()[-options.lines :] if options.lines > 0 else []:
            sys.stdout.write(line)
        log.seek(0, 2)
        while options.follow:
            sys.stdout.write(log.read())
            sys.stdout.flush()
            time.sleep(0.2)
    return 0
