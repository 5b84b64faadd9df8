"""Functions that mean harm, or go wrong: they end as on AWS, and neither the cloud nor other functions notice.

As root in this process, and with the server of a user without rights.
"""

import base64
import itertools
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Account
from tests.ordinary_user import nobody
from tests.server_process import Server
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.test_events import let
from tests.services.compute.lambda_.test_invocations import Create

Invoke = Callable[..., dict[str, Any]]
_accounts = itertools.count(200_000_000_000)


class Served(Account):
    """An account of a server that is a process of its own."""

    def settle(self) -> None:
        """Wait until every function is active."""
        lambda_ = self.client("lambda")
        for function in lambda_.list_functions()["Functions"]:
            waiter = lambda_.get_waiter("function_active_v2")
            waiter.wait(FunctionName=function["FunctionName"], WaiterConfig={"Delay": 0.02, "MaxAttempts": 500})


@pytest.fixture(scope="module")
def server_of_nobody() -> Iterator[Server]:
    home = Path(tempfile.mkdtemp(prefix="cumulo-test-"))  # pytest's own folders are root's alone
    user = nobody()
    os.chown(home, user, user)
    server = Server(home / "cloud", user=user).start()
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["in this process", "of an ordinary user"])
def cloud(request: pytest.FixtureRequest) -> Account:
    """In both of them."""
    if request.param == "in this process":
        here: Account = Account(request.getfixturevalue("_shared_cloud"), f"{next(_accounts):012d}")
        return here
    if os.geteuid() != 0:
        pytest.skip("we are one already")
    server: Server = request.getfixturevalue("server_of_nobody")
    settings = SimpleNamespace(data_dir=server.data_dir)
    running: Any = SimpleNamespace(url=server.url, settings=settings)
    return Served(running, f"{next(_accounts):012d}")


@pytest.fixture
def run(cloud: Account, create: Create) -> Invoke:
    """Makes a function of the code and invokes it; the answer, with its payload read as "document"."""
    let(cloud)

    def run(code: str, event: Any = None, name: str = "hostile", **options: Any) -> dict[str, Any]:
        create(name, Code={"ZipFile": zip_of({"index.py": code})}, **{"Timeout": 20, **options})
        return invoke(cloud, name, event)

    return run


def invoke(cloud: Account, name: str = "hostile", event: Any = None) -> dict[str, Any]:
    answer: dict[str, Any] = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    answer["document"] = json.load(answer["Payload"])
    answer["tail"] = base64.b64decode(answer["LogResult"]).decode()
    return answer


def test_a_bomb_of_threads(cloud: Account, run: Invoke) -> None:
    """At most 1,024 processes and threads: Developer Guide, "Lambda quotas"."""
    code = """
import threading
def handler(event, context):
    threading.stack_size(65536)
    done = threading.Event()
    made = []
    try:
        while True:
            thread = threading.Thread(target=done.wait, daemon=True)
            thread.start()
            made.append(thread)
    except RuntimeError as error:
        done.set()
        return len(made), str(error)
"""
    made, reason = run(code, MemorySize=1024)["document"]
    assert reason == "can't start new thread"
    assert 900 < made <= 1024
    assert cloud.client("sts").get_caller_identity()["Account"] == cloud.account


def test_a_fork_bomb(cloud: Account, run: Invoke) -> None:
    """It is timed out, whatever it has become by then."""
    code = """
import os
def handler(event, context):
    if event == "again":
        return "alive"
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""
    answer = run(code, Timeout=3)
    assert answer["FunctionError"] == "Unhandled"
    assert answer["document"]["errorType"] in ("Sandbox.Timedout", "Runtime.OutOfMemory")
    assert invoke(cloud, event="again")["document"] == "alive"


def test_a_memory_bomb(cloud: Account, run: Invoke) -> None:
    code = """
def handler(event, context):
    if event == "again":
        return "alive"
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
"""
    answer = run(code, MemorySize=128)
    assert answer["FunctionError"] == "Unhandled"
    document = answer["document"]
    if document["errorType"] != "MemoryError":  # which a limit of the process makes where there are no control groups
        request_id = answer["ResponseMetadata"]["RequestId"]
        assert document["errorType"] == "Runtime.OutOfMemory"
        assert document["errorMessage"] == f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        assert "Max Memory Used: 128 MB" in answer["tail"]
    assert invoke(cloud, event="again")["document"] == "alive"


def test_a_disk_filler(run: Invoke) -> None:
    code = """
def handler(event, context):
    written = 0
    try:
        with open("/tmp/filler", "wb", buffering=0) as file:
            while True:
                written += file.write(bytes(1 << 20))
    except OSError as error:
        return written >> 20, error.strerror
"""
    answer = run(code, EphemeralStorage={"Size": 600}, MemorySize=128)
    assert answer["document"] == [600, "No space left on device"]


def test_files_of_the_host_and_of_other_functions(cloud: Account, run: Invoke) -> None:
    data_dir = cloud.data_dir
    secret = data_dir.parent / "secret"
    secret.write_text("of the host")
    secret.chmod(0o644)
    run("SECRET = 1\ndef handler(event, context): return __file__", name="neighbour")
    code = """
import os
def look(path):
    try:
        return os.listdir(path) if os.path.isdir(path) else len(open(path).read())
    except OSError as error:
        return error.strerror
def handler(event, context):
    found = {path: look(path) for path in event}
    found["sources"] = [os.path.join(folder, file) for top in ("/var/task", "/var/lib", "/tmp", "/opt", "/mnt")
                        for folder, _, files in os.walk(top) for file in files]
    return found
"""
    absent = [str(data_dir), str(secret), "/etc/shadow", "/home", "/proc/1/environ", "/proc/1/cwd", "/sys"]
    found = run(code, absent, name="nosy")["document"]
    assert found.pop("sources") == ["/var/task/index.py"]
    assert set(found.values()) <= {"No such file or directory", "Permission denied"}


def test_the_network(cloud: Account, run: Invoke) -> None:
    """Nothing but the cloud can be reached."""
    code = """
import os, socket, boto3
def reach(host, port):
    try:
        socket.create_connection((host, port), 2).close()
        return "reached"
    except OSError as error:
        return type(error).__name__
def handler(event, context):
    return [reach(host, port) for host, port in event], boto3.client("sts").get_caller_identity()["Arn"]
"""
    import socket

    with socket.socket() as outside:
        outside.bind(("127.0.0.1", 0))
        outside.listen()
        places = [("127.0.0.1", outside.getsockname()[1]), ("192.0.2.1", 80), ("10.0.0.1", 22), ("169.254.169.254", 80)]
        answer = run(code, places)
    outcomes, arn = answer["document"]
    assert "reached" not in outcomes
    assert arn.endswith(":assumed-role/worker/hostile")


def test_output_without_end(cloud: Account, run: Invoke) -> None:
    """It is timed out, its log is the last of it, and the cloud answers meanwhile."""
    waits: list[float] = []
    done = threading.Event()

    def ask() -> None:
        sts = cloud.client("sts")
        while not done.wait(0.02):
            began = time.perf_counter()
            sts.get_caller_identity()
            waits.append(time.perf_counter() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        answer = run("def handler(event, context):\n    while True: print('y' * 1000)", Timeout=2)
    finally:
        done.set()
        asking.join()
    assert answer["FunctionError"] == "Unhandled"
    assert answer["document"]["errorMessage"].endswith("Task timed out after 2.00 seconds")
    assert len(answer["tail"]) <= 4096
    assert len(waits) > 5


def test_signals_that_are_ignored(cloud: Account, run: Invoke) -> None:
    code = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
def handler(event, context):
    if event == "again":
        return "alive"
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""
    answer = run(code, Timeout=1)
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["document"]["errorType"] == "Sandbox.Timedout"
    assert answer["document"]["errorMessage"] == f"RequestId: {request_id} Error: Task timed out after 1.00 seconds"
    assert invoke(cloud, event="again")["document"] == "alive"


@pytest.mark.parametrize(
    ("end", "kind", "reason"),
    [
        ("os.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: killed"),
        ("os._exit(7)", "Runtime.ExitError", "exit status 7"),
        ("__import__('ctypes').string_at(0)", "Runtime.ExitError", "signal: segmentation fault"),
    ],
)
def test_runtimes_that_end(cloud: Account, run: Invoke, end: str, kind: str, reason: str) -> None:
    code = f"import os\ndef handler(event, context):\n    if event == 'again': return 'alive'\n    {end}\n"
    answer = run(code)
    request_id = answer["ResponseMetadata"]["RequestId"]
    text = f"RequestId: {request_id} Error: Runtime exited with error: {reason}"
    assert answer["document"] == {"errorType": kind, "errorMessage": text}
    assert invoke(cloud, event="again")["document"] == "alive"


def test_what_is_left_behind_does_not_meet_the_next_invocation_of_another(cloud: Account, run: Invoke) -> None:
    """A process in the background and a file in /tmp stay with their environment."""
    code = """
import os, subprocess
def handler(event, context):
    subprocess.Popen(["sleep", "60"], start_new_session=True)
    open("/tmp/mine", "w").write(context.function_name)
    return sorted(os.listdir("/tmp")), len([name for name in os.listdir("/proc") if name.isdecimal()])
"""
    first = run(code, name="first")["document"]
    second = run(code, name="second")["document"]
    assert first == second == [["mine"], 3]
    assert invoke(cloud, "first")["document"] == [["mine"], 4]
