"""Models: cut from botocore's data, kept on disk, resolved when asked for."""

import json
import subprocess
import sys
import time
from pathlib import Path

import botocore
import msgspec
import pytest
from botocore import xform_name

from cumulo.wire import cuts, models
from tests.wire.calls import botocore_model

FOLDER = cuts.botocore_folder()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    library = models._Library()
    monkeypatch.setattr(models, "_library", library)
    models.configure(tmp_path)
    return tmp_path


def test_the_version_is_botocores() -> None:
    assert cuts.botocore_version(FOLDER) == botocore.__version__


@pytest.mark.parametrize(
    "name", ["sqs", "sns", "s3", "ec2", "iam", "cloudwatch", "dynamodb", "dax", "elbv2", "cloudfront"]
)
def test_python_names_are_those_of_boto3(name: str) -> None:
    service = models.load(name)
    assert service.python_names == {operation: xform_name(operation) for operation in service.operations}
    for operation in list(service.operations)[:3]:
        assert service.operation_by_python_name(xform_name(operation)).name == operation


@pytest.mark.parametrize("name", ["sns", "ec2", "s3", "lambda", "dynamodb"])
def test_shapes_are_those_of_botocore(name: str) -> None:
    service, theirs = models.load(name), botocore_model(name)
    for operation_name in theirs.operation_names[:40]:
        operation, their_operation = service.operations[operation_name], theirs.operation_model(operation_name)
        assert operation.http_method == their_operation.http["method"]
        assert operation.http_uri == their_operation.http["requestUri"]
        assert (operation.auth == "none") == (their_operation.auth_type == "none")
        shape, their_shape = operation.input, their_operation.input_shape
        assert (shape is None) == (their_shape is None)
        if shape is not None:
            assert list(shape.members) == list(their_shape.members)
            assert list(shape.required) == list(their_shape.required_members)
            for member_name, member in shape.members.items():
                their_member = their_shape.members[member_name]
                if their_member.name == "Expires":
                    continue  # botocore's client extras
                assert member.shape.type == their_member.type_name
                assert member.wire_name == their_member.serialization.get("name", member_name)


def test_recursive_shapes_resolve() -> None:
    value = models.load("dynamodb").shape("AttributeValue")
    assert value.members["L"].shape.member.shape is value
    assert value.members["M"].shape.value.shape is value


def test_traits_of_operations() -> None:
    s3, logs = models.load("s3"), models.load("logs")
    assert s3.operations["PutObject"].streaming_input and s3.operations["GetObject"].streaming_output
    assert s3.operations["SelectObjectContent"].eventstream_output is not None
    assert logs.operations["StartLiveTail"].eventstream_output is not None
    assert models.load("sts").operations["AssumeRoleWithSAML"].auth == "none"
    assert models.load("ec2").operations["RunInstances"].idempotency_token == "ClientToken"
    paginator = models.load("sqs").operations["ListQueues"].paginator
    assert paginator is not None and paginator.input_token == "NextToken" and paginator.limit_key == "MaxResults"


def test_errors_by_shape_and_by_code() -> None:
    sqs, sns = models.load("sqs"), models.load("sns")
    gone = sqs.errors["QueueDoesNotExist"]
    assert gone is sqs.errors["AWS.SimpleQueueService.NonExistentQueue"]
    assert (gone.status, gone.fault) == (400, False)
    assert sns.errors["NotFound"] is sns.errors["NotFoundException"] and sns.errors["NotFound"].status == 404
    assert sns.errors["InternalError"].fault and sns.errors["InternalError"].status == 500
    assert "QueueDoesNotExist" in sqs.operations["SendMessage"].errors


def test_unknown_services_are_refused() -> None:
    for name in ("nosuch", "../botocore", "", "SQS", "sqs/2012-11-05"):
        with pytest.raises(models.UnknownService):
            models.load(name)


def test_a_cut_is_kept_and_read_again(shelf: Path) -> None:
    first = models.load("sqs")
    (path,) = shelf.iterdir()
    assert botocore.__version__ in path.name
    models._library.services.clear()
    again = models.load("sqs")
    assert again is not first and list(again.operations) == list(first.operations)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80" * 100, msgspec.msgpack.encode([1, 2])])
def test_a_broken_cut_is_made_again(shelf: Path, content: bytes) -> None:
    models.load("sts")
    (path,) = shelf.iterdir()
    good = path.read_bytes()
    path.write_bytes(content)
    models._library.services.clear()
    assert "AssumeRole" in models.load("sts").operations
    assert path.read_bytes() == good


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(models, "_library", models._Library())
    models.configure(blocked / "below")
    assert "AssumeRole" in models.load("sts").operations


def test_metadata_of_all_services_is_kept(shelf: Path) -> None:
    found = models.all_metadata()
    assert found["sqs"].target_prefix == "AmazonSQS" and found["sqs"].validation == "sqs"
    assert set(found) == set(cuts.service_names(FOLDER))
    models._library.metadata = None
    assert models.all_metadata() == found


@pytest.mark.parametrize("name", ["ec2", "s3", "sqs"])
def test_a_cut_loads_quickly(shelf: Path, name: str) -> None:
    models.load(name)
    quickest = 1.0
    for _ in range(5):
        models._library.services.clear()
        begin = time.process_time()
        operation = models.load(name).operations[
            "RunInstances" if name == "ec2" else next(iter(models.load(name).operations))
        ]
        assert operation.input is not None and operation.input.members
        quickest = min(quickest, time.process_time() - begin)
    assert quickest < 0.02


def test_the_wire_does_not_import_botocore() -> None:
    script = (
        "import sys; from cumulo.wire.routing import Router; from cumulo.wire import models\n"
        "Router(['sqs', 'sns', 'sts']); models.load('sqs').operations['SendMessage'].input.members\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('botocore', 'xml', 'email', 'http')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_patch_names_what_it_changes_and_its_source() -> None:
    for path in sorted(cuts._PATCHES.glob("*.json")):
        folder = cuts._model_folder(FOLDER, path.stem)
        model = json.loads(cuts._read(folder / "service-2.json") or b"")
        for change in json.loads(path.read_text())["changes"]:
            assert set(change) == {"at", "merge", "source"}, f"{path.name}: {change}"
            assert len(change["source"]) > 10
            section, *rest = change["at"].split("/")
            assert section in ("metadata", "shapes", "operations")
            if section == "shapes" and rest and rest[0] not in model["shapes"]:
                assert "not in botocore's model" in change["source"], f"{path.name}: {change['at']}"
        models.load(path.stem).errors  # noqa: B018 - the patched model can be read


def test_a_patch_merges_and_removes() -> None:
    model = {"shapes": {"A": {"type": "string", "max": 3, "min": 1}}}
    patch = {"changes": [{"at": "shapes/A", "merge": {"max": None, "pattern": "x"}, "source": "a test"}]}
    cuts.apply_patch(model, json.dumps(patch).encode())
    assert model == {"shapes": {"A": {"type": "string", "min": 1, "pattern": "x"}}}
