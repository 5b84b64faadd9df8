"""Groups with a KMS key: what lies on disk is sealed, and the key decides who reads it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.operations.logs.conftest import Storage, refused

GROUP = "/shop/orders"
Now = Callable[[], int]


def make_key(cloud: Account, *, lets_logs: bool = True) -> str:
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {
            "ArnEquals": {
                "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
            }
        },
    }
    document = {"Version": "2012-10-17", "Statement": [own, service] if lets_logs else [own]}
    return str(cloud.client("kms").create_key(Policy=json.dumps(document))["KeyMetadata"]["Arn"])


def put(logs: Any, now: int, *messages: str) -> None:
    events = [{"timestamp": now + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)


def read(logs: Any) -> list[str]:
    page = logs.get_log_events(logGroupName=GROUP, logStreamName="one", startFromHead=True)
    return [event["message"] for event in page["events"]]


def on_disk(cloud: Account, text: str) -> bool:
    """Whether a text is found in any file of the cloud."""
    return any(text.encode() in file.read_bytes() for file in cloud.data_dir.rglob("*") if file.is_file())


@pytest.mark.parametrize("duckdb_is_here", [True, False])
def test_what_lies_on_disk_is_sealed(
    cloud: Account,
    logs: Any,
    now_ms: Now,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    duckdb_is_here: bool,
) -> None:
    if not duckdb_is_here:
        monkeypatch.setattr("cumulo.engines.duckdb.is_here", lambda: False)
    key = make_key(cloud)
    logs.create_log_group(logGroupName=GROUP, kmsKeyId=key)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="one")
    [group] = logs.describe_log_groups()["logGroups"]
    assert group["kmsKeyId"] == key
    secret = f"whisper-{cloud.account}-{duckdb_is_here}"
    put(logs, now_ms(), secret)
    assert read(logs) == [secret]
    assert not on_disk(cloud, secret)
    storage.seal()
    assert storage.blocks() == 0
    [segment] = storage.sealed()
    assert segment.sealed
    put(logs, now_ms(), secret + "2")
    assert read(logs) == [secret, secret + "2"]
    assert not on_disk(cloud, secret)
    found = logs.filter_log_events(logGroupName=GROUP, filterPattern=f'"{secret}"')["events"]
    assert [event["message"] for event in found] == [secret, secret + "2"]
    kms = cloud.client("kms")
    kms.disable_key(KeyId=key)
    cloud.advance(400)  # data keys are remembered for five minutes
    with refused("AccessDeniedException"):
        read(logs)
    with refused("AccessDeniedException"):
        put(logs, now_ms(), secret)
    kms.enable_key(KeyId=key)
    assert len(read(logs)) == 2


def test_a_key_comes_and_goes(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage) -> None:
    key = make_key(cloud)
    now = now_ms()
    put(logs, now, "plain-1")
    logs.associate_kms_key(logGroupName=GROUP, kmsKeyId=key)
    secret = f"secret-{cloud.account}"
    put(logs, now + 10, secret)
    logs.disassociate_kms_key(resourceIdentifier=f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}")
    put(logs, now + 20, "plain-2")
    assert read(logs) == ["plain-1", secret, "plain-2"]
    storage.seal()
    assert storage.blocks() == 0
    assert [bool(segment.sealed) for segment in storage.sealed()] == [False, True, False]
    assert read(logs) == ["plain-1", secret, "plain-2"]
    assert not on_disk(cloud, secret)
    assert "kmsKeyId" not in logs.describe_log_groups()["logGroups"][0]


def test_keys_that_are_refused(cloud: Account, logs: Any, stream: dict[str, str]) -> None:
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    text = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
    for key in (make_key(cloud, lets_logs=False), f"arn:aws:kms:us-east-1:{cloud.account}:key/nothing"):
        with refused("AccessDeniedException", text):
            logs.associate_kms_key(logGroupName=GROUP, kmsKeyId=key)
    with refused("InvalidParameterException", "The specified KMS Key Id could not be found."):
        logs.associate_kms_key(logGroupName=GROUP, kmsKeyId="alias/a")
    key = make_key(cloud)
    with refused("InvalidParameterException"):
        logs.associate_kms_key(kmsKeyId=key)
    with refused("NotImplemented"):
        logs.associate_kms_key(
            resourceIdentifier=f"arn:aws:logs:us-east-1:{cloud.account}:query-result:*", kmsKeyId=key
        )
    with refused("AccessDeniedException"):
        logs.create_log_group(logGroupName="other", kmsKeyId=key)  # the key is for the other group
