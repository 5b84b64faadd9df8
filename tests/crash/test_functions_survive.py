"""Functions are made while the server is killed: each is there whole or not at all, and comes into service."""

import json
import random
import threading
import time
import urllib.request
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.server_process import Server
from tests.services.compute.lambda_.conftest import RUNTIME, TRUST, zip_of

FUNCTIONS = 40


class Maker(threading.Thread):
    """Makes functions one after the other, each of code of its own; remembers which were acknowledged."""

    def __init__(self, server: Server, role: str) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.role = role
        self.acknowledged: set[str] = set()
        self.uncertain: set[str] = set()
        self.up = threading.Event()  # whether the server is there to be asked

    def run(self) -> None:
        client = self.server.client("lambda")
        for number in range(FUNCTIONS):
            self.up.wait(60)
            name = f"f{number}"
            code = zip_of({"index.py": f"number = {number}\n", "padding.bin": random.Random(number).randbytes(400_000)})
            try:
                client.create_function(
                    FunctionName=name, Runtime=RUNTIME, Role=self.role, Handler="index.h", Code={"ZipFile": code}
                )
                self.acknowledged.add(name)
            except (BotoCoreError, ClientError):
                self.uncertain.add(name)
        client.close()


def _active(client: Any, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        found: dict[str, Any] = client.get_function(FunctionName=name)
        if found["Configuration"]["State"] == "Active" or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_functions_survive(server: Server) -> None:
    role = server.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    maker = Maker(server, role["Arn"])
    maker.up.set()
    maker.start()
    kills, chance = 0, random.Random(1)
    while maker.is_alive():
        made, deadline = len(maker.acknowledged), time.monotonic() + 5
        while len(maker.acknowledged) == made and maker.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))  # anywhere in the making of the next ones
        maker.up.clear()
        server.kill()
        server.start()
        maker.up.set()
        kills += 1
    client = server.client("lambda")
    there = {each["FunctionName"] for each in client.list_functions(MaxItems=50)["Functions"]}
    assert maker.acknowledged <= there <= maker.acknowledged | maker.uncertain
    assert len(maker.acknowledged) > FUNCTIONS // 4
    assert kills >= 1
    for name in there:
        found = _active(client, name)
        assert found["Configuration"]["State"] == "Active", name
        with urllib.request.urlopen(found["Code"]["Location"]) as answer:
            assert len(answer.read()) == found["Configuration"]["CodeSize"]
    assert client.get_account_settings()["AccountUsage"]["FunctionCount"] == len(there)
    log = server.log.read_text()
    assert "Traceback" not in log, log[-3000:]
