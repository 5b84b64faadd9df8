"""What docs/lambda.md and docs/logs.md tell to type is typed, with the AWS CLI v2 and `cumulo`."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server_process import ROOT, Server

pytestmark = pytest.mark.timeout(180)

POLICY = "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess"
Types = Callable[[str], str]


def blocks(page: str) -> list[str]:
    """The shell commands of a page, in their order."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / page).read_text(), flags=re.DOTALL)


@pytest.fixture
def types(server: Server, aws_v2: list[str], tmp_path: Path) -> Types:
    """A shell in which somebody types lines; what it prints."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "aws").symlink_to(aws_v2[0])
    (programs / "cumulo").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m cumulo "$@"\n')
    (programs / "cumulo").chmod(0o755)
    environment = server.environment(
        PATH=f"{programs}:{os.environ['PATH']}", CUMULO_DATA_DIR=str(server.data_dir), CUMULO_PORT=str(server.port)
    )

    def typed(script: str) -> str:
        script = script.replace("4566", str(server.port))
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    return typed


def test_the_page_of_lambda(types: Types, tmp_path: Path) -> None:
    invoke, url, image, durable = blocks("lambda.md")
    assert "cumulo image load" in image and "durable" in durable  # these need docker and an SDK: they have own tests
    source = tmp_path / "src"
    source.mkdir()
    (source / "app.py").write_text("def handler(event, context):\n    return event\n")
    [live] = re.findall(r"```\n(cumulo live .*?)```", (ROOT / "docs/lambda.md").read_text(), flags=re.DOTALL)
    making, again, once, following = live.splitlines()
    assert "orders made in" in types(making.replace(" # ", " --once # "))
    assert '"id": 7' in types(again.replace(" # ", " --once # ")) and '"id": 7' in types(once)
    assert "START RequestId" in types(f"timeout -s INT 2 {following.partition('#')[0]} || true")
    types("cumulo live greeter ./src --handler app.handler --once")
    assert '"StatusCode": 200' in types(invoke)
    assert (tmp_path / "answer.json").read_text() == '{"n": 1}'
    made = types(url.partition("\ncurl ")[0])
    [name] = re.findall(r"//([a-z0-9]{32})\.lambda-url", made)
    call = url.partition("\ncurl ")[2].strip().replace("<url-id>", name)
    assert '"rawPath": "/"' in types(f"curl -sf {call}")


def test_the_page_of_logs(types: Types) -> None:
    first, shipped, delivered, insights = blocks("logs.md")
    made, shown = first.partition("cumulo logs")[0], first.partition("cumulo logs")[2].splitlines()
    types(made)
    user, key, bearer, *sent = shipped.splitlines()
    types(f"{user}\naws iam attach-user-policy --user-name shipper --policy-arn {POLICY}")
    [token] = re.findall(r'"ServiceCredentialSecret": "(ACWL[^"]+)"', types(key))
    types("\n".join([bearer, *sent]).replace("ACWL…", token).replace("curl ", "curl -sf "))
    assert 'web {"level":"INFO"}' in types(f"cumulo logs{shown[0]}")
    assert types("cumulo logs --groups").split() == ["/shop/orders"]
    types("aws s3 mb s3://shop && aws logs create-log-group --log-group-name /shop/access")
    assert '"deliverySourceName": "shop"' in types(delivered)
    said = types(insights)
    assert '"status": "Complete"' in said and '"value": "ERROR"' in said and '"pct(ms, 95)"' in said
