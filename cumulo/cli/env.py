"""Print what to export so that AWS clients in this shell talk to the cloud.

eval "$(cumulo env)"
"""

import os
from typing import Any

from cumulo.cli import configuration, servers

# Some operations (StartLiveTail) are asked for at a host name with something before it, which localhost has not.
NO_PREFIXES = "AWS_DISABLE_HOST_PREFIX_INJECTION"


def exports(url: str, key: str = "test", secret: str = "test") -> list[str]:
    """The lines to paste, for a POSIX shell."""
    return [
        f"export AWS_ENDPOINT_URL={url}",
        f"export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}",
        f"export AWS_DEFAULT_REGION={os.environ.get('AWS_DEFAULT_REGION') or 'us-east-1'}",
    ]


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo env`."""
    configuration.add_arguments(parser)
    parser.add_argument("--unset", action="store_true", help="print what takes the exports back")


def run(options: Any) -> int:
    """Print the exports of the running cloud, or of the one that these settings would start."""
    settings = configuration.load(options)
    if options.unset:
        print(f"unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION {NO_PREFIXES}")
        return 0
    running = servers.find(settings, options)
    print("\n".join([*exports(running.url if running else settings.url), f"export {NO_PREFIXES}=true"]))
    return 0
