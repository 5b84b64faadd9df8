"""Write the least identity policy that each caller's recorded calls needed, from the journal in the data directory.

Allowed calls count and, with `cumulo start --iam audit`, those that would have been denied. Calls of an assumed role
count for the role. One policy is printed as it is; before each of several stands a line `# ARN`, unless with --json.

    cumulo policy generate --since 1h --principal arn:aws:iam::111122223333:role/worker
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cumulo.cli import Refusal, configuration, servers

if TYPE_CHECKING:
    from cumulo.core.usage.calls import Call

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo policy`."""
    configuration.add_arguments(parser)
    parser.add_argument("action", choices=("generate",), help="what to do")
    parser.add_argument(
        "--since", default="all", metavar="WHEN", help="30m, 24h, 7d, 2026-01-31, 2026-01-31T12:00 or all (default)"
    )
    parser.add_argument("--principal", metavar="ARN", help="of one user, role or session; default: everybody")
    parser.add_argument("--json", action="store_true", help="one object: policies by ARN")


def run(options: Any) -> int:
    """Read the journal and print the policies."""
    from cumulo.core import access
    from cumulo.core.policy import generation

    settings = configuration.load(options)
    access.configure(settings.cache_dir)
    principal = options.principal or ""
    if principal and not principal.startswith("arn:"):
        raise Refusal(f"{principal!r} is no ARN", "as in arn:aws:iam::111122223333:role/worker", code=2)
    since = _since(options.since)
    running = servers.find(settings, options)
    data_dir = Path(running.health.get("data_dir", settings.data_dir)) if running is not None else settings.data_dir
    found = generation.needs(_calls(running, data_dir, since), principal)
    if not found and not options.json:
        who = f" by {principal}" if principal else ""
        when = "" if options.since == "all" else f" since {options.since}"
        raise Refusal(f"no calls{who}{when} in {data_dir / 'journal'}")
    policies = {who: generation.policy(found[who]) for who in sorted(found)}
    if options.json:
        print(json.dumps(policies, indent=2))
    elif len(policies) == 1:
        print(json.dumps(*policies.values(), indent=2))
    else:
        print("\n\n".join(f"# {who}\n{json.dumps(policy, indent=2)}" for who, policy in policies.items()))
    return 0


def _calls(running: servers.Running | None, data_dir: Path, since: float) -> Iterator["Call"]:
    """The calls since then: the running cloud's newest, which it writes down with this, then the files'."""
    import msgspec

    from cumulo.core.usage.calls import Call
    from cumulo.core.usage.journal import written_calls

    recent = servers.fetch(running, "/_cumulo/requests?limit=1000") if running is not None else []
    for entry in recent:
        call = msgspec.convert(entry, Call)
        if call.time >= since:
            yield call
    for call in written_calls(data_dir):
        if call.time >= since:
            yield call


def _since(text: str) -> float:
    """The time that "24h", "2026-01-31" or "all" means, in seconds since 1970."""
    import datetime
    import time

    if text == "all":
        return float("-inf")
    if text[:-1].isdecimal() and text[-1] in UNITS_S:
        return time.time() - int(text[:-1]) * UNITS_S[text[-1]]
    try:
        return datetime.datetime.fromisoformat(text).timestamp()  # of this machine's zone, unless it names another
    except ValueError:
        raise Refusal(f"--since {text!r} is no time", "30m, 24h, 7d, 2026-01-31, 2026-01-31T12:00 or all", code=2)
