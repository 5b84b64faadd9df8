"""A forked process finds itself in a sandbox: its own root, processes, network; the server hears how it ends."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import cumulo

TREE = Path(cumulo.__file__).parents[1]
ZYGOTE = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from cumulo.engines.sandboxes import enter
given = json.loads(sys.argv[2])
enter.subreaper()
enter.prepare(given["template"])
if os.fork() == 0:
    enter.enter(given["spec"])
    print(json.dumps({"root": sorted(os.listdir("/")), "cwd": os.getcwd(), "pid": os.getpid(),
                      "task": open("/var/task/code.py").read()}), flush=True)
    os._exit(7)
"""


def test_a_fork_enters_and_its_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "code").mkdir(mode=0o755)
    (tmp_path / "code/code.py").write_text("secret")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    root = os.geteuid() == 0
    template = {
        "root": str(tmp_path / "root"),
        "namespaces": [*([] if root else ["user"]), "mount", "pid", "ipc", "uts", "net"],
        "binds": [["/usr", "/usr"]],
    }
    spec = {
        "control": theirs.fileno(),
        "stdout": 1,
        "stderr": 2,
        "tmp_bytes": 1 << 20,
        "binds": [[str(tmp_path / "code"), "/var/task"]],
        "cwd": "/var/task",
        "listen": [["tcp", "127.0.0.1", 9001]],
        **({"uid": 700000, "gid": 700000} if root else {}),
    }
    zygote = subprocess.Popen(
        [sys.executable, "-S", "-c", ZYGOTE, str(TREE), json.dumps({"template": template, "spec": spec})],
        pass_fds=[theirs.fileno()],
        stdout=subprocess.PIPE,
    )
    theirs.close()
    messages, descriptors = [], []
    while not messages or "exit" not in messages[-1]:
        message, got, _, _ = socket.recv_fds(ours, 65536, 4)
        assert message, messages
        descriptors += got
        messages.append(json.loads(message))
    ours.close()
    output, _ = zygote.communicate(timeout=10)
    assert messages[-1].pop("peak") > 1 << 20
    assert messages[1:] == [
        {"ready": True, "addresses": [["127.0.0.1", 9001]]},
        {"exit": "runtime", "status": 7 << 8},
    ]
    assert json.loads(output) == {
        "root": ["dev", "etc", "opt", "proc", "run", "tmp", "usr", "var"],
        "cwd": "/var/task",
        "pid": 2,
        "task": "secret",
    }
    with socket.socket(fileno=descriptors[0]) as listening:
        assert listening.getsockname() == ("127.0.0.1", 9001)
