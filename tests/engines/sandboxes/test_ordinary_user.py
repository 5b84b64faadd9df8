"""The same for a server without rights: user namespaces make room for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOBODY = 65534
FILES = ("test_sandboxes.py", "test_hostile.py", "test_plain.py")


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_without_root(tmp_path: Path) -> None:
    for parent in [tmp_path, *tmp_path.parents[:2]]:
        parent.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    tests = [str(HERE / name) for name in FILES]
    pytest_command = [sys.executable, "-m", "pytest", "-q", "--basetemp", str(home / "tests")]
    ran = subprocess.run(
        [sys.executable, str(HERE.parents[1] / "ordinary_user.py"), str(NOBODY), *pytest_command, *tests],
        env={**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-1000:]
