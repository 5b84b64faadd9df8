"""What a person can set. Pure data: nothing here reads the environment, a file or the clock.

The command line fills a `Settings` from flags, `CUMULO_*` variables and the config file (`cumulo.cli.configuration`);
tests build one directly. Every field is a key of the config file under the same name.
"""

from pathlib import Path
from typing import Literal

import msgspec

from cumulo.gateway.limits import MIB, Limits


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cloud's settings, complete: every field has a working default except the two directories.

    - `host`, `port`: where the gateway listens; "localhost" is both loopback addresses, port 0 takes a free one.
      A host beyond loopback requires real keys.
    - `data_dir`: everything that must survive; `cache_dir`: what can be made again (models cut from botocore's data).
    - `tls`: also answer TLS on the same port, with certificates of the local CA in `data_dir`, made when first needed.
    - `store`: "" is SQLite in `data_dir`; "postgresql://…" is shared by several processes; "memory:" is for tests.
    - `allowed_hosts`: further names under which clients reach this cloud ("cloud.example", "*.cloud.example").
    - `allowed_origins`: web pages ("https://app.example:8443") that may call it, beside those of this machine.
    - `hooks`: directories holding `boot.d`, `start.d`, `ready.d` and `shutdown.d` with scripts, in order.
    - `iam`: "enforce" denies what policies do not allow; "audit" lets it through, and writes down what AWS would deny.
    - `throttling`: refuse what is beyond the throughput of a DynamoDB table, as AWS does.
    - `isolation`: what keeps Lambda's functions apart: our own namespaces, or containers of one of these programs.
    - `runtimes`: programs that run Lambda's runtimes here, by identifier ("ruby3.2"), whatever their version.
    - `log_level`: debug, info, warning or error.
    - `seed`: fixes chance and ids, for tests; None draws from the system.
    - `drain_timeout_s`: how long a stop waits for answers that are under way; then it cuts them.
    - `limits`: what the gateway accepts before it refuses (`cumulo.gateway.limits`).
    """

    data_dir: Path
    cache_dir: Path
    host: str = "localhost"
    port: int = 4566
    tls: bool = True
    store: str = ""
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    hooks: tuple[Path, ...] = ()
    iam: Literal["enforce", "audit"] = "enforce"
    throttling: bool = False
    isolation: Literal["namespaces", "podman", "docker", "runc", "crun", "gvisor"] = "namespaces"
    runtimes: dict[str, str] = {}
    log_level: str = "info"
    seed: int | None = None
    drain_timeout_s: float = 10.0
    limits: Limits = Limits(buffered_body_bytes=96 * MIB)  # a Lambda function of 50 MB comes as base64 in JSON

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the gateway; then unknown access keys are welcome."""
        return self.host in ("localhost", "::1", "[::1]") or self.host.startswith("127.")

    @property
    def url(self) -> str:
        """The endpoint for clients on this machine, as in AWS_ENDPOINT_URL."""
        host = {"0.0.0.0": "localhost", "127.0.0.1": "localhost", "::": "localhost", "::1": "localhost"}.get(self.host)
        return f"http://{host or self.host}:{self.port}"
