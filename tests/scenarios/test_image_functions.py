"""A function of an image as people build them: Python, AWS's runtime interface client and boto3, all unmodified."""

import base64
import io
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from cumulo.engines.environments.runtimes import base_python
from cumulo.engines.images.store import Images
from tests.engines.images.building import Entry, Layout, file, folder, layer, symlink
from tests.scenarios.lambda_code import PROVIDED, installed, make_role, with_requirements
from tests.server_process import Server

APP = b"""
import os, pathlib, boto3
client = boto3.client("sts")

def handler(event, context):
    print("heard", event)
    if event.get("fail"):
        raise ValueError("no")
    pathlib.Path("/tmp/kept").write_text("x")
    by_name = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com")  # which is this cloud
    same = by_name.get_caller_identity()["Arn"]
    return {"who": client.get_caller_identity()["Arn"], "same": same, "name": context.function_name, "in": os.getcwd(),
            "task": os.listdir("/var/task"), "mode": os.environ["MODE"]}
"""
NOT_NEEDED = ("__pycache__", "test", "idlelib", "lib2to3", "tkinter", "turtledemo", "ensurepip", "site-packages")
DATA = ("sts", "endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json")


def libraries(files: list[Path]) -> set[str]:
    """The shared libraries that programs and modules are linked with."""
    listed = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True, check=False).stdout
    return {word for line in listed.splitlines() for word in line.split() if word.startswith("/") and word[-1] != ":"}


def python() -> Iterator[Entry]:
    """This interpreter with its standard library, where they are here."""
    program = Path(base_python())
    linked = [program, *Path(sysconfig.get_path("platlib")).glob("runtime_client*.so")]  # awslambdaric's own
    yield file(str(program), program.read_bytes(), 0o755)
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix}))
    for place, folders, files in os.walk(library):
        folders[:] = [name for name in folders if name not in NOT_NEEDED and not name.startswith("config-")]
        for path in (Path(place) / name for name in files):
            yield file(str(path), path.read_bytes())
            if path.suffix == ".so":
                linked.append(path)
    for name in sorted(libraries(linked)):
        yield file(name, Path(name).read_bytes(), 0o755)
    yield folder("usr/local/bin")
    yield symlink("usr/local/bin/python3", str(program))


def packages() -> Iterator[Entry]:
    """What `pip install --target /var/task` puts there, but for the models of services that are not called."""
    for name, data in installed(*with_requirements("awslambdaric"), *PROVIDED, under="").items():
        parts = Path(name).parts
        if parts[:2] != ("botocore", "data") or parts[2] in DATA:
            yield file(f"var/task/{name}", data)


def test_python_with_its_runtime_interface_client(server: Server, tmp_path: Path) -> None:
    layout = Layout()
    config = {
        "Entrypoint": ["python3", "-m", "awslambdaric"],
        "Cmd": ["app.handler"],
        "WorkingDir": "/var/task",
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "MODE=image"],
    }
    layers = [layer(python()), layer(packages()), layer([file("var/task/app.py", APP)])]
    layout.image(layers, "team/app:1", config=config)
    ((_, digest),) = Images(server.data_dir / "images").load(io.BytesIO(layout.archive()))
    lambda_ = server.client("lambda")
    uri = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/app:1"
    lambda_.create_function(
        FunctionName="app",
        Role=make_role(server, "app", []),
        PackageType="Image",
        Code={"ImageUri": uri},
        MemorySize=512,
        Timeout=30,
        Environment={"Variables": {"MODE": "function"}},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName="app", WaiterConfig={"Delay": 1})
    answer = lambda_.invoke(FunctionName="app", Payload=b'{"n": 1}', LogType="Tail")
    said = json.load(answer["Payload"])
    assert "FunctionError" not in answer, base64.b64decode(answer["LogResult"]).decode()
    assert said["who"].endswith("assumed-role/app/app"), said
    assert said["same"] == said["who"]
    assert (said["name"], said["in"], said["mode"]) == ("app", "/var/task", "function")
    assert "app.py" in said["task"]
    failed = lambda_.invoke(FunctionName="app", Payload=b'{"fail": true}')
    assert json.load(failed["Payload"])["errorMessage"] == "no"
    shown = lambda_.get_function(FunctionName="app")["Code"]
    assert shown["ResolvedImageUri"] == uri.replace(":1", f"@{digest}")
