"""Functions of container images: made here of bash and its libraries, loaded, pinned, run."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.containers import engines
from cumulo.engines.images.store import Images
from cumulo.engines.sandboxes import probe
from cumulo.engines.sandboxes.probe import Abilities
from tests.conftest import Account
from tests.engines.images.building import Layout, bash, device, file, folder, layer, saved, symlink
from tests.services.compute.lambda_.conftest import Create, make_role, refused, zip_of
from tests.services.compute.lambda_.test_fleet import until

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
    role = make_role(cloud, "image-worker")

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


def test_the_settings_of_a_function_replace_those_of_the_image(cloud: Account, load: Load, make: Make) -> None:
    load("app:1", file("other", '#!/bin/bash\n. /bootstrap "$@"', 0o755), folder("w"), config={"WorkingDir": "/opt"})
    config = {"EntryPoint": ["/other"], "Command": ["a", "b c"], "WorkingDirectory": "/w"}
    made = make(ImageConfig=config)
    assert made["ImageConfigResponse"] == {"ImageConfig": config}
    assert said(cloud, "echo $0 ${#arguments[@]} $PWD") == "/other 2 /w"
    lambda_ = cloud.client("lambda")

    def change(**config: Any) -> dict[str, Any]:
        answer: dict[str, Any] = lambda_.update_function_configuration(FunctionName="greeter", ImageConfig=config)
        cloud.settle()
        return answer

    shown = change(Command=["x"], WorkingDirectory="/w")
    assert shown["ImageConfigResponse"] == {"ImageConfig": {"Command": ["x"], "WorkingDirectory": "/w"}}
    assert said(cloud, "echo $0 ${arguments[*]} $PWD") == "/bootstrap x /w"
    assert "ImageConfigResponse" not in change()
    assert said(cloud, "echo $0 ${arguments[*]} $PWD") == "/bootstrap app.handler /opt"
    lambda_.update_function_configuration(FunctionName="greeter", Description="x")
    cloud.settle()
    assert "ImageConfigResponse" not in lambda_.get_function_configuration(FunctionName="greeter")


def test_a_tag_may_move_a_version_does_not(cloud: Account, load: Load, make: Make) -> None:
    first = load("app:1", file("v", "one"))
    make()
    lambda_ = cloud.client("lambda")
    assert lambda_.publish_version(FunctionName="greeter")["Version"] == "1"
    second = load("app:1", file("v", "two"))
    assert said(cloud, "read -r x < /v; echo $x") == "one"
    same = lambda_.update_function_code(FunctionName="greeter", ImageUri=f"{REGISTRY}/app:1", DryRun=True)
    assert same["CodeSha256"] == second
    assert lambda_.get_function(FunctionName="greeter")["Configuration"]["CodeSha256"] == first
    updated = lambda_.update_function_code(FunctionName="greeter", ImageUri=f"{REGISTRY}/app:1", Publish=True)
    assert (updated["Version"], updated["CodeSha256"]) == ("2", second)
    cloud.settle()
    for qualifier, digest, text in (("1", first, "one"), ("2", second, "two"), ("$LATEST", second, "two")):
        shown = lambda_.get_function(FunctionName="greeter", Qualifier=qualifier)
        assert shown["Code"]["ResolvedImageUri"] == f"{REGISTRY}/app@sha256:{digest}"
        answer = lambda_.invoke(FunctionName="greeter", Qualifier=qualifier, Payload=b'"read -r x < /v; echo $x"')
        assert json.load(answer["Payload"]) == text
    refused(
        lambda: lambda_.publish_version(FunctionName="greeter", CodeSha256=first),
        INVALID,
        f"CodeSHA256 ({first}) is different from current CodeSHA256 in $LATEST ({second}). Please try again with the "
        "CodeSHA256 in $LATEST.",
    )
    lambda_.publish_version(FunctionName="greeter", CodeSha256=second)
    listed = lambda_.list_versions_by_function(FunctionName="greeter")["Versions"]
    assert [(each["Version"], each["CodeSha256"]) for each in listed] == [
        ("$LATEST", second), ("1", first), ("2", second)
    ]  # fmt: skip


def test_an_image_by_its_digest(cloud: Account, load: Load, make: Make) -> None:
    digest = load("team/app:1")
    make(f"{REGISTRY}/team/app@sha256:{digest}")
    code = cloud.client("lambda").get_function(FunctionName="greeter")["Code"]
    assert code["ImageUri"] == code["ResolvedImageUri"] == f"{REGISTRY}/team/app@sha256:{digest}"
    assert said(cloud, "echo here") == "here"


def test_versions_hold_their_images(cloud: Account, load: Load, make: Make) -> None:
    load("app:1", file("v", "one"), file("only here"))
    make()
    lambda_ = cloud.client("lambda")
    lambda_.publish_version(FunctionName="greeter")
    load("app:2", file("v", "two"), file("only here"))
    lambda_.update_function_code(FunctionName="greeter", ImageUri=f"{REGISTRY}/app:2")
    cloud.settle()
    images = Images(cloud.data_dir / "images")
    images.remove("app:1")
    images.remove("app:2")

    roots = cloud.data_dir / "images" / "roots"
    one, two = (lambda_.get_function(FunctionName="greeter", Qualifier=each) for each in ("1", "$LATEST"))
    first, second = (roots / each["Configuration"]["CodeSha256"] for each in (one, two))
    cloud.advance(3700)
    for qualifier, text in (("1", "one"), ("$LATEST", "two")):
        answer = lambda_.invoke(FunctionName="greeter", Qualifier=qualifier, Payload=b'"read -r x < /v; echo $x"')
        assert json.load(answer["Payload"]) == text
    lambda_.delete_function(FunctionName="greeter", Qualifier="1")
    cloud.advance(3700)
    until(lambda: not first.exists())
    assert said(cloud, "read -r x < /v; echo $x") == "two"
    lambda_.delete_function(FunctionName="greeter")
    cloud.advance(3700)
    until(lambda: not second.exists())


def test_images_that_cannot_be_had(make: Make, load: Load, cloud: Account) -> None:
    load("app:1")

    def wrong(uri: str, text: str) -> None:
        error = refused(lambda: make(uri))["Error"]
        assert error["Code"] == INVALID
        assert error["Message"].startswith(text), error["Message"]

    for uri in (f"{REGISTRY}/none:1", f"{REGISTRY}/app:2", f"{REGISTRY}/app@sha256:{'0' * 64}", "none:1"):
        wrong(
            uri, f"Source image {uri} does not exist. Provide a valid source image. cumulo knows the images of `cumulo "
        )
    for uri in (f"{REGISTRY}/app", f"{REGISTRY}/App:1", "../app:1", f"{REGISTRY}/app:1/x"):
        wrong(uri, f"Source image {uri} is not valid. Provide a valid source image.")
    wrong("127.0.0.1:1/app:1", "Source image 127.0.0.1:1/app:1 does not exist. Provide a valid source image. What is ")
    digest = load("broken:1", file("v", "broken"))
    Images(cloud.data_dir / "images").blobs.path(f"sha256:{digest}").write_bytes(b"{}")
    wrong(
        f"{REGISTRY}/broken:1",
        f"Source image {REGISTRY}/broken:1 does not exist. Provide a valid source image. What is",
    )
    assert cloud.client("lambda").list_functions()["Functions"] == []


def test_a_kind_of_layer_that_is_not_for_us(make: Make, cloud: Account) -> None:
    store = Images(cloud.data_dir / "images")
    layout = Layout()
    image = layout.image([layer([])], "odd:1")
    store.load(io.BytesIO(layout.archive()))
    manifest = json.loads(store.blobs.read(image["digest"], 10_000))
    manifest["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar+encrypted"
    index = (cloud.data_dir / "images" / "index.json").read_text()
    changed = store.blobs.put(json.dumps(manifest).encode())
    (cloud.data_dir / "images" / "index.json").write_text(index.replace(image["digest"], changed))
    error = refused(lambda: make("odd:1"))["Error"]
    assert error["Message"] == (
        "The image manifest, config or layer media type for the source image odd:1 is not supported. It is a layer of "
        "application/vnd.oci.image.layer.v1.tar+encrypted."
    )


BRINGS_ALL = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."


def test_what_does_not_go_with_images(cloud: Account, load: Load, make: Make, create: Create) -> None:
    load("app:1")
    for options in (
        {"Handler": "a.b"},
        {"Runtime": "python3.12"},
        {"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:a:1"]},
    ):
        refused(lambda options=options: make(**options), INVALID, BRINGS_ALL)
    signing = "Code signing is not supported for functions created with container images."
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:code-signing-config:csc-{'0' * 17}"
    refused(lambda: make(CodeSigningConfigArn=arn), INVALID, signing)
    refused(
        lambda: make(Code={"ZipFile": zip_of()}),
        INVALID,
        "Please provide ImageUri when creating a function with packageType Image.",
    )
    error = refused(lambda: make(SnapStart={"ApplyOn": "PublishedVersions"}))["Error"]
    assert error["Code"] == "NotImplemented" and "SnapStart of container images" in error["Message"]
    make()
    lambda_ = cloud.client("lambda")
    for options in ({"Handler": "a.b"}, {"Runtime": "python3.12"}):
        refused(
            lambda options=options: lambda_.update_function_configuration(FunctionName="greeter", **options),
            INVALID,
            BRINGS_ALL,
        )
    refused(
        lambda: lambda_.update_function_code(FunctionName="greeter", ZipFile=zip_of()),
        INVALID,
        "Please provide ImageUri when updating a function with packageType Image.",
    )
    for call in ("get", "delete"):
        ask = getattr(lambda_, f"{call}_function_code_signing_config")
        refused(lambda ask=ask: ask(FunctionName="greeter"), INVALID, signing)
    put = lambda_.put_function_code_signing_config
    refused(lambda: put(FunctionName="greeter", CodeSigningConfigArn=arn), INVALID, signing)
    create("zipped")
    refused(
        lambda: lambda_.update_function_code(FunctionName="zipped", ImageUri=f"{REGISTRY}/app:1"),
        INVALID,
        "Please don't provide ImageUri when updating a function with packageType Zip.",
    )
    refused(
        lambda: lambda_.update_function_configuration(FunctionName="zipped", ImageConfig={"Command": ["x"]}),
        INVALID,
        "Please don't provide ImageConfig when the packageType is not set to Image.",
    )
    refused(
        lambda: create("unsaid", Code={"ImageUri": f"{REGISTRY}/app:1"}),
        INVALID,
        "Please provide a source for function code.",
    )


def test_what_is_wrong_inside_shows_when_it_runs(cloud: Account, load: Load, make: Make) -> None:
    load("app:1", config={"Entrypoint": ["/lambda-entrypoint.sh"]})
    make()
    text = "Error: fork/exec /lambda-entrypoint.sh: no such file or directory"
    assert failure(cloud) == {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": text}
    make(name="lost", ImageConfig={"EntryPoint": ["/bootstrap"], "WorkingDirectory": "/nowhere"})
    text = "Error: chdir /nowhere: no such file or directory"
    assert failure(cloud, "lost") == {"errorType": "Runtime.InvalidWorkingDir", "errorMessage": text}


def test_an_image_for_another_machine(cloud: Account, load: Load, make: Make) -> None:
    """A program that this processor cannot run: the header of one for a machine that there never was."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xfe\xfe\x01\x00\x00\x00" + bytes(40)
    load("app:1", file("alien", header, 0o755), config={"Entrypoint": ["/alien"]}, architecture="alien")
    made = make(Architectures=["arm64"])
    assert made["Architectures"] == ["arm64"]
    text = "Error: fork/exec /alien: exec format error"
    assert failure(cloud) == {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": text}


def test_an_image_that_cannot_be_unpacked(cloud: Account, load: Load, make: Make) -> None:
    load("bad:1", file("a/../../x"))
    load("good:1")
    make("bad:1")
    lambda_ = cloud.client("lambda")
    shown = lambda_.get_function_configuration(FunctionName="greeter")
    assert (shown["State"], shown["StateReasonCode"]) == ("Failed", "InvalidImage")
    assert shown["LastUpdateStatus"] == "Failed"
    assert shown["StateReason"] == "The image of the function cannot be unpacked: 'a/../../x' is outside of the layer"
    make("good:1", "other")
    lambda_.update_function_code(FunctionName="other", ImageUri="bad:1")
    cloud.settle()
    shown = lambda_.get_function_configuration(FunctionName="other")
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Failed")
    assert shown["LastUpdateStatusReasonCode"] == "InvalidImage"


def test_whiteouts_and_devices(cloud: Account, tmp_path: Path, make: Make) -> None:
    layout = Layout()
    beneath = [file("gone", "1"), file("d/old", "1"), file("null", "beneath")]
    above = [file(".wh.gone"), file("d/.wh..wh..opq"), file("d/new"), device("null"), symlink("link", "/d/new")]
    layout.image([bash(), layer(beneath), layer(above)], "app:1", config=CONFIG, compress="gzip")
    Images(cloud.data_dir / "images").load(layout.write(tmp_path / "layout"))
    make()
    assert said(cloud, "echo /d/* /gone* /null* /link") == "/d/new /gone* /null* /link"


def test_what_docker_saved(cloud: Account, make: Make) -> None:
    archive = saved([bash()], ["team/app:latest"], CONFIG)
    Images(cloud.data_dir / "images").load(io.BytesIO(archive))
    make(f"{REGISTRY}/team/app:latest")
    assert said(cloud, "echo here") == "here"


def test_a_machine_without_namespaces(cloud: Account, load: Load, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    load("app:1")
    monkeypatch.setattr(probe, "abilities", lambda: Abilities(refused="no"))
    monkeypatch.setattr(engines, "for_images", lambda: "")
    refused(
        make,
        INVALID,
        "cumulo cannot run this function: container images need mount namespaces, which this machine does not let us "
        "have, or podman or docker in their place",
    )
