"""The same for a server without rights: user namespaces make room for it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ordinary_user import nobody

HERE = Path(__file__).parent
SANDBOXES = ("test_sandboxes.py", "test_hostile.py", "test_plain.py", "test_system_calls.py")
IMAGES = ("../environments/test_images.py", "../images/test_layers.py")
ONE_S, ALL_S = 60, 300
PYTEST = ("-m", "pytest", "-v", f"--timeout={ONE_S}", "--timeout-method=thread")
"""One that hangs is named, and ends the run with what each of its threads was doing."""


@pytest.mark.timeout(ALL_S + 30)  # a whole run of tests, on a machine that may be busy
@pytest.mark.parametrize("files", [SANDBOXES, IMAGES])
@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_without_root(files: tuple[str, ...]) -> None:
    run_as_nobody([str(HERE / name) for name in files])


def run_as_nobody(tests: list[str], *options: str) -> None:
    """Run these tests as a user without rights, who must pass them all."""
    home = Path(tempfile.mkdtemp(prefix="cumulo-test-"))  # pytest's own folders are root's alone
    user = nobody()
    os.chown(home, user, user)
    run = [sys.executable, *PYTEST, "--basetemp", str(home / "tests"), *options, *tests]
    try:
        with (home / "output").open("w") as output:  # no pipe: what outlives the run would keep it open
            ended = subprocess.run(
                [sys.executable, str(HERE.parents[1] / "ordinary_user.py"), str(user), *run],
                env={
                    **os.environ,
                    "HOME": str(home),
                    "HYPOTHESIS_STORAGE_DIRECTORY": str(home / "hypothesis"),
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                cwd=HERE.parents[2],
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=ALL_S,
                check=False,
            ).returncode
    except subprocess.TimeoutExpired:
        ended = -1
    text = (home / "output").read_text(errors="replace")
    shutil.rmtree(home, ignore_errors=True)
    assert ended == 0, text[-10_000:]
