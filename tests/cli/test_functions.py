"""`cumulo invoke` and `cumulo live`: functions as a person runs them while writing them."""

import json
import time
from pathlib import Path
from typing import Any

import boto3

from cumulo.cli import folders
from tests.cli.test_commands import Shell, cumulo  # noqa: F401 - the fixture

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
CODE = """
def handler(event, context):
    print("got", event)
    return {"n": event["n"] + %s}
"""


def test_a_folder_is_a_function(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    source = tmp_path / "src"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__pycache__" / "app.pyc").write_bytes(b"old")
    (source / "app.py").write_text(CODE % 1)
    live = ("live", "adder", str(source))
    assert cumulo("start", "--detach").returncode == 0
    missing = cumulo(*live)
    assert (missing.returncode, "there is no function adder" in missing.stderr) == (2, True)
    made = cumulo(*live, "--handler", "app.handler", "--event", '{"n": 41}', "--once")
    assert made.returncode == 0, made.stderr
    first, _, answer = made.stdout.partition("\n")
    assert first.startswith("adder made in ") and "(1 file, " in first
    assert json.loads(answer) == {"n": 42}
    assert "got {'n': 41}" in made.stderr and "REPORT RequestId" in made.stderr
    (source / "app.py").write_text(CODE % 100)
    updated = cumulo(*live, "--event", '{"n": 1}', "--once")
    assert updated.stdout.startswith("adder updated in ")
    assert json.loads(updated.stdout.partition("\n")[2]) == {"n": 101}
    event = tmp_path / "event.json"
    event.write_text('{"n": 5}')
    assert json.loads(cumulo("invoke", "adder", f"@{event}").stdout) == {"n": 105}
    failed = cumulo("invoke", "adder", "{}", "--quiet")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("KeyError: 'n'\n") and "app.py" in failed.stderr
    assert cumulo("invoke", "adder", '{"n": 1}', "--event").stdout == "queued\n"
    wrong = cumulo("invoke", "adder", "{n")
    assert (wrong.returncode, "no JSON" in wrong.stderr) == (2, True)
    nobody = cumulo("invoke", "none")
    assert (nobody.returncode, "ResourceNotFoundException" in nobody.stderr) == (1, True)


def test_what_was_just_answered_is_in_the_log(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    source = tmp_path / "src"
    source.mkdir()
    (source / "app.py").write_text(CODE % 1)
    assert cumulo("start", "--detach").returncode == 0
    assert cumulo("live", "adder", str(source), "--handler", "app.handler", "--once").returncode == 0
    silent = cumulo("logs", "adder")
    assert (silent.returncode, "adder has written nothing yet to /aws/lambda/adder" in silent.stderr) == (1, True)
    for n in range(3):  # the first makes the group; the others find one, and still want their own lines
        assert cumulo("invoke", "adder", json.dumps({"n": n}), "--quiet").returncode == 0
        lines = cumulo("logs", "adder").stdout.splitlines()
        assert any(f"got {{'n': {n}}}" in line for line in lines), lines
        assert sum(" REPORT RequestId" in line for line in lines) == n + 1, lines
    lambda_: Any = boto3.client("lambda", endpoint_url=f"http://localhost:{cumulo.port}", **KEYS)
    lambda_.update_function_configuration(FunctionName="adder", LoggingConfig={"LogGroup": "/shop/adder"})
    lambda_.get_waiter("function_updated_v2").wait(FunctionName="adder", WaiterConfig={"Delay": 1})
    assert cumulo("invoke", "adder", '{"n": 7}', "--quiet").returncode == 0
    assert "got {'n': 7}" in cumulo("logs", "adder").stdout
    lambda_.close()


def test_a_change_is_taken_up(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    source = tmp_path / "src"
    source.mkdir()
    (source / "app.py").write_text(CODE % 1)
    assert cumulo("start", "--detach").returncode == 0
    with cumulo.popen("live", "adder", str(source), "--handler", "app.handler") as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("adder made")
        assert "watching" in process.stderr.readline()
        time.sleep(0.05)  # another time of writing, for the file system
        (source / "app.py").write_text(CODE % 1000)
        assert process.stdout.readline().startswith("adder updated")
        assert json.loads(cumulo("invoke", "adder", '{"n": 1}', "--quiet").stdout) == {"n": 1001}
        lines = [process.stdout.readline() for _ in range(3)]
        assert any("got {'n': 1}" in line for line in lines), lines
        process.terminate()


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("b.py", "a.py"):
        (tmp_path / name).write_text(name)
    first = folders.packed(tmp_path, folders.seen(tmp_path))
    (tmp_path / "a.py").touch()
    assert folders.packed(tmp_path, folders.seen(tmp_path)) == first
