"""Publishers and consumers on a server that dies all the time, and the ledger of what it answered them.

Each topic has one queue. A standard message that got no answer is not sent again: it may arrive or not. A FIFO batch
that got no answer is sent again with the same deduplication ids; a FIFO receive that got none is repeated with the same
attempt id, a delete with the same receipt handles: all of that is what AWS's guides tell people to do.
"""

import itertools
import json
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, EndpointConnectionError

from tests.server_process import Server

BATCH = 10


class Ledger:
    """What was published, received and deleted on one topic and its queue. Message numbers count within a group."""

    def __init__(self, *, fifo: bool) -> None:
        self.fifo = fifo
        self.lock = threading.Lock()
        self.acknowledged: set[str] = set()
        self.uncertain: set[str] = set()  # standard: published, without an answer
        self.ids: dict[str, set[str]] = defaultdict(set)  # the message ids under which a body came
        self.deleting: set[str] = set()
        self.deleted_at: dict[str, float] = {}
        self.next_number: dict[str, int] = defaultdict(int)  # FIFO: which message of a group comes first from now on
        self.received = 0
        self.visibility_s = 0
        self.asked_at: dict[str, float] = {}  # FIFO: when the receive was asked that last brought a message
        self.violations: list[str] = []

    def arrived(self, messages: list[dict[str, Any]], asked_at: float) -> None:
        """Hold one answer of ReceiveMessage against what is known."""
        with self.lock:
            for message in messages:
                body = message["Body"]
                self.received += 1
                self.ids[body].add(message["MessageId"])
                if self.deleted_at.get(body, asked_at) < asked_at:
                    self.violations.append(f"{body} was deleted and came back")
                if self.fifo:
                    self._in_order(body)
                    self._hidden(body, asked_at)
            self.deleting.update(message["Body"] for message in messages)

    def _in_order(self, body: str) -> None:
        group, _, text = body.partition(" ")
        number = int(text)
        # The first time each follows its predecessor; again it comes only while it may not be deleted yet.
        if number > self.next_number[group]:
            self.violations.append(f"{body} came before {self.next_number[group]}")
        self.next_number[group] = max(self.next_number[group], number + 1)

    def _hidden(self, body: str, asked_at: float) -> None:
        """It comes again only when it may: a restart on a busy machine can take longer than it is hidden."""
        hidden_s = time.monotonic() - self.asked_at.get(body, float("-inf"))
        if hidden_s < self.visibility_s - 0.1:
            self.violations.append(f"{body} came again after {hidden_s:.1f} s")
        self.asked_at[body] = asked_at

    def published(self, bodies: list[str], answered: bool) -> None:
        with self.lock:
            (self.acknowledged if answered else self.uncertain).update(bodies)

    def deleted(self, bodies: list[str]) -> None:
        with self.lock:
            self.deleted_at.update(dict.fromkeys(bodies, time.monotonic()))

    @property
    def left(self) -> set[str]:
        with self.lock:
            return self.acknowledged - self.deleted_at.keys()

    @property
    def repeated(self) -> int:
        """How many receipts were of a message that had been received before."""
        return self.received - len(self.ids)


class Caller:
    """One thread's clients: it stays with a server until nobody is there, and goes on to the next."""

    def __init__(self, service: str, servers: list[Server], stopping: threading.Event) -> None:
        self._clients = itertools.cycle([server.client(service) for server in servers])
        self._client = next(self._clients)
        self._stopping = stopping

    def once(self, operation: str, **request: Any) -> Any:
        """The answer of a call, None when the connection broke before it came."""
        while not self._stopping.is_set():
            try:
                return getattr(self._client, operation)(**request)
            except EndpointConnectionError:  # nobody was there: the call has not been made
                self._client = next(self._clients)
                self._stopping.wait(0.02)
            except BotoCoreError:
                break
        return None

    def until_answered(self, operation: str, **request: Any) -> Any:
        """The answer of a call that may be repeated; None when the test is over before it comes."""
        while not self._stopping.is_set():
            answer = self.once(operation, **request)
            if answer is not None:
                return answer
        return None


class Load:
    """Publishers until `count` messages are acknowledged, consumers until they are stopped; a thread each.

    With several servers (of one cloud) the threads of a kind begin on different ones.
    """

    def __init__(self, servers: list[Server], count: int, *, publishers: int = 2, consumers: int = 2) -> None:
        self.servers = servers
        self.count = count
        self.publishers = publishers
        self.consumers = consumers
        self.groups = 10
        self.stopping = threading.Event()
        self.failures: list[BaseException] = []
        self.ledgers = {"orders": Ledger(fifo=False), "orders.fifo": Ledger(fifo=True)}
        self.urls: dict[str, str] = {}
        self.topics: dict[str, str] = {}
        self._publishing: list[threading.Thread] = []
        self._consuming: list[threading.Thread] = []

    def set_up(self, visibility_s: int) -> None:
        """A standard and a FIFO topic, each with its queue."""
        sqs, sns = self.servers[0].client("sqs"), self.servers[0].client("sns")
        for name, ledger in self.ledgers.items():
            ledger.visibility_s = visibility_s
            arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
            statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Resource": arn}]})
            attributes = {"VisibilityTimeout": str(visibility_s), "Policy": policy}
            fifo = {"FifoQueue": "true"} if ledger.fifo else {}
            self.urls[name] = sqs.create_queue(QueueName=name, Attributes=attributes | fifo)["QueueUrl"]
            fifo = {"FifoTopic": "true"} if ledger.fifo else {}
            self.topics[name] = sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
            raw = {"RawMessageDelivery": "true"}
            sns.subscribe(TopicArn=self.topics[name], Protocol="sqs", Endpoint=arn, Attributes=raw)
        sqs.close()
        sns.close()

    def start(self) -> None:
        for name, ledger in self.ledgers.items():
            share = self.count // len(self.ledgers) // self.publishers
            publish = self._publish_in_order if ledger.fifo else self._publish
            for number in range(self.publishers):
                caller = self._caller("sns", number)
                self._publishing.append(self._thread(publish, caller, name, ledger, f"p{number}", share))
            for number in range(self.consumers):
                self._consuming.append(self._thread(self._consume, self._caller("sqs", number), name, ledger))
        for thread in self._publishing + self._consuming:
            thread.start()

    def _thread(self, work: Callable[..., None], *arguments: Any) -> threading.Thread:
        def run() -> None:
            try:
                work(*arguments)
            except BaseException as failure:
                self.failures.append(failure)

        return threading.Thread(target=run)

    @property
    def publishing(self) -> bool:
        return not self.failures and any(thread.is_alive() for thread in self._publishing)

    @property
    def left(self) -> bool:
        """Whether acknowledged messages have not been deleted."""
        return any(ledger.left for ledger in self.ledgers.values())

    def finish(self, deadline_s: float) -> None:
        """Let the consumers take what is left, then end all threads."""
        deadline = time.monotonic() + deadline_s
        while self.left and not self.failures and time.monotonic() < deadline:
            self.stopping.wait(0.1)
        self.stop()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self._publishing + self._consuming:
            thread.join(60)

    def _caller(self, service: str, number: int) -> Caller:
        first = number % len(self.servers)
        return Caller(service, self.servers[first:] + self.servers[:first], self.stopping)

    def _publish(self, sns: Caller, name: str, ledger: Ledger, publisher: str, share: int) -> None:
        acknowledged = 0
        for number in itertools.count():
            if acknowledged >= share or self.stopping.is_set():
                break
            bodies = [f"{publisher} {number * BATCH + index}" for index in range(BATCH)]
            entries = [{"Id": str(index), "Message": body} for index, body in enumerate(bodies)]
            batch = {"TopicArn": self.topics[name], "PublishBatchRequestEntries": entries}
            answer = sns.once("publish_batch", **batch)
            assert answer is None or len(answer["Successful"]) == BATCH, answer
            ledger.published(bodies, answer is not None)
            acknowledged += BATCH if answer is not None else 0

    def _publish_in_order(self, sns: Caller, name: str, ledger: Ledger, publisher: str, share: int) -> None:
        numbers: dict[str, int] = defaultdict(int)
        groups = itertools.cycle([f"{publisher}-{group}" for group in range(self.groups)])
        for _ in range(share // BATCH):
            bodies: list[str] = []
            for group in itertools.islice(groups, BATCH // 2):
                bodies += [f"{group} {numbers[group]}", f"{group} {numbers[group] + 1}"]
                numbers[group] += 2
            entries = [
                {"Id": str(index), "Message": body, "MessageGroupId": body.split(" ")[0]}
                | {"MessageDeduplicationId": body.replace(" ", "-")}
                for index, body in enumerate(bodies)
            ]
            batch = {"TopicArn": self.topics[name], "PublishBatchRequestEntries": entries}
            answer = sns.until_answered("publish_batch", **batch)
            if answer is None:
                break
            assert len(answer["Successful"]) == BATCH, answer
            ledger.published(bodies, True)

    def _consume(self, sqs: Caller, name: str, ledger: Ledger) -> None:
        url = self.urls[name]
        while not self.stopping.is_set():
            attempt = {"ReceiveRequestAttemptId": str(uuid.uuid4())} if ledger.fifo else {}
            request = {"QueueUrl": url, "MaxNumberOfMessages": BATCH, "WaitTimeSeconds": 1, **attempt}
            asked_at = time.monotonic()
            answer = sqs.until_answered("receive_message", **request)
            messages = (answer or {}).get("Messages", [])
            if not messages:
                continue
            ledger.arrived(messages, asked_at)
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(messages)
            ]
            batch = {"QueueUrl": url, "Entries": entries}
            answer = sqs.until_answered("delete_message_batch", **batch)
            # A FIFO message that has become visible again refuses its old handle, and comes again.
            done = [messages[int(entry["Id"])]["Body"] for entry in (answer or {}).get("Successful", [])]
            ledger.deleted(done)
