"""`cumulo start` as a process of its own, as a person runs it: started, killed, started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`cumulo start` as a process of its own that can be killed and started again on the same data."""

    def __init__(self, data_dir: Path, *options: str, user: int | None = None) -> None:
        """`user`: whose process it is, if not ours; the folder that the data directory is in must be theirs."""
        self.data_dir = data_dir
        self.user = user
        self.port = free_port()
        self.options = options
        self.url = f"http://localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What all its runs have printed."""
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> "Server":
        command = [sys.executable, "-m", "cumulo", "start", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        environment = dict(os.environ)
        if self.user is not None:
            command = [sys.executable, str(ROOT / "tests/ordinary_user.py"), str(self.user), *command]
            environment["HOME"] = str(self.data_dir.parent)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *self.options], stdout=output, stderr=output, cwd=ROOT, env=environment
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_cumulo/health", timeout=10):
                    return self
            except OSError:
                time.sleep(0.01)
        raise AssertionError(f"cumulo did not start:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """The power goes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def client(self, service: str, **options: Any) -> Any:
        options.setdefault("aws_access_key_id", "test")
        options.setdefault("aws_secret_access_key", "test")
        options.setdefault("region_name", "us-east-1")
        config = Config(retries={"max_attempts": 0}, max_pool_connections=32, read_timeout=60).merge(
            options.pop("config", Config())
        )
        return boto3.client(service, endpoint_url=self.url, config=config, **options)

    def environment(self, **more: str) -> dict[str, str]:
        """What the README tells a person to export, and nothing else of AWS."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            **more,
        }
