"""The same for a server without rights: user namespaces make room for it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOBODY = 65534
FILES = ("test_sandboxes.py", "test_hostile.py", "test_plain.py")


@pytest.mark.timeout(400)  # a whole run of tests, on a machine that may be busy
@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_without_root() -> None:
    home = Path(tempfile.mkdtemp(prefix="cumulo-test-"))  # pytest's own folders are root's alone
    tests = [str(HERE / name) for name in FILES]
    os.chown(home, NOBODY, NOBODY)
    pytest_command = [sys.executable, "-m", "pytest", "-q", "--basetemp", str(home / "tests")]
    ran = subprocess.run(
        [sys.executable, str(HERE.parents[1] / "ordinary_user.py"), str(NOBODY), *pytest_command, *tests],
        env={**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(home, ignore_errors=True)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-1000:]
