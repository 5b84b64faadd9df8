"""Functions of the scenarios: their code, layers of installed packages, roles."""

import importlib.metadata
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CACHE = Path.home() / ".cache" / "cumulo-tests"
PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def installed(*distributions: str, under: str = "python") -> dict[str, bytes]:
    """The files of installed packages, as a layer (`python/…`) or beside a handler (under="") has them."""
    found: dict[str, bytes] = {}
    for name in distributions:
        for path in importlib.metadata.files(name) or ():
            if ".." not in path.parts and path.suffix != ".pyc":
                found[str(Path(under) / path)] = Path(str(path.locate())).read_bytes()
    return found


def from_npm(name: str, manifest: Path) -> dict[str, bytes]:
    """The files of a folder in which `npm install` was run with this package.json, but for types and maps."""
    home = CACHE / name
    home.mkdir(parents=True, exist_ok=True)
    wanted = manifest.read_text()
    if not (home / "node_modules").exists() or (home / "package.json").read_text() != wanted:
        (home / "package.json").write_text(wanted)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True)
    files = {
        str(path.relative_to(home)): path.read_bytes()
        for path in (home / "node_modules").rglob("*")
        if path.is_file() and path.suffix not in (".ts", ".map", ".md") and "dist-types" not in path.parts
    }
    return {**files, "package.json": wanted.encode()}


def make_role(server: Any, name: str, statements: list[dict[str, Any]]) -> str:
    """The ARN of a role for Lambda that may do this, and write logs."""
    iam = server.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    logs = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "*",
    }
    document = {"Version": "2012-10-17", "Statement": [logs, *statements]}
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(document))
    return arn


def allow(actions: list[str] | str, resource: list[str] | str) -> dict[str, Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def make_function(server: Any, name: str, role: str, files: dict[str, bytes] | bytes, **options: Any) -> str:
    """The ARN of a function that is ready; its code by names of files, or as an archive."""
    lambda_ = server.client("lambda")
    code = files if isinstance(files, bytes) else zipped(files)
    request = {"Runtime": RUNTIME, "Handler": "index.handler", "Timeout": 20, "MemorySize": 256, **options}
    made = lambda_.create_function(FunctionName=name, Role=role, Code={"ZipFile": code}, **request)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    arn: str = made["FunctionArn"]
    return arn


def until(found: Callable[[], Any], timeout_s: float = 60) -> Any:
    """What is found, once it is something."""
    end = time.monotonic() + timeout_s
    while not (answer := found()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return answer


def with_requirements(*names: str) -> list[str]:
    """Installed packages and all that they need, but for what every function finds: boto3 and its own."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found or name in PROVIDED:
            continue
        found.append(name)
        for text in importlib.metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found
