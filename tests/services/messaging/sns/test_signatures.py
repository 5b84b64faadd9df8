"""Signatures: the official validators accept what is sent, with the certificate that cumulo serves."""

import base64
import json
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from cumulo.services.messaging.sns import signatures
from tests.conftest import Account, RunningCloud

# What the JavaScript validator demands of the URL by default, and the one for Python.
STRICT_HOST = re.compile(r"^sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?$")


def certificate(cloud: Account, url: str) -> x509.Certificate:
    """The certificate at AWS's URL, fetched from cumulo."""
    parts = urlsplit(url)
    assert parts.scheme == "https"
    assert STRICT_HOST.match(parts.netloc)
    assert parts.path.endswith(".pem")
    request = urllib.request.Request(cloud.url + parts.path, headers={"Host": parts.netloc})
    with urllib.request.urlopen(request) as answer:
        return x509.load_pem_x509_certificate(answer.read())


def check(cloud: Account, body: dict[str, str]) -> None:
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{body[name]}\n" for name in names if name in body)
    key: Any = certificate(cloud, body["SigningCertURL"]).public_key()
    algorithm = hashes.SHA256() if body["SignatureVersion"] == "2" else hashes.SHA1()
    key.verify(base64.b64decode(body["Signature"]), text.encode(), PKCS1v15(), algorithm)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "a subject"}])
def test_a_notification_verifies(
    cloud: Account, sns: Any, topic: str, queue: Callable[..., Any], version: str, subject: dict[str, str]
) -> None:
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version)
    orders = queue()
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=orders.arn)
    sns.publish(TopicArn=topic, Message='ö\n"quoted"', **subject)
    body = json.loads(orders.bodies()[0])
    assert body["SignatureVersion"] == version
    check(cloud, body)


def test_a_clouds_key_is_made_beside_its_calls(
    start_cloud: Callable[..., RunningCloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    make = signatures._make

    def made(now: float) -> Any:
        threads.append(threading.current_thread().name)
        return make(now)

    monkeypatch.setattr(signatures, "_make", made)
    running = start_cloud()
    cloud = Account(running, "123456789012")
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="signed")["TopicArn"]
    cloud.settle()
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:orders")
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allowed]})})
    sns.publish(TopicArn=topic, Message="x")
    sns.create_topic(Name="another")
    cloud.settle()
    check(cloud, json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]))
    assert len(threads) == 1 and threads[0].startswith("asyncio")
    running.stop()


def test_a_request_to_confirm_verifies(cloud: Account, sns: Any, topic: str, receiver: Any) -> None:
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url)
    cloud.settle()
    check(cloud, receiver.bodies()[0])


def test_the_official_python_validator(
    cloud: Account, sns: Any, topic: str, queue: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answer:
        def __init__(self, url: str) -> None:
            with urllib.request.urlopen(cloud.url + urlsplit(url).path) as answer:
                self.content = answer.read()

    monkeypatch.setitem(sys.modules, "requests", SimpleNamespace(get=Answer))
    validator = pytest.importorskip("sns_message_validator")
    orders = queue()
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=orders.arn)
    sns.publish(TopicArn=topic, Message="m", Subject="s")
    message = json.loads(orders.bodies()[0])
    validator.SNSMessageValidator().validate_message(message)
    message["Message"] = "forged"
    with pytest.raises(validator.SignatureVerificationFailureException):
        validator.SNSMessageValidator().validate_message(message)


def test_other_certificates_are_unknown(cloud: Account) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(cloud.url + "/SimpleNotificationService-0.pem")
    caught.value.close()
    assert caught.value.code == 404
