"""`cumulo policy generate`: from the journal to the least policy."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from cumulo.cli import Refusal, configuration, policy, start
from cumulo.core.policy import generation
from cumulo.core.usage.calls import Call
from cumulo.core.usage.journal import written_calls
from tests.conftest import Account
from tests.services.identity.iam.conftest import House, document, refused, trust

ACCOUNT = "111122223333"
QUEUES = f"arn:aws:sqs:us-east-1:{ACCOUNT}:"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/one"
WORKER = f"arn:aws:iam::{ACCOUNT}:role/worker"


def call(operation: str, *resources: str, principal: str = ALICE, service: str = "sqs", **more: Any) -> Call:
    more.setdefault("actions", [f"{service}:{operation}"] * len(resources))
    found = Call(1000.0, "id", service, operation, ACCOUNT, "us-east-1", principal, resources=list(resources))
    for name, value in more.items():
        setattr(found, name, value)
    return found


def allowed(*calls: Call, principal: str = "") -> dict[str, list[tuple[list[str], list[str]]]]:
    found = generation.needs(calls, principal)
    policies = {who: generation.policy(found[who])["Statement"] for who in found}
    return {who: [(each["Action"], each["Resource"]) for each in policies[who]] for who in policies}


def test_actions_are_grouped_by_resources() -> None:
    calls = [
        call("SendMessage", QUEUES + "b"),
        call("SendMessage", QUEUES + "a"),
        call("ReceiveMessage", QUEUES + "a"),
        call("ReceiveMessage", QUEUES + "b"),
        call("SendMessage", QUEUES + "c"),
        call("ListQueues", "*"),
    ]
    wanted = [
        (["sqs:ListQueues"], ["*"]),
        (["sqs:ReceiveMessage", "sqs:SendMessage"], [QUEUES + "a", QUEUES + "b"]),
        (["sqs:SendMessage"], [QUEUES + "c"]),
    ]
    assert allowed(*calls) == {ALICE: wanted}
    assert allowed(*reversed(calls), *calls) == {ALICE: wanted}


def test_what_was_denied_is_left_out_and_what_audit_let_through_is_not() -> None:
    denied = call("SendMessage", QUEUES + "a", error="AccessDenied", denial={"kind": "implicitDeny"})
    audited = call("PurgeQueue", QUEUES + "a", audited=[{"kind": "implicitDeny"}])
    missing = call("DeleteQueue", QUEUES + "a", error="QueueDoesNotExist")
    assert allowed(denied, audited, missing) == {ALICE: [(["sqs:DeleteQueue", "sqs:PurgeQueue"], [QUEUES + "a"])]}


def test_sessions_count_for_their_role() -> None:
    calls = [call("SendMessage", QUEUES + "a", principal=SESSION), call("ListQueues", "*")]
    worker = {WORKER: [(["sqs:SendMessage"], [QUEUES + "a"])]}
    for principal in (SESSION, WORKER, f"arn:aws:iam::{ACCOUNT}:role/some/path/worker"):
        assert allowed(*calls, principal=principal) == worker


def test_who_has_no_identity_policy_gets_none() -> None:
    calls = [call("SendMessage", QUEUES + "a", principal=who) for who in ("sns.amazonaws.com", "", "anonymous")]
    assert allowed(*calls, call("GetCallerIdentity", "*", service="sts", actions=[""])) == {}


def test_roots_unrecorded_resources_become_patterns() -> None:
    calls = [
        call("SendMessageBatch", principal=ROOT),
        call("ListQueues", "*", principal=ROOT),
        call("GetCallerIdentity", principal=ROOT, service="sts"),
        call("AddPermission", principal=ROOT, error="NotImplemented"),
        call("AssumeRole", WORKER, principal=ROOT, service="sts"),
    ]
    assert allowed(*calls) == {
        ROOT: [(["sqs:ListQueues"], ["*"]), (["sqs:SendMessage"], [QUEUES + "*"]), (["sts:AssumeRole"], [WORKER])]
    }


def test_lines_of_an_older_cumulo_have_no_actions() -> None:
    old = [call("SendMessageBatch", QUEUES + "a", principal=who, actions=[]) for who in (ALICE, ROOT)]
    assert set(map(str, allowed(*old).values())) == {str([(["sqs:SendMessage"], [QUEUES + "a"])])}


def test_a_dollar_in_an_arn_is_no_variable() -> None:
    assert allowed(call("SendMessage", QUEUES + "${a}")) == {ALICE: [(["sqs:SendMessage"], [QUEUES + "${$}{a}"])]}


def test_torn_lines_are_skipped(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    line = msgspec.json.encode(call("ListQueues", "*"))
    (folder / "calls.jsonl").write_bytes(line + b"\n" + line[:40])
    (folder / "calls.2.jsonl").write_bytes(line + b"\n")
    assert len(list(written_calls(tmp_path))) == 2


@pytest.fixture
def generate(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(cloud: Account, **flags: Any) -> str:
        options = {"since": "1h", "principal": None, "json": False, "config": None, "host": None, "action": "generate"}
        options |= {"data_dir": str(cloud.data_dir), "port": 0, **flags}
        capsys.readouterr()
        assert policy.run(SimpleNamespace(**options)) == 0
        return capsys.readouterr().out

    return run


def test_the_policy_is_enough_and_no_more(start_cloud: Any, cloud: Account, generate: Any) -> None:
    """Audit, generate, attach, enforce: everything that was done works, nothing else does."""
    running = start_cloud(iam="audit")
    house = House(Account(running, cloud.account))
    key = house.user("alice")
    role = house.role("worker", trust({"AWS": house.account}))

    def work(house: House) -> tuple[Any, str]:
        sqs = house.client("sqs", key)
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x")
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "x"}])
        session = house.client("sts", key).assume_role(RoleArn=role, RoleSessionName="one")["Credentials"]
        house.client("sqs", session).receive_message(QueueUrl=url)
        return sqs, url

    work(house)
    alice = house.arn("user/alice")
    port = running.cloud.port
    live = generate(house.cloud, principal=alice, port=port)  # what the running cloud has not written down yet counts
    found = json.loads(generate(house.cloud, json=True, port=port))
    assert found[alice] == json.loads(live)
    assert [statement["Resource"] for statement in found[role]["Statement"]] == [
        [f"arn:aws:sqs:us-east-1:{house.account}:orders"]
    ]
    running.stop()
    assert generate(house.cloud, principal=alice) == live  # nor is a running one needed
    several = generate(house.cloud)
    assert f"# {alice}\n{live}" in several
    again = House(Account(start_cloud(running.settings.data_dir), cloud.account))
    again.iam.put_user_policy(UserName="alice", PolicyName="least", PolicyDocument=live)
    again.iam.put_role_policy(RoleName="worker", PolicyName="least", PolicyDocument=json.dumps(found[role]))
    sqs, url = work(again)
    assert refused(sqs.purge_queue, QueueUrl=url)[0] == "AccessDenied"


def test_denied_calls_need_nothing(cloud: Account, generate: Any) -> None:
    house = House(cloud)
    sqs = house.client("sqs", house.user("alice", document("sqs:ListQueues")))
    sqs.list_queues()
    refused(sqs.create_queue, QueueName="q")
    found = json.loads(generate(cloud, principal=house.arn("user/alice"), port=cloud.running.cloud.port))
    assert found["Statement"] == [{"Effect": "Allow", "Action": ["sqs:ListQueues"], "Resource": ["*"]}]


def test_since(start_cloud: Any, generate: Any) -> None:
    running = start_cloud()
    cloud = Account(running, ACCOUNT)
    cloud.client("sqs").list_queues()
    port = running.cloud.port
    assert ROOT in json.loads(generate(cloud, json=True, port=port, since="2020-01-01"))
    assert ROOT in json.loads(generate(cloud, json=True, port=port, since="all"))
    assert json.loads(generate(cloud, json=True, port=port, since="2999-01-01T00:00")) == {}
    with pytest.raises(Refusal, match="no calls"):
        generate(cloud, port=port, since="2999-01-01")
    with pytest.raises(Refusal, match="no time"):
        generate(cloud, port=port, since="yesterday")
    with pytest.raises(Refusal, match="no ARN"):
        generate(cloud, port=port, principal="alice")


def test_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cumulo.toml"
    file.write_text('iam = "audit"\n')
    audit = configuration.load(SimpleNamespace(config=str(file)))
    assert audit.iam == "audit"
    assert "nothing is denied" in start.banner(audit, 4566, None)
    monkeypatch.setenv("CUMULO_IAM", "enforce")
    enforce = configuration.load(SimpleNamespace(config=str(file)))
    assert enforce.iam == "enforce"
    assert "nothing is denied" not in start.banner(enforce, 4566, None)
    assert configuration.load(SimpleNamespace(config=str(file), iam="audit")).iam == "audit"
    monkeypatch.setenv("CUMULO_IAM", "off")
    with pytest.raises(Refusal, match="iam = 'off'"):
        configuration.load(SimpleNamespace(config=str(file)))
