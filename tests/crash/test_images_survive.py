"""The server is killed while it unpacks an image: the function comes into service all the same, with a whole image."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.images.store import Images
from tests.engines.images.building import Layout, bash, file, layer
from tests.server_process import Server
from tests.services.compute.lambda_.conftest import TRUST

FILES, KILLS = 3000, 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for folder in (tmp_path, *tmp_path.parents):  # functions run as another user
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    running = Server(tmp_path / "cloud").start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


def wait(client: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 80
    while True:
        found: dict[str, Any] = client.get_function_configuration(FunctionName="f")
        if found["State"] != "Pending" or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_images_survive(server: Server) -> None:
    chance = random.Random(7)
    layout = Layout()
    parts = [
        layer([file(f"files/{part}-{number}", chance.randbytes(100)) for number in range(FILES)]) for part in range(3)
    ]
    layout.image([bash(), *parts], "app:1", compress="gzip", config={"Entrypoint": ["/bootstrap"]})
    folder = server.data_dir / "images"
    Images(folder).load(layout.write(server.data_dir.parent / "layout"))
    role = server.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    code = {"ImageUri": "app:1"}
    server.client("lambda").create_function(
        FunctionName="f", Role=role["Arn"], PackageType="Image", Code=code, Timeout=30
    )
    in_the_midst = 0
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.02, 0.3))
        server.kill()
        in_the_midst += any((folder / "new").iterdir()) and not (folder / "roots").exists()
        server.start()
    assert in_the_midst, "it was never killed while it unpacked"
    client = server.client("lambda")
    assert wait(client)["State"] == "Active"
    command = "cd /files; all=(*); echo ${#all[@]}"
    answer = client.invoke(FunctionName="f", Payload=json.dumps(command).encode())
    assert json.load(answer["Payload"]) == str(3 * FILES)
    alone = Images(folder).alone()
    assert alone is not None
    with alone:
        Images(folder).sweep({f"sha256:{client.get_function_configuration(FunctionName='f')['CodeSha256']}"})
    assert not list((folder / "new").iterdir())
