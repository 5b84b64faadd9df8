"""What the README's section "Start" tells a newcomer to type is typed, in a fresh folder with a fresh environment."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server_process import ROOT, free_port

LEFT_OUT = (".*", "__pycache__", "stubs", "node_modules", "build", "dist")


def blocks(kind: str) -> list[str]:
    """The code blocks of one language in the section "Start", in their order."""
    section = (ROOT / "README.md").read_text().partition("\n## Start\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{kind}\n(.*?)```", section, flags=re.DOTALL)


class Newcomer:
    """A person with a home of their own, a checkout, Python and the AWS CLI. 4566 may be taken: it is another port."""

    def __init__(self, home: Path, aws: str) -> None:
        self.checkout = home / "cumulo"
        self.port = free_port()
        programs = home / "bin"
        programs.mkdir()
        (programs / "aws").symlink_to(aws)
        shutil.copytree(ROOT, self.checkout, ignore=shutil.ignore_patterns(*LEFT_OUT))
        subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True)
        self.environment = {
            "HOME": str(home),
            "PATH": f"{home / 'venv' / 'bin'}:{programs}:{os.environ['PATH']}",
            "CUMULO_PORT": str(self.port),
            "CUMULO_PURE": "1",  # compiling takes a minute; `make test-compiled` does it
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
        }

    def opens(self, script: str) -> "subprocess.Popen[str]":
        """A shell of its own that runs a script."""
        return subprocess.Popen(
            ["bash", "-euc", script.replace("4566", str(self.port))],
            cwd=self.checkout,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def types(self, script: str) -> str:
        """What a script prints."""
        shell = self.opens(script)
        said, _ = shell.communicate(timeout=60)
        assert shell.returncode == 0, f"{script}\n{said}"
        return said


@pytest.fixture
def newcomer(tmp_path: Path, aws_v2: list[str]) -> Iterator[Newcomer]:
    """Someone who has typed the first block and sees it running."""
    person = Newcomer(tmp_path, aws_v2[0])
    shell = person.opens(blocks("sh")[0])
    deadline = time.monotonic() + 100
    try:
        while True:
            assert shell.poll() is None, shell.stdout and shell.stdout.read()
            assert time.monotonic() < deadline, "cumulo did not start"
            try:
                urllib.request.urlopen(f"http://localhost:{person.port}/_cumulo/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield person
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGINT)  # Ctrl-C
        said, _ = shell.communicate(timeout=20)
    assert "Traceback" not in said
    assert f"AWS_ENDPOINT_URL=http://localhost:{person.port}" in said


def test_the_first_steps(newcomer: Newcomer) -> None:
    _, first_steps, data, function, *more = blocks("sh")
    said = newcomer.types(first_steps)
    assert "/000000000000/orders" in said
    assert '\\"Message\\" : \\"hello\\"' in said
    exports = "\n".join(line for line in first_steps.splitlines() if line.startswith("export "))
    said = newcomer.types(f"{exports}\n{data}")
    assert "make_bucket: photos" in said
    assert "upload: ./README.md to s3://photos/README.md" in said
    assert '"seen"' in said
    said = newcomer.types(f"{exports}\n{function}\ncat answer.json")
    assert '"Hello, you"' in said and '"StatusCode": 200' in said and '"Hello, again"' in said
    [program] = blocks("python")
    (newcomer.checkout / "program.py").write_text(program)
    said = newcomer.types(f"{exports}\n{sys.executable} program.py")  # this Python has boto3
    assert said.strip() == "one more"
    if sys.platform == "linux":
        [execute] = more
        assert "/000000000000/orders" in newcomer.types(execute)
