"""The cloud's own paths, asked over HTTP."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.conftest import Account


def get(cloud: Account, path: str) -> Any:
    with urllib.request.urlopen(cloud.url + path) as answer:
        return json.loads(answer.read())


def test_health(cloud: Account) -> None:
    health = get(cloud, "/_cumulo/health")
    assert health["status"] == "running"
    assert health["services"]["sqs"] == "running"
    assert get(cloud, "/_localstack/health")["services"]["sns"] == "running"


def test_info_and_init(cloud: Account) -> None:
    assert get(cloud, "/_localstack/info")["is_license_activated"] is False
    assert set(get(cloud, "/_localstack/init")["completed"]) == {"BOOT", "START", "READY", "SHUTDOWN"}
    assert get(cloud, "/_localstack/init/ready")["scripts"] == []


def test_coverage(cloud: Account) -> None:
    rows = get(cloud, "/_cumulo/coverage?service=sqs")["sqs"]
    assert {"operation": "SendMessage", "real": True}.items() <= next(
        row for row in rows if row["operation"] == "SendMessage"
    ).items()


def test_requests(cloud: Account) -> None:
    answer = cloud.client("sts").get_caller_identity()
    request_id = answer["ResponseMetadata"]["RequestId"]
    call = get(cloud, f"/_cumulo/requests?id={request_id}")
    assert (call["service"], call["operation"], call["account"]) == ("sts", "GetCallerIdentity", cloud.account)
    assert request_id in [entry["request_id"] for entry in get(cloud, "/_cumulo/requests")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_cumulo/nothing", 404),
        ("/_cumulo/coverage?service=nothing", 404),
        ("/_cumulo/requests?id=nothing", 404),
        ("/_cumulo/requests?limit=many", 400),
        ("/_localstack/init/never", 404),
    ],
)
def test_what_is_not_there_says_so(cloud: Account, path: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        get(cloud, path)
    assert error.value.code == status
    assert json.loads(error.value.read())["message"]
    error.value.close()


def test_ca(cloud: Account) -> None:
    with urllib.request.urlopen(cloud.url + "/_cumulo/ca.pem") as answer:
        assert answer.read().startswith(b"-----BEGIN CERTIFICATE-----")
