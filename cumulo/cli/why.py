"""Explain a request: who asked what of which resource, how it ended, and which policy denied it.

Every answer of AWS's API carries a request id; clients show it with an error. Without one, the newest denial is shown.
With `cumulo start --iam audit`, that is the newest call that would have been denied.

    cumulo why 5a3c9f9e-…
"""

import json
from typing import Any

from cumulo.cli import Refusal, configuration, denials, servers
from cumulo.cli.terminal import style


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo why`."""
    configuration.add_arguments(parser)
    parser.add_argument("request_id", nargs="?", help="of the answer to be explained; default: the newest denial")
    parser.add_argument("--json", action="store_true", help="the journal's entry as it is")


def run(options: Any) -> int:
    """Fetch the call from the running cloud's journal and print it."""
    running = servers.required(configuration.load(options), options)
    if options.request_id:
        if not all(letter.isalnum() or letter == "-" for letter in options.request_id):
            raise Refusal(f"{options.request_id!r} is no request id", code=2)
        call = servers.fetch(running, f"/_cumulo/requests?id={options.request_id}")
    else:
        recent = servers.fetch(running, "/_cumulo/requests?limit=1000")
        call = next((entry for entry in recent if entry.get("denial") or entry.get("audited")), None)
        if call is None:
            print("nothing was denied lately")
            return 0
    print(json.dumps(call, indent=2) if options.json else explanation(call))
    return 0


def explanation(call: dict[str, Any]) -> str:
    """A call in words."""
    ended = (
        f"{style(call['error'], 'red')}: {call.get('message', '')}" if call.get("error") else style("answered", "green")
    )
    rows = [
        ("request", call["request_id"]),
        ("asked", f"{call['service']}:{call['operation']} in {call['region']} of account {call['account']}"),
        ("by", call.get("principal") or "nobody (anonymous)"),
        ("key", call.get("access_key_id")),
        ("on", ", ".join(call.get("resources", []))),
        ("ended", ended),
    ]
    lines = [f"  {name:<9}{value}" for name, value in rows if value]
    if call.get("denial"):
        lines += denials.lines(call["denial"], call.get("principal", ""))
    for denial in call.get("audited", []):
        permission = denial["permission"]
        lines.append(
            f"  audit    {style('would have been denied', 'red')}: {permission['action']} on {permission['resource']}"
        )
        lines += denials.lines(denial, call.get("principal", ""))
    return "\n".join(lines)
