"""Runtimes that functions bring: bootstraps in bash and Rust, and AWS's own runtime interface client."""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import Build, RuntimeMissing
from tests.engines.environments.conftest import Bench

ID = "00000000-0000-4000-8000-000000000001"
# the tutorial of the Developer Guide, "Building a custom runtime", with bash's own sockets in curl's place
BASH = r"""#!/bin/bash
set -euo pipefail
source "$LAMBDA_TASK_ROOT/$(cut -d. -f1 <<<"$_HANDLER").sh"
API=${AWS_LAMBDA_RUNTIME_API/:/\/}
call() { # method path body
  exec 3<>"/dev/tcp/$API"
  printf '%s /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "${#3}" "$3" >&3
  ANSWER=$(cat <&3)
  exec 3>&-
}
while true; do
  call GET invocation/next ""
  REQUEST_ID=$(grep -i '^Lambda-Runtime-Aws-Request-Id' <<<"$ANSWER" | tr -d '\r' | cut -d' ' -f2)
  EVENT=$(sed '1,/^\r$/d' <<<"$ANSWER")
  call POST "invocation/$REQUEST_ID/response" "$($(cut -d. -f2 <<<"$_HANDLER") "$EVENT")"
done
"""
RUST = r"""
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
fn call(api: &str, method: &str, path: &str, body: &[u8]) -> (Vec<String>, Vec<u8>) {
    let mut stream = TcpStream::connect(api).unwrap();
    let size = body.len();
    write!(stream, "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nContent-Length: {size}\r\n\r\n").unwrap();
    stream.write_all(body).unwrap();
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() { break; }
        headers.push(line.trim().to_string());
    }
    let sized = |l: &String| l.to_lowercase().strip_prefix("content-length: ").map(|v| v.parse().unwrap());
    let length = headers.iter().find_map(sized).unwrap_or(0);
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).unwrap();
    (headers, answer)
}
fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    loop {
        let (headers, event) = call(&api, "GET", "invocation/next", b"");
        let id = headers.iter().find_map(|l| l.strip_prefix("Lambda-Runtime-Aws-Request-Id: ")).unwrap().to_string();
        if event == b"\"fail\"" {
            call(&api, "POST", &format!("invocation/{}/error", id), b"{\"errorMessage\":\"no\",\"errorType\":\"Own\"}");
        } else {
            let length = event.len().to_string();
            call(&api, "POST", &format!("invocation/{}/response", id), length.as_bytes());
        }
    }
}
"""


def with_bootstrap(bench: Bench, text: str, mode: int = 0o755, **files: str) -> Build:
    """A function of provided.al2023 with this bootstrap."""
    code = bench.code(**files) if files else bench.code(empty="")
    (code / "bootstrap").write_text(text)
    (code / "bootstrap").chmod(mode)
    return bench.build(code=code, runtime="provided.al2023", handler="function.handler")


def test_a_bootstrap_in_bash(bench: Bench) -> None:
    build = with_bootstrap(bench, BASH)
    (build.code / "function.sh").write_text('handler() { echo "seen $1" >&2; echo "{\\"got\\": $1}"; }')
    first, second = bench.invoke(build, b'{"a": 1}', b"2")
    assert json.loads(first.payload) == {"got": {"a": 1}} and json.loads(second.payload) == {"got": 2}
    assert 'seen {"a": 1}\n' in bench.text
    assert bench.lines[0].text.startswith("INIT_START Runtime Version: provided:al2023.v")


@pytest.mark.skipif(shutil.which("rustc") is None, reason="needs rustc")
def test_a_bootstrap_in_rust(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "main.rs").write_text(RUST)
    build = with_bootstrap(bench, "")
    target = build.code / "bootstrap"
    subprocess.run(["rustc", "-O", "-o", target, tmp_path / "main.rs"], check=True, timeout=100)
    target.chmod(0o755)
    good, bad = bench.invoke(build, b'{"a": 1}', b'"fail"')
    assert good.payload == b"8" and not good.error
    assert bad.error == "Unhandled" and json.loads(bad.payload)["errorType"] == "Own" and not bad.dead


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        ("#!/bin/bash\n", 0o644, "fork/exec /var/task/bootstrap: permission denied"),
        ("no program", 0o755, "fork/exec /var/task/bootstrap: exec format error"),
        ("#!/gone\n", 0o755, "fork/exec /var/task/bootstrap: no such file or directory"),
    ],
)
def test_a_bootstrap_that_cannot_run(bench: Bench, text: str | None, mode: int, said: str) -> None:
    if text is None:
        build = bench.build(code=bench.code(empty=""), runtime="provided.al2023")
    else:
        build = with_bootstrap(bench, text, mode)
    (outcome,) = bench.invoke(build)
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: {ID} Error: {said}",
    }


def test_the_states_of_the_runtime_api(bench: Bench) -> None:
    source = """
import http.client, os
def ask(method, path, body=b""):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request(method, path, body)
    answer = api.getresponse()
    return answer.status, answer.read().decode()
def handler(event, context):
    runtime = "/2018-06-01/runtime"
    return [
        ask("GET", runtime + "/invocation/next"),
        ask("POST", runtime + "/invocation/other/response", b"1"),
        ask("GET", runtime + "/nothing"),
        ask("POST", runtime + "/invocation/" + context.aws_request_id + "/response", b'"early"'),
        ask("POST", runtime + "/invocation/" + context.aws_request_id + "/response", b'"again"'),
    ]
"""
    (outcome,) = bench.invoke(bench.build(source + "print('x')\n"))
    assert outcome.payload == b'"early"'


@pytest.mark.skipif(importlib.util.find_spec("awslambdaric") is None, reason="needs awslambdaric")
def test_awslambdaric_unmodified(bench: Bench) -> None:
    """PyPI's package answers, logs and fails; its native part is for this interpreter's version."""
    import sys

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    try:
        runtimes.find(version)
    except RuntimeMissing:
        pytest.skip(f"no {version}")
    source = """
import logging
def handler(event, context):
    print("printed")
    logging.warning("logged\\nin lines")
    if event.get("fail"):
        raise ValueError("no")
    return {"id": context.aws_request_id, "got": event}
"""
    code = bench.code(index=source)
    site = Path(importlib.util.find_spec("awslambdaric").origin or "").parents[1]  # type: ignore[union-attr]
    for name in ("awslambdaric", "simplejson"):
        shutil.copytree(site / name, code / name)
    for file in site.glob("runtime_client*.so"):
        shutil.copy(file, code)
    (code / "wrapper").write_text('#!/bin/bash\nexec "$1" -m awslambdaric "$_HANDLER"\n')
    (code / "wrapper").chmod(0o755)
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}
    good, bad = bench.invoke(bench.build(code=code, runtime=version, variables=variables), b'{"a": 1}', b'{"fail": 1}')
    assert json.loads(good.payload) == {"id": ID, "got": {"a": 1}}
    assert json.loads(bad.payload)["errorMessage"] == "no" and bad.error == "Unhandled"
    texts = [line.text for line in bench.lines]
    assert "printed\n" in texts
    assert any(text.startswith("[WARNING]\t") and text.endswith(f"\t{ID}\tlogged\nin lines\n") for text in texts)
    assert any(text.startswith("[ERROR] ValueError: no\nTraceback (most recent call last):\n") for text in texts)


def test_the_runtimes_that_are_here() -> None:
    found = {each.identifier: each for each in runtimes.here()}
    assert "provided.al2023" in found
    for identifier, runtime in found.items():
        if runtime.family == "python":
            assert runtime.version.startswith(identifier.removeprefix("python") + ".")


@pytest.mark.parametrize("identifier", ["dotnet8", "dotnet10", "provided.al1"])
def test_runtimes_that_cannot_be_run_are_refused_by_name(identifier: str) -> None:
    with pytest.raises(RuntimeMissing, match=identifier):
        runtimes.find(identifier)
