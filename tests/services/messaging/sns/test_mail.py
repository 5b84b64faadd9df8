"""Mail subscriptions: what a person finds in the data directory."""

import email
import email.policy
import json
import re
import urllib.request
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.conftest import Account


def mailbox(cloud: Account, address: str) -> list[EmailMessage]:
    """The mail to an address, the oldest first."""
    cloud.settle()
    files = sorted((cloud.data_dir / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    found = [read(path) for path in files]
    return [mail for mail in found if mail["To"] == address]


def read(path: Path) -> EmailMessage:
    found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def subscribe(cloud: Account, topic: str, address: str, protocol: str = "email") -> None:
    cloud.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=address)
    [mail] = mailbox(cloud, address)
    assert mail["Subject"] == "AWS Notification - Subscription Confirmation"
    link = re.search(r"http://\S+Action=ConfirmSubscription[^\s\"]+", mail.get_content().replace("\\/", "/"))
    assert link is not None
    urllib.request.urlopen(link[0]).close()


def test_mail_is_confirmed_and_written(cloud: Account, sns: Any, topic: str) -> None:
    address = f"a{cloud.account}@example.com"
    subscribe(cloud, topic, address)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Searches")
    sns.publish(TopicArn=topic, Message="höre", Subject="A subject")
    mail = mailbox(cloud, address)[1]
    assert mail["Subject"] == "A subject"
    assert mail["From"] == "Searches <no-reply@sns.amazonaws.com>"
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("höre\n")
    assert f"{cloud.url}/?Action=Unsubscribe&SubscriptionArn={topic}:" in text


def test_mail_as_json(cloud: Account, sns: Any, topic: str) -> None:
    address = f"j{cloud.account}@example.com"
    subscribe(cloud, topic, address, "email-json")
    texts = {"default": "d", "email": "for people", "email-json": "for programs"}
    sns.publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")
    body = json.loads(mailbox(cloud, address)[1].get_content())
    assert (body["Type"], body["Message"]) == ("Notification", "for programs")
    assert body["Signature"]
