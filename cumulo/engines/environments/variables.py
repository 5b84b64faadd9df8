"""The environment variables that Lambda itself sets.

Source: AWS Lambda Developer Guide, "Defined runtime environment variables".
"""

from __future__ import annotations

from cumulo.engines.environments import debugging
from cumulo.engines.environments.builds import Build
from cumulo.engines.environments.runtimes import IMAGE, NODE, PROVIDED, PYTHON, RUBY, Runtime

LIBRARIES = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
EXTENSIONS = "/opt/extensions"
PATH = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
IMAGE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Of images that set none, as Docker has it."""
BY_IMAGES = (
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "LD_LIBRARY_PATH",
    "PATH",
    "PWD",
    "SHLVL",
    "TZ",
    "_HANDLER",
)
"""What an image says itself, as AWS's base images do."""
DAEMON = "169.254.79.129"  # X-Ray's


def of(build: Build, runtime: Runtime, log_stream: str) -> dict[str, str]:
    """The whole environment of the runtime's process; AWS_LAMBDA_RUNTIME_API is added inside, where it is known."""
    variables = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(build.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": build.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": build.function_version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": build.init_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": build.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{DAEMON}:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": DAEMON,
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": LIBRARIES,
        "PATH": PATH,
        "PWD": "/var/task",
        "SHLVL": "0",
        "TZ": ":UTC",
        "_HANDLER": build.handler,
    }
    if build.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        if build.application_level:
            variables["AWS_LAMBDA_LOG_LEVEL"] = build.application_level
    if runtime.family == IMAGE:
        own = {name: value for name, value in variables.items() if name not in BY_IMAGES}
        return {"PATH": IMAGE_PATH, **build.image_variables, **own, **build.variables}
    if runtime.family != PROVIDED:
        variables["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{build.runtime}"
    if runtime.family == PYTHON:
        variables |= {"LC_CTYPE": "C.UTF-8", "PYTHONPATH": "/var/runtime"}
    elif runtime.family == NODE:
        major = runtime.version.lstrip("v").partition(".")[0]
        folders = (f"/opt/nodejs/node{major}/node_modules", "/opt/nodejs/node_modules", "/var/runtime/node_modules")
        variables["NODE_PATH"] = ":".join((*folders, "/var/runtime", "/var/task"))
    elif runtime.family == RUBY:
        minor = build.runtime.removeprefix("ruby")
        variables |= {
            "GEM_HOME": "/var/runtime",
            "GEM_PATH": f"/var/task/vendor/bundle/ruby/{minor}.0:/opt/ruby/gems/{minor}.0:/var/runtime",
            "RUBYLIB": "/var/task:/var/runtime/lib:/opt/ruby/lib",
        }
    return {**variables, **build.variables, **debugging.variables(build, runtime.family)}
