"""The environment variables that Lambda sets itself, for every runtime."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.environments import runtimes, variables
from cumulo.engines.environments.builds import Build
from cumulo.engines.environments.runtimes import Runtime

LIBRARIES = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
PATH = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
KEYS = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}


def of(identifier: str, **changes: str) -> dict[str, str]:
    """All variables of an environment, but for the address of the Runtime API."""
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    given: dict[str, Any] = {"variables": KEYS, "log_group": "/aws/lambda/f", **changes}
    build = Build("k", identifier, "index.handler", Path(), "f", "$LATEST", arn, **given)
    return variables.of(build, Runtime(identifier, family(identifier), "", "20.1.0"), "stream")


def family(identifier: str) -> str:
    """ "java" of "java8.al2"."""
    return "".join(itertools.takewhile(str.isalpha, identifier))


@pytest.mark.parametrize("identifier", runtimes.KNOWN)
def test_all_runtimes_have_these(identifier: str) -> None:
    found = of(identifier)
    daemon = "169.254.79.129" if identifier == "provided.al2" else "169.254.100.1"
    wanted = {
        **KEYS,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f", "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR", "AWS_XRAY_DAEMON_ADDRESS": f"{daemon}:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": daemon, "_AWS_XRAY_DAEMON_PORT": "2000", "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task", "LANG": "en_US.UTF-8", "TZ": ":UTC", "_HANDLER": "index.handler",
    }  # fmt: skip
    own = {name: found.pop(name) for name in wanted}
    assert own == wanted
    managed = {} if identifier.startswith("provided") else {"AWS_EXECUTION_ENV": f"AWS_Lambda_{identifier}"}
    assert {name: found.pop(name) for name in managed} == managed
    lang = 2 if identifier.startswith("ruby") else int(identifier != "provided.al2")
    assert found.pop("LD_LIBRARY_PATH") == "/var/lang/lib:" * lang + LIBRARIES
    assert found.pop("PATH") == "/var/lang/bin:" * lang + PATH
    assert set(found) == BESIDE[family(identifier)] | MORE.get(identifier, set())


SHELL = {"PWD", "SHLVL"}
BESIDE: dict[str, set[str]] = {
    "python": {*SHELL, "PYTHONPATH"},
    "nodejs": {*SHELL, "NODE_PATH"},
    "ruby": {*SHELL, "GEM_HOME", "GEM_PATH", "RUBYLIB"},
    "java": set(),
    "provided": set(),
}
OLD_NAMES = {"AWS_ACCESS_KEY", "AWS_SECRET_KEY"}
MORE = {
    **{f"python3.{minor}": {"LC_CTYPE"} for minor in (12, 13, 14)},
    **dict.fromkeys(("java8.al2", "java11"), OLD_NAMES),
}


def test_their_values() -> None:
    assert {name: of("java11")[name] for name in OLD_NAMES} == {"AWS_ACCESS_KEY": "ASIA", "AWS_SECRET_KEY": "secret"}
    assert of("python3.12")["LC_CTYPE"] == "C.UTF-8"
    ruby = of("ruby3.3")
    assert ruby["GEM_HOME"] == "/var/runtime"
    assert ruby["GEM_PATH"] == (
        "/var/task/vendor/bundle/ruby/3.3.0:/opt/ruby/gems/3.3.0:/var/runtime:/var/runtime/ruby/3.3.0"
    )
    assert of("nodejs20.x")["NODE_PATH"] == (
        "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
    )


def test_formats_of_logs() -> None:
    assert not {"AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"} & set(of("python3.12", application_level="INFO"))
    as_json = of("python3.12", log_format="JSON", application_level="WARN")
    assert (as_json["AWS_LAMBDA_LOG_FORMAT"], as_json["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "WARN")
    assert "AWS_LAMBDA_LOG_LEVEL" not in of("python3.12", log_format="JSON")
