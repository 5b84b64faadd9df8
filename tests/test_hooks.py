"""A person's scripts: order, programs, environment, what becomes of them."""

import asyncio
import os
from pathlib import Path

from cumulo.hooks import Hooks
from cumulo.settings import Settings


def hooks(tmp_path: Path, **files: str) -> Hooks:
    for name, text in files.items():
        stage, _, rest = name.partition("_")
        file = tmp_path / "init" / f"{stage}.d" / rest.replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    settings = Settings(data_dir=tmp_path, cache_dir=tmp_path / "cache", hooks=(tmp_path / "init",))
    return Hooks(settings)


def test_scripts_run_in_order_with_the_exports(tmp_path: Path) -> None:
    said = tmp_path / "said"
    found = hooks(
        tmp_path,
        ready_b_sh=f"echo shell $AWS_ENDPOINT_URL >> {said}; command -v awslocal >> {said}",
        ready_a_py=f"import os; print('python', os.environ['AWS_DEFAULT_REGION'], file=open({str(said)!r}, 'a'))",
    )
    found.endpoint = lambda: "http://localhost:1234"
    asyncio.run(found.run("ready"))
    assert said.read_text().splitlines() == [
        "python us-east-1",
        "shell http://localhost:1234",
        str(tmp_path / "cache" / "bin" / "awslocal"),
    ]
    assert [script["state"] for script in found.report("ready")["scripts"]] == ["SUCCESSFUL", "SUCCESSFUL"]


def test_a_failure_is_reported_and_the_others_run(tmp_path: Path) -> None:
    found = hooks(tmp_path, boot_a_sh="exit 3", boot_b_sh="exit 0", boot_c_txt="not a script")
    asyncio.run(found.run("boot"))
    assert found.report("boot") == {
        "completed": True,
        "scripts": [
            {"stage": "BOOT", "name": "a.sh", "state": "ERROR"},
            {"stage": "BOOT", "name": "b.sh", "state": "SUCCESSFUL"},
        ],
    }
    assert found.report()["completed"] == {"BOOT": True, "START": False, "READY": False, "SHUTDOWN": False}


def test_a_stop_ends_a_script_and_what_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    found = hooks(tmp_path, ready_a_sh=f"sleep 60 & echo $! > {pid}.new; mv {pid}.new {pid}; wait")

    async def stop_in_the_middle() -> None:
        running = asyncio.create_task(found.run("ready"))
        while not pid.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])
        while is_running(int(pid.read_text())):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(stop_in_the_middle(), 60))


def is_running(pid: int) -> bool:
    """Whether the process lives; one that has ended and waits to be collected does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text() if Path("/proc").is_dir() else not os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_no_folder_is_no_error(tmp_path: Path) -> None:
    found = hooks(tmp_path)
    asyncio.run(found.run("start"))
    assert found.report("start") == {"completed": True, "scripts": []}
