"""Read every object that S3 keeps and hold its bytes against its checksums.

Of objects under keys of KMS or of customers only the length is checked: their bytes cannot be opened without their
readers. The exit code is 1 when something is not as it was.
"""

import json
from typing import Any

from cumulo.cli import configuration, servers


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo scrub`."""
    configuration.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one document with all that was found")


def run(options: Any) -> int:
    """Let the running cloud check page after page, and say what it found."""
    running = servers.required(configuration.load(options), options)
    total: dict[str, Any] = {"versions": 0, "bytes": 0, "sealed": 0, "damaged": []}
    after = ""
    while True:
        page = servers.fetch(running, f"/_cumulo/scrub?after={after}")
        for name in total:
            total[name] += page[name]
        if not options.json:
            for found in page["damaged"]:
                print(f"{found['bucket']}/{found['key']} version {found['version']}: {found['problem']}")
        after = page["after"]
        if not after:
            break
    if options.json:
        print(json.dumps(total, indent=2))
    else:
        sealed = f", {total['sealed']} of them sealed" if total["sealed"] else ""
        print(f"{total['versions']} versions, {total['bytes']} bytes{sealed}: {len(total['damaged'])} damaged")
    return 1 if total["damaged"] else 0
