"""Functions of container images: made here of bash and its libraries, loaded, pinned, run."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.images.store import Images
from tests.conftest import Account
from tests.engines.images.building import Layout, bash, file, layer
from tests.services.compute.lambda_.conftest import make_role

INVALID = "InvalidParameterValueException"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
CONFIG = {"Entrypoint": ["/bootstrap"], "Cmd": ["app.handler"], "Env": ["GREETING=hello", "PATH=/bin"]}
Load = Callable[..., str]
Make = Callable[..., dict[str, Any]]


@pytest.fixture
def load(cloud: Account, tmp_path: Path) -> Load:
    """Puts an image into the cloud's store; gives its digest."""

    def load(name: str, *entries: Any, config: dict[str, Any] | None = None, **options: Any) -> str:
        layout = Layout()
        layout.image([bash(), layer(entries)], name, config={**CONFIG, **(config or {})}, **options)
        place = tmp_path / f"{len(list(tmp_path.iterdir()))}.tar"
        place.write_bytes(layout.archive())
        ((_, digest),) = Images(cloud.data_dir / "images").load(place)
        return digest.removeprefix("sha256:")

    return load


@pytest.fixture
def make(cloud: Account) -> Make:
    """Makes a function of an image, and waits until it is active."""
    role = make_role(cloud)

    def make(uri: str = f"{REGISTRY}/app:1", name: str = "greeter", **options: Any) -> dict[str, Any]:
        request = {"FunctionName": name, "Role": role, "PackageType": "Image", "Code": {"ImageUri": uri}, **options}
        answer: dict[str, Any] = cloud.client("lambda").create_function(**request)
        cloud.settle()
        return answer

    return make


def said(cloud: Account, command: str, name: str = "greeter") -> Any:
    """What the function's bash writes for a command."""
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(command).encode())
    document = json.load(answer["Payload"])
    assert "FunctionError" not in answer, document
    return document


def failure(cloud: Account, name: str = "greeter") -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=b'"x"')
    assert answer["FunctionError"] == "Unhandled"
    document: dict[str, Any] = json.load(answer["Payload"])
    document["errorMessage"] = re.sub("RequestId: [0-9a-f-]+ ", "", document["errorMessage"])
    return document


def test_a_function_of_an_image(cloud: Account, load: Load, make: Make) -> None:
    digest = load("app:1", file("greeting.txt", "hello from a file"))
    made = make(Environment={"Variables": {"NAME": "world"}})
    assert (made["PackageType"], made["CodeSha256"], made["CodeSize"]) == ("Image", digest, 0)
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert not {"Runtime", "Handler", "RuntimeVersionConfig", "ImageConfigResponse"} & made.keys()
    shown = cloud.client("lambda").get_function(FunctionName="greeter")
    assert shown["Code"] == {
        "RepositoryType": "ECR",
        "ImageUri": f"{REGISTRY}/app:1",
        "ResolvedImageUri": f"{REGISTRY}/app@sha256:{digest}",
    }
    assert shown["Configuration"]["State"] == "Active"
    assert said(cloud, "read -r x < /greeting.txt; echo $x") == "hello from a file"
    assert said(cloud, 'echo "$GREETING $NAME $0 ${arguments[*]} $PWD"') == "hello world /bootstrap app.handler /"
    assert said(cloud, "echo $AWS_LAMBDA_FUNCTION_NAME $AWS_REGION ${_HANDLER-none} $PATH") == (
        "greeter us-east-1 none /bin"
    )
    assert said(cloud, "echo x > /tmp/x && echo /tmp/*; echo x > /x") == (
        "/tmp/x\n/bootstrap: line 25: /x: Read-only file system"
    )
