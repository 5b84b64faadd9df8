"""What SNS posts to an endpoint is signed so that the validators people use accept it, and nothing changed passes.

They insist on a certificate from AWS's own host: under `cumulo exec` that is this cloud, as for a person's program.
"""

import datetime
import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import Account
from tests.scenarios.conftest import CACHE, HERE
from tests.server_process import ROOT
from tests.services.messaging.sns.conftest import Receiver

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cumulo exec needs Linux")

Validate = Callable[[list[dict[str, Any]]], list[str]]


@pytest.fixture(scope="session")
def python_validator() -> Path:
    """PyPI's `sns-message-validator` in a folder. It pins releases of 2019, so what it needs comes without them."""
    home = CACHE / "sns-message-validator"
    if not (home / "done").exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(home)]
        subprocess.run([*pip, "--no-deps", "sns-message-validator==0.0.1"], check=True)
        subprocess.run([*pip, "requests>=2.32"], check=True)
        (home / "done").touch()
    return home


@pytest.fixture
def validate(cloud: Account, validator: str, request: pytest.FixtureRequest, tmp_path: Path) -> Validate:
    """Runs the validator that the test names under `cumulo exec`: a verdict for each message, "" when it is good."""
    folder: Path = request.getfixturevalue("javascript" if validator == "npm" else "python_validator")
    script = {"npm": ["node", "validate_sns.mjs"], "pypi": [sys.executable, str(HERE / "python" / "validate_sns.py")]}
    port = str(cloud.running.cloud.port)
    command = [sys.executable, "-m", "cumulo", "exec", "--port", port, "--data-dir", str(tmp_path), "--"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": f"{folder}:{ROOT}"}

    def run(messages: list[dict[str, Any]]) -> list[str]:
        done = subprocess.run(
            [*command, *script[validator]],
            input=json.dumps(messages),
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        verdicts: list[str] = json.loads(done.stdout)
        return verdicts

    return run


@pytest.fixture(params=["http", "https"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver()
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path / "receiver.pem"))
        made.server.socket = context.wrap_socket(made.server.socket, server_side=True)
        made.url = made.url.replace("http:", "https:")
    yield made
    made.close()


def certificate(path: Path) -> Path:
    """A key and a certificate signed with it, as a developer's server has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(pem))
    return path


def conversation(cloud: Account, receiver: Receiver, version: str) -> list[dict[str, Any]]:
    """All kinds of messages that an endpoint is sent, from its subscription to its end."""
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="searches", Attributes={"SignatureVersion": version})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol=receiver.url.partition(":")[0], Endpoint=receiver.url)
    cloud.settle()
    [confirmation] = receiver.bodies("SubscriptionConfirmation")
    with urllib.request.urlopen(confirmation["SubscribeURL"]) as answer:  # as its documentation tells people to do
        assert b"<SubscriptionArn>" in answer.read()
    sns.publish(TopicArn=topic, Message="plain")
    sns.publish(TopicArn=topic, Message='Grüße ✓\n"quoted" <&>', Subject="With a subject")
    attributes = {"price": {"DataType": "Number", "StringValue": "12"}}
    sns.publish(TopicArn=topic, Message="with attributes", MessageAttributes=attributes)
    cloud.settle()
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    cloud.settle()
    messages = receiver.bodies()
    assert len(messages) == 5
    assert {message["Type"] for message in messages} == {
        "SubscriptionConfirmation", "Notification", "UnsubscribeConfirmation",
    }  # fmt: skip
    assert {message["SignatureVersion"] for message in messages} == {version}
    return messages


# PyPI's knows version 1 only. npm's takes the text of an UnsubscribeConfirmation together otherwise than AWS's guide
# says ("Verifying the signatures of Amazon SNS messages"), and so refuses these whoever signed them.
@pytest.mark.parametrize(("validator", "version"), [("npm", "1"), ("npm", "2"), ("pypi", "1")])
def test_signed_messages_are_accepted_and_changed_ones_are_not(
    cloud: Account, receiver: Receiver, validate: Validate, validator: str, version: str
) -> None:
    messages = conversation(cloud, receiver, version)
    if validator == "npm":
        messages = [message for message in messages if message["Type"] != "UnsubscribeConfirmation"]
    notification = next(message for message in messages if message.get("Subject"))
    confirmation = messages[0]
    changed = [
        notification | {"Message": "another"},
        notification | {"Subject": "another"},
        notification | {"TopicArn": notification["TopicArn"] + "x"},
        notification | {"Timestamp": "2020-01-01T00:00:00.000Z"},
        notification | {"Signature": confirmation["Signature"]},
        notification | {"SignatureVersion": "3"},
        notification | {"SigningCertURL": notification["SigningCertURL"].replace(".pem", "0.pem")},
        notification | {"SigningCertURL": "https://sns.example.com/SimpleNotificationService-0.pem"},
        confirmation | {"Token": "0" * 224},
        confirmation | {"SubscribeURL": "http://localhost/"},
    ]
    verdicts = validate(messages + changed)
    assert verdicts[: len(messages)] == [""] * len(messages)
    assert all(verdicts[len(messages) :]), verdicts
