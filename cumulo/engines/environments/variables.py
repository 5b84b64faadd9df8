"""The environment variables that Lambda itself sets.

Source: AWS Lambda Developer Guide, "Defined runtime environment variables".
"""

from __future__ import annotations

from cumulo.engines.environments import debugging
from cumulo.engines.environments.builds import Build
from cumulo.engines.environments.runtimes import IMAGE, JAVA, NODE, PROVIDED, PYTHON, RUBY, Runtime

LIBRARIES = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
EXTENSIONS = "/opt/extensions"
PATH = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
LANG_LIBRARIES, LANG_PATH = "/var/lang/lib:", "/var/lang/bin:"
"""Before the others, but in provided.al2; in Ruby twice."""
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
DAEMON, DAEMON_OF_AL2 = "169.254.100.1", "169.254.79.129"
"""X-Ray's; nothing listens there."""
PYTHON_OF_AL2 = ("python3.9", "python3.10", "python3.11")
OLD_JAVA = ("java8.al2", "java11")
OLD_KEYS = {"AWS_ACCESS_KEY": "AWS_ACCESS_KEY_ID", "AWS_SECRET_KEY": "AWS_SECRET_ACCESS_KEY"}
"""Other names of the credentials, that the oldest runtimes of Java have as well."""


def of(build: Build, runtime: Runtime, log_stream: str) -> dict[str, str]:
    """The whole environment of the runtime's process; AWS_LAMBDA_RUNTIME_API is added inside, where it is known."""
    daemon = DAEMON_OF_AL2 if build.runtime == "provided.al2" else DAEMON
    variables = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(build.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": build.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": build.function_version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": build.init_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": build.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{daemon}:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": daemon,
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": LIBRARIES,
        "PATH": PATH,
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
    return {**variables, **_of_family(build, runtime), **build.variables, **debugging.variables(build, runtime.family)}


def _of_family(build: Build, runtime: Runtime) -> dict[str, str]:
    """What managed runtimes have beside that, and where they have it otherwise."""
    family = runtime.family
    if build.runtime == "provided.al2":
        return {}
    lang = 2 if family == RUBY else 1
    variables = {"LD_LIBRARY_PATH": LANG_LIBRARIES * lang + LIBRARIES, "PATH": LANG_PATH * lang + PATH}
    if family == PROVIDED:
        return variables
    variables["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{build.runtime}"
    if family == JAVA:
        if build.runtime in OLD_JAVA:
            variables |= {old: build.variables[name] for old, name in OLD_KEYS.items() if name in build.variables}
        return variables
    variables |= {"PWD": "/var/task", "SHLVL": "0"}  # a shell's, which starts the others
    if family == PYTHON:
        variables["PYTHONPATH"] = "/var/runtime"
        if build.runtime not in PYTHON_OF_AL2:  # where that locale is not installed, Python says which one it took
            variables["LC_CTYPE"] = "C.UTF-8"
    elif family == NODE:
        major = runtime.version.lstrip("v").partition(".")[0]
        folders = (f"/opt/nodejs/node{major}/node_modules", "/opt/nodejs/node_modules", "/var/runtime/node_modules")
        variables["NODE_PATH"] = ":".join((*folders, "/var/runtime", "/var/task"))
    elif family == RUBY:
        minor = build.runtime.removeprefix("ruby")
        gems = (f"/var/task/vendor/bundle/ruby/{minor}.0", f"/opt/ruby/gems/{minor}.0", "/var/runtime")
        variables |= {
            "GEM_HOME": "/var/runtime",
            "GEM_PATH": ":".join((*gems, f"/var/runtime/ruby/{minor}.0")),
            "RUBYLIB": "/var/task:/var/runtime/lib:/opt/ruby/lib",  # without the gem that AWS's runtime is
        }
    return variables
