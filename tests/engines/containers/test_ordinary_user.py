"""The engines that an ordinary user may have, without daemons and without sub-ids: podman, runc and gVisor."""

import os

import pytest

from tests.engines.sandboxes.test_ordinary_user import ALL_S, run_as_nobody

FILES = ("test_functions.py", "test_images.py", "test_hostile.py")


@pytest.mark.timeout(ALL_S + 30)
@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_without_root() -> None:
    files = [f"tests/engines/containers/{name}" for name in FILES]
    run_as_nobody(files, "-k", "(podman or runc or gvisor) and not fork and not killed")
