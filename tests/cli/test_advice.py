"""What the commands say about functions that fail, and what they read out of a folder."""

from pathlib import Path

import pytest

from cumulo.cli import advice, folders, handlers
from tests.cli.test_commands import Shell, cumulo  # noqa: F401 - the fixture


@pytest.mark.parametrize(
    ("error_type", "message", "said"),
    [
        (
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'app'",
            "has no app.py at its top",
        ),
        (
            "Runtime.ImportModuleError",
            "Unable to import module 'src/app': No module named 'requests'",
            "pip install req",
        ),
        (
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'yaml.nodes'",
            "pip install yaml ",
        ),
        ("Runtime.ImportModuleError", "Unable to import module 'app': No module named 'boto3'", "boto3 beside cumulo"),
        (
            "Runtime.ImportModuleError",
            "Unable to import module 'app': /var/task/_x.so: cannot open shared object file: No",
            "another system, processor or version of Python",
        ),
        (
            "Runtime.ImportModuleError",
            "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@aws-sdk/client-s3' imported",
            "npm install @aws-sdk/client-s3 ",
        ),
        ("Runtime.ImportModuleError", "Error: Cannot find module 'left-pad'", "npm install left-pad "),
        ("Runtime.ImportModuleError", "Error: Cannot find module '/var/task/other'", "index.mjs"),
        ("Runtime.HandlerNotFound", "index.x is undefined or not exported", "FILE.NAME"),
        ("Runtime.MalformedHandlerName", "Bad handler 'app'", "FILE.NAME"),
        ("Runtime.InvalidEntrypoint", "fork/exec /var/task/bootstrap: permission denied", "chmod +x"),
        ("Runtime.InvalidEntrypoint", "fork/exec /var/task/bootstrap: no such file or directory", "carriage return"),
        ("Runtime.InvalidEntrypoint", "fork/exec /var/task/bootstrap: exec format error", "processor"),
        ("Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [/var/task/b]", "at its top"),
        ("Sandbox.Timedout", "Task timed out after 3.00 seconds", "--timeout"),
        ("Runtime.OutOfMemory", "Runtime exited with error: signal: killed", "--memory-size"),
        ("ClientError", "An error occurred (AccessDenied) when calling the ListBuckets operation", "cumulo why"),
        ("AccessDeniedException", "User is not authorized", "cumulo why"),
        ("OSError", "[Errno 30] Read-only file system: '/var/task/x'", "/tmp"),
        ("URLError", "<urlopen error [Errno -2] Name or service not known>", "docs/isolation.md"),
        ("Error", "getaddrinfo ENOTFOUND example.com", "docs/isolation.md"),
        ("java.lang.ClassNotFoundException", "Class not found: a.B", "lib/"),
        ("KeyError", "'name'", ""),
    ],
)
def test_what_helps(error_type: str, message: str, said: str) -> None:
    given = advice.about(error_type, message)
    assert (said in given) and bool(said) == bool(given)


def files(folder: Path, **texts: str) -> folders.Seen:
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folders.seen(folder)


@pytest.mark.parametrize(
    ("texts", "handler"),
    [
        ({"app__py": "import os\n\ndef lambda_handler(event, context):\n    return 1\n"}, "app.lambda_handler"),
        ({"a__py": "x = 1\n", "web__py": "app = 1\nhandler = Mangum(app)\n"}, "web.handler"),
        ({"index__mjs": "export const handler = async () => 1\n"}, "index.handler"),
        ({"index__js": "exports.handler = async () => 1\n"}, "index.handler"),
        ({"module__js": "export async function main() {}\n"}, "module.main"),
        ({"function__rb": "def handler(event:, context:)\nend\n"}, "function.handler"),
        ({"bootstrap": "#!/bin/sh\n"}, "bootstrap"),
        ({"readme__md": "def handler(x)"}, ""),
    ],
)
def test_a_likely_handler(texts: dict[str, str], handler: str, tmp_path: Path) -> None:
    assert handlers.likely(tmp_path, files(tmp_path, **texts)) == handler


@pytest.mark.parametrize(
    ("handler", "names", "identifier"),
    [
        ("index.handler", ["index.mjs"], "nodejs22.x"),
        ("src/index.handler", ["src/index.js", "app.py"], "nodejs22.x"),
        ("function.handler", ["function.rb"], "ruby3.4"),
        ("shop.Orders::handle", ["shop/Orders.class"], "java21"),
        ("main", ["bootstrap"], "provided.al2023"),
        ("gone.handler", ["other.txt"], "python3."),
        ("app.handler", ["app.py", "bootstrap"], "python3."),
    ],
)
def test_the_runtime_of_a_handler(handler: str, names: list[str], identifier: str) -> None:
    here = ["nodejs20.x", "nodejs22.x", "java17", "java21", "provided.al2023"]
    assert handlers.runtime(handler, names, here).startswith(identifier)


def test_a_failing_function_is_explained(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    source = tmp_path / "src"
    source.mkdir()
    files(source, app__py="import nothing_like_it\n\ndef handler(event, context):\n    return 1\n")
    assert cumulo("start", "--detach").returncode == 0
    assert "--handler app.handler makes it" in cumulo("live", "broken", str(source)).stderr
    failed = cumulo("live", "broken", str(source), "--handler", "app.handler", "--event", "{}", "--once")
    assert failed.returncode == 1 and failed.stdout.startswith("broken made in ") and "(1 file, " in failed.stdout
    lines = failed.stderr.splitlines()
    assert "pip install nothing_like_it" in lines[-1]
    assert "INIT_REPORT" not in next(line for line in lines if "Traceback" in line)
    assert not any("Max Memory Used: 0 MB" in line for line in lines), failed.stderr


def test_the_port_that_is_named_is_the_one(cumulo: Shell) -> None:  # noqa: F811
    """Another cloud than that of this directory, not silently this one."""
    assert cumulo("start", "--detach").returncode == 0
    assert cumulo("status", "--port", str(cumulo.port)).returncode == 0
    other = ("--port", "9")
    assert cumulo("status", *other).returncode == 3
    refused = cumulo("invoke", "any", *other)
    assert (refused.returncode, "no cloud is running on port 9" in refused.stderr) == (1, True)
    assert cumulo("stop", *other).stdout == "no cloud is running on port 9\n"
    assert cumulo("status").returncode == 0
