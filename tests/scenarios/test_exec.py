"""`cumulo exec -- PROGRAM` with an empty environment: unmodified programs find this cloud where AWS would be."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Account
from tests.server_process import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux namespaces and seccomp")

AWS = [sys.executable, "-m", "awscli"]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def execute(cloud: Account, tmp_path: Path) -> Execute:
    """Runs a program as `env -i PATH=… cumulo exec -- PROGRAM`; the cloud holds the queue and the topic `orders`."""
    # The default keys are of the account 000000000000, so the names are all that keeps tests apart.
    cloud.client("sqs", account="000000000000").create_queue(QueueName="orders")
    cloud.client("sns", account="000000000000").create_topic(Name="orders")
    port = str(cloud.running.cloud.port)
    exec_ = [sys.executable, "-m", "cumulo", "exec", "--port", port, "--data-dir", str(tmp_path / "data"), "--"]

    def run(*program: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
        command = ["env", "-i", f"PATH={os.environ['PATH']}", f"PYTHONPATH={ROOT}", *exec_, *program]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)

    return run


def output(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_command_line_v1(execute: Execute) -> None:
    [url] = output(execute(*AWS, "sqs", "list-queues", "--queue-name-prefix", "orders"))["QueueUrls"]
    assert url.endswith(".amazonaws.com/000000000000/orders")
    output(execute(*AWS, "sqs", "send-message", "--queue-url", url, "--message-body", "from aws"))
    assert output(execute(*AWS, "sts", "get-caller-identity"))["Account"] == "000000000000"


def test_the_command_line_v2(execute: Execute, aws_v2: list[str]) -> None:
    [url] = output(execute(*aws_v2, "sqs", "list-queues", "--queue-name-prefix", "orders"))["QueueUrls"]
    assert url.endswith(".amazonaws.com/000000000000/orders")


def test_boto3(execute: Execute) -> None:
    program = """
import boto3, json
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
sqs.send_message(QueueUrl=url, MessageBody="from boto3")
topics = [topic["TopicArn"] for topic in boto3.client("sns").list_topics()["Topics"]]
print(json.dumps({"url": url, "topics": topics, "arn": boto3.client("sts").get_caller_identity()["Arn"]}))
"""
    said = output(execute(sys.executable, "-c", program))
    assert said["url"].endswith(".amazonaws.com/000000000000/orders")
    assert "arn:aws:sns:us-east-1:000000000000:orders" in said["topics"]
    assert said["arn"] == "arn:aws:iam::000000000000:root"


def test_the_javascript_sdk(execute: Execute, javascript: Path) -> None:
    said = output(execute("node", "exec.mjs", cwd=javascript))
    assert any(url.endswith(".amazonaws.com/000000000000/orders") for url in said["queues"])
    assert "arn:aws:sns:us-east-1:000000000000:orders" in said["topics"]
    assert said["arn"] == "arn:aws:iam::000000000000:root"


def test_exit_codes_pass_through(execute: Execute) -> None:
    for code in (0, 1, 42, 255):
        assert execute("sh", "-c", f"exit {code}").returncode == code
    assert execute("sh", "-c", "kill -TERM $$").returncode == 128 + 15
    assert execute("no-such-program").returncode == 127
    # An error of AWS is an error of the program: this one says 254, as `aws` documents.
    done = execute(*AWS, "sqs", "get-queue-url", "--queue-name", "missing")
    assert done.returncode in (254, 255)
    assert "NonExistentQueue" in done.stderr or "QueueDoesNotExist" in done.stderr
